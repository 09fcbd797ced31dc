"""How things stand: whether FHIR says what the PACS says, and if not, why, and what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mapper.ledger.choice import ANY
from mapper.ledger.ledger import Ledger
from mapper.ledger.rows import Row
from mapper.ledger.sides import SINK, Side, Swept, source_side
from mapper.ledger.state import OPEN, State
from mapper.remedies import REMEDIES, is_outage, manner, remedy
from mapper.sync.reconcile import ELSEWHERE
from mapper.sync.sweep import brakes
from mapper.sync.threads import somebody_works

ON_THEIR_WAY = 600.0
"""Seconds for which a study may wait: as long as that it is on its way, and nobody need look."""
DOWN = "See why it does not answer: `orthanc-fhir doctor`. Nothing is lost: all goes on by itself when it is back."
"""What to do about a side that is down, where nothing more is known."""
WAITING: tuple[State, ...] = ("pending", "retrying")
"""The states in which a study waits for both sides."""
FHIR_SERVER = "the FHIR server"
ACCEPT = "check the PACS; if the studies are really gone: orthanc-fhir sync --accept-removals"


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """One source: how it answers, what its last sweep found, its studies by state, and what holds retractions back."""

    name: str
    side: Side | None
    swept: Swept | None
    counts: Mapping[State, int]
    brakes: Sequence[str]
    elsewhere: str
    """That the sink holds studies of this source under ids that are not ours, if so."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why we are not in line, and what a person should do about it."""

    text: str
    do: str


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it."""

    sources: Sequence[SourceStanding]
    sink: Side | None
    working: bool
    """Whether a service works on this ledger."""
    counts: Mapping[State, int]
    failures: Mapping[tuple[State, str], int]
    """Studies parked or tried again, by state and kind of failure."""
    waits: float
    """Seconds for which the study that waits longest has been dirty."""
    reasons: Sequence[Reason]
    """Why we are not in line."""

    @property
    def in_line(self) -> bool:
        """Tell whether FHIR says what the PACS says, or what differs is on its way."""
        return not self.reasons

    @property
    def open(self) -> int:
        """Return how many studies wait or are being synced."""
        return sum(self.counts[state] for state in OPEN)


class HoldUps:
    """What keeps open studies waiting: a side that they need is down. A side is looked up once for many studies."""

    def __init__(self, ledger: Ledger) -> None:
        self._sides, self._known = ledger.sides, dict[str, Side | None]()

    def of(self, row: Row) -> Reason | None:
        """Return which side keeps a study waiting, and what to do about it; None where none does."""
        if row.state not in WAITING:
            return None
        for name, side, which in ((row.source, source_side(row.source), "source"), (FHIR_SERVER, SINK, "sink")):
            if text := self._down(name, side):
                is_known = (which, True) == (manner(row.failure)[0], is_outage(row.failure))
                return Reason(f"waits: {text}", remedy(row.failure).do if is_known else DOWN)
        return None

    def any_of(self, sources: Sequence[str]) -> str:
        """Return why a side is down, of these sources and the sink; an empty text where all answer."""
        sides = (*((name, source_side(name)) for name in sources), (FHIR_SERVER, SINK))
        return next(filter(None, (self._down(name, side) for name, side in sides)), "")

    def _down(self, name: str, side: str) -> str:
        if side not in self._known:
            self._known[side] = self._sides.of(side)
        found = self._known[side]
        return said_down(name, found.reason) if found is not None and not found.up else ""


def parked_of(ledger: Ledger) -> dict[str, int]:
    """Return how many studies of each source are parked."""
    return {name: counts["parked"] for name, counts in sorted(ledger.rows.counts_by_source().items())}


def put_back(before: Mapping[str, int], ledger: Ledger) -> list[str]:
    """Return the sources of which fewer studies are parked than before: for these a retry may have to wait."""
    now = parked_of(ledger)
    return [name for name, number in before.items() if now.get(name, 0) < number]


def said_down(name: str, reason: str) -> str:
    """Return that a side is down and why, without its name twice."""
    return reason if reason.casefold().startswith(name.casefold()) else f"{name} is down: {reason}"


def kinds(ledger: Ledger) -> list[str]:
    """Return the kinds of failure that may be asked for: those that have a remedy, and whatever else is remembered."""
    return sorted({*REMEDIES, *ledger.history.kinds(), *(kind for _, kind in ledger.rows.failures())})


def only_kinds(ledger: Ledger, failure: str | None) -> None:
    """Raise ValueError with the list of kinds for a kind of failure that is none; an empty one asks for nothing."""
    if failure and failure != ANY and failure not in (known := kinds(ledger)):
        raise ValueError(f"failure: one of {ANY}, {', '.join(known)}")


def standing(ledger: Ledger, sources: Sequence[str], longest_wait: float = ON_THEIR_WAY) -> Standing:
    """Return how things stand with these sources; a study that waits longer than that is not on its way."""
    by_source, none = ledger.rows.counts_by_source(), dict[State, int]()
    found = [
        SourceStanding(
            name,
            ledger.sides.of(source_side(name)),
            ledger.sides.last_sweep(name),
            by_source.get(name, none),
            brakes(ledger, name),
            ledger.meta.get(f"{ELSEWHERE}:{name}") or "",
        )
        for name in sources
    ]
    parts = found, ledger.sides.of(SINK), somebody_works(ledger), ledger.rows.counts(), ledger.rows.failures()
    waits = ledger.rows.oldest_wait()
    return Standing(*parts, waits, why(*parts, waits, longest_wait))


def why(
    sources: Sequence[SourceStanding],
    sink: Side | None,
    working: bool,
    counts: Mapping[State, int],
    failures: Mapping[tuple[State, str], int],
    waits: float,
    longest_wait: float,
) -> list[Reason]:
    """Return why we are not in line, what stands at the root of it first."""
    said = []
    if not working:
        said.append(Reason("no service works on this ledger", "start one: orthanc-fhir serve"))
    for name, side in (*((one.name, one.side) for one in sources), (FHIR_SERVER, sink)):
        if side is not None and not side.up:
            said.append(Reason(said_down(name, side.reason), "orthanc-fhir doctor"))
    for one in sources:
        if one.swept is None:
            said.append(
                Reason(f"{one.name} was never looked at as a whole", "wait for the first sweep, or see the log")
            )
        said += [Reason(f"nothing of {one.name} is retracted: {brake}", ACCEPT) for brake in one.brakes]
        if one.elsewhere:
            said.append(Reason(one.elsewhere, "see docs/operations.md, Studies under other ids"))
    if counts["parked"]:
        kinds = ", ".join(f"{kind} {number}" for (state, kind), number in failures.items() if state == "parked")
        text = f"{counts['parked']} parked{f' ({kinds})' if kinds else ''}"
        said.append(Reason(text, "orthanc-fhir studies --state parked"))
    if waits > longest_wait:
        said.append(Reason(f"a study has been waiting for {round(waits)} s", "orthanc-fhir studies --state retrying"))
    return said
