"""The worker: claim a dirty study, read it whole, map it, write it, and record that last.

A crash anywhere repeats work and loses none: the ledger's row is the last thing that changes.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from mapper.errors import MapperError, StudyGone, TargetMissing
from mapper.maps import MAPPING_VERSION, Mapped
from mapper.sinks.sink import Key, Resource, Sink
from mapper.sources.source import Reading, Source
from mapper.sync.breaker import Breaker
from mapper.sync.ledger import BY_HAND, Claim, Ledger
from mapper.sync.resources import SHARED, Resources, key_of
from mapper.sync.sweep import forget, remember

PROBLEMS_KEPT = 100
OUTAGE_WAIT = 5.0
T = TypeVar("T")
log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """The study is no longer ours: whoever has it now ends it."""


@dataclass
class Worker:
    """Syncs one study at a time; as many threads as wanted may call `turn` side by side."""

    sources: Mapping[str, Source]
    mapping: Callable[[Reading, Source], Mapped]
    sink: Sink
    ledger: Ledger
    policy: str = "unknown"
    observe: Callable[[str, float], None] = lambda stage, seconds: None
    """Told how long each stage of each study took."""
    resources: Resources = field(init=False)
    breakers: dict[str, Breaker] = field(init=False)
    claims: dict[str, Claim] = field(init=False, default_factory=dict)
    """What is being synced now, by owner: whoever keeps the time extends these leases."""

    def __post_init__(self) -> None:
        self.resources = Resources(self.ledger)
        self.breakers = {name: Breaker(name, source.count) for name, source in self.sources.items()}
        self.sink_breaker = Breaker("fhir", self.sink.probe)

    def turn(self) -> bool:
        """Sync one due study; False when there is none, or a side that it needs is down."""
        if not self.sink_breaker.closed():
            return False
        ready = [name for name, breaker in self.breakers.items() if breaker.closed()]
        claims = self.ledger.claim(ready) if ready else []
        for claim in claims:
            self.claims[claim.owner] = claim
            try:
                self.settle(claim)
            finally:
                del self.claims[claim.owner]
        return bool(claims)

    def settle(self, claim: Claim) -> None:
        """Sync one claimed study and record its fate, whatever happens."""
        began = time.monotonic()
        fate, reason, problems = "synced", "", 0
        try:
            try:
                problems = self.sync(claim)
            except StudyGone as gone:
                fate, reason = self.retract(claim, gone)
        except LeaseLost:
            fate, reason = "lost", "the lease ran out and somebody else has the study"
        except MapperError as error:
            fate, reason = self.failed(claim, error), str(error)
        except SQLAlchemyError as error:  # not the study's fault: a full disk, a deadlock
            fate, reason = "retrying", f"the ledger failed ({type(error).__name__})"
            self.ledger.fail(claim, reason)
        except Exception as bug:  # ours: park the study, keep the feed moving; a message may quote a value
            fate, reason = "parked", f"unexpected {type(bug).__name__} in {place_of(bug)}"
            self.ledger.finish(claim, "parked", reason)
        took = time.monotonic() - began
        self.observe("study", took)
        log.info("study", study=claim.study_uid, fate=fate, reason=reason, problems=problems, ms=round(took * 1000))

    def sync(self, claim: Claim) -> int:
        """Make FHIR say what the source says about one study; returns the number of problems."""
        source = self.sources[claim.source]
        reading = self._timed("read", lambda: source.read(claim.study_uid, self._known_ids(claim)))
        mapped = self._timed("map", lambda: self.mapping(reading, source))
        if not self.ledger.holds(claim):
            raise LeaseLost
        self.write(claim, mapped)
        remember(self.ledger, claim.source, reading.sighting)
        finished = self.ledger.finish(
            claim,
            "synced",
            started=mapped.rank,
            mapping_version=MAPPING_VERSION,
            problems=msgspec.json.encode(mapped.problems[:PROBLEMS_KEPT]).decode(),
        )
        if not finished:
            raise LeaseLost
        return len(mapped.problems)

    def write(self, claim: Claim, mapped: Mapped) -> None:
        """Send what this study decides, retract what it no longer makes, and record both."""
        shared = [one for one in mapped.resources if one["resourceType"] in SHARED]
        own = [one for one in mapped.resources if one["resourceType"] not in SHARED]
        stale = sorted(set(self.resources.of_study(claim)) - {key_of(one) for one in mapped.resources})
        choose = partial(self.resources.to_send, claim, mapped.rank, again=claim.priority >= BY_HAND)
        with self.resources.locked(map(key_of, choose(shared))) as keys:  # no more: all studies share one Endpoint
            chosen = choose(one for one in shared if key_of(one) in keys)
            self.resources.begin(claim, own, chosen)
            versions = self._timed("put", lambda: self.put(own, chosen, shared))
            self.resources.record(claim, mapped.rank, shared, versions, ())
        self.retract_own(claim, stale)
        self.resources.record(claim, mapped.rank, own, versions, stale)

    def put(self, own: Sequence[Resource], chosen: Sequence[Resource], shared: Sequence[Resource]) -> dict[Key, str]:
        """Write a study's resources; a target that the server lost is sent along, and its speaker is asked."""
        try:
            return self.sink.put([*chosen, *own])
        except TargetMissing:
            if len(chosen) == len(shared):
                raise
            versions = self.sink.put([*shared, *own])
            self.resources.ask_again(key_of(one) for one in shared if one not in chosen)
            return versions

    def retract(self, claim: Claim, gone: StudyGone) -> tuple[str, str]:
        """Say in FHIR that a study is gone; returns its fate and the reason."""
        if not self.ledger.holds(claim):
            raise LeaseLost
        self.retract_own(claim, self.resources.of_study(claim))
        self.resources.leave(claim)
        forget(self.ledger, claim.source, claim.study_uid)
        if not self.ledger.finish(claim, "removed", str(gone), problems="[]"):
            raise LeaseLost
        return "removed", str(gone)

    def retract_own(self, claim: Claim, keys: Iterable[Key]) -> None:
        """Retract what this study alone produced; what is shared stays."""
        for key in keys:
            if key[0] not in SHARED and not self.resources.made_by_others(claim, key):
                self.sink.retract(key, self.policy)

    def failed(self, claim: Claim, error: MapperError) -> str:
        """Record a failure by its fate; returns the state it leads to."""
        if error.outage:
            breaker = self.breakers[claim.source] if "Source" in type(error).__name__ else self.sink_breaker
            breaker.open(str(error), error.retry_after)
            self.ledger.release(claim, str(error), OUTAGE_WAIT)
            return "retrying"
        if error.fate == "retry":
            self.ledger.fail(claim, str(error), error.retry_after)
            return "retrying"
        self.ledger.finish(claim, "parked", str(error))
        return "parked"

    def _known_ids(self, claim: Claim) -> list[str]:
        return self.ledger.seen_ids(claim.source, claim.study_uid)

    def _timed(self, stage: str, do: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            return do()
        finally:
            self.observe(stage, time.monotonic() - began)


def place_of(bug: Exception) -> str:
    """Return module and line where an unexpected exception came from, without its message."""
    trace = bug.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
