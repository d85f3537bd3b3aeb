"""Owns what money really moved at the providers: each payment and each refund once, by day and merchant.

Statements are written from it and the box's books must agree with its totals. It must not know how a provider words it.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timezone

from .clock import day_of

PAYMENT = "payment"
REFUND = "refund"


@dataclass(frozen=True)
class Movement:
    """Money that moved: `amount` and `fee` in fen, both below zero where they go back."""

    provider: str
    merchant: str
    kind: str
    at: datetime
    order_no: str
    transaction_id: str
    amount: int
    fee: int
    trade_type: str
    subject: str
    payer: str
    paid: int
    refund_no: str = ""
    refund_id: str = ""
    origin: str = "api"


def fee_of(amount, rate):
    """The provider's fee on an amount in fen, half a fen rounded up; `rate` in hundredths of a percent."""
    return (amount * rate + 5000) // 10000


def fee_returned(amount, fee, refunded_before, refund):
    """What of a payment's fee goes back with a refund. Cumulative, so that a full refund returns all of it."""
    return fee * (refunded_before + refund) // amount - fee * refunded_before // amount


class Books:
    def __init__(self, defects):
        self._defects = defects
        self._movements = []

    def post(self, movement):
        self._movements.append(movement)

    def of_day(self, provider, day):
        return [m for m in self._movements if m.provider == provider and day_of(m.at) == day]

    def of_utc_day(self, provider, day):
        """Nobody asks for this but a planted defect."""
        return [m for m in self._movements if m.provider == provider and m.at.astimezone(timezone.utc).strftime("%Y-%m-%d") == day]

    def everything(self):
        return [asdict(m) | {"at": m.at.isoformat()} for m in self._movements]

    def totals(self, day=None):
        """By provider and merchant: what came in, went back, and was kept as fees; `net` is what clearing must show."""
        result = {}
        for m in self._movements:
            if day is not None and day_of(m.at) != day:
                continue
            if m.origin == "console" and self._defects.has("totals_forget_console_refunds"):
                continue
            total = result.setdefault(m.provider, {}).setdefault(
                m.merchant, dict(captured=0, captured_count=0, refunded=0, refunded_count=0, fees=0, net=0))
            if m.kind == PAYMENT:
                total["captured"] += m.amount
                total["captured_count"] += 1
            else:
                total["refunded"] -= m.amount
                total["refunded_count"] += 1
            total["fees"] += m.fee
            total["net"] += m.amount - m.fee
        return result

