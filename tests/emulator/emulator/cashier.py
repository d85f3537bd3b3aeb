"""Owns the pages on which a phone's owner pays: WeChat's H5 page and Alipay's wap page, each with one button.

After paying (or giving up) the browser goes back to the merchant's page, which proves nothing. It must not know how an order
is paid.
"""

import html
from urllib.parse import parse_qsl, urlencode, urlsplit

from .alipay.trades import Refusal as AlipayRefusal
from .answer import Answer
from .deliveries import LOOPBACK
from .keys import APP_ID, SELLER_ID
from .wechat.orders import Refusal as WeChatRefusal
from .yuan import in_yuan

PATH = "/cashier"


class Cashier:
    def __init__(self, world, wechat, alipay):
        self._world, self._wechat, self._alipay = world, wechat, alipay

    def handle(self, method, target, headers, body):
        parts = urlsplit(target)
        asked = dict(parse_qsl(parts.query))
        provider = parts.path.removeprefix(PATH + "/")
        if provider not in ("wechat", "alipay") or method not in ("GET", "POST"):
            return Answer(404, {}, b"")
        try:
            with self._world.lock:
                found = self._order(provider, asked)
                if method == "GET":
                    return page(found.subject, found.total, target)
                pay = self._wechat.orders.pay if provider == "wechat" else self._alipay.trades.pay
                pay(found)
        except (WeChatRefusal, AlipayRefusal):
            return _html(400, "<p id=refused>无法支付</p>")
        return self._back(provider, found, asked)

    def _order(self, provider, asked):
        if provider == "alipay":
            return self._alipay.trades.of_code(asked.get("order"))
        prepay = asked.get("prepay_id")
        found = next((o for o in self._wechat.orders.everything() if o.prepay == prepay and o.trade_type == "MWEB"), None)
        if found is None:
            raise WeChatRefusal(404, "ORDER_NOT_EXIST", "订单不存在")
        return found

    def _back(self, provider, found, asked):
        """To the merchant's page, if it gave one. Alipay adds signed parameters, WeChat nothing."""
        to = asked.get("redirect_url") or asked.get("return_url") or ""
        lost = provider == "alipay" and self._world.defects.has("alipay_page_forgets_the_way_back")
        if lost or urlsplit(to).hostname not in LOOPBACK:
            return _html(200, "<p id=paid>支付成功</p>")
        if provider == "alipay":
            said = self._alipay.signing.callback({
                "method": "alipay.trade.wap.pay.return", "charset": "utf-8", "version": "1.0", "app_id": APP_ID, "auth_app_id": APP_ID,
                "seller_id": SELLER_ID, "out_trade_no": found.number, "trade_no": found.trade_no,
                "total_amount": in_yuan(found.total), "timestamp": f"{self._world.clock.now():%Y-%m-%d %H:%M:%S}"})
            to += ("&" if urlsplit(to).query else "?") + urlencode(said)
        return Answer(303, {"Location": to}, b"")


def page(subject, total, action):
    """What the phone shows before it pays."""
    return _html(200, f"<p id=subject>{html.escape(subject)}</p><p id=amount>{in_yuan(total)}</p>"
                      f"<form method=post action=\"{html.escape(action)}\"><button id=pay>支付</button></form>")


def _html(status, content):
    return Answer(status, {"Content-Type": "text/html;charset=utf-8"},
                  f"<!doctype html><meta name=viewport content='width=device-width'><title>支付</title>{content}".encode())
