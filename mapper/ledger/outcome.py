"""What became of one sync, of the syncs of one study, and of those of a stretch of time."""

from dataclasses import dataclass
from typing import Any

from mapper.ledger.schema import history
from mapper.ledger.state import State

Moment = tuple[float, int]
"""When a sync ended, and its number: where a page of the history ends, and the next one begins."""


@dataclass(frozen=True, slots=True)
class Sync:
    """One attempt to bring FHIR in line with one study; times are seconds since 1970 UTC."""

    source: str
    study_uid: str
    started: float
    ended: float
    fate: State
    """The state that it led to: synced, removed, parked or retrying."""
    failure: str | None
    """Kind of failure, a name of mapper.errors; None where there was none."""
    attempts: int
    """The number of the attempt since the study was marked."""
    number: int = 0

    @property
    def took(self) -> float:
        """Return its seconds."""
        return max(0.0, self.ended - self.started)

    @property
    def moment(self) -> Moment:
        """Return where it stands in the history."""
        return self.ended, self.number


@dataclass(frozen=True, slots=True)
class Span:
    """What happened in one stretch of time: how many syncs by fate, and their seconds on average and at most."""

    begins: float
    fates: dict[State, int]
    mean: float
    longest: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A study of which syncs failed: the last time, how, and how often."""

    source: str
    study_uid: str
    last: float
    failure: str
    times: int


def asked(failure: str | None = None, fate: State | None = None, since: float | None = None) -> list[Any]:
    """Return what SQL is to look for; what is left out wants all."""
    wanted = []
    if failure is not None:
        wanted.append(history.c.failure == failure)
    if fate is not None:
        wanted.append(history.c.fate == fate)
    if since is not None:
        wanted.append(history.c.ended >= since)
    return wanted
