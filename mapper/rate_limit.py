"""Saying one thing now and then only, however often it happens."""

import threading
import time
from collections.abc import Callable, Hashable

MINUTE = 60.0


class RateLimit:
    """Lets each kind of thing pass once a minute and counts what it held back; of many threads.

    Kinds are places in the code and words of ours, never what came from outside: so there are few.
    """

    def __init__(self, every: float = MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._clock = every, clock
        self._lock = threading.Lock()
        self._passed: dict[Hashable, float] = {}
        self._held: dict[Hashable, int] = {}

    def turn(self, kind: Hashable) -> int | None:
        """Return how many of a kind were held back since the last one that passed, None when this one is as well."""
        with self._lock:
            now = self._clock()
            if kind in self._passed and now < self._passed[kind] + self._every:
                self._held[kind] = self._held.get(kind, 0) + 1
                return None
            self._passed[kind] = now
            return self._held.pop(kind, 0)
