"""Owns WeChat's paths: which call does what, and how its answer is proved.

It must not know sockets: it takes a request and gives an answer.
"""

import json
import re
from datetime import date
from urllib.parse import parse_qs, urlsplit

from ..answer import Answer, Gone
from ..keys import MCHID
from . import statement
from .notices import Notices
from .orders import Orders, Refusal
from .phone import Phone
from .refunds import Refunds
from .signing import Signing, dumps

KINDS = {"native": "NATIVE", "h5": "MWEB", "jsapi": "JSAPI"}
DOWNLOAD = "/v3/billdownload/file"
H5_PAGE = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb"
MOST_DAYS_BACK = 92


class WeChat:
    def __init__(self, world):
        self._world = world
        self.signing = Signing(world)
        notices = Notices(world, self.signing)
        self.orders = Orders(world, lambda order: order.trade_type != "MICROPAY" and notices.paid(order, self.orders.describe))
        self.refunds = Refunds(world, self.orders, lambda refund: notices.refunded(refund, self.refunds.describe_to_callback))
        self.phone = Phone(world, self.orders)
        self._files = {}
        post, get, number = "POST", "GET", "([^/]+)"
        self._paths = [
            (post, "/v3/pay/transactions/(native|h5|jsapi)", "order", self._order),
            (post, "/v3/pay/transactions/codepay", "order", self._codepay),
            (get, f"/v3/pay/transactions/out-trade-no/{number}", "query", self._query),
            (get, f"/v3/pay/transactions/id/{number}", "query", self._query_by_transaction),
            (post, f"/v3/pay/transactions/out-trade-no/{number}/close", "close", self._close),
            (post, f"/v3/pay/transactions/out-trade-no/{number}/reverse", "reverse", self._reverse),
            (post, "/v3/refund/domestic/refunds", "refund", self._refund),
            (get, f"/v3/refund/domestic/refunds/{number}", "refund_query", self._query_refund),
            (post, f"/v3/refund/domestic/refunds/{number}/apply-abnormal-refund", "refund", self._retry_refund),
            (get, "/v3/bill/tradebill", "statement", self._statement),
            (get, "/v3/certificates", "certificates", self._certificates),
        ]

    def handle(self, method, target, headers, body):
        """One request; `target` is the path with its query as it was sent."""
        parts = urlsplit(target)
        complaint = self.signing.complaint(method, target, body.decode("utf-8", "replace"), headers.get("Authorization", ""))
        if complaint:
            return self._proved(401, dumps({"code": "SIGN_ERROR", "message": complaint}), None)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == DOWNLOAD:
            return self._download(query)
        for wanted, path, call, act in self._paths:
            match = re.fullmatch(path, parts.path)
            if match and wanted == method:
                return self._call(call, act, match.groups(), query, body)
        return self._proved(404, dumps({"code": "NOT_FOUND", "message": "路径不存在"}), None)

    def _call(self, call, act, found, query, body):
        """Does what is asked, unless the fault menu has it otherwise."""
        world, about = self._world, " ".join(found) or call
        strikes = lambda name: world.strikes(name, "wechat", about, call)
        if strikes("answer_500"):
            return self._proved(500, dumps({"code": "SYSTEM_ERROR", "message": "系统错误"}), None)
        if fault := strikes("answer_never"):
            raise Gone(fault.seconds or 0)
        try:
            asked = _object(body) if body else {}
            with world.lock:
                status, shown = act(*found, query=query, asked=asked)
        except Refusal as refusal:
            status, shown = refusal.status, {"code": refusal.code, "message": refusal.message}
        if fault := strikes("acted_but_timed_out"):
            raise Gone(fault.seconds or 0)
        twist = next((t for t in ("wrong_key", "tampered", "stale_time", "probe") if strikes(f"answer_{t}")), None)
        return self._proved(status, dumps(shown) if shown is not None else "", twist)

    def _proved(self, status, body, twist):
        if self._world.defects.has("wechat_answer_signed_before_its_last_change") and body:
            headers, body = self.signing.headers(body), json.dumps(json.loads(body), ensure_ascii=False)
        else:
            headers = self.signing.headers(body, twist)
        if twist == "tampered":
            body = body.replace('":"', '":"X', 1) if body else " "
        return Answer(status, headers | {"Content-Type": "application/json; charset=utf-8"}, body.encode())

    def _order(self, kind, query, asked):
        order = self.orders.make(KINDS[kind], asked)
        if kind == "native":
            return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={order.prepay[-9:]}zz"}
        if kind == "h5":
            page = f"{self._world.address}/cashier/wechat" if self._world.habits.pages_here else H5_PAGE
            return 200, {"h5_url": f"{page}?prepay_id={order.prepay}&package=1"}
        return 200, {"prepay_id": order.prepay}

    def _codepay(self, query, asked):
        order = self.orders.make("MICROPAY", asked)
        self.orders.pay_by_code(order)
        if order.state == "USERPAYING":
            raise Refusal(202, "USERPAYING", "需要用户输入支付密码")
        if order.state == "PAYERROR":
            too_old = order.asked["payer"]["auth_code"][-1] == "3"
            raise Refusal(400, *(("AUTH_CODE_EXPIRED", "付款码已过期") if too_old else ("NOT_ENOUGH", "余额不足")))
        return 200, self.orders.describe(order)

    def _query(self, number, query, asked):
        return self._show(self.orders.find(number), query)

    def _query_by_transaction(self, transaction_id, query, asked):
        return self._show(self.orders.by_transaction(transaction_id), query)

    def _show(self, order, query):
        if query.get("mchid") != MCHID:
            raise Refusal(400, "PARAM_ERROR", "商户号不正确")
        twists = ("wrong_appid", "wrong_mchid", "wrong_amount")
        twist = next((t for t in twists if self._world.strikes(f"answer_{t}", "wechat", order.number, "query")), None)
        return 200, self.orders.describe(order, twist)

    def _close(self, number, query, asked):
        if asked.get("mchid") != MCHID:
            raise Refusal(400, "PARAM_ERROR", "商户号不正确")
        self.orders.close(self.orders.find(number))
        return 204, None

    def _reverse(self, number, query, asked):
        order = self.orders.find(number)
        self.orders.reverse(order)
        return 200, {"appid": order.appid, "mchid": order.mchid, "out_trade_no": number, "transaction_id": order.transaction_id}

    def _refund(self, query, asked):
        return 200, self.refunds.describe(self.refunds.make(asked))

    def _query_refund(self, number, query, asked):
        return 200, self.refunds.describe(self.refunds.find(number))

    def _retry_refund(self, refund_id, query, asked):
        return 200, self.refunds.describe(self.refunds.retry_abnormal(refund_id))

    def _statement(self, query, asked):
        world, day, kind = self._world, query.get("bill_date", ""), query.get("bill_type", "ALL")
        now, asked_day = world.clock.now(), _day(day)
        if asked_day is None or kind not in ("ALL", "SUCCESS", "REFUND") or query.get("tar_type", "GZIP") != "GZIP":
            raise Refusal(400, "PARAM_ERROR", "账单参数错误")
        age, due = (now.date() - asked_day).days, world.habits.statement_days
        if age < due or age > MOST_DAYS_BACK:
            raise Refusal(400, "INVALID_REQUEST", "账单日期不可查询")
        if due > 0 and age == due and now.hour < world.habits.statement_hour:
            raise Refusal(400, "STATEMENT_CREATING", "账单生成中")
        found = statement.movements(world, day, kind)
        if not found:
            raise Refusal(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        file, zipped, digest = statement.packed(world, statement.write(world, found, day), day)
        torn = world.strikes("statement_torn", "wechat", day, "statement")
        token = world.text(32)
        self._files = dict(list(self._files.items())[-15:]) | {token: (file, zipped, bool(torn))}
        tail = "&tartype=gzip" if "tar_type" in query else ""
        return 200, {"hash_type": "SHA1", "hash_value": digest, "download_url": f"{world.address}{DOWNLOAD}?token={token}{tail}"}

    def _download(self, query):
        """The file, which no signature covers; its hash came with a signed answer."""
        kept = self._files.get(query.get("token"))
        if kept is None:
            return self._proved(404, dumps({"code": "NO_STATEMENT_EXIST", "message": "账单文件不存在"}), None)
        file, zipped, torn = kept
        content = zipped if query.get("tartype") == "gzip" else file
        kind = "application/x-gzip" if query.get("tartype") == "gzip" else "text/plain"
        return Answer(200, {"Content-Type": kind}, content, ends_early=torn)

    def _certificates(self, query, asked):
        """The platform's certificates, each sealed with the API v3 key."""
        keys, shown = self._world.keys, []
        for name in self.signing.names:
            if name == "wechat_public_key":
                continue
            began, ends = keys.validity(name)
            sealed = self.signing.seal(keys.certificate_pem(name), "certificate")
            del sealed["original_type"]
            shown.append({"serial_no": keys.serial(name), "effective_time": began.isoformat(), "expire_time": ends.isoformat(),
                          "encrypt_certificate": sealed})
        return 200, {"data": shown}


def _object(body):
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(400, "PARAM_ERROR", "请求体不是JSON对象")
    return value


def _day(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
