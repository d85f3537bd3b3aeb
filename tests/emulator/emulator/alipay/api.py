"""Owns Alipay's gateway: which method does what, and how its answer is proved.

It must not know sockets: it takes a request and gives an answer.
"""

import json
from datetime import date, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from ..answer import Answer, Gone
from ..keys import APP_ID
from ..yuan import in_yuan
from . import statement
from .notices import Notices
from .signing import Signing
from .trades import CODE, Refusal, Trades

GATEWAY, DOWNLOAD = "/gateway.do", "/alipay/statement"
MOST_DAYS_BACK = 92


class Alipay:
    def __init__(self, world):
        self._world = world
        self.signing = Signing(world)
        notices = Notices(world, self.signing)
        self.trades = Trades(world, notices.changed)
        self._files = {}
        self._methods = {
            "alipay.trade.precreate": ("order", self._precreate),
            "alipay.trade.wap.pay": ("order", self._wap),
            "alipay.trade.pay": ("order", self._pay),
            "alipay.trade.query": ("query", self._query),
            "alipay.trade.close": ("close", self._close),
            "alipay.trade.cancel": ("reverse", self._cancel),
            "alipay.trade.refund": ("refund", self._refund),
            "alipay.trade.fastpay.refund.query": ("refund_query", self._query_refund),
            "alipay.data.dataservice.bill.downloadurl.query": ("statement", self._statement),
        }

    def handle(self, http_method, target, headers, body):
        """One request; a client may put its parameters into the path, the body or both."""
        parts = urlsplit(target)
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path == DOWNLOAD:
            return self._download(parameters)
        try:
            parameters |= dict(parse_qsl(body.decode(), keep_blank_values=True))
        except UnicodeDecodeError:
            parameters = {}
        method = parameters.get("method", "")
        found = self._methods.get(method)
        if found is None:
            return self._answer("error", _invalid("isv.invalid-method", "不存在的方法名"))
        complaint = self._complaint(parameters)
        if complaint:
            return self._answer(method, complaint)
        return self._call(method, *found, parameters)

    def _complaint(self, parameters):
        """What is wrong with a request before its business is looked at."""
        if parameters.get("app_id") != APP_ID:
            return _invalid("isv.invalid-app-id", "无效的AppID参数")
        if parameters.get("sign_type") != "RSA2":
            return _invalid("isv.invalid-signature-type", "无效签名类型")
        if not self.signing.request_is_signed(parameters):
            return _invalid("isv.invalid-signature", "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配")
        try:
            datetime.strptime(parameters.get("timestamp", ""), "%Y-%m-%d %H:%M:%S")
        except ValueError:
            return _invalid("isv.invalid-timestamp", "非法的时间戳参数")
        return None

    def _call(self, method, call, act, parameters):
        """Does what is asked, unless the fault menu has it otherwise."""
        world = self._world
        try:
            asked = json.loads(parameters.get("biz_content", ""))
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            return self._answer(method, _invalid("isv.invalid-parameter", "参数无效"))
        about = str(asked.get("out_request_no") or asked.get("out_trade_no") or asked.get("bill_date"))
        strikes = lambda name: world.strikes(name, "alipay", about, call)
        if strikes("answer_500"):
            return self._answer(method, {"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "isp.unknow-error",
                                         "sub_msg": "系统繁忙"})
        if fault := strikes("answer_never"):
            raise Gone(fault.seconds or 0)
        try:
            with world.lock:
                content = act(asked, parameters)
        except Refusal as refusal:
            content = refusal.content
        if fault := strikes("acted_but_timed_out"):
            raise Gone(fault.seconds or 0)
        if isinstance(content, Answer):
            return content
        return self._answer(method, content, next((t for t in ("wrong_key", "tampered") if strikes(f"answer_{t}")), None))

    def _answer(self, method, content, twist=None):
        return Answer(200, {"Content-Type": "text/html;charset=utf-8"}, self.signing.answer(method, content, twist))

    def _precreate(self, asked, parameters):
        trade = self.trades.make("precreate", asked, parameters.get("notify_url", ""))
        return _success(out_trade_no=trade.number, qr_code=f"https://qr.alipay.com/bax{trade.number}")

    def _wap(self, asked, parameters):
        """Leads the phone to the page where its owner signs in; only a phone looks at it, so it is not signed."""
        trade = self.trades.make("wap", asked, parameters.get("notify_url", ""))
        to = urlencode({"order": trade.number, "return_url": parameters.get("return_url", "")})
        return Answer(302, {"Location": f"{self._world.address}/cashier/alipay?{to}"}, b"")

    def _pay(self, asked, parameters):
        if asked.get("scene") not in ("bar_code", None) or not CODE.fullmatch(str(asked.get("auth_code"))):
            raise Refusal("ACQ.INVALID_PARAMETER", "参数无效")
        trade = self.trades.make("pay", asked, parameters.get("notify_url", ""))
        self.trades.pay_by_code(trade)
        if trade.status == "WAIT_BUYER_PAY":
            return {"code": "10003", "msg": "order success pay inprocess", "out_trade_no": trade.number, "trade_no": trade.trade_no,
                    "buyer_user_id": trade.buyer, "total_amount": in_yuan(trade.total)}
        shown = self.trades.describe(trade)
        del shown["trade_status"]
        return shown | {"gmt_payment": shown.pop("send_pay_date")}

    def _query(self, asked, parameters):
        trade = self.trades.known(asked)
        wrong = self._world.strikes("answer_wrong_amount", "alipay", trade.number, "query")
        return self.trades.describe(trade, 1 if wrong else 0)

    def _close(self, asked, parameters):
        trade = self.trades.close(asked)
        return _success(out_trade_no=trade.number, trade_no=trade.trade_no)

    def _cancel(self, asked, parameters):
        trade, action = self.trades.cancel(asked)
        shown = _success(out_trade_no=str(asked.get("out_trade_no")), retry_flag="N")
        if trade and trade.trade_no:
            shown["trade_no"] = trade.trade_no
        return shown | ({"action": action} if action else {})

    def _refund(self, asked, parameters):
        trade, part, moved = self.trades.refund(asked)
        shown = _success(buyer_logon_id="138****0000", buyer_user_id=trade.buyer, fund_change="Y" if moved else "N",
                         out_trade_no=trade.number, trade_no=trade.trade_no, refund_fee=in_yuan(trade.refunded),
                         send_back_fee=in_yuan(part.amount if moved else 0))
        if moved:
            shown["gmt_refund_pay"] = f"{part.done_at:%Y-%m-%d %H:%M:%S}"
        return shown

    def _query_refund(self, asked, parameters):
        """Done when refund_status says so; a refund that is not done, or not known, is a success without it."""
        trade = self.trades.known(asked)
        part = trade.parts.get(asked.get("out_request_no"))
        if part is None or not part.done:
            return _success()
        return _success(out_trade_no=trade.number, trade_no=trade.trade_no, out_request_no=part.number, refund_status="REFUND_SUCCESS",
                        total_amount=in_yuan(trade.total), refund_amount=in_yuan(part.amount),
                        gmt_refund_pay=f"{part.done_at:%Y-%m-%d %H:%M:%S}")

    def _statement(self, asked, parameters):
        world, now = self._world, self._world.clock.now()
        try:
            day = date.fromisoformat(asked.get("bill_date", ""))
        except (TypeError, ValueError):
            day = None
        age, due = (now.date() - day).days if day else -1, world.habits.statement_days
        if day is None or asked.get("bill_type") != "trade" or not due <= age <= MOST_DAYS_BACK:
            raise Refusal("isp.bill_not_exist" if day else "isv.invalid-parameter", "账单不存在" if day else "参数无效")
        if due > 0 and age == due and now.hour < world.habits.statement_hour:
            raise Refusal("isp.bill_not_exist", "账单不存在")
        found = statement.movements(world, day.isoformat())
        if not found:
            raise Refusal("isp.bill_not_exist", "账单不存在")
        file, torn = statement.packed(world, found, day.isoformat()), world.strikes("statement_torn", "alipay", str(day), "statement")
        token = world.text(32)
        self._files = dict(list(self._files.items())[-15:]) | {token: (file, bool(torn))}
        return _success(bill_download_url=f"{world.address}{DOWNLOAD}?token={token}&fileType=csv.zip")

    def _download(self, parameters):
        kept = self._files.get(parameters.get("token"))
        if kept is None:
            return Answer(404, {"Content-Type": "text/plain"}, b"")
        return Answer(200, {"Content-Type": "application/zip"}, kept[0], ends_early=kept[1])


def _success(**more):
    return {"code": "10000", "msg": "Success"} | more


def _invalid(sub_code, words):
    return {"code": "40002", "msg": "Invalid Arguments", "sub_code": sub_code, "sub_msg": words}
