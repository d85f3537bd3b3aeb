"""Owns WeChat's callbacks: what stands in one and how each fault of the menu twists it."""

import uuid

from ..deliveries import Notice
from .signing import dumps

REFUND_EVENTS = {"SUCCESS": "REFUND.SUCCESS", "ABNORMAL": "REFUND.ABNORMAL", "CLOSED": "REFUND.CLOSED"}


class Notices:
    def __init__(self, world, signing):
        self._world = world
        self._signing = signing

    def paid(self, order, describe):
        # What was true when it was paid: a callback that comes late still says so.
        shown = {twist: describe(order, twist) for twist in (None, "wrong_appid", "wrong_mchid", "wrong_amount")}
        self._announce(order.number, order.notify_url, "TRANSACTION.SUCCESS", "支付成功", "transaction", shown)

    def refunded(self, refund, describe):
        shown = {twist: describe(refund, twist) for twist in (None, "wrong_mchid", "wrong_amount")}
        self._announce(refund.number, refund.notify_url, REFUND_EVENTS[refund.status], "退款状态变更", "refund", shown)

    def _announce(self, about, url, event, summary, kind, shown):
        head = {"id": str(uuid.UUID(int=self._world.random.getrandbits(128))),
                "create_time": self._world.clock.now().isoformat(timespec="seconds"),
                "resource_type": "encrypt-resource", "event_type": event, "summary": summary}

        def write(twist):
            plain = shown.get(twist, shown[None])
            resource = self._signing.seal(dumps(plain), kind)
            if twist == "malformed":
                resource |= {"nonce": "short", "ciphertext": resource["ciphertext"][:8]}
            body = dumps(head | {"resource": resource})
            proved = dumps(plain) if self._world.defects.has("wechat_callback_signs_the_plain_resource") else body
            headers = self._signing.headers(proved, twist)
            if twist == "tampered":
                body = body.replace('"nonce":"', '"nonce":"X', 1)
            return headers | {"Content-Type": "application/json"}, body.encode()

        self._world.deliveries.announce(Notice(
            "wechat", about, url, write, lambda status, _body: status in (200, 204)))
