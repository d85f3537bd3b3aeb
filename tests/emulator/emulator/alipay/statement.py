"""Owns Alipay's daily statement: a ZIP with GBK names around GBK CSV files, and what the fault menu does to it.

There are two files, 业务明细 and its summary 业务明细(汇总); comment lines start with #, each cell ends in a tab, refunds are
negative rows.
"""

import io
import zipfile
from datetime import datetime, timedelta

from ..books import PAYMENT
from ..keys import FOREIGN_SELLER_ID, SELLER_ID
from ..wechat.statement import BOMB, twisted
from ..yuan import in_yuan

COLUMNS = ("支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,"
           "支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
           "退款批次号/请求号,服务费（元）,分润（元）,备注").split(",")
NOTHING = "0.00"


def movements(world, day):
    found = [m for m in world.books.of_day("alipay", day) if m.merchant == SELLER_ID]
    return twisted(world, "alipay", day, found, FOREIGN_SELLER_ID)


def packed(world, found, day):
    """The bytes of the download."""
    coding = "utf-8" if world.defects.has("alipay_statement_in_utf8") else "gb18030"
    stem = f"{SELLER_ID}0156_{day.replace('-', '')}"
    details = _details(world, found, day).encode(coding)
    if world.strikes("statement_bomb", "alipay", day, "statement"):
        details = bytes(BOMB)
    climbing = "../../../" if world.strikes("statement_slip", "alipay", day, "statement") else ""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in ((f"{stem}_业务明细.csv", details), (f"{stem}_业务明细(汇总).csv", _summary(found, day).encode(coding))):
            archive.writestr(_GbkName(climbing + name, archive.compression), content, compresslevel=archive.compresslevel)
    return target.getvalue()


class _GbkName(zipfile.ZipInfo):
    """A name in GBK without the mark for UTF-8, as Alipay writes it."""

    def __init__(self, name, compression):
        super().__init__(name, (2026, 1, 1, 0, 0, 0))
        self.compress_type = compression

    def _encodeFilenameFlags(self):
        return self.filename.encode("gbk"), self.flag_bits & ~0x800


def _head(title, day):
    began = datetime.strptime(day, "%Y-%m-%d")
    moment = "%Y年%m月%d日 00:00:00"
    return [f"#支付宝{title}查询", f"#账号：[{SELLER_ID}0156]",
            f"#起始日期：[{began:{moment}}]   终止日期：[{began + timedelta(days=1):{moment}}]"]


def _details(world, found, day):
    lines = [*_head("业务明细", day), f"#{'-' * 41}业务明细列表{'-' * 40}", ",".join(COLUMNS)]
    lines += [",".join(cell + "\t" for cell in _row(world, m)) for m in found]
    paid = [m for m in found if m.kind == PAYMENT]
    back = [m for m in found if m.kind != PAYMENT]
    if world.defects.has("alipay_statement_counts_refunds_as_trades"):
        paid = found
    off = 1 if world.strikes("statement_wrong_total", "alipay", day, "statement") else 0
    lines += [
        f"#{'-' * 41}业务明细列表结束{'-' * 36}",
        f"#交易合计：{len(paid)}笔，商家实收共{in_yuan(sum(m.amount for m in paid) + off)}元，商家优惠共0.00元",
        f"#退款合计：{len(back)}笔，商家实收退款共{in_yuan(sum(m.amount for m in back))}元，商家优惠退款共0.00元",
        f"#导出时间：[{world.clock.now():%Y年%m月%d日 %H:%M:%S}]",
    ]
    return "\r\n".join(lines) + "\r\n"


def _row(world, m):
    paid = m.kind == PAYMENT
    amount = in_yuan(abs(m.amount) if world.defects.has("alipay_statement_refunds_positive") else m.amount)
    at = f"{m.at:%Y-%m-%d %H:%M:%S}"
    return [m.transaction_id, m.order_no, "交易" if paid else "退款", m.subject.replace(",", " "), at, at, "", "", "", "",
            "*某(138****0000)", amount, amount, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, "", NOTHING, NOTHING,
            "" if paid else m.refund_no, in_yuan(-m.fee), NOTHING, _remark(m)]


def _remark(movement):
    """Another merchant's row is told by its remark alone: the statement has no column for a merchant."""
    return "" if movement.merchant == SELLER_ID else f"seller_id={movement.merchant}"


def _summary(found, day):
    paid = [m for m in found if m.kind == PAYMENT]
    back = [m for m in found if m.kind != PAYMENT]
    net = in_yuan(sum(m.amount - m.fee for m in found))
    cells = ["", "合计", str(len(paid)), str(len(back)), in_yuan(sum(m.amount for m in paid + back)),
             in_yuan(sum(m.amount for m in found)), NOTHING, NOTHING, in_yuan(-sum(m.fee for m in found)), NOTHING, net]
    columns = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,服务费（元）,分润（元）,实收净额（元）"
    lines = [*_head("业务汇总", day), f"#{'-' * 41}业务汇总列表{'-' * 40}", columns, ",".join(c + "\t" for c in cells),
             f"#{'-' * 41}业务汇总列表结束{'-' * 36}"]
    return "\r\n".join(lines) + "\r\n"
