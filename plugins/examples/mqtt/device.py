"""A camera and a barrier in one that speak MQTT with a Tollhouse box: what a device maker may begin with.

    pip install paho-mqtt
    python3 device.py cam-in-9 --broker 127.0.0.1:1883 --lot demo [--password SECRET]

and beside it, as often as you like:

    tollhouse driver check --mqtt cam-in-9 --broker 127.0.0.1:1883 --lot demo

The contract is docs/asyncapi.yaml. `snapshot` lets it read a plate; a real camera reads when a car comes. Replace `drive_arm`
and `read_plate` by your hardware and keep the rest: each line of it keeps a rule that the check tries.
"""

import argparse
import collections
import datetime
import json
import queue
import threading
import time
import uuid

import paho.mqtt.client as mqtt

LAST_COMMANDS = 200
ARM_TRAVELS_S = 0.1
JPEG = b"\xff\xd8" + bytes(1000) + b"\xff\xd9"


def now():
    """RFC 3339 with milliseconds and offset."""
    return datetime.datetime.now().astimezone().isoformat(timespec="milliseconds")


class Device:
    META = {"kinds": ["camera", "barrier"], "vendor": "Example", "model": "LPR-1", "firmware": "1.0.0", "serial": "A1042",
            "commands": ["open", "close", "snapshot", "whitelist"], "events": ["plate", "passed"]}

    def __init__(self, device, lot, host, port, password=None):
        self.root = f"tollhouse/v1/{lot}/{device}"
        self.boot_id = uuid.uuid4().hex  # one for each start of the device
        self.seq = 0
        self.seen = collections.deque(maxlen=LAST_COMMANDS)
        self.whitelist, self.coming = {}, {}
        self.work = queue.Queue()
        # The client id is the device id. The session stays, so that commands within their time survive a short cut.
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device, clean_session=False)
        self.client.username_pw_set(device, password)
        self.client.reconnect_delay_set(1, 5)
        self.client.will_set(f"{self.root}/availability", self.availability("offline"), qos=1, retain=True)
        self.client.on_connect, self.client.on_message = self.signed_in, self.received
        self.client.connect_async(host, port, keepalive=10)

    def availability(self, state):
        return json.dumps({"state": state, "boot_id": self.boot_id})

    def say(self, below, body, retain=False):
        self.client.publish(f"{self.root}/{below}", body if isinstance(body, (bytes, str)) else json.dumps(body), 1, retain)

    def signed_in(self, client, _user, _flags, reason, _properties):
        if reason.is_failure:
            return
        client.subscribe(f"{self.root}/cmd/+", 1)
        self.say("meta", {**self.META, "boot_id": self.boot_id}, retain=True)
        self.arm("down")
        self.say("availability", self.availability("online"), retain=True)

    # Events ------------------------------------------------------------------------------------------------------------

    def event(self, kind, **fields):
        """Says what happened; its id, so that a picture can follow."""
        self.seq += 1
        event_id = f"{self.boot_id}-{self.seq}"
        at = now()
        self.say(f"event/{kind}", {"event_id": event_id, "boot_id": self.boot_id, "seq": self.seq, "at": at,
                                   "sent_at": now(), **fields})
        return event_id

    def read_plate(self):
        event_id = self.event("plate", plate="粤C12345", colour="blue", confidence=0.97, direction="approach")
        self.client.publish(f"{self.root}/blob/{event_id}", JPEG, 0)

    def arm(self, position):
        self.say("state/barrier", {"position": position, "at": now()}, retain=True)

    # Commands ----------------------------------------------------------------------------------------------------------

    def received(self, _client, _user, message):
        if message.retain or not message.payload:
            return  # kept by the broker: it was meant for another time
        try:
            command = json.loads(message.payload)
            cmd_id, args = command["cmd_id"], command["args"]
            expires_at = datetime.datetime.fromisoformat(command["expires_at"].replace("Z", "+00:00"))
            over = expires_at <= datetime.datetime.now(datetime.timezone.utc)
            assert isinstance(cmd_id, str) and isinstance(args, dict)
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError):
            return  # no command
        if cmd_id in self.seen:
            return  # QoS 1 brings it twice at times
        self.seen.append(cmd_id)
        carry_out = getattr(self, "do_" + message.topic.rsplit("/", 1)[1].replace("-", "_"), None)
        if carry_out is None:
            return self.ack(cmd_id, "rejected", "not a command of this device")
        if over:
            return self.ack(cmd_id, "rejected", "its time is over")
        self.ack(cmd_id, "accepted")
        self.work.put((carry_out, cmd_id, args))

    def ack(self, cmd_id, state, reason=None):
        self.say(f"ack/{cmd_id}", {"state": state} | ({"reason": reason} if reason else {}))

    def drive_arm(self, position):
        """Moves the arm and comes back when its switch says that it is there."""
        self.arm("moving")
        time.sleep(ARM_TRAVELS_S)
        self.arm(position)

    def do_open(self, _args):
        self.drive_arm("up")

    def do_close(self, _args):
        self.drive_arm("down")

    def do_snapshot(self, _args):
        self.read_plate()

    def do_whitelist(self, args):
        """Plates that may pass while the box is away; a part 1 begins anew, with the last part the list is whole."""
        if args["part"] == 1:
            self.coming = {}
        self.coming |= {listed["plate"]: (listed.get("from"), listed.get("until")) for listed in args["plates"]}
        if args["part"] == args["parts"]:
            self.whitelist = self.coming

    def run(self):
        self.client.loop_start()
        while True:
            carry_out, cmd_id, args = self.work.get()
            try:
                carry_out(args)
                self.ack(cmd_id, "confirmed")
            except Exception as fault:  # whatever it was, the box has to know
                self.ack(cmd_id, "failed", str(fault))


def main(kind=Device):
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("device")
    arguments.add_argument("--broker", default="127.0.0.1:1883")
    arguments.add_argument("--lot", default="demo")
    arguments.add_argument("--password")
    given = arguments.parse_args()
    host, port = given.broker.rsplit(":", 1)
    threading.current_thread().name = given.device
    kind(given.device, given.lot, host, int(port), given.password).run()


if __name__ == "__main__":
    main()
