"""A Vzenith camera behind an MQTT broker, with the arm of a barrier behind its first output.

Written by the same hands as the driver, from devices.md of the project's brief; it shares no code with it and is not
independent of it. The broker is mosquitto, the client paho-mqtt.

Started with {"broker": "127.0.0.1:PORT", "serial": "...", "order": "device_first" | "serial_first"}. Says {"ready": ...},
{"gpio_out": body}, {"serial": hex}, {"early": topic} for a command in the wrong order of topic.
Takes {"do": "plate", ...}, {"do": "keep_alive"}, {"do": "gate_status", "status": N}, {"do": "codes", "code": N} (what the
next commands are replied), {"do": "no_reply"}, {"do": "retained_plate"}, {"do": "list"}. It keeps a list of plates, at the start
{"list": [...]}, and says {"list": {plate: [enable_time, overdue_time]}} when asked.
"""

import base64
import json
import sys
import time

import paho.mqtt.client as mqtt

OPTIONS = json.loads(sys.argv[1])
SERIAL = OPTIONS["serial"]
HOST, PORT = OPTIONS["broker"].split(":")
ROOT = f"device/{SERIAL}/message" if OPTIONS.get("order") != "serial_first" else f"{SERIAL}/device/message"
STATE = {"code": 200}
LIST = {plate: ["2000-01-01 00:00:00", "2099-12-31 23:59:59"] for plate in OPTIONS.get("list", [])}


def say(**what):
    print(json.dumps(what), flush=True)


def up(name, payload, retain=False):
    message = {"id": f"{time.time_ns()}", "sn": SERIAL, "name": name, "version": "1.0", "timestamp": int(time.time()),
               "payload": payload}
    client.publish(f"{ROOT}/up/{name}", json.dumps(message), qos=1, retain=retain)


def plate(order):
    result = {
        "license": base64.b64encode(order["license"].encode()).decode(), "confidence": 90, "colorType": order.get("colour", 5),
        "plateid": order.get("plateid", 1), "isoffline": order.get("offline", 0), "is_fake_plate": 0,
        "timeStamp": {"Timeval": {"sec": int(time.time()), "usec": 0}},
    }
    picture = base64.b64encode(b"\xff\xd8" + bytes(500) + b"\xff\xd9").decode()
    alarm = {"channel": 0, "serialno": SERIAL, "result": {"PlateResult": result}}
    return {"type": "ivs_result", "body": {"AlarmInfoPlate": alarm, "full_image_content": picture}}


def operate(body):
    """The camera's own list: what it lets in by itself."""
    match body["operator_type"]:
        case "update_or_add":
            assert len(body["dldb_rec"]) <= 50, "more than it takes at once"
            for record in body["dldb_rec"]:
                assert record["enable"] == 1 and record["need_alarm"] == 0
                LIST[record["plate"]] = [record["enable_time"], record["overdue_time"]]
        case "delete":
            del LIST[body["plate"]]
        case "select_fuzzy":
            some = sorted(LIST)[body["start_pos"]:][:body["select_count"]]
            return {"type": "white_list_operator", "body": {"dldb_rec": [{"plate": plate} for plate in some]}}
    return None


def commanded(_client, _user, message):
    if message.topic.endswith("/reply"):
        return
    command = json.loads(message.payload)
    name = message.topic.rsplit("/", 1)[1]
    assert command["name"] == name and command["sn"] == SERIAL, command
    body = command["payload"]["body"]
    payload = None
    if name == "gpio_out":
        say(gpio_out=body)
    elif name == "white_list_operator":
        payload = operate(body)
    else:
        say(serial=[base64.b64decode(one["data"]).hex() for one in body["serialData"]])
    if STATE["code"] is None:
        return
    reply = {"id": command["id"], "sn": SERIAL, "name": name, "code": STATE["code"], "payload": payload}
    client.publish(f"{message.topic}/reply", json.dumps(reply), qos=1)
    if STATE["code"] == 200 and name == "gpio_out":
        up("barr_gate_status", {"body": {"gate_status": 2, "connect_status": 1, "enable": 1}})


def connected(_client, _user, _flags, _reason, _properties):
    client.subscribe([(f"device/{SERIAL}/message/down/#", 1), (f"{SERIAL}/device/message/down/#", 1)])


def subscribed(*_):
    say(ready=OPTIONS["broker"])


def obey(order):
    match order["do"]:
        case "plate":
            up("ivs_result", plate(order))
        case "retained_plate":
            up("ivs_result", plate(order), retain=True)
        case "keep_alive":
            up("keep_alive", {"body": {}})
        case "gate_status":
            up("barr_gate_status", {"body": {"gate_status": order["status"]}})
        case "codes":
            STATE["code"] = order["code"]
            say(answers_with=order["code"])
        case "list":
            say(list=LIST)
        case "no_reply":
            STATE["code"] = None
            say(answers_with=None)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=SERIAL)
client.on_message, client.on_connect, client.on_subscribe = commanded, connected, subscribed
client.connect(HOST, int(PORT))
client.loop_start()
while line := sys.stdin.readline():
    obey(json.loads(line))
