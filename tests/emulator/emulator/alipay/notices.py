"""Owns Alipay's callbacks: what stands in one and how each fault of the menu twists it."""

from datetime import timedelta
from urllib.parse import urlencode

from ..deliveries import Notice
from ..keys import APP_ID, FOREIGN_APP_ID, SELLER_ID
from ..yuan import in_yuan

_TIME = "%Y-%m-%d %H:%M:%S"


class Notices:
    def __init__(self, world, signing):
        self._world = world
        self._signing = signing

    def changed(self, trade, part):
        """Tells what a trade has become: paid, refunded in part or whole, or closed by time."""
        world, now = self._world, self._world.clock.now()
        own = trade.seller == SELLER_ID
        said = {
            "gmt_create": f"{trade.made_at or now:{_TIME}}", "charset": "utf-8", "seller_email": "car-park@example.com",
            "subject": trade.subject, "buyer_id": trade.buyer, "invoice_amount": in_yuan(trade.total),
            "notify_id": f"{now:%Y%m%d}00222{world.number():021d}", "notify_type": "trade_status_sync",
            "trade_status": trade.status, "app_id": APP_ID if own else FOREIGN_APP_ID,
            "auth_app_id": APP_ID if own else FOREIGN_APP_ID, "seller_id": trade.seller, "version": "1.0",
            "out_trade_no": trade.number, "total_amount": in_yuan(trade.total), "trade_no": trade.trade_no,
            "buyer_logon_id": "138****0000", "point_amount": "0.00",
        }
        if trade.paid_at:
            paid = in_yuan(trade.total)
            said |= {"gmt_payment": f"{trade.paid_at:{_TIME}}", "receipt_amount": paid, "buyer_pay_amount": paid,
                     "fund_bill_list": f'[{{"amount":"{paid}","fundChannel":"ALIPAYACCOUNT"}}]'}
        if part:
            said |= {"gmt_refund": f"{part.done_at:{_TIME}}.000", "refund_fee": in_yuan(trade.refunded), "out_biz_no": part.number}

        def write(twist):
            if twist == "probe":
                return None
            sent = world.clock.now() - timedelta(hours=3 if twist == "stale_time" else 0)
            parameters = self._signing.callback(_twisted(said | {"notify_time": f"{sent:{_TIME}}"}, twist, trade.total), twist)
            if twist == "tampered":
                parameters["total_amount"] = in_yuan(trade.total + 1)
            return {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, urlencode(parameters).encode()

        about = trade.number if part is None else part.number
        self._world.deliveries.announce(Notice(
            "alipay", about, trade.notify_url, write, lambda status, body: status == 200 and body == b"success"))


def _twisted(said, twist, total):
    if twist == "wrong_appid":
        return said | {"app_id": "2021999999999999", "auth_app_id": "2021999999999999"}
    if twist == "wrong_mchid":
        return said | {"seller_id": "2088999999999999"}
    if twist == "wrong_amount":
        more = in_yuan(total + 1)
        return said | {name: more for name in ("total_amount", "receipt_amount", "buyer_pay_amount", "invoice_amount")}
    if twist == "malformed":
        return {name: value for name, value in said.items() if name not in ("total_amount", "trade_status", "seller_id")}
    return said
