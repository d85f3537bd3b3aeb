"""Owns what both providers share in one emulator: time, chance, keys, faults, books and callbacks."""

import random
import threading
from dataclasses import dataclass, field

from .books import Books
from .clock import Clock, Schedule
from .defects import Defects
from .deliveries import Deliveries
from .faults import Menu
from .keys import Keys


@dataclass
class Habits:
    """How people and the providers behave when nothing is wrong; set by an admin call."""

    # A phone pays an order by itself: how often, and how many seconds after the order was made.
    pay_chance: float = 0.0
    pay_after_s: float = 1.0
    refund_after_s: float = 1.0
    # The fee in hundredths of a percent.
    fee_rate: int = 60
    # The hour and the day, counted from the statement's own, from which it is there. With 0 days it is there at once, as far as
    # the day has come: a test then need not move the clock away from the box's.
    statement_hour: int = 10
    statement_days: int = 1
    # WeChat's H5 page is served by the emulator, for a browser that cannot reach WeChat's.
    pages_here: bool = False


@dataclass
class World:
    keys: Keys
    defects: Defects
    seed: int
    habits: Habits = field(default_factory=Habits)
    # Held while the state of a provider is read or changed; never while anything is sent or signed.
    lock: threading.RLock = field(default_factory=threading.RLock)
    address: str = ""

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self.clock = Clock()
        self.schedule = Schedule(self.clock)
        # Chance of its own for the menu, so that a fault switched on does not change what the payers do.
        self.faults = Menu(random.Random(self.seed + 1))
        self.books = Books(self.defects)
        self.deliveries = Deliveries(self.schedule, self.faults, random.Random(self.seed + 2), self.defects)
        self._count = 0

    def number(self):
        """The next number of this emulator, from one."""
        with self.lock:
            self._count += 1
            return self._count

    def strikes(self, name, provider, about, call=None):
        return self.faults.strikes(name, provider, about, call)

    def text(self, length):
        with self.lock:
            return "".join(self.random.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(length))
