"""Owns what WeChat's own browser does for a JSAPI order: it says who the payer is, and pays what the page has signed.

The page's side of it is OAuth (`connect/oauth2/authorize`, then `sns/oauth2/access_token`) and `getBrandWCPayRequest`. None of
these answers is signed. It must not know how an order is paid.
"""

import json
from urllib.parse import parse_qs, urlencode, urlsplit

from wechatpayv3.utils import rsa_verify

from ..answer import Answer
from ..deliveries import LOOPBACK
from ..keys import APP_SECRET, APPID
from .orders import Refusal

AUTHORIZE, TOKEN = "/connect/oauth2/authorize", "/sns/oauth2/access_token"
CODE_LIFE_S = 300
MOST_CODES = 100_000


class Phone:
    def __init__(self, world, orders):
        self._world = world
        self._orders = orders
        # From a code to who it stands for and until when; used ones stay, to be told from unknown ones.
        self._codes = {}
        self._used = set()

    def handle(self, method, target, headers, body):
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if method == "GET" and parts.path == AUTHORIZE:
            return self._authorize(query)
        if method == "GET" and parts.path == TOKEN:
            with self._world.lock:
                return Answer(200, {"Content-Type": "text/plain"}, json.dumps(self._token(query)).encode())
        return Answer(404, {}, b"")

    def _authorize(self, query):
        """Sends the browser back to the page with a code; asks nothing, as with snsapi_base."""
        back = query.get("redirect_uri", "")
        here = urlsplit(back)
        if query.get("appid") != APPID or query.get("response_type") != "code" or query.get("scope") != "snsapi_base":
            return Answer(200, {"Content-Type": "text/html;charset=utf-8"}, "Scope 参数错误或没有 Scope 权限".encode())
        if here.scheme not in ("http", "https") or here.hostname not in LOOPBACK:
            return Answer(200, {"Content-Type": "text/html;charset=utf-8"}, "redirect_uri域名与后台配置不一致".encode())
        with self._world.lock:
            if len(self._codes) >= MOST_CODES:
                return Answer(429, {}, b"")
            code = self._world.text(32)
            self._codes[code] = ("o" + self._world.text(27), self._world.clock.seconds() + CODE_LIFE_S)
        joint = "&" if here.query else "?"
        return Answer(302, {"Location": f"{back}{joint}{urlencode({'code': code, 'state': query.get('state', '')})}"}, b"")

    def _token(self, query):
        """Who a code stands for. A code is good once, for five minutes."""
        code = query.get("code", "")
        if query.get("appid") != APPID:
            return {"errcode": 40013, "errmsg": "invalid appid"}
        if query.get("secret") != APP_SECRET:
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        if query.get("grant_type") != "authorization_code":
            return {"errcode": 40002, "errmsg": "invalid grant_type"}
        if code in self._used and not self._world.defects.has("wechat_payers_code_good_twice"):
            return {"errcode": 40163, "errmsg": "code been used"}
        openid, until = self._codes.get(code, ("", 0))
        if self._world.clock.seconds() >= until:
            return {"errcode": 40029, "errmsg": "invalid code"}
        self._used.add(code)
        return {"access_token": self._world.text(64), "expires_in": 7200, "refresh_token": self._world.text(64), "openid": openid,
                "scope": "snsapi_base"}

    def invoke(self, asked):
        """getBrandWCPayRequest with what the page gives it: pays when the merchant has signed just that."""
        names = ("appId", "timeStamp", "nonceStr", "package", "signType", "paySign")
        if set(asked) != set(names) or not all(isinstance(value, str) for value in asked.values()):
            raise Refusal(400, "PARAM_ERROR", "调用支付JSAPI缺少参数")
        app, time, nonce, package, kind, signature = (asked[name] for name in names)
        order = next((o for o in self._orders.everything() if package == f"prepay_id={o.prepay}"), None)
        if order is None or order.trade_type != "JSAPI" or app != APPID or kind != "RSA":
            raise Refusal(400, "PARAM_ERROR", "支付验证签名失败")
        # Four lines, each ended by a newline: the library writes three, so the first two go as one.
        right = rsa_verify(f"{app}\n{time}", nonce, package, signature, self._world.keys.public("merchant_wechat"))
        if not right and not self._world.defects.has("wechat_page_signature_not_looked_at"):
            raise Refusal(400, "SIGN_ERROR", "支付验证签名失败")
        self._orders.pay(order)
        return order
