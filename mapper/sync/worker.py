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

from mapper.errors import (
    LeaseLost,
    MapperError,
    SinkBusy,
    SinkDown,
    StaleVersion,
    StudyGone,
    TargetMissing,
    TwoPatients,
)
from mapper.maps import MAPPING_VERSION, Mapped
from mapper.meter import Meter
from mapper.sinks.sink import Key, Resource, Sink
from mapper.sources.source import Reading, Source
from mapper.sync.breaker import Breaker
from mapper.sync.ledger import BY_HAND, Claim, Ledger
from mapper.sync.resources import SHARED, Resources, key_of
from mapper.sync.schema import State
from mapper.sync.sweep import forget, notice, remember
from mapper.sync.union import unite

PROBLEMS_KEPT = 100
OUTAGE_WAIT = 5.0
T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass
class Worker:
    """Syncs one study at a time; as many threads as wanted may call `turn` side by side."""

    sources: Mapping[str, Source]
    mapping: Callable[[Reading, Source], Mapped]
    sink: Sink
    ledger: Ledger
    study_key: Callable[[str], Key]
    """StudyInstanceUID -> type and id of its ImagingStudy."""
    parts: Callable[[str], frozenset[Key]]
    """StudyInstanceUID -> what we may make of a study beside its ImagingStudy and what is shared."""
    policy: str = "unknown"
    meter: Meter = field(default_factory=Meter)
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
        except LeaseLost as lost:
            fate, reason = "lost", str(lost)
        except MapperError as error:
            fate, reason = self.failed(claim, error), str(error)
        except SQLAlchemyError as error:  # not the study's fault: a full disk, a deadlock
            fate, reason = "retrying", f"the ledger failed ({type(error).__name__})"
            self.ledger.fail(claim, reason)
        except Exception as bug:  # ours: park the study, keep the feed moving; a message may quote a value
            fate, reason = "parked", f"unexpected {type(bug).__name__} in {place_of(bug)}"
            self.ledger.finish(claim, "parked", reason, type(bug).__name__)
        took = time.monotonic() - began
        self.meter.stage("study", took)
        log.info("study", study=claim.study_uid, fate=fate, reason=reason, problems=problems, ms=round(took * 1000))

    def sync(self, claim: Claim) -> int:
        """Make FHIR say what the source says about one study; returns the number of problems."""
        source = self.sources[claim.source]
        reading = self._timed("read", lambda: source.read(claim.study_uid, self._known_ids(claim)))
        mapped = self._timed("map", lambda: self.mapping(reading, source))
        self.write(claim, mapped)
        remember(self.ledger, claim.source, reading.sighting)
        problems = msgspec.json.encode(mapped.problems[:PROBLEMS_KEPT]).decode()
        self.finish(claim, "synced", started=mapped.rank, problems=problems)
        return len(mapped.problems)

    def still_ours(self, claim: Claim) -> None:
        """Lengthen the lease before something is written; raises LeaseLost."""
        if not self.ledger.extend(claim):
            raise LeaseLost("the lease ran out before anything was written: somebody else has the study")

    def finish(self, claim: Claim, state: State, reason: str = "", **facts: str) -> None:
        """End a claim; when it was lost meanwhile, what we wrote may be old: the study is marked once more."""
        if not self.ledger.finish(claim, state, reason, mapping_version=MAPPING_VERSION, **facts):
            self.ledger.mark(claim.source, [claim.study_uid])
            raise LeaseLost("the lease ran out while the study was written: it is synced once more")

    def write(self, claim: Claim, mapped: Mapped) -> None:
        """Send what this study decides, retract what it no longer makes, and record both."""
        study = self.study_key(claim.study_uid)
        united = unite(self.resources, claim, mapped, study)
        mapped = united.mapped
        before, known = self.resources.of_study(claim), self.resources.version(claim, study)
        joined = not before and not united.speaks
        lost = not known and bool(self.sink.version(study))  # the server knows it: it was another ledger's
        shared = [one for one in mapped.resources if one["resourceType"] in SHARED]
        own = [one for one in mapped.resources if one["resourceType"] not in SHARED]
        choose = partial(self.resources.to_send, claim, mapped.rank, again=claim.priority >= BY_HAND)
        with self.resources.locked(map(key_of, choose(shared))) as keys:  # no more: all studies share one Endpoint
            chosen = choose(one for one in shared if key_of(one) in keys)
            self.resources.begin(claim, own, chosen)
            versions = self._timed("put", lambda: self.put(claim, own if united.speaks else [], chosen, shared))
            self.resources.record(claim, mapped.rank, shared, versions, ())
        if lost:
            before = [*before, *self.parts_before(claim)]
        stale = sorted(set(before) - {key_of(one) for one in mapped.resources})
        self.retract_own(claim, stale)
        self.resources.record(claim, united.rank, own, versions, stale)
        if joined:
            self.resources.ask_other_sources(claim, study)

    def put(
        self, claim: Claim, own: Sequence[Resource], chosen: Sequence[Resource], shared: Sequence[Resource]
    ) -> dict[Key, str]:
        """Write a study's resources; a target that the server lost is sent along, and its speaker is asked."""
        try:
            return self.put_once(claim, [*chosen, *own])
        except TargetMissing:
            if len(chosen) == len(shared):
                raise
            versions = self.put_once(claim, [*shared, *own])
            self.resources.ask_again(key_of(one) for one in shared if one not in chosen)
            return versions

    def put_once(self, claim: Claim, resources: Sequence[Resource]) -> dict[Key, str]:
        """Write resources as long as the study is ours: a newer state is never undone by a late writer.

        The ImagingStudy must still have the version that we wrote last. When it has another one (somebody
        edited it, or the ledger is older than the server), it is overwritten if the claim still holds.
        """
        if not resources:
            return {}
        key = self.study_key(claim.study_uid)
        known = self.resources.version(claim, key)
        self.still_ours(claim)
        try:
            return self.sink.put(resources, {key: known} if known else None)
        except StaleVersion:
            self.still_ours(claim)
            return self.sink.put(resources, {key: self.sink.version(key)})

    def retract(self, claim: Claim, gone: StudyGone) -> tuple[str, str]:
        """Say in FHIR that a study is gone; returns its fate and the reason."""
        self.still_ours(claim)
        self.retract_own(claim, self.resources.of_study(claim) or self.written_before(claim))
        self.resources.leave(claim)
        self.resources.ask_other_sources(claim, self.study_key(claim.study_uid))
        forget(self.ledger, claim.source, claim.study_uid)
        self.finish(claim, "removed", str(gone), problems="[]")
        return "removed", str(gone)

    def written_before(self, claim: Claim) -> list[Key]:
        """Return what the server holds of a study that this ledger never wrote (another one was lost)."""
        key = self.study_key(claim.study_uid)
        return [key, *self.parts_before(claim)] if self.sink.version(key) else []

    def parts_before(self, claim: Claim) -> list[Key]:
        """Return which parts of a study the server holds that we may have made: those of others are not ours."""
        ours = self.parts(claim.study_uid)
        return [key for key in self.sink.parts_of(self.study_key(claim.study_uid)) if key in ours]

    def retract_own(self, claim: Claim, keys: Iterable[Key]) -> None:
        """Retract what this study alone produced; what is shared stays.

        The ImagingStudy goes last: as long as it is available, a lost ledger finds the rest by it.
        """
        study = self.study_key(claim.study_uid)
        for key in sorted(keys, key=lambda key: key == study):
            if key[0] not in SHARED and not self.resources.made_by_others(claim, key):
                self.sink.retract(key, self.policy)

    def failed(self, claim: Claim, error: MapperError) -> str:
        """Record a failure by its fate; returns the state it leads to."""
        error = self.outage_behind(error) if isinstance(error, SinkBusy) else error
        failure = type(error).__name__
        if error.outage:
            breaker = self.breakers[claim.source] if "Source" in failure else self.sink_breaker
            breaker.open(str(error), error.retry_after)
            ended, state = self.ledger.release(claim, str(error), OUTAGE_WAIT), "retrying"
        elif error.fate == "retry":
            ended, state = self.ledger.fail(claim, str(error), error.retry_after, failure), "retrying"
        else:
            if isinstance(error, TwoPatients):
                notice(self.ledger, claim.source, claim.study_uid, error.ids)
            facts = {"failure": failure, "mapping_version": MAPPING_VERSION}
            ended, state = self.ledger.finish(claim, "parked", str(error), **facts), "parked"
        if not ended and isinstance(error, SinkBusy | SinkDown):  # it may yet arrive, after what somebody else wrote
            self.ledger.mark(claim.source, [claim.study_uid])
        return state

    def outage_behind(self, busy: SinkBusy) -> MapperError:
        """Return the outage that explains a failure (a gateway may say 502 for hours), else the failure itself."""
        try:
            self.sink.probe()
        except MapperError as error:
            down = SinkDown(f"{busy}; now it answers nobody")
            down.retry_after = busy.retry_after
            return error if error.outage else down
        return busy

    def _known_ids(self, claim: Claim) -> list[str]:
        return self.ledger.seen_ids(claim.source, claim.study_uid)

    def _timed(self, stage: str, do: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            return do()
        finally:
            self.meter.stage(stage, time.monotonic() - began)


def place_of(bug: Exception) -> str:
    """Return module and line where an unexpected exception came from, without its message."""
    trace = bug.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
