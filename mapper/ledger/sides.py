"""Whether the two sides answer, since when, and what the last sweep of each source found: for all replicas to read."""

from collections.abc import Callable

import msgspec

from mapper.ledger.meta import Meta

SINK = "sink"
"""The side to which FHIR is written, as a name beside those of `source_side`."""


class Side(msgspec.Struct, frozen=True):
    """How one side was when it was last asked: `reason` is why it is down, empty when it is up."""

    since: float
    """Since when it is so, in seconds since 1970 UTC."""
    reason: str = ""
    observed: bool = True
    """Whether it was seen to become so; else it was found so by a process that had just started."""

    @property
    def up(self) -> bool:
        """Tell whether it answered."""
        return not self.reason


class Swept(msgspec.Struct, frozen=True):
    """What the last sweep of a source found: numbers of studies."""

    at: float
    """When it ended, in seconds since 1970 UTC."""
    listed: int
    changed: int
    vanished: int
    whole: bool
    """Whether all of the source was listed; a quick one looks at its number and at what moved lately."""


def source_side(name: str) -> str:
    """Return the name of a source as a side: a source may have any name, that of the sink too."""
    return f"source:{name}"


class Offered(msgspec.Struct, frozen=True):
    """How many studies of a source the sink says are available."""

    at: float
    """When it was asked, in seconds since 1970 UTC."""
    number: int


class Sides:
    """What those who work tell of the sides, and whoever looks after them reads."""

    def __init__(self, meta: Meta, clock: Callable[[], float]) -> None:
        self._meta, self._clock = meta, clock
        self._told: set[str] = set()

    def tell(self, side: str, reason: str = "") -> None:
        """Store that a side answers, or why it does not; since when stays while it stays so."""
        before, first = self.of(side), side not in self._told
        self._told.add(side)
        if before is None or before.reason != reason:
            now = Side(self._clock(), reason, observed=not first)
            if before is not None and before.up == now.up:
                now = Side(before.since, reason, before.observed)
            self._meta.put(f"side:{side}", msgspec.json.encode(now).decode())

    def of(self, side: str) -> Side | None:
        """Return how a side was when it was last asked; None where nobody has asked it."""
        said = self._meta.get(f"side:{side}")
        return msgspec.json.decode(said, type=Side) if said else None

    def sweep(self, source: str, listed: int, changed: int, vanished: int, *, whole: bool) -> None:
        """Store what a sweep found."""
        found = Swept(self._clock(), listed, changed, vanished, whole)
        self._meta.put(f"swept:{source}", msgspec.json.encode(found).decode())

    def offer(self, source: str, number: int) -> None:
        """Store how many studies of a source the sink offers."""
        self._meta.put(f"offered:{source}", msgspec.json.encode(Offered(self._clock(), number)).decode())

    def offered(self, source: str) -> Offered | None:
        """Return how many studies of a source the sink offered when it was last asked; None where it never was."""
        said = self._meta.get(f"offered:{source}")
        return msgspec.json.decode(said, type=Offered) if said else None

    def last_sweep(self, source: str) -> Swept | None:
        """Return what the last sweep found; None where none was made."""
        said = self._meta.get(f"swept:{source}")
        return msgspec.json.decode(said, type=Swept) if said else None
