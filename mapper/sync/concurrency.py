"""How many studies are synced at once: fewer where a server has too much to do, one more again and again (AIMD)."""

import threading
from collections.abc import Callable

MOST = 64
"""Threads that the settings allow."""


class Concurrency:
    """Additive increase, multiplicative decrease, as TCP's congestion avoidance (RFC 5681 section 3.1).

    Half as many when a server says that it has too much to do (HTTP 408, 429, 503, 504) or does not answer in time; one
    more after as many studies went well as may be synced at once. What was begun before a decrease makes no other one:
    it says the same thing again. `tell` is told of each change: the number, and whether it is less than before.
    """

    def __init__(self, most: int = MOST, tell: Callable[[int, bool], object] = lambda limit, fewer: None) -> None:
        """Begin with all: a server that bears them is not kept waiting."""
        self.most = self.limit = most
        self._tell = tell
        self._lock = threading.Lock()
        self._at_work = self._decreases = self._went_well = 0
        self._begun = threading.local()
        """Of each thread: how many decreases there had been when it began its study."""

    def enter(self) -> bool:
        """Begin a study; False where as many are synced as may be."""
        with self._lock:
            if self._at_work >= self.limit:
                return False
            self._at_work += 1
            self._begun.after = self._decreases
            return True

    def leave(self) -> None:
        """End a study that this thread began."""
        with self._lock:
            self._at_work -= 1

    def went_well(self) -> None:
        """Note that the study of this thread was written."""
        with self._lock:
            self._went_well += self.limit < self.most
            if self._went_well < self.limit or self.limit == self.most:
                return
            self.limit, self._went_well = self.limit + 1, 0
            limit = self.limit
        self._tell(limit, False)

    def too_much(self) -> None:
        """Note that a server had too much to do for the study of this thread."""
        with self._lock:
            if getattr(self._begun, "after", self._decreases) != self._decreases or self.limit == 1:
                return
            self.limit, self._went_well = self.limit // 2, 0
            self._decreases += 1
            limit = self.limit
        self._tell(limit, True)
