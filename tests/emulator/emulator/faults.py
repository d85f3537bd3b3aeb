"""Owns the fault menu: what the providers may do wrong or late, how often it strikes, and what has struck.

It must not know how a fault is played; the part that plays one asks here whether it strikes now.
"""

import threading
from dataclasses import dataclass, field

MENU = {
    # Callbacks. `instead`: the first attempt is so, later ones are right. `beside`: sent once before the right one.
    "callback_duplicate": "a callback is sent up to three times more",
    "callback_reorder": "a callback waits until the next one has gone out, at most two seconds",
    "callback_delay": "a callback is sent `seconds` (60) later",
    "callback_drop": "a callback never goes out, nor do its repetitions",
    "callback_stale_time": "instead: rightly signed, but three hours old",
    "callback_wrong_key": "instead: signed with a stranger's key under the known serial",
    "callback_tampered": "instead: one byte is changed after signing",
    "callback_wrong_appid": "beside: rightly signed, for another appid",
    "callback_wrong_mchid": "beside: rightly signed, for another merchant",
    "callback_wrong_amount": "beside: rightly signed, one fen more than was paid",
    "callback_malformed": "beside: rightly signed, its resource cannot be opened (Alipay: fields are missing)",
    "callback_probe": "beside: a WECHATPAY/SIGNTEST/ signature, which wants a 401 (Alipay: no such thing)",
    # Answers. All take `call`: order, query, close, refund, refund_query, statement, reverse.
    "answer_500": "nothing is done, SYSTEM_ERROR is answered",
    "answer_never": "nothing is done, the connection ends after `seconds` (0)",
    "acted_but_timed_out": "it is done, the connection ends after `seconds` (0) without an answer",
    "answer_wrong_key": "an answer is signed with a stranger's key",
    "answer_tampered": "one byte of an answer is changed after signing",
    "answer_stale_time": "an answer is rightly signed, but dated an hour ago (WeChat only)",
    "answer_probe": "an answer carries a WECHATPAY/SIGNTEST/ signature (WeChat only)",
    "answer_wrong_appid": "a query is answered for another appid (WeChat only)",
    "answer_wrong_mchid": "a query is answered for another merchant (WeChat only)",
    "answer_wrong_amount": "a query is answered with one fen more than was paid",
    # Orders and refunds.
    "pay_during_close": "the phone pays at the moment of the close, which is then refused",
    "refund_abnormal": "WeChat: a refund is accepted, then ABNORMAL",
    "refund_closed": "WeChat: a refund is accepted, then CLOSED",
    "refund_not_done": "Alipay: a refund is answered with fund_change N and never happens",
    "refund_slow": "a refund is done `seconds` (60) after it was accepted (Alipay: fund_change N until then)",
    # Statements.
    "statement_missing_row": "a row is missing, the totals agree with the rest",
    "statement_extra_row": "a row stands for a payment that never was",
    "statement_altered_row": "a row is one fen more than what was paid",
    "statement_foreign_row": "a row belongs to another merchant",
    "statement_wrong_total": "the totals do not agree with the rows",
    "statement_wrong_hash": "the hash is of another file (WeChat only)",
    "statement_bomb": "the file unpacks to 128 MiB of nothing",
    "statement_slip": "a name in the ZIP climbs out of its folder (Alipay only)",
    "statement_torn": "the download ends in the middle",
}


@dataclass
class Fault:
    chance: float = 1.0
    times: int | None = None
    provider: str | None = None
    call: str | None = None
    seconds: float | None = None
    struck: int = field(default=0)

    def fits(self, provider, call):
        return (
            self.times != 0
            and self.provider in (None, provider)
            and self.call in (None, call)
        )


class Menu:
    """The faults that are switched on. Chance comes from the emulator's seed."""

    def __init__(self, random):
        self._random = random
        self._lock = threading.Lock()
        self._on = {}
        self._struck = []

    def switch(self, wanted):
        """`wanted` maps a name to its settings, or to null to switch it off."""
        made = {}
        for name, settings in wanted.items():
            if name not in MENU:
                raise ValueError(f"no fault is called {name}")
            made[name] = Fault(**settings) if settings is not None else None
            if made[name] and not 0 <= made[name].chance <= 1:
                raise ValueError(f"{name}: chance lies between 0 and 1")
        with self._lock:
            for name, fault in made.items():
                if fault is None:
                    self._on.pop(name, None)
                else:
                    self._on[name] = fault

    def clear(self):
        with self._lock:
            self._on.clear()

    def strikes(self, name, provider, about, call=None):
        """The fault if it strikes now; `about` is remembered, so that a test can see what it must explain."""
        if name not in MENU:
            raise ValueError(f"no fault is called {name}")
        with self._lock:
            fault = self._on.get(name)
            if fault is None or not fault.fits(provider, call) or self._random.random() >= fault.chance:
                return None
            if fault.times is not None:
                fault.times -= 1
            fault.struck += 1
            self._struck.append({"fault": name, "provider": provider, "call": call, "about": about})
            return fault

    def describe(self):
        with self._lock:
            return {
                "menu": MENU,
                "on": {name: {k: v for k, v in vars(fault).items() if v is not None} for name, fault in self._on.items()},
                "struck": list(self._struck),
            }
