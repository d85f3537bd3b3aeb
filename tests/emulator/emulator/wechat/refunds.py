"""Owns WeChat's refunds: accepted first, done or failed later.

It must not know HTTP or signatures.
"""

from dataclasses import dataclass
from datetime import datetime

from .orders import NUMBER, Order, Refusal

MOST_PARTS = 50


@dataclass
class Refund:
    number: str
    asked: dict
    order: Order
    amount: int
    refund_id: str
    made_at: datetime
    notify_url: str
    status: str = "PROCESSING"
    done_at: datetime | None = None


class Refunds:
    def __init__(self, world, orders, tell):
        self._world = world
        self._orders = orders
        # Called with a refund that has come to an end.
        self._tell = tell
        self._refunds = {}

    def make(self, asked):
        number, amount = asked.get("out_refund_no"), asked.get("amount") or {}
        if not isinstance(number, str) or not 1 <= len(number) <= 64 or not all(NUMBER.fullmatch(c * 6) for c in number):
            raise Refusal(400, "PARAM_ERROR", "商户退款单号不符合规则")
        if type(amount.get("refund")) is not int or amount["refund"] <= 0 or amount.get("currency") != "CNY":
            raise Refusal(400, "PARAM_ERROR", "退款金额不符合规则")
        if "transaction_id" in asked:
            order = self._orders.by_transaction(asked["transaction_id"])
        else:
            order = self._orders.find(asked.get("out_trade_no"))
        old = self._refunds.get(number)
        if old is not None and not self._world.defects.has("wechat_refund_repeated_refunds_again"):
            if old.asked != asked:
                raise Refusal(400, "INVALID_REQUEST", "请求参数与之前不一致")
            return old
        self._check(order, amount)
        return self._accept(order, number, amount["refund"], asked)

    def _check(self, order, amount):
        if order.state not in ("SUCCESS", "REFUND"):
            raise Refusal(400, "INVALID_REQUEST", "订单未支付，不可退款")
        if amount.get("total") != order.total:
            raise Refusal(400, "INVALID_REQUEST", "订单金额与原订单不一致")
        live = [refund for refund in order.refunds if refund.status != "CLOSED"]
        if sum(r.amount for r in live) + amount["refund"] > order.total and not self._world.defects.has("wechat_refund_above_what_was_paid"):
            raise Refusal(400, "INVALID_REQUEST", "退款金额大于可退金额")
        if len(live) >= MOST_PARTS:
            raise Refusal(403, "RULE_LIMIT", "部分退款已超过50次")

    def _accept(self, order, number, amount, asked):
        world, now = self._world, self._world.clock.now()
        refund = Refund(number, asked, order, amount, f"50300{world.seed % 100000:05d}{now:%Y%m%d}{world.number():011d}",
                        now, asked.get("notify_url", ""))
        self._refunds[number] = refund
        order.refunds.append(refund)
        order.state = "REFUND"
        ends = "SUCCESS"
        if world.strikes("refund_abnormal", "wechat", number, "refund"):
            ends = "ABNORMAL"
        elif world.strikes("refund_closed", "wechat", number, "refund"):
            ends = "CLOSED"
        slow = world.strikes("refund_slow", "wechat", number, "refund")
        seconds = (60 if slow.seconds is None else slow.seconds) if slow else world.habits.refund_after_s
        world.schedule.after(seconds, lambda: self._end(refund, ends))
        return refund

    def _end(self, refund, status):
        with self._world.lock:
            if refund.status == "PROCESSING":
                self._become(refund, status)

    def _become(self, refund, status, origin="api"):
        refund.status = status
        if status == "SUCCESS":
            refund.done_at = self._world.clock.now()
            self._orders.post_refund(refund.order, refund.amount, refund.number, refund.refund_id, origin)
        self._tell(refund)

    def find(self, number):
        refund = self._refunds.get(number)
        if refund is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return refund

    def retry_abnormal(self, refund_id):
        """An abnormal refund sent to another account of the payer: it succeeds."""
        refund = next((r for r in self._refunds.values() if r.refund_id == refund_id), None)
        if refund is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        if refund.status != "ABNORMAL":
            raise Refusal(400, "INVALID_REQUEST", "退款单状态不是异常")
        self._become(refund, "SUCCESS")
        return refund

    def by_console(self, order, amount):
        """A refund that somebody makes in the merchant's console: WeChat invents its number, nobody is told."""
        self._check(order, {"total": order.total, "refund": amount})
        refund = self._accept_console(order, amount)
        self._become(refund, "SUCCESS", "console")
        return refund

    def _accept_console(self, order, amount):
        world, now = self._world, self._world.clock.now()
        refund = Refund(f"console{world.number():012d}", {}, order, amount,
                        f"50300{world.seed % 100000:05d}{now:%Y%m%d}{world.number():011d}", now, "")
        self._refunds[refund.number] = refund
        order.refunds.append(refund)
        order.state = "REFUND"
        return refund

    def describe(self, refund, twist=None):
        """A refund as the API shows it."""
        order, extra = refund.order, 1 if twist == "wrong_amount" else 0
        shown = {
            "refund_id": refund.refund_id, "out_refund_no": refund.number, "transaction_id": order.transaction_id,
            "out_trade_no": order.number, "channel": "ORIGINAL", "user_received_account": "支付用户零钱",
            "create_time": refund.made_at.isoformat(timespec="seconds"), "status": refund.status,
            "funds_account": "AVAILABLE",
            "amount": {"total": order.total, "refund": refund.amount + extra, "payer_total": order.total,
                       "payer_refund": refund.amount + extra, "settlement_refund": refund.amount + extra,
                       "settlement_total": order.total, "discount_refund": 0, "currency": "CNY"},
        }
        if refund.done_at:
            shown["success_time"] = refund.done_at.isoformat(timespec="seconds")
        return shown

    def describe_to_callback(self, refund, twist=None):
        """A refund as a callback shows it, which names some things otherwise."""
        order, extra = refund.order, 1 if twist == "wrong_amount" else 0
        shown = {
            "mchid": "1999999999" if twist == "wrong_mchid" else order.mchid, "transaction_id": order.transaction_id,
            "out_trade_no": order.number, "refund_id": refund.refund_id, "out_refund_no": refund.number,
            "refund_status": refund.status, "user_received_account": "支付用户零钱",
            "amount": {"total": order.total, "refund": refund.amount + extra, "payer_total": order.total,
                       "payer_refund": refund.amount + extra},
        }
        if refund.done_at:
            shown["success_time"] = refund.done_at.isoformat(timespec="seconds")
        return shown
