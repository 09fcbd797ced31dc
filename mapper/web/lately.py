"""What was done lately, counted of the history; what took long to count is not counted again at once."""

import threading
import time
from collections.abc import Callable
from typing import Any

from mapper.ledger.choice import Choice
from mapper.ledger.ledger import Ledger
from mapper.ledger.outcome import Span
from mapper.ledger.state import State

QUICK = 0.02
"""Seconds within which an answer costs so little that nobody keeps it."""
RESTS = 200.0
"""How many times as long as it took to count a number stands; but no longer than LONGEST."""
LONGEST = 120.0

MOST = 200
"""Answers that are kept: those kept longest give way."""


class Lately:
    """Counts of the last so many seconds, in which a long time may be a little behind."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger, self._clock = ledger, clock
        self._kept: dict[tuple[Any, ...], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def spans(self, length: float, seconds: int) -> list[Span]:
        """Return what happened in the last `length` seconds, a stretch of so many at a time, the first whole."""
        history, since = self._ledger.history, (self._ledger.clock() - length) // seconds * seconds
        return list(self._once(("spans", length, seconds), lambda: history.spans(since, seconds)))

    def counts(self, length: float) -> dict[tuple[State, str | None], int]:
        """Return how many syncs ended in the last `length` seconds, by fate and kind of failure."""
        history, since = self._ledger.history, self._ledger.clock() - length
        return dict(self._once(("counts", length), lambda: history.counts(since)))

    def counts_since(self, moment: float) -> dict[tuple[State, str | None], int]:
        """Return how many syncs ended since a moment, in seconds since 1970 UTC, by fate and kind of failure."""
        return dict(self._once(("since", moment), lambda: self._ledger.history.counts(moment)))

    def number(self, name: str, choice: Choice, at_most: int) -> int:
        """Return how many studies are wanted, by the name of what is asked for; counting ends there."""
        found: int = self._once(("number", name), lambda: self._ledger.rows.number(choice, at_most))
        return found

    def twice(self, source: str) -> tuple[int, int]:
        """Return how many studies stand in a source under several ids, and how many ids that is beyond one each."""
        found: tuple[int, int] = self._once(("twice", source), lambda: self._ledger.seen.twice(source))
        return found

    def never_synced(self, source: str) -> dict[State, int]:
        """Return the number of studies of a source that FHIR never had, parked or open, by state."""
        return dict(self._once(("never synced", source), lambda: self._ledger.rows.never_synced(source)))

    def _once(self, key: tuple[Any, ...], count: Callable[[], Any]) -> Any:
        until, found = self._kept.get(key, (0.0, None))
        if self._clock() < until:
            return found
        with self._lock:  # several who ask wait for one count
            until, found = self._kept.get(key, (0.0, None))
            if self._clock() < until:
                return found
            began = self._clock()
            found = count()
            took = self._clock() - began
            if took > QUICK:
                self._kept.pop(key, None)
                while len(self._kept) >= MOST:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = self._clock() + min(took * RESTS, LONGEST), found
            return found
