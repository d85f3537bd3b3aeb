"""Owns the emulator's time: a clock that an admin call can move, and what falls due on it.

Everything that the providers date or delay asks this clock, so that a day passes in a test without anybody waiting.
It must not know what falls due.
"""

import heapq
import itertools
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
# Callbacks on the way at the same time; each may wait five seconds for its receiver.
WORKERS = 16


class Clock:
    """Runs like the machine's clock, moved by what admin calls have added. Both providers live in Beijing's time."""

    def __init__(self):
        self._added_s = 0.0
        self.moved = threading.Condition()

    def seconds(self):
        return time.time() + self._added_s

    def now(self):
        return datetime.fromtimestamp(self.seconds(), BEIJING)

    def timestamp(self):
        return int(self.seconds())

    def advance(self, seconds):
        if seconds < 0:
            raise ValueError("the clock only goes forward")
        with self.moved:
            self._added_s += seconds
            self.moved.notify_all()

    def set_to(self, moment):
        self.advance(moment.timestamp() - self.seconds())


class Schedule:
    """What is to happen later: each action runs once, on a worker, when the clock has reached its time."""

    def __init__(self, clock):
        self._clock = clock
        self._due = []
        self._number = itertools.count()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="due")
        self._under_way = 0
        threading.Thread(target=self._run, daemon=True, name="schedule").start()

    def after(self, seconds, action):
        with self._clock.moved:
            heapq.heappush(self._due, (self._clock.seconds() + seconds, next(self._number), action))
            self._clock.moved.notify_all()

    def waiting(self):
        """How many actions are still to come, and how many are under way."""
        with self._clock.moved:
            return {"to_come": len(self._due), "under_way": self._under_way}

    def _run(self):
        while True:
            with self._clock.moved:
                while not self._due or self._due[0][0] > self._clock.seconds():
                    self._clock.moved.wait(self._due[0][0] - self._clock.seconds() if self._due else None)
                action = heapq.heappop(self._due)[2]
                self._under_way += 1
            self._workers.submit(self._perform, action)

    def _perform(self, action):
        try:
            action()
        except Exception:  # a fault of the emulator must be seen, and must not stop the schedule
            traceback.print_exc(file=sys.stderr)
        finally:
            with self._clock.moved:
                self._under_way -= 1


def day_of(moment):
    """The day of a moment as both providers name it."""
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d")
