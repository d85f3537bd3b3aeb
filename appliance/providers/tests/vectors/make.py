#!/usr/bin/env python3
"""Makes own/ with Python's `cryptography`, so that no line of ours is judged by itself: keys, certificates, signatures, seals,
and an Alipay statement. Run it in this folder; the results are committed, and the tests need no Python."""

import base64
import datetime
import gzip
import hashlib
import io
import json
import pathlib
import zipfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

OWN = pathlib.Path("own")
NOW = 1767225600  # 2026-01-01 00:00:00 UTC
API_KEY = "0123456789abcdefghijklmnopqrstuv"
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PRIVATE = serialization.PrivateFormat


def key(name):
    path = OWN / f"{name}.pkcs8.pem"
    if path.exists():
        return serialization.load_pem_private_key(path.read_bytes(), None)
    made = rsa.generate_private_key(65537, 2048)
    path.write_bytes(made.private_bytes(PEM, PRIVATE.PKCS8, serialization.NoEncryption()))
    return made


def sign(private, message):
    return base64.b64encode(private.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def certificate(private, serial, begins, ends):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a platform certificate for tests")])
    build = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    build = build.serial_number(serial).not_valid_before(begins).not_valid_after(ends)
    return build.sign(private, hashes.SHA256()).public_bytes(PEM).decode()


def sealed(plain, associated, nonce, algorithm="AEAD_AES_256_GCM"):
    text = AESGCM(API_KEY.encode()).encrypt(nonce.encode(), plain.encode(), associated.encode() or None)
    made = {"algorithm": algorithm, "nonce": nonce, "ciphertext": base64.b64encode(text).decode()}
    if associated:
        made["associated_data"] = associated
    return made


def callback(private, serial, event, plain, associated, at=NOW, extra=None):
    body = json.dumps({"id": "EV-2026010100000001", "create_time": "2026-01-01T08:00:00+08:00", "resource_type": "encrypt-resource",
                       "event_type": event, "summary": "支付成功",
                       "resource": sealed(json.dumps(plain), associated, "fdasflkja484")}, ensure_ascii=False)
    headers = {"Wechatpay-Serial": serial, "Wechatpay-Timestamp": str(at), "Wechatpay-Nonce": "EcZ9Cmy4Xyx1i6RlJQzL",
               "Wechatpay-Signature": sign(private, f"{at}\nEcZ9Cmy4Xyx1i6RlJQzL\n{body}\n".encode()), **(extra or {})}
    return {"headers": headers, "body": body}


def wechat():
    ours, old, new, successor = key("merchant"), key("platform_old"), key("platform_new"), key("platform_public")
    (OWN / "merchant.pkcs1.pem").write_bytes(ours.private_bytes(PEM, PRIVATE.TraditionalOpenSSL, serialization.NoEncryption()))
    public = successor.public_key()
    spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    (OWN / "platform_public.pem").write_bytes(public.public_bytes(PEM, spki))
    (OWN / "platform_public.pkcs1.pem").write_bytes(public.public_bytes(PEM, pkcs1))
    begins = datetime.datetime(2025, 6, 1, 12, 30, 0)
    certificates = {"old": certificate(old, 0x0A5F64AAB1, begins, datetime.datetime(2026, 6, 1)),
                    "new": certificate(new, 0x5157F09EFDC096DE15EBE81A47057A7232F1B8E1, begins, datetime.datetime(2051, 6, 1))}
    paid = {"appid": "wxd678efh567hg6787", "mchid": "1230000109", "out_trade_no": "LOT101ARYZ6S41ABCDEFGHJKMNPQ",
            "transaction_id": "1217752501201407033233368018", "trade_type": "NATIVE", "trade_state": "SUCCESS",
            "trade_state_desc": "支付成功", "bank_type": "CMC", "attach": "", "success_time": "2026-01-01T07:59:58+08:00",
            "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            "amount": {"total": 1500, "payer_total": 1200, "currency": "CNY", "payer_currency": "CNY"},
            "promotion_detail": [{"coupon_id": "109519", "type": "NOCASH", "amount": 200}, {"coupon_id": "109520", "type": "CASH", "amount": 100}]}
    refunded = {"mchid": "1230000109", "out_trade_no": "LOT101ARYZ6S41ABCDEFGHJKMNPQ", "transaction_id": "1217752501201407033233368018",
                "out_refund_no": "LOT101ARYZ6S41REFUND", "refund_id": "50200207182018070300011301001", "refund_status": "ABNORMAL",
                "user_received_account": "招商银行信用卡0403",
                "amount": {"total": 1500, "refund": 700, "payer_total": 1200, "payer_refund": 500}}
    body = '{"appid":"wxd678efh567hg6787","description":"停车费 京A12345"}'
    message = f"POST\n/v3/pay/transactions/native\n{NOW}\n593BEC0C930BF1AFEB40B4A08C8FB242\n{body}\n"
    bridge = f"wxd678efh567hg6787\n{NOW}\n593BEC0C930BF1AFEB40B4A08C8FB242\nprepay_id=wx201410272009395522657a690389285100\n"
    with_key = "PUB_KEY_ID_0112345678902025010100001111"
    document = {
        "source": "made by make.py with Python's cryptography", "now": NOW, "api_v3_key": API_KEY, "certificates": certificates,
        "serials": {"old": "0A5F64AAB1", "new": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"}, "public_key_id": with_key,
        "request": {"body": body, "message": message, "signature": sign(ours, message.encode())},
        "bridge": {"message": bridge, "signature": sign(ours, bridge.encode())},
        "paid_by_old": callback(old, "0A5F64AAB1", "TRANSACTION.SUCCESS", paid, "transaction"),
        "paid_by_new": callback(new, "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "TRANSACTION.SUCCESS", paid, "transaction",
                                extra={"Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048"}),
        "paid_by_public_key": callback(successor, with_key, "TRANSACTION.SUCCESS", paid, ""),
        "refund_by_public_key": callback(successor, with_key, "REFUND.ABNORMAL", refunded, "refund"),
        "wrong_signer": callback(ours, with_key, "TRANSACTION.SUCCESS", paid, "transaction"),
        "certificate_list": json.dumps({"data": [
            {"serial_no": serial, "effective_time": "2025-06-01T12:30:00+08:00", "expire_time": "2026-06-01T00:00:00+08:00",
             "encrypt_certificate": sealed(certificates[name], "certificate", "61f9c719728a")}
            for name, serial in (("old", "0A5F64AAB1"), ("new", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"))]}),
    }
    (OWN / "wechat.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def alipay():
    ours, theirs = key("alipay_app"), key("alipay_platform")
    bare = base64.b64encode(ours.private_bytes(DER, PRIVATE.PKCS8, serialization.NoEncryption())).decode()
    old = base64.b64encode(ours.private_bytes(DER, PRIVATE.TraditionalOpenSSL, serialization.NoEncryption())).decode()
    public = theirs.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    # Parsed and written again, each of these has other bytes: order, blanks, escapes, numbers.
    query = ('{ "trade_no" : "2019081522001468450512505578","code":"10000", "msg":"Success","out_trade_no":"LOT101ARYZ6S41ABCDEFGHJKMNPQ",'
             '"trade_status":"TRADE_SUCCESS","total_amount":"15.00","receipt_amount":"14.00","send_pay_date":"2026-01-01 07:59:58",'
             '"store_name":"\\u505c\\u8f66\\/\\u573a }{ \\" ","x":1.50,"fund_bill_list":[{"amount":"15.00","fund_channel":"ALIPAYACCOUNT"}] }')
    raw = '{\n "alipay_trade_query_response" : ' + query + ' ,"sign":"' + sign(theirs, query.encode()) + '"}'
    error = '{"msg":"Business Failed","code":"40004","sub_msg":"交易不存在","sub_code":"ACQ.TRADE_NOT_EXIST"}'
    notify = {"app_id": "2021000000000001", "auth_app_id": "2021000000000001", "seller_id": "2088000000000001",
              "notify_id": "2026010100222080000000000001", "notify_time": "2026-01-01 08:00:01", "notify_type": "trade_status_sync",
              "charset": "utf-8", "version": "1.0", "trade_no": "2019081522001468450512505578", "trade_status": "TRADE_SUCCESS",
              "out_trade_no": "LOT101ARYZ6S41ABCDEFGHJKMNPQ", "out_biz_no": "LOT101REFUND01", "total_amount": "15.00",
              "receipt_amount": "14.00", "refund_fee": "5.00", "subject": "停车费 100%+税=含&", "gmt_payment": "2026-01-01 07:59:58",
              "gmt_refund": "2026-01-01 08:00:00.123", "body": "", "passback_params": "a%3D1"}
    canonical = "&".join(f"{k}={notify[k]}" for k in sorted(notify))
    request = {"app_id": "2021000000000001", "method": "alipay.trade.query", "format": "JSON", "charset": "utf-8", "sign_type": "RSA2",
               "timestamp": "2026-01-01 08:00:00", "version": "1.0", "biz_content": '{"out_trade_no":"LOT101ARYZ6S41ABCDEFGHJKMNPQ"}'}
    text = "&".join(f"{k}={request[k]}" for k in sorted(request))
    document = {
        "source": "made by make.py with Python's cryptography", "public_key": base64.b64encode(public).decode(), "bare_pkcs8": bare,
        "bare_pkcs1": old, "query": {"raw": raw, "signed": query},
        "not_exist": '{"alipay_trade_query_response":' + error + ',"sign":"' + sign(theirs, error.encode()) + '"}',
        "notify": {"parameters": {**notify, "sign_type": "RSA2", "sign": sign(theirs, canonical.encode())}, "canonical": canonical},
        "request": {"canonical": text, "signature": sign(ours, text.encode())},
    }
    (OWN / "alipay.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


COLUMNS = ("支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,"
           "支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
           "退款批次号/请求号,服务费（元）,分润（元）,备注")


def statement_rows():
    yield ["2026010122001400000000000001", "LOT101ARYZ6S41AAAAAAAAAAAAAA", "交易", "停车费", "2026-01-01 08:00:00", "2026-01-01 08:00:05",
           "", "", "", "", "张三(138****0000)", "15.00", "15.00", "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00", "", "-0.09",
           "0.00", ""]
    yield ["2026010122001400000000000002", "LOT101ARYZ6S41BBBBBBBBBBBBBB", "交易", '"停车费, 夜间"', "2026-01-01 09:00:00",
           "2026-01-01 09:00:07", "1", "丽晶酒店 东门", "", "", "李四(139****0000)", "20.50", "19.50", "0.00", "0.00", "0.00", "1.00", "0.00", "",
           "0.00", "0.00", "", "-0.12", "0.00", "月保"]
    yield ["2026010122001400000000000001", "LOT101ARYZ6S41AAAAAAAAAAAAAA", "退款", "停车费", "2026-01-01 08:00:00", "2026-01-01 10:30:00",
           "", "", "", "", "张三(138****0000)", "-5.00", "-5.00", "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00", "LOT101REFUND01",
           "0.03", "0.00", ""]


def statement():
    lines = ["#支付宝业务明细查询", "#账号：[20880000000000010156]", "#起始日期：[2026年01月01日 00:00:00]   终止日期：[2026年01月02日 00:00:00]",
             "#-----------------------------------------业务明细列表----------------------------------------", COLUMNS]
    lines += [",".join(f"{cell}\t" for cell in row) for row in statement_rows()]
    lines += ["#-----------------------------------------业务明细列表结束------------------------------------",
              "#交易合计：2笔，商家实收共34.50元，商家优惠共1.00元", "#退款合计：1笔，商家实收退款共-5.00元，商家优惠退款共0.00元",
              "#导出时间：[2026年01月02日 09:12:13]"]
    detail = "".join(line + "\r\n" for line in lines)
    total = "#支付宝业务汇总查询\r\n门店编号,门店名称,交易订单总笔数\r\n合计,,2\r\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("20880000000000010156_20260101_业务明细(汇总).csv", total), ("20880000000000010156_20260101_业务明细.csv", detail)):
            # zipfile would write UTF-8 and say so; Alipay writes GBK and says nothing.
            info = zipfile.ZipInfo("n" * len(name.encode("gbk")), (2026, 1, 2, 9, 12, 12))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text.encode("gbk"))
    data = packed.getvalue()
    for name in ("20880000000000010156_20260101_业务明细(汇总).csv", "20880000000000010156_20260101_业务明细.csv"):
        raw = name.encode("gbk")
        data = data.replace(b"n" * len(raw), raw)
    (OWN / "alipay_statement.zip").write_bytes(data)
    (OWN / "alipay_statement.csv").write_bytes(detail.encode("gbk"))
    plain = pathlib.Path("published/wechat.bill.ALL.csv").read_bytes()
    (OWN / "wechat.bill.ALL.csv.gz").write_bytes(gzip.compress(plain, mtime=0))
    assert hashlib.sha1(plain).hexdigest() == "9bb6cd819be348f17a9cbcedddc8eb62fefbd790"


OWN.mkdir(exist_ok=True)
wechat()
alipay()
statement()
