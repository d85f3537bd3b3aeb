"""Owns the admin calls: what a test does as the phone, the console, the clock and misfortune.

Each takes and gives JSON; a POST's body is an object of the arguments named in `CALLS`.
"""

import json
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from .answer import Answer
from .clock import BEIJING
from .defects import DEFECTS

PROVIDERS = ("wechat", "alipay")


class Admin:
    def __init__(self, world, wechat, alipay):
        self._world, self._wechat, self._alipay = world, wechat, alipay
        self._calls = {
            ("GET", "clock"): self._clock, ("POST", "clock"): self._move_clock,
            ("GET", "faults"): world.faults.describe, ("POST", "faults"): self._switch,
            ("GET", "totals"): lambda day=None: world.books.totals(day),
            ("GET", "movements"): lambda: world.books.everything(),
            ("GET", "callbacks"): lambda: world.deliveries.log(),
            ("GET", "orders"): self._orders, ("GET", "waiting"): world.schedule.waiting,
            ("GET", "defects"): lambda: DEFECTS, ("POST", "habits"): self._habits,
            ("POST", "scan"): self._scan, ("POST", "pay"): self._pay, ("POST", "invoke"): self._invoke,
            ("POST", "console_refund"): self._console_refund, ("POST", "console_retry"): self._console_retry, ("POST", "foreign_payment"): self._foreign,
            ("POST", "callbacks"): self._callbacks, ("POST", "keys"): self._keys,
        }

    def handle(self, method, target, headers, body):
        parts = urlsplit(target)
        call = self._calls.get((method, parts.path.removeprefix("/admin/")))
        if call is None:
            known = sorted(f"{verb} /admin/{name}" for verb, name in self._calls)
            return _shown(404, {"error": "no such admin call", "calls": known})
        try:
            arguments = json.loads(body) if body else dict(parse_qsl(parts.query))
            return _shown(200, call(**arguments))
        except Exception as fault:  # a test must see its own mistake, whatever it was
            return _shown(400, {"error": f"{type(fault).__name__}: {fault}"})

    def _clock(self):
        return {"now": self._world.clock.now().isoformat(), "timestamp": self._world.clock.timestamp()}

    def _move_clock(self, advance_s=None, to=None, next_day_at_hour=None):
        """Forward by seconds, to a moment, or to an hour of the next day in Beijing."""
        clock = self._world.clock
        if advance_s is not None:
            clock.advance(advance_s)
        if to is not None:
            clock.set_to(datetime.fromisoformat(to))
        if next_day_at_hour is not None:
            morrow = clock.now() + timedelta(days=1)
            clock.set_to(morrow.replace(hour=next_day_at_hour, minute=0, second=0, microsecond=0, tzinfo=BEIJING))
        return self._clock()

    def _switch(self, only=None, **wanted):
        """Switches faults; with `only`, everything else goes off."""
        if only is not None:
            self._world.faults.clear()
            wanted = only
        self._world.faults.switch(wanted)
        return self._world.faults.describe()["on"]

    def _habits(self, **wanted):
        for name, value in wanted.items():
            if name not in vars(self._world.habits):
                raise ValueError(f"no habit is called {name}")
            setattr(self._world.habits, name, value)
        return vars(self._world.habits)

    def _scan(self, provider, order):
        """The phone looks at an order without paying. At WeChat that leaves no trace."""
        with self._world.lock:
            if provider == "alipay":
                self._alipay.trades.scan(self._alipay.trades.of_code(order))
        return self._order(provider, order)

    def _pay(self, provider, order):
        """The phone pays an order. 400 when the order takes no money."""
        with self._world.lock:
            if provider == "wechat":
                self._wechat.orders.pay(self._wechat.orders.find(order))
            else:
                self._alipay.trades.pay(self._alipay.trades.of_code(order))
        return self._order(provider, order)

    def _invoke(self, **asked):
        """WeChat's browser is asked to pay what a page has signed: appId, timeStamp, nonceStr, package, signType, paySign."""
        with self._world.lock:
            return self._wechat.orders.describe(self._wechat.phone.invoke(asked))

    def _order(self, provider, order):
        if provider == "wechat":
            return self._wechat.orders.describe(self._wechat.orders.find(order))
        return self._alipay.trades.describe(self._alipay.trades.of_code(order))

    def _console_refund(self, provider, order, amount):
        """Somebody refunds `amount` fen in the merchant's console. Gives the refund's number."""
        with self._world.lock:
            if provider == "wechat":
                return {"refund_no": self._wechat.refunds.by_console(self._wechat.orders.find(order), amount).number}
            return {"refund_no": self._alipay.trades.by_console(self._alipay.trades.of_code(order), amount).number}

    def _console_retry(self, order):
        """Somebody sends WeChat's abnormal refund of an order to another account of the payer, in the merchant's console."""
        with self._world.lock:
            stuck = next(r for r in self._wechat.orders.find(order).refunds if r.status == "ABNORMAL")
            return {"refund_no": self._wechat.refunds.retry_abnormal(stuck.refund_id).number}

    def _foreign(self, provider, amount, notify_url):
        """Another merchant's payment is told to us, rightly signed."""
        with self._world.lock:
            if provider == "wechat":
                return {"order": self._wechat.orders.foreign(amount, notify_url).number}
            return {"order": self._alipay.trades.foreign(amount, notify_url).number}

    def _callbacks(self, enabled=None, origin=None):
        """Switches callbacks on or off; `origin` sends all of them to another http://127.0.0.1:PORT."""
        deliveries = self._world.deliveries
        if enabled is not None:
            deliveries.enabled = enabled
        if origin is not None:
            deliveries.origin = origin or None
        return {"enabled": deliveries.enabled, "origin": deliveries.origin}

    def _keys(self, provider, change):
        """A change of keys: `begin` (to WeChat's second certificate), `begin_public_key`, then `end`."""
        signing = {"wechat": self._wechat, "alipay": self._alipay}[provider].signing
        news = {"begin": {"wechat": "wechat_platform_2", "alipay": "alipay_2"}[provider], "begin_public_key": "wechat_public_key"}
        with self._world.lock:
            if change == "end":
                signing.end_change()
            else:
                signing.begin_change(news[change])
        return {"signs_with": signing.names}

    def _orders(self):
        with self._world.lock:
            wechat = [{"order": o.number, "state": o.state, "total": o.total, "transaction_id": o.transaction_id,
                       "refunded": o.refunded} for o in self._wechat.orders.everything()]
            alipay = [{"order": t.number, "state": t.status, "total": t.total, "transaction_id": t.trade_no,
                       "refunded": t.refunded} for t in self._alipay.trades.everything()]
        return {"wechat": wechat, "alipay": alipay}


def _shown(status, value):
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value, ensure_ascii=False).encode())
