"""Owns Alipay's three canonical forms, on the independent library `python-alipay-sdk` with both sides' keys changed over.

It must not know trades.
"""

import json

from alipay import AliPay

from ..keys import APP_ID, private_pem, public_pem


def text_of(parameters):
    """What a signature covers: all of `parameters` in the order of their names, as they were before URL coding."""
    return "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))


class Signing:
    """Signs as Alipay, checks what the merchant signed."""

    def __init__(self, world):
        self._world = world
        merchant = public_pem(world.keys.private("merchant_alipay"))
        # The library knows the merchant's side: its "app" signs and its "alipay" is checked. Here it is the other way round.
        self._sides = {
            name: AliPay(APP_ID, app_private_key_string=private_pem(world.keys.private(name)), alipay_public_key_string=merchant)
            for name in ("alipay_1", "alipay_2", "stranger")
        }
        self.names = ["alipay_1"]

    def begin_change(self, new):
        self.names = [self.names[-1], new]

    def end_change(self):
        self.names = self.names[-1:]

    def _side(self, twist):
        with self._world.lock:
            return self._sides["stranger" if twist == "wrong_key" else self._world.random.choice(self.names)]

    def request_is_signed(self, parameters):
        """A request signs all it sends in the order of names, sign_type with it, sign without."""
        if self._world.defects.has("alipay_signature_not_looked_at"):
            return True
        said = {name: value for name, value in parameters.items() if name != "sign" and value != ""}
        try:
            return self._sides["alipay_1"]._verify(text_of(said), parameters.get("sign", ""))
        except ValueError:
            return False

    def callback(self, parameters, twist=None):
        """A callback with its signature, which covers all but sign and sign_type."""
        side = self._side(twist)
        covered = parameters | ({"sign_type": "RSA2"} if self._world.defects.has("alipay_callback_signs_sign_type") else {})
        return parameters | {"sign": side._sign(text_of(covered)), "sign_type": "RSA2"}

    def answer(self, method, content, twist=None):
        """An answer's bytes. The signature covers the object as it stands there, slashes escaped as Alipay does."""
        plain = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        shown = plain.replace("/", "\\/")
        covered = plain if self._world.defects.has("alipay_answer_signed_in_another_form") else shown
        sign = self._side(twist)._sign(covered)
        if twist == "tampered":
            shown = shown.replace('"msg":"', '"msg":"X', 1)
        return f'{{"{method.replace(".", "_")}_response":{shown},"sign":"{sign}"}}'.encode()
