"""Owns the keys of both providers and of the merchant, and the folder where a client finds its part of them.

Keys are made anew for each folder; with `--keys` a folder is used again, which saves a second. It must not sign anything.
"""

import json
import os
import random
import string
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key)
from cryptography.x509.oid import NameOID

# The merchant as both providers know it, and another that is none of the box's business.
MCHID, FOREIGN_MCHID = "1900000001", "1900000999"
APPID, FOREIGN_APPID = "wx0123456789abcdef", "wxfedcba9876543210"
# Not the merchant's but the public account's: for OAuth.
APP_SECRET = "0123456789abcdef0123456789abcdef"
APP_ID, FOREIGN_APP_ID = "2021000000000001", "2021000000000999"
SELLER_ID, FOREIGN_SELLER_ID = "2088000000000001", "2088000000000999"

_PRIVATE = ("merchant_wechat", "merchant_alipay", "wechat_platform_1", "wechat_platform_2", "wechat_public_key",
            "alipay_1", "alipay_2", "stranger")


def private_pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Keys:
    """All keys by name, with the certificates of those that have one."""

    def __init__(self, folder, seed):
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys = {name: self._key(name) for name in _PRIVATE}
        self._certificates = {name: self._certificate(name) for name in ("merchant_wechat", "wechat_platform_1", "wechat_platform_2")}
        self.apiv3_key = self._apiv3_key(seed)
        self.public_key_id = "PUB_KEY_ID_0119000000012026010100000000001"
        self._write_client_part()

    def private(self, name):
        return self._keys[name]

    def public(self, name):
        return self._keys[name].public_key()

    def certificate_pem(self, name):
        return self._certificates[name].public_bytes(Encoding.PEM).decode()

    def validity(self, name):
        certificate = self._certificates[name]
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc

    def serial(self, name):
        """What a header calls the key: a certificate's serial number, or the id of WeChat's public key."""
        if name == "wechat_public_key":
            return self.public_key_id
        return f"{self._certificates[name].serial_number:X}"

    def _key(self, name):
        path = self.folder / f"{name}.private.pem"
        if path.exists():
            # Our own file: the library need not prove each key again.
            return load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        key = rsa.generate_private_key(65537, 2048)
        self._write(path.name, private_pem(key))
        return key

    def _certificate(self, name):
        path = self.folder / f"{name}.certificate.pem"
        if path.exists():
            return x509.load_pem_x509_certificate(path.read_bytes())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        began = datetime.now(timezone.utc) - timedelta(days=1)
        certificate = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(self._keys[name].public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(began).not_valid_after(began + timedelta(days=1825))
            .sign(self._keys[name], hashes.SHA256()))
        self._write(path.name, certificate.public_bytes(Encoding.PEM).decode())
        return certificate

    def _apiv3_key(self, seed):
        path = self.folder / "apiv3_key.txt"
        if not path.exists():
            chance = random.Random(seed)
            self._write(path.name, "".join(chance.choice(string.ascii_letters + string.digits) for _ in range(32)))
        return path.read_text()

    def _write(self, name, text):
        """In one step, for others may be reading the same folder."""
        path = self.folder / name
        if path.exists() and path.read_text() == text:
            return
        new = self.folder / f"{name}.{os.getpid()}"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.replace(new, path)

    def _write_client_part(self):
        for name in _PRIVATE:
            self._write(f"{name}.public.pem", public_pem(self._keys[name]))
        self._write("client.json", json.dumps(self.client_part(), indent=1))

    def client_part(self):
        """What a merchant is given: names of files beside it, and identifiers."""
        return {
            "wechat": {
                "mchid": MCHID, "appid": APPID, "app_secret": APP_SECRET, "serial": self.serial("merchant_wechat"),
                "private_key": "merchant_wechat.private.pem", "apiv3_key": "apiv3_key.txt",
                "platform_keys": {
                    self.serial("wechat_platform_1"): "wechat_platform_1.public.pem",
                    self.public_key_id: "wechat_public_key.public.pem",
                },
                "next_platform_keys": {self.serial("wechat_platform_2"): "wechat_platform_2.public.pem"},
            },
            "alipay": {
                "app_id": APP_ID, "seller_id": SELLER_ID,
                "private_key": "merchant_alipay.private.pem", "alipay_public_key": "alipay_1.public.pem",
                "next_alipay_public_key": "alipay_2.public.pem",
            },
        }
