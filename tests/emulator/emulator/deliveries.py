"""Owns how callbacks travel: when each goes out, what the fault menu does to it, and when it is repeated.

A notice knows how to write itself; what stands in it is not known here. Only loopback is ever called.
"""

import http.client
import threading
from dataclasses import dataclass, field
from typing import Callable
from urllib.parse import urlsplit

MINUTE, HOUR = 60, 3600
# Seconds from one attempt to the next, as the providers publish them.
REPEATS = {
    "wechat": [15, 15, 30, 3 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, 30 * MINUTE, 30 * MINUTE, 60 * MINUTE,
               3 * HOUR, 3 * HOUR, 3 * HOUR, 6 * HOUR, 6 * HOUR],
    "alipay": [4 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR],
}
PATIENCE_S = 5
LONGEST_ANSWER = 65536
MOST_KEPT = 200_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")
INSTEAD = ("stale_time", "wrong_key", "tampered")
BESIDE = ("wrong_appid", "wrong_mchid", "wrong_amount", "malformed", "probe")


@dataclass
class Notice:
    """One thing to tell a merchant, until it has acknowledged it."""

    provider: str
    about: str
    url: str
    # From how it is to be twisted (or None) to headers and body; None when the provider has no such twist.
    write: Callable
    # From status and body to whether the merchant has acknowledged it.
    acknowledged_by: Callable
    attempts: int = 0
    acknowledged: bool = False
    dropped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Deliveries:
    def __init__(self, schedule, menu, random, defects):
        self._schedule = schedule
        self._menu = menu
        self._random = random
        self._defects = defects
        self._lock = threading.Lock()
        self._held = []
        self._log = []
        self.origin = None
        self.enabled = True

    def announce(self, notice):
        """Sends a notice as the fault menu has it, then again until it is acknowledged."""
        if not notice.url or not self.enabled:
            return
        strikes = lambda name: self._menu.strikes(name, notice.provider, notice.about)
        if strikes("callback_drop"):
            self._note(notice, "dropped", None)
            return
        for twist in BESIDE:
            if strikes(f"callback_{twist}"):
                self._schedule.after(0, lambda twist=twist: self._send(notice, twist))
        first = next((twist for twist in INSTEAD if strikes(f"callback_{twist}")), None)
        delay = strikes("callback_delay")
        seconds = (60 if delay.seconds is None else delay.seconds) if delay else 0
        copies = 1 + (self._random.randint(1, 3) if strikes("callback_duplicate") else 0)
        for copy in range(copies):
            attempt = lambda copy=copy: self._attempt(notice, first if copy == 0 else None, 0 if copy == 0 else None)
            if copy == 0 and not delay and strikes("callback_reorder"):
                self._hold(attempt)
            else:
                self._schedule.after(seconds, attempt)
                self._release()

    def log(self):
        with self._lock:
            return list(self._log)

    def _hold(self, attempt):
        """Keeps an attempt back until another notice has gone out, or two seconds."""
        once = _Once(attempt)
        with self._lock:
            self._held.append(once)
        self._schedule.after(2, once)

    def _release(self):
        with self._lock:
            held, self._held = self._held, []
        for attempt in held:
            self._schedule.after(0.05, attempt)

    def _attempt(self, notice, twist, number):
        """One attempt; `number` counts those that are repeated, and is None for a mere duplicate."""
        if notice.acknowledged and number not in (0, None):
            return
        self._send(notice, twist)
        if number is None or notice.acknowledged or self._defects.has("callbacks_not_repeated"):
            return
        repeats = REPEATS[notice.provider]
        if number < len(repeats):
            self._schedule.after(repeats[number], lambda: self._attempt(notice, None, number + 1))

    def _send(self, notice, twist):
        wire = notice.write(twist)
        if wire is None:
            return
        headers, body = wire
        answer = self._post(notice.url, headers, body)
        # Only the right notice counts: a client that swallows a forged one still gets the true one.
        if twist in (None, *INSTEAD) and answer is not None and notice.acknowledged_by(*answer):
            with notice.lock:
                notice.acknowledged = True
        with notice.lock:
            notice.attempts += 1
        self._note(notice, twist or "right", answer)

    def _note(self, notice, kind, answer):
        with self._lock:
            if len(self._log) < MOST_KEPT:
                self._log.append({
                    "provider": notice.provider, "about": notice.about, "kind": kind,
                    "status": answer[0] if answer else None, "acknowledged": notice.acknowledged})

    def _post(self, url, headers, body):
        """Status and body, or None when nobody answered in time."""
        parts = urlsplit(url)
        to = urlsplit(self.origin) if self.origin else parts
        if to.scheme != "http" or to.hostname not in LOOPBACK:
            return None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = http.client.HTTPConnection(to.hostname, to.port or 80, timeout=PATIENCE_S)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(LONGEST_ANSWER)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


class _Once:
    """An action that runs at the first call only."""

    def __init__(self, action):
        self._action = action
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            action, self._action = self._action, None
        if action:
            action()
