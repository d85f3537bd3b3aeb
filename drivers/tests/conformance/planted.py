"""The example device with one defect, named by the environment: each must be found by the check that it breaks."""

import json
import os
import sys
import uuid

sys.path.insert(0, os.environ["EXAMPLE"])
import device as example  # noqa: E402

example.ARM_TRAVELS_S = 0.02
DEFECT = os.environ["DEFECT"]


class Planted(example.Device):
    def __init__(self, *given):
        super().__init__(*given)
        if DEFECT == "no_last_will":
            self.client.will_clear()
        if DEFECT == "will_of_another_run":
            will = json.dumps({"state": "offline", "boot_id": "another"})
            self.client.will_set(f"{self.root}/availability", will, qos=1, retain=True)
        if DEFECT == "stays_away":
            self.client.on_disconnect = lambda *_: self.client.loop_stop()

    def say(self, below, body, retain=False):
        first = below.split("/")[0]
        if DEFECT == "meta_not_kept" and first == "meta":
            retain = False
        if DEFECT == "unknown_kind" and first == "meta":
            body = {**body, "kinds": ["turnstile"]}
        if DEFECT == "offline_while_there" and first == "availability":
            body = self.availability("offline")
        if DEFECT == "state_not_kept" and first == "state":
            retain = False
        if DEFECT == "odd_position" and first == "state":
            body = {**body, "position": "open"}
        if DEFECT == "odd_answer" and first == "ack" and body["state"] == "accepted":
            body = {"state": "ok"}
        if DEFECT == "no_answer" and first == "ack":
            return
        if DEFECT == "event_kept" and first == "event":
            retain = True
        if DEFECT == "event_without_id" and first == "event":
            body = {name: value for name, value in body.items() if name != "event_id"}
        if DEFECT == "same_event_id" and first == "event":
            body = {**body, "event_id": "e-1"}
        if DEFECT == "seq_stands_still" and first == "event":
            body = {**body, "seq": 1}
        if DEFECT == "times_without_offset" and first == "event":
            body = {**body, "at": "2026-03-01 10:00:00", "sent_at": "2026-03-01 10:00:00"}
        if DEFECT == "sent_before_it_happened" and first == "event":
            body = {**body, "sent_at": "2026-03-01T10:00:00.000+08:00"}
        if DEFECT == "event_of_no_kind" and first == "event":
            below = "event/car"
        if DEFECT == "event_not_listed" and first == "meta":
            body = {**body, "events": ["passed"]}
        if DEFECT == "events_by_qos_0" and first == "event":
            return self.client.publish(f"{self.root}/{below}", json.dumps(body), 0)
        if DEFECT == "topic_of_its_own" and first == "event":
            self.client.publish(f"{self.root}/heartbeat/now", b"{}", 1)
        super().say(below, body, retain)

    def received(self, client, user, message):
        if DEFECT == "takes_what_is_kept":
            message.retain = False
        if DEFECT == "does_it_twice":
            self.seen.clear()
        if DEFECT in ("heeds_no_expiry", "takes_anything") and message.payload:
            try:
                command = json.loads(message.payload)
                if DEFECT == "heeds_no_expiry":
                    command["expires_at"] = "2099-01-01T00:00:00Z"
                elif message.topic.endswith("/x-tollhouse-check"):
                    return self.ack(command["cmd_id"], "accepted")
                message.payload = json.dumps(command).encode()
            except (ValueError, TypeError, KeyError):
                pass
        if DEFECT == "chokes_on_nonsense" and message.payload:
            try:
                json.loads(message.payload)["cmd_id"]
            except Exception:
                os._exit(1)
        super().received(client, user, message)

    def ack(self, cmd_id, state, reason=None):
        super().ack(cmd_id, state, reason)
        if DEFECT == "two_last_words" and state == "confirmed":
            super().ack(cmd_id, "failed", "or not")
        if DEFECT == "answers_under_its_own_id" and state == "confirmed":
            super().ack(uuid.uuid4().hex, "confirmed")

    def read_plate(self):
        if DEFECT == "picture_in_base64":
            event_id = self.event("plate", plate="粤C12345")
            return self.client.publish(f"{self.root}/blob/{event_id}", b"/9j/4AAQ", 0)
        super().read_plate()

    def do_whitelist(self, args):
        if DEFECT == "list_too_long_for_it" and len(args["plates"]) > 100:
            raise ValueError("no more than 100 plates")
        super().do_whitelist(args)


example.main(Planted)
