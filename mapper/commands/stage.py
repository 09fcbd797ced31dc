"""How far a sync is: done, how fast, how long still, and why what failed did so."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mapper.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Stage:
    """One look at it: numbers of studies, and the kinds of failure of those that wait or are parked."""

    done: int
    asked: int
    open: int
    failures: Mapping[tuple[str, str], int]
    """By state and kind of failure."""
    rate: float
    """Studies a second since the beginning."""

    @property
    def causes(self) -> str:
        """Return what failed, by kind: `retrying SinkBusy 3, parked BadUID 1`."""
        return ", ".join(f"{state} {kind} {number}" for (state, kind), number in sorted(self.failures.items()))

    def __str__(self) -> str:
        from mapper.words import span

        said = [f"{self.done:,} of {self.asked:,} done"]
        if self.rate > 0:
            said.append(f"{self.rate:.1f} a second")
            said.append(f"{span(self.open / self.rate)} left")
        if self.causes:
            said.append(self.causes)
        return ", ".join(said)


class Stages:
    """Looks at the studies that are named, or at all of the ledger, by a few queries each time."""

    def __init__(
        self, ledger: "Ledger", study_uids: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger, self._study_uids, self._clock = ledger, study_uids, clock
        self._began = clock()
        self._open_first: int | None = None

    def now(self) -> Stage:
        """Return how far it is."""
        from mapper.ledger.state import OPEN

        if self._study_uids:
            counted = self._ledger.rows.states_of(self._study_uids)
            states: Counter[str] = Counter()
            for (state, _), number in counted.items():
                states[state] += number
            failures = {key: number for key, number in counted.items() if key[0] in FAILED and key[1]}
        else:
            states, failures = Counter(self._ledger.rows.counts()), self._ledger.rows.failures()
        waiting = sum(states[state] for state in OPEN)
        if self._open_first is None:
            self._open_first = waiting
        passed = max(self._clock() - self._began, 1e-9)
        rate = max(self._open_first - waiting, 0) / passed
        done = states["synced"] + states["removed"]
        asked = states.total() if self._study_uids else states.total() - states["removed"]
        why = {(str(state), kind): number for (state, kind), number in failures.items()}
        return Stage(done if self._study_uids else states["synced"], asked, waiting, why, rate)


FAILED = ("retrying", "parked")
