"""How many studies are synced at once: fewer where a server has too much to do, one more again and again (AIMD)."""

import threading
from collections.abc import Callable

MOST = 64
"""Threads that the settings allow."""
SLOW = 15.0
"""Seconds that a write takes where the FHIR server is about to have too much: a quarter of what it may take at all."""


class Concurrency:
    """Additive increase, multiplicative decrease, as TCP's congestion avoidance (RFC 5681 section 3.1).

    Half as many when a server says that it has too much to do (HTTP 429, 503), does not answer in time, or takes SLOW
    for a write; one more after as many studies went well as may be synced at once. What was begun before a decrease
    makes no other one: it says the same thing again. `tell` is told whenever the number changes.
    """

    def __init__(self, most: int = MOST, tell: Callable[[int], object] = lambda limit: None) -> None:
        """Begin with all: a server that bears them is not kept waiting."""
        self.most = self.limit = most
        self._tell = tell
        self._lock = threading.Lock()
        self._at_work = self._begun_before = self._went_well = 0

    def enter(self) -> bool:
        """Begin a study; False where as many are synced as may be."""
        with self._lock:
            if self._at_work >= self.limit:
                return False
            self._at_work += 1
            return True

    def leave(self) -> None:
        """End a study that was begun."""
        with self._lock:
            self._at_work -= 1
            self._begun_before = max(0, self._begun_before - 1)

    def went(self, seconds: float) -> None:
        """Note that a study was written, and how long that took."""
        if seconds >= SLOW:
            self.too_much()
            return
        with self._lock:
            self._went_well += self.limit < self.most
            if self._went_well >= self.limit and self.limit < self.most:
                self._set(self.limit + 1)

    def too_much(self) -> None:
        """Note that a server has too much to do."""
        with self._lock:
            if not self._begun_before:
                self._begun_before = self._at_work
                self._set(max(1, self.limit // 2))

    def _set(self, limit: int) -> None:
        changed, self.limit, self._went_well = limit != self.limit, limit, 0
        if changed:
            self._tell(limit)
