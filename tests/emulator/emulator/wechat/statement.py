"""Owns WeChat's daily statement (tradebill): its 27 columns, its summary, and what the fault menu does to it.

UTF-8 with BOM, CRLF, a backtick before each value, yuan. The form follows the published sample in fixtures/.
"""

import gzip
import hashlib
from dataclasses import replace

from ..books import PAYMENT
from ..keys import APPID, FOREIGN_APPID, FOREIGN_MCHID, MCHID
from ..yuan import in_yuan

COLUMNS = ("交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,"
           "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注").split(",")
SUMMARY = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
# Nothing, and much of it; packed loosely, since even that is a thousandth.
BOMB = 128 * 1024 * 1024


def movements(world, day, kind):
    """What stands in a day's statement, as the fault menu has it."""
    of_day = world.books.of_utc_day if world.defects.has("wechat_statement_by_utc_days") else world.books.of_day
    found = [m for m in of_day("wechat", day) if m.merchant == MCHID]
    if kind != "ALL":
        found = [m for m in found if (m.kind == PAYMENT) == (kind == "SUCCESS")]
    return twisted(world, "wechat", day, found, FOREIGN_MCHID)


def twisted(world, provider, day, found, foreign):
    """Rows taken out, put in or changed; for both providers."""
    strikes = lambda name, about: world.strikes(name, provider, about, "statement")
    if found and strikes("statement_missing_row", _name(gone := world.random.choice(found))):
        found = [m for m in found if m is not gone]
    if found and strikes("statement_altered_row", _name(other := world.random.choice(found))):
        found = [replace(m, amount=m.amount + 1) if m is other else m for m in found]
    model = next((m for m in found if m.kind == PAYMENT), None)
    if model and strikes("statement_extra_row", f"{day} EXTRA"):
        n = world.number()
        found = [*found, replace(model, order_no=f"EXTRA{n:06d}", transaction_id=f"{model.transaction_id[:-10]}{n:010d}")]
    if model and strikes("statement_foreign_row", f"{day} FOREIGN"):
        n = world.number()
        found = [*found, replace(model, merchant=foreign, order_no=f"FOREIGN{n:06d}",
                                 transaction_id=f"{model.transaction_id[:-10]}{n:010d}")]
    return sorted(found, key=lambda m: m.at)


def _name(movement):
    return f"{movement.transaction_id} {movement.order_no} {movement.refund_no}".strip()


def write(world, found, day):
    """The file as it lies behind the download, unpacked."""
    yuan = str if world.defects.has("wechat_statement_in_fen") else in_yuan
    tick = "" if world.defects.has("wechat_statement_without_backticks") else "`"
    lines = [",".join(COLUMNS)]
    lines += [",".join(tick + cell for cell in _row(world, m, yuan)) for m in found]
    paid = sum(m.amount for m in found if m.kind == PAYMENT)
    back = -sum(m.amount for m in found if m.kind != PAYMENT)
    if world.defects.has("wechat_statement_sum_off_by_one") or world.strikes("statement_wrong_total", "wechat", day, "statement"):
        paid += 1
    fees = sum(m.fee for m in found)
    sums = [str(len(found)), yuan(paid), yuan(back), yuan(0), _fee(fees), yuan(paid), yuan(back)]
    lines += [SUMMARY, ",".join("`" + cell for cell in sums)]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def _row(world, m, yuan):
    paid = m.kind == PAYMENT
    zero = yuan(0)
    return [
        f"{m.at:%Y-%m-%d %H:%M:%S}", APPID if m.merchant == MCHID else FOREIGN_APPID, m.merchant, "0", "", m.transaction_id,
        m.order_no, m.payer, m.trade_type, "SUCCESS" if paid else "REFUND" if m.refund_no else "REVOKED", "OTHERS", "CNY",
        yuan(m.amount) if paid else zero, zero, "0" if paid else m.refund_id, "0" if paid else m.refund_no,
        zero if paid else yuan(-m.amount), zero, "" if paid else "ORIGINAL", "" if paid else "SUCCESS",
        m.subject.replace(",", " "), "", _fee(m.fee), f"{in_yuan(world.habits.fee_rate)}%",
        yuan(m.amount) if paid else zero, zero if paid else yuan(-m.amount), "",
    ]


def _fee(fen):
    """Fees stand with five decimals."""
    return in_yuan(fen) + "000"


def packed(world, file, day):
    """The bytes of the download and the hash that the API names."""
    if world.strikes("statement_bomb", "wechat", day, "statement"):
        file = bytes(BOMB)
    zipped = gzip.compress(file, 1 if len(file) == BOMB else 6)
    proved = zipped if world.defects.has("wechat_statement_hash_of_the_gzip") else file
    if world.strikes("statement_wrong_hash", "wechat", day, "statement"):
        proved = b"another file"
    return file, zipped, hashlib.sha1(proved).hexdigest()
