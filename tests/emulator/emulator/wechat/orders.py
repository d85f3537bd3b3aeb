"""Owns WeChat's orders: how they are made, paid, closed, reversed and told of.

It must not know HTTP or signatures.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

from ..books import PAYMENT, REFUND, Movement, fee_of, fee_returned
from ..keys import APPID, FOREIGN_APPID, FOREIGN_MCHID, MCHID

NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
CODE = re.compile(r"1[0-5]\d{16}")
STATES = {"SUCCESS": "支付成功", "REFUND": "转入退款", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭",
          "REVOKED": "订单已撤销", "USERPAYING": "用户支付中，需要输入密码", "PAYERROR": "支付失败"}
MOST_ORDERS = 200_000


class Refusal(Exception):
    """What WeChat answers instead: an HTTP status, a code and words."""

    def __init__(self, status, code, message):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass
class Order:
    number: str
    trade_type: str
    asked: dict
    total: int
    expires: datetime | None
    notify_url: str
    subject: str
    payer: str
    state: str = "NOTPAY"
    prepay: str = ""
    transaction_id: str = ""
    paid_at: datetime | None = None
    fee: int = 0
    refunded: int = 0
    refunds: list = field(default_factory=list)
    mchid: str = MCHID
    appid: str = APPID


class Orders:
    def __init__(self, world, tell):
        self._world = world
        # Called with an order that was paid.
        self._tell = tell
        self._orders = {}
        self._by_transaction = {}

    def make(self, trade_type, asked):
        """A new order, or the old one when the same is asked again."""
        number, total = self._checked(trade_type, asked)
        world = self._world
        old = self._orders.get(number)
        if old is not None:
            return self._again(old, trade_type, asked)
        if len(self._orders) >= MOST_ORDERS:
            raise Refusal(429, "FREQUENCY_LIMITED", "频率超限")
        order = Order(number, trade_type, asked, total, _moment(asked.get("time_expire")), asked.get("notify_url", ""),
                      asked["description"], (asked.get("payer") or {}).get("openid") or "o" + world.text(27))
        order.prepay = f"wx{world.clock.now():%d%H%M%S}{world.text(26).lower()}"
        self._orders[number] = order
        if trade_type != "MICROPAY" and world.random.random() < world.habits.pay_chance:
            world.schedule.after(world.habits.pay_after_s, lambda: self.try_to_pay(number))
        return order

    def _checked(self, trade_type, asked):
        amount = asked.get("amount")
        if asked.get("appid") != APPID or asked.get("mchid") != MCHID:
            raise Refusal(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配")
        number, total = asked.get("out_trade_no"), amount.get("total") if isinstance(amount, dict) else None
        if not isinstance(number, str) or not NUMBER.fullmatch(number):
            raise Refusal(400, "PARAM_ERROR", "商户订单号不符合规则")
        if type(total) is not int or not 0 < total <= 10_000_000_00 or amount.get("currency", "CNY") != "CNY":
            raise Refusal(400, "PARAM_ERROR", "订单金额不符合规则")
        if not isinstance(asked.get("description"), str) or not 0 < len(asked["description"].encode()) <= 127:
            raise Refusal(400, "PARAM_ERROR", "商品描述不符合规则")
        if trade_type != "MICROPAY" and not isinstance(asked.get("notify_url"), str):
            raise Refusal(400, "PARAM_ERROR", "缺少通知地址")
        if "time_expire" in asked and _moment(asked["time_expire"]) is None:
            raise Refusal(400, "PARAM_ERROR", "交易结束时间格式错误")
        openid = (asked.get("payer") or {}).get("openid")
        if trade_type == "JSAPI" and not openid and not self._world.defects.has("wechat_jsapi_without_payer"):
            raise Refusal(400, "PARAM_ERROR", "缺少openid")
        if trade_type == "MWEB" and "h5_info" not in asked.get("scene_info", {}):
            raise Refusal(400, "PARAM_ERROR", "缺少场景信息")
        if trade_type == "MICROPAY" and not CODE.fullmatch(str((asked.get("payer") or {}).get("auth_code"))):
            raise Refusal(400, "PARAM_ERROR", "付款码不符合规则")
        return number, total

    def _again(self, old, trade_type, asked):
        if (old.trade_type, old.asked) != (trade_type, asked) and not self._world.defects.has("wechat_number_used_for_other_amounts"):
            raise Refusal(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        if old.state == "CLOSED":
            raise Refusal(400, "ORDER_CLOSED", "订单已关闭")
        if old.state in ("SUCCESS", "REFUND") and trade_type != "MICROPAY":
            raise Refusal(400, "ORDERPAID", "订单已支付")
        return old

    def find(self, number):
        order = self._orders.get(number)
        if order is None:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
        return order

    def by_transaction(self, transaction_id):
        order = self._by_transaction.get(transaction_id)
        if order is None:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
        return order

    def everything(self):
        return list(self._orders.values())

    def try_to_pay(self, number):
        try:
            with self._world.lock:
                self.pay(self.find(number))
        except Refusal:
            pass  # closed or expired meanwhile: a phone would show that

    def pay(self, order):
        """What a phone does. Refused when the order takes no money any more."""
        world, now = self._world, self._world.clock.now()
        if order.state == "CLOSED" and world.defects.has("wechat_closed_order_can_be_paid"):
            order.state = "NOTPAY"
        if order.state not in ("NOTPAY", "USERPAYING"):
            raise Refusal(400, "ORDERPAID" if order.transaction_id else "ORDER_CLOSED", STATES[order.state])
        if order.expires and now >= order.expires and not world.defects.has("wechat_expired_order_can_be_paid"):
            raise Refusal(400, "ORDER_CLOSED", "订单已过期")
        order.state, order.paid_at = "SUCCESS", now
        order.transaction_id = f"42000{world.seed % 100000:05d}{now:%Y%m%d}{world.number():010d}"
        order.fee = fee_of(order.total, world.habits.fee_rate)
        self._by_transaction[order.transaction_id] = order
        world.books.post(self._movement(order, PAYMENT, order.total, order.fee, now))
        self._tell(order)

    def pay_by_code(self, order):
        """The driver's code; its last digit says what happens: 1 asks for a password, 2 no money, 3 too old, else paid."""
        if order.state != "NOTPAY":
            return
        digit = order.asked["payer"]["auth_code"][-1]
        if digit == "1":
            order.state = "USERPAYING"
        elif digit in "23":
            order.state = "PAYERROR"
        else:
            self.pay(order)

    def close(self, order):
        world = self._world
        if order.state == "NOTPAY" and world.strikes("pay_during_close", "wechat", order.number, "close"):
            self.pay(order)
        if order.state == "SUCCESS" and world.defects.has("wechat_paid_order_can_be_closed"):
            order.state = "NOTPAY"
        if order.state in ("SUCCESS", "REFUND"):
            raise Refusal(400, "ORDERPAID", "订单已支付")
        if order.state == "USERPAYING":
            raise Refusal(202, "USERPAYING", "用户支付中")
        if order.state == "NOTPAY":
            order.state = "CLOSED"

    def reverse(self, order):
        """Takes back a payment by code: money that has moved goes back at once."""
        if order.trade_type != "MICROPAY":
            raise Refusal(400, "INVALID_REQUEST", "仅付款码支付可撤销")
        if order.state == "SUCCESS":
            self.post_refund(order, order.total, "", f"50300{order.transaction_id[5:]}", "api")
        if order.state != "REFUND":
            order.state = "REVOKED"

    def post_refund(self, order, amount, refund_no, refund_id, origin):
        """Money goes back, now."""
        back = fee_returned(order.total, order.fee, order.refunded, amount)
        order.refunded += amount
        self._world.books.post(self._movement(
            order, REFUND, -amount, -back, self._world.clock.now(), refund_no=refund_no, refund_id=refund_id, origin=origin))

    def foreign(self, total, notify_url):
        """Another merchant's paid order, told to us by mistake."""
        number = f"FOREIGN{self._world.number():06d}"
        order = Order(number, "NATIVE", {}, total, None, notify_url, "foreign", "o" + self._world.text(27),
                      mchid=FOREIGN_MCHID, appid=FOREIGN_APPID)
        self.pay(order)
        return order

    def _movement(self, order, kind, amount, fee, at, **more):
        return Movement("wechat", order.mchid, kind, at, order.number, order.transaction_id, amount, fee,
                        order.trade_type, order.subject, order.payer, order.total, **more)

    def describe(self, order, twist=None):
        """A transaction as a query or a callback shows it; `twist` is a fault of the menu."""
        shown = {
            "appid": "wx9999999999999999" if twist == "wrong_appid" else order.appid,
            "mchid": "1999999999" if twist == "wrong_mchid" else order.mchid,
            "out_trade_no": order.number, "trade_state": order.state, "trade_state_desc": STATES[order.state],
            "attach": order.asked.get("attach", ""),
        }
        total = order.total + (1 if twist == "wrong_amount" else 0)
        if not order.transaction_id:
            return shown | {"amount": {"total": total, "currency": "CNY", "payer_currency": "CNY"}}
        return shown | {
            "transaction_id": order.transaction_id, "trade_type": order.trade_type, "bank_type": "OTHERS",
            "success_time": order.paid_at.isoformat(timespec="seconds"), "payer": {"openid": order.payer},
            "amount": {"total": total, "payer_total": total, "currency": "CNY", "payer_currency": "CNY"},
        }


def _moment(text):
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
