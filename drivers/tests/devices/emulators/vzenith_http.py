"""A Vzenith camera that posts, with the arm of a barrier behind its first output and on its first two inputs.

Written by the same hands as the driver, from devices.md of the project's brief; it shares no code with it and is not
independent of it. Only the standard library.

Started with {"box": "127.0.0.1:PORT", "serial": "...", "travel_ms": 60}. Says {"ready": ...} when the box listens, then
{"answer": ..., "status": N} for each plate, {"relay": "ok" | "io N value V"}, {"serial": [hex, ...]}, {"voice": text},
{"comet": ...} for each answer to a poll that is not idle, {"idle": true} for the first that is.
Takes {"do": "plate", "license": ..., "plateid": N, ...}, {"do": "hang_up", ...}, {"do": "heartbeat"}, {"do": "comet"},
{"do": "io", "source": N, "value": N}, {"do": "raw", "body": ...}.
"""

import base64
import http.client
import json
import sys
import threading
import time

OPTIONS = json.loads(sys.argv[1])
SERIAL = OPTIONS.get("serial", "eff50e18-e3d3862b")
JPEG = base64.b64encode(b"\xff\xd8" + bytes(1000) + b"\xff\xd9").decode()
SAYING = threading.Lock()


def say(**what):
    with SAYING:
        print(json.dumps(what), flush=True)


def post(path, body, kind="application/json"):
    connection = http.client.HTTPConnection(OPTIONS["box"], timeout=15)
    headers = {"Content-Type": kind, "Expect": "100-continue"} if len(body) > 1024 else {"Content-Type": kind}
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    assert int(answer.headers["Content-Length"]) == len(text)
    connection.close()
    return answer.status, text


def plate(order):
    seconds = order.get("sec", int(time.time()))
    result = {
        "license": order["license"], "confidence": 95, "colorType": order.get("colour", 1), "type": 1, "direction": 4,
        "plateid": order.get("plateid", 12345), "isoffline": order.get("offline", 0),
        "is_fake_plate": order.get("fake", 0),
        "timeStamp": {"Timeval": {"decyear": 2026, "decmon": 1, "decday": 2, "dechour": 3, "decmin": 4, "decsec": 5,
                                  "sec": seconds, "usec": 120000}},
        "location": {"RECT": {"left": 1, "right": 2, "top": 3, "bottom": 4}}, "imageFile": JPEG,
    }
    return {"AlarmInfoPlate": {"channel": 0, "deviceName": "IVS", "ipaddr": "192.168.1.9", "serialno": SERIAL,
                               "result": {"PlateResult": result}}}


def form():
    edge = "------------------------caa771fe4a61f3d9"
    fields = {"device_name": "IVS", "ipaddr": "192.168.1.9", "port": "80", "serialno": SERIAL, "channel_num": "1"}
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    return "".join(parts) + f"--{edge}--\r\n", f"multipart/form-data; boundary={edge}"


def carry_out(answer):
    """What the camera does when it is answered."""
    response = answer.get("Response_AlarmInfoPlate", {})
    opened = response.get("info") == "ok"
    control = response.get("ivs_ioctrl")
    assert not (opened and control), "two ways to open at once"
    if opened:
        say(relay="ok")
    if control:
        say(relay=f"io {control['io']} value {control['value']}")
    if opened or (control and control["io"] == 0 and control["value"] in (1, 2)):
        threading.Thread(target=arm_goes_up, daemon=True).start()
    serial = response.get("serialData", [])
    for one in serial:
        assert len(base64.b64decode(one["data"])) == one["dataLen"]
    if serial:
        say(serial=[base64.b64decode(one["data"]).hex() for one in serial])
    if "playserver_json_request" in response:
        say(voice=base64.b64decode(response["playserver_json_request"]["voice"]).decode())


def io(source, value):
    trigger = {"TriggerResult": {"source": source, "value": value}}
    post("/io", json.dumps({"AlarmGioIn": {"deviceName": "IVS", "ipaddr": "1.2.3.4", "result": trigger, "serialno": SERIAL}}))


def arm_goes_up():
    io(1, 0)
    time.sleep(OPTIONS.get("travel_ms", 60) / 1000)
    io(0, 1)


def poll():
    idle = False
    while True:
        body, kind = form()
        answer = json.loads(post("/comet", body, kind)[1])
        if answer == {"status": "ok"}:
            if not idle:
                say(idle=True)
            idle = True
            continue
        say(comet=answer)
        carry_out(answer)


def hang_up(order):
    """Posts a plate, and is gone before the answer."""
    body = json.dumps(plate(order))
    connection = http.client.HTTPConnection(OPTIONS["box"], timeout=15)
    connection.request("POST", "/plate", body)
    connection.sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER: a reset, no goodbye
    connection.close()


def obey(order):
    match order["do"]:
        case "plate":
            status, text = post("/plate", json.dumps(plate(order)))
            answer = json.loads(text)
            say(status=status, answer=answer)
            carry_out(answer)
        case "hang_up":
            hang_up(order)
        case "heartbeat":
            body, kind = form()
            status, text = post("/heartbeat", body, kind)
            say(heartbeat=json.loads(text), status=status)
        case "comet":
            threading.Thread(target=poll, daemon=True).start()
        case "io":
            io(order["source"], order["value"])
        case "raw":
            status, text = post("/plate", order["body"])
            say(status=status, raw=text.decode())


def quietly(fault):
    """The box may end while a post is under way."""
    if not issubclass(fault.exc_type, ConnectionError):
        sys.__excepthook__(fault.exc_type, fault.exc_value, fault.exc_traceback)


def main():
    threading.excepthook = quietly
    until = time.monotonic() + 15
    while True:
        try:
            post("/heartbeat", *form())
            break
        except ConnectionError:
            assert time.monotonic() < until, "the box does not listen"
            time.sleep(0.02)
    say(ready=OPTIONS["box"])
    while line := sys.stdin.readline():
        # A plate may wait for its answer while an input changes.
        threading.Thread(target=obey, args=(json.loads(line),), daemon=True).start()


main()
