"""Saying one thing now and then only, however often it happens."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

MINUTE = 60.0
MOST = 1000
"""Kinds that are remembered."""


class RateLimit:
    """Lets each kind of thing pass once a minute and counts what it held back; of many threads.

    Kinds are places in the code, words of ours and names of those who were let in; where there are more than `most`,
    the one that passed longest ago is forgotten, and with it how many it held back.
    """

    def __init__(self, every: float = MINUTE, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._every, self._clock, self._most = every, clock, most
        self._lock = threading.Lock()
        self._passed: OrderedDict[Hashable, float] = OrderedDict()
        self._held: dict[Hashable, int] = {}

    def turn(self, kind: Hashable) -> int | None:
        """Return how many of a kind were held back since the last one that passed, None when this one is as well."""
        with self._lock:
            now = self._clock()
            if kind in self._passed and now < self._passed[kind] + self._every:
                self._held[kind] = self._held.get(kind, 0) + 1
                return None
            self._passed[kind] = now
            self._passed.move_to_end(kind)
            if len(self._passed) > self._most:
                self._held.pop(self._passed.popitem(last=False)[0], None)
            return self._held.pop(kind, 0)
