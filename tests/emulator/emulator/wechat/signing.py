"""Owns WeChat's signatures and sealed resources, made and checked with the independent library `wechatpayv3`.

It must not know orders.
"""

import json
import re
from base64 import b64encode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wechatpayv3.utils import rsa_sign, rsa_verify

SCHEME = "WECHATPAY2-SHA256-RSA2048"
MOST_SKEW_S = 300
_FIELD = re.compile(r'(\w+)="([^"]*)"')


class Signing:
    """Signs with the platform's key of the day; during a change of keys, with the old and the new one by chance."""

    def __init__(self, world):
        self._world = world
        self.names = ["wechat_platform_1"]

    def begin_change(self, new):
        self.names = [self.names[-1], new]

    def end_change(self):
        self.names = self.names[-1:]

    def headers(self, body, twist=None):
        """The headers that prove a body; `twist` is a fault of the menu."""
        world = self._world
        with world.lock:
            name = world.random.choice(self.names)
        timestamp = world.clock.timestamp()
        if twist == "stale_time":
            timestamp -= 3 * 3600
        if world.defects.has("wechat_answer_dated_an_hour_ago"):
            timestamp -= 3600
        nonce = world.text(32)
        by = "stranger" if twist == "wrong_key" or world.defects.has("wechat_answer_names_another_key") else name
        text = f"{timestamp}\n{nonce}\n{body}\n"
        if world.defects.has("wechat_answer_without_last_newline"):
            text = text[:-1]
        signature = rsa_sign(world.keys.private(by), text)
        if twist == "probe":
            signature = "WECHATPAY/SIGNTEST/" + signature[19:]
        return {
            "Wechatpay-Timestamp": str(timestamp), "Wechatpay-Nonce": nonce, "Wechatpay-Signature": signature,
            "Wechatpay-Serial": world.keys.serial(name), "Wechatpay-Signature-Type": SCHEME,
        }

    def complaint(self, method, target, body, authorization):
        """What is wrong with a request's signature; None when it is right."""
        world = self._world
        if not authorization.startswith(SCHEME + " "):
            return "Http头Authorization认证类型不正确"
        said = dict(_FIELD.findall(authorization))
        if set(said) != {"mchid", "nonce_str", "timestamp", "serial_no", "signature"}:
            return "Http头Authorization值格式错误"
        if world.defects.has("wechat_signature_not_looked_at"):
            return None
        if said["mchid"] != world.keys.client_part()["wechat"]["mchid"]:
            return "商户号与签名不符"
        if said["serial_no"] != world.keys.serial("merchant_wechat"):
            return "商户证书序列号有误"
        if not said["timestamp"].isdigit() or abs(int(said["timestamp"]) - world.clock.timestamp()) > MOST_SKEW_S:
            return "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"
        head = head_of_request(method, target, said["timestamp"])
        if not rsa_verify(head, said["nonce_str"], body, said["signature"], world.keys.public("merchant_wechat")):
            return "签名错误"
        return None

    def seal(self, plain, kind):
        """A callback's resource: AEAD_AES_256_GCM under the merchant's API v3 key."""
        world = self._world
        nonce = world.text(12)
        associated = b"" if world.defects.has("wechat_callback_forgets_associated_data") else kind.encode()
        sealed = AESGCM(world.keys.apiv3_key.encode()).encrypt(nonce.encode(), plain.encode(), associated)
        return {"original_type": kind, "algorithm": "AEAD_AES_256_GCM", "ciphertext": b64encode(sealed).decode(),
                "associated_data": kind, "nonce": nonce}


def head_of_request(method, target, timestamp):
    """The library writes time, nonce and body, as answers have them; a request has two lines before these."""
    return f"{method}\n{target}\n{timestamp}"


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
