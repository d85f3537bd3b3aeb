"""Owns Alipay's trades: made by a code or a page, known once somebody has scanned, paid, closed, refunded.

It must not know HTTP or signatures.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..books import PAYMENT, REFUND, Movement, fee_of, fee_returned
from ..clock import BEIJING
from ..keys import FOREIGN_SELLER_ID, SELLER_ID
from ..yuan import in_yuan, to_fen

NUMBER = re.compile(r"[0-9A-Za-z_\-]{1,64}")
CODE = re.compile(r"(2[5-9]|30)\d{14,22}")
_SPAN = re.compile(r"(\d{1,5})([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 1440}
DEFAULT_LIFE = timedelta(minutes=5)
MOST_TRADES = 200_000


class Refusal(Exception):
    """What Alipay answers instead: 40004 Business Failed with a sub_code, or another code."""

    def __init__(self, sub_code, words, code="40004", message="Business Failed", **more):
        super().__init__(sub_code)
        self.content = {"code": code, "msg": message, "sub_code": sub_code, "sub_msg": words} | more


@dataclass
class Part:
    """One refund request of a trade."""

    number: str
    amount: int
    done: bool = False
    done_at: datetime | None = None
    origin: str = "api"


@dataclass
class Trade:
    number: str
    kind: str
    total: int
    subject: str
    expires: datetime
    notify_url: str
    asked: dict
    # None: nobody has scanned or signed in yet, so Alipay does not know it; cancelled: the code is worth nothing.
    status: str | None = None
    cancelled: bool = False
    trade_no: str = ""
    made_at: datetime | None = None
    paid_at: datetime | None = None
    buyer: str = ""
    fee: int = 0
    refunded: int = 0
    parts: dict = field(default_factory=dict)
    seller: str = SELLER_ID


class Trades:
    def __init__(self, world, tell):
        self._world = world
        # Called with a trade and, for a refund, its part.
        self._tell = tell
        self._trades = {}

    def make(self, kind, asked, notify_url):
        world, number, total = self._world, asked.get("out_trade_no"), to_fen(asked.get("total_amount"))
        if not isinstance(number, str) or not NUMBER.fullmatch(number) or not asked.get("subject"):
            raise Refusal("ACQ.INVALID_PARAMETER", "参数无效")
        if total is None:
            raise Refusal("ACQ.TOTAL_FEE_EXCEED", "订单金额不在允许范围内")
        old = self._trades.get(number)
        if old is not None:
            self._again(old, total, asked)
            return old
        if len(self._trades) >= MOST_TRADES:
            raise Refusal("ACQ.SYSTEM_ERROR", "系统错误", code="20000", message="Service Currently Unavailable")
        trade = Trade(number, kind, total, asked["subject"], self._expiry(asked), notify_url, asked)
        self._trades[number] = trade
        if world.defects.has("alipay_code_known_before_the_scan"):
            self.scan(trade)
        if kind != "pay" and world.random.random() < world.habits.pay_chance:
            world.schedule.after(world.habits.pay_after_s, lambda: self.try_to_pay(number))
        return trade

    def _again(self, old, total, asked):
        if old.status in ("TRADE_SUCCESS", "TRADE_FINISHED"):
            raise Refusal("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
        if old.status == "TRADE_CLOSED" or old.cancelled:
            raise Refusal("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
        if old.total != total or old.subject != asked["subject"]:
            raise Refusal("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")

    def _expiry(self, asked):
        now = self._world.clock.now()
        if "time_expire" in asked:
            try:
                return datetime.strptime(asked["time_expire"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
            except (TypeError, ValueError):
                raise Refusal("ACQ.INVALID_PARAMETER", "参数无效") from None
        span = asked.get("qr_code_timeout_express") or asked.get("timeout_express")
        if span is None:
            return now + DEFAULT_LIFE
        match = _SPAN.fullmatch(str(span))
        if not match:
            raise Refusal("ACQ.INVALID_PARAMETER", "参数无效")
        return now + timedelta(minutes=int(match[1]) * _MINUTES[match[2]])

    def known(self, asked):
        """The trade that a call means. Not known before the scan, whatever its code is worth."""
        number = asked.get("out_trade_no")
        trade = self._trades.get(number)
        if number is None:
            trade = next((t for t in self._trades.values() if t.trade_no and t.trade_no == asked.get("trade_no")), None)
        if trade is not None:
            self._expire(trade)
        if trade is None or trade.status is None:
            raise Refusal("ACQ.TRADE_NOT_EXIST", "交易不存在")
        return trade

    def of_code(self, number):
        """The trade behind a code or page, as the phone sees it."""
        trade = self._trades.get(number)
        if trade is None:
            raise Refusal("ACQ.TRADE_NOT_EXIST", "交易不存在")
        self._expire(trade)
        return trade

    def everything(self):
        return list(self._trades.values())

    def _expire(self, trade):
        if trade.status == "WAIT_BUYER_PAY" and self._world.clock.now() >= trade.expires:
            trade.status = "TRADE_CLOSED"
            self._tell(trade, None)

    def scan(self, trade):
        """The phone scans the code, or its owner signs in on the page: from now on Alipay knows the trade."""
        world, now = self._world, self._world.clock.now()
        if trade.cancelled or now >= trade.expires:
            raise Refusal("ACQ.TRADE_HAS_CLOSE", "二维码已失效")
        if trade.status is None:
            trade.status, trade.made_at = "WAIT_BUYER_PAY", now
            trade.trade_no = f"{now:%Y%m%d}22001{world.seed % 100000:05d}{world.number():010d}"
            trade.buyer = f"2088{world.random.randrange(10**12):012d}"

    def try_to_pay(self, number):
        try:
            with self._world.lock:
                self.pay(self.of_code(number))
        except Refusal:
            pass  # closed or expired meanwhile: a phone would show that

    def pay(self, trade):
        world = self._world
        if trade.status is None:
            self.scan(trade)
        if trade.status != "WAIT_BUYER_PAY":
            raise Refusal("ACQ.TRADE_HAS_CLOSE" if trade.status == "TRADE_CLOSED" else "ACQ.TRADE_HAS_SUCCESS", "交易状态不合法")
        now = world.clock.now()
        trade.status, trade.paid_at = "TRADE_SUCCESS", now
        trade.fee = fee_of(trade.total, world.habits.fee_rate)
        world.books.post(self._movement(trade, PAYMENT, trade.total, trade.fee, now))
        self._tell(trade, None)

    def pay_by_code(self, trade):
        """The driver's code; its last digit says what happens: 1 asks for a password, 2 no money, 3 too old, else paid."""
        if trade.status is not None:
            return
        digit = trade.asked["auth_code"][-1]
        if digit == "2":
            raise Refusal("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")
        if digit == "3":
            raise Refusal("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败，获取顾客账户信息失败")
        self.scan(trade)
        if digit != "1":
            self.pay(trade)

    def close(self, asked):
        world = self._world
        trade = self._trades.get(asked.get("out_trade_no"))
        if trade and trade.status is None and world.defects.has("alipay_unscanned_close_kills_the_code"):
            trade.cancelled = True
        trade = self.known(asked)
        if trade.status == "WAIT_BUYER_PAY" and world.strikes("pay_during_close", "alipay", trade.number, "close"):
            self.pay(trade)
        if trade.status != "WAIT_BUYER_PAY":
            raise Refusal("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态不合法")
        trade.status = "TRADE_CLOSED"
        return trade

    def cancel(self, asked):
        """Takes a trade back whatever its state: money that has moved goes back. Says what it did."""
        trade = self._trades.get(asked.get("out_trade_no"))
        if trade is None or trade.status is None:
            if trade is not None:
                trade.cancelled = True
            return trade, None
        action = "close"
        if trade.status == "TRADE_SUCCESS":
            action = "refund"
            self.do_part(trade, self._part(trade, trade.number, trade.total - trade.refunded), tell=False)
        trade.status = "TRADE_CLOSED"
        return trade, action

    def refund(self, asked):
        """The trade, the part, and whether money moved with this very call."""
        world, trade, amount = self._world, self.known(asked), to_fen(asked.get("refund_amount"))
        number = asked.get("out_request_no") or trade.number
        if amount is None:
            raise Refusal("ACQ.INVALID_PARAMETER", "参数无效")
        if trade.paid_at is None:
            raise Refusal("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        old = trade.parts.get(number)
        if old is not None and not world.defects.has("alipay_refund_repeated_moves_money"):
            if old.amount != amount:
                raise Refusal("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
            return trade, old, False
        if sum(part.amount for part in trade.parts.values()) + amount > trade.total:
            raise Refusal("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超过交易金额")
        part = self._part(trade, number, amount)
        if world.strikes("refund_not_done", "alipay", number, "refund"):
            return trade, part, False
        if slow := world.strikes("refund_slow", "alipay", number, "refund"):
            world.schedule.after(60 if slow.seconds is None else slow.seconds, lambda: self._do_later(trade, part))
            return trade, part, False
        self.do_part(trade, part)
        return trade, part, True

    def by_console(self, trade, amount):
        """A refund that somebody makes in the merchant's console."""
        if trade.paid_at is None or sum(part.amount for part in trade.parts.values()) + amount > trade.total:
            raise Refusal("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        part = self._part(trade, f"console{self._world.number():012d}", amount)
        part.origin = "console"
        self.do_part(trade, part)
        return part

    def _part(self, trade, number, amount):
        part = trade.parts[number] = Part(number, amount)
        return part

    def _do_later(self, trade, part):
        with self._world.lock:
            self.do_part(trade, part)

    def do_part(self, trade, part, tell=True):
        now = self._world.clock.now()
        back = fee_returned(trade.total, trade.fee, trade.refunded, part.amount)
        part.done, part.done_at = True, now
        trade.refunded += part.amount
        if trade.refunded == trade.total or self._world.defects.has("alipay_partial_refund_closes"):
            trade.status = "TRADE_CLOSED"
        self._world.books.post(self._movement(
            trade, REFUND, -part.amount, -back, now, refund_no=part.number, refund_id=part.number, origin=part.origin))
        if tell:
            self._tell(trade, part)

    def foreign(self, total, notify_url):
        """Another merchant's paid trade, told to us by mistake."""
        number, now = f"FOREIGN{self._world.number():06d}", self._world.clock.now()
        trade = Trade(number, "precreate", total, "foreign", now + DEFAULT_LIFE, notify_url, {}, seller=FOREIGN_SELLER_ID)
        self.pay(trade)
        return trade

    def _movement(self, trade, kind, amount, fee, at, **more):
        return Movement("alipay", trade.seller, kind, at, trade.number, trade.trade_no, amount, fee, trade.kind,
                        trade.subject, trade.buyer, trade.total, **more)

    def describe(self, trade, extra=0):
        """A trade as a query shows it; `extra` fen come from the fault menu."""
        shown = {"code": "10000", "msg": "Success", "buyer_logon_id": "138****0000", "buyer_user_id": trade.buyer,
                 "out_trade_no": trade.number, "point_amount": "0.00", "total_amount": in_yuan(trade.total + extra),
                 "trade_no": trade.trade_no, "trade_status": trade.status}
        if trade.paid_at:
            paid = in_yuan(trade.total + extra)
            shown |= {"buyer_pay_amount": paid, "receipt_amount": paid, "invoice_amount": paid,
                      "send_pay_date": f"{trade.paid_at:%Y-%m-%d %H:%M:%S}",
                      "fund_bill_list": [{"amount": paid, "fund_channel": "ALIPAYACCOUNT"}]}
        return shown
