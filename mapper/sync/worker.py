"""The worker: claim a dirty study, read it whole, map it, write it, and record that last.

A crash anywhere repeats work and loses none: the ledger's row is the last thing that changes.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import msgspec

from mapper.bug import unexpected
from mapper.errors import LeaseLost, MapperError, SinkBusy, SinkDown, StudyGone, TwoPatients
from mapper.fhir.check import check
from mapper.fhir.resource import Key, Resource
from mapper.ledger.claim import Claim
from mapper.ledger.ledger import Ledger
from mapper.ledger.locks import Locks
from mapper.ledger.sides import SINK, source_side
from mapper.ledger.state import State
from mapper.ledger.studies import Ending
from mapper.log import logger
from mapper.maps import MAPPING_VERSION, Mapped
from mapper.metrics import Metrics
from mapper.sinks.sink import Sink
from mapper.sources.source import Reading, Source
from mapper.sync.breaker import Breaker, outage_behind
from mapper.sync.concurrency import Concurrency
from mapper.sync.delivery import Check, Delivery
from mapper.sync.rereading import read

PROBLEMS_KEPT, OUTAGE_WAIT = 100, 5.0
T = TypeVar("T")
log = logger(__name__)


@dataclass
class Worker:
    """Syncs one study at a time; as many threads as wanted may call `turn` side by side."""

    sources: Mapping[str, Source]
    mapping: Callable[[Reading, Source], Mapped]
    sink: Sink
    ledger: Ledger
    study_key: Callable[[str], Key]
    """StudyInstanceUID -> type and id of its ImagingStudy."""
    identifier: Callable[[str], Key]
    """StudyInstanceUID -> system and value of the identifier of all that is derived from it."""
    ours: Callable[[Resource, str], bool]
    """Resource, StudyInstanceUID -> whether we may have made it of that study."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Source -> what its FHIR is made with: version of the mapping and fingerprint of its settings."""
    policy: str = "unknown"
    metrics: Metrics = field(default_factory=Metrics)
    check: Check = check
    """The stage between mapping and sink; see Delivery."""
    delivery: Delivery = field(init=False)
    breakers: dict[str, Breaker] = field(init=False)
    claims: dict[str, Claim] = field(init=False, default_factory=dict)
    """What is being synced now, by owner: whoever keeps the time extends these leases."""
    concurrency: Concurrency = field(init=False, default_factory=Concurrency)

    def __post_init__(self) -> None:
        locks, several = Locks(self.ledger.database), len(self.sources) > 1
        self.delivery = Delivery(
            *(self.sink, self.ledger, locks, self.study_key, self.identifier, self.ours),
            *(self.policy, several, self.checked),
        )
        tell = self.ledger.sides.tell
        self.breakers = {
            name: Breaker(name, source.probe, tell=partial(tell, source_side(name)))
            for name, source in self.sources.items()
        }
        self.sink_breaker = Breaker("fhir", self.sink.probe, tell=partial(tell, SINK))

    def version(self, source: str) -> str:
        """Return what the FHIR of a source is made with."""
        return self.versions.get(source, MAPPING_VERSION)

    def turn(self) -> bool:
        """Sync one due study; False when there is none, or a side that it needs is down."""
        if not self.sink_breaker.closed():
            return False
        ready = [name for name, breaker in self.breakers.items() if breaker.closed()]
        if not ready or not self.concurrency.enter():
            return False
        try:
            claims = self.ledger.studies.claim(ready)
            for claim in claims:
                self.claims[claim.owner] = claim
                try:
                    self.settle(claim)
                finally:
                    del self.claims[claim.owner]
            return bool(claims)
        finally:
            self.concurrency.leave()

    def staff(self, threads: int) -> None:
        """Say how many threads will call `turn`."""
        self.concurrency = Concurrency(threads, self._adapted)
        self.metrics.at_once(threads)

    def _adapted(self, limit: int, fewer: bool) -> None:
        self.metrics.at_once(limit)
        say = log.warning if fewer else log.info
        say("at once", studies=limit, workers=self.concurrency.most)

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
        except Exception as bug:  # ours: park the study, keep the feed moving; a message may quote a value
            fate, reason = "parked", unexpected(bug)
            self.ledger.studies.finish(claim, "refused", reason, type(bug).__name__)
        took = time.monotonic() - began
        self.metrics.stage("study", took)
        say = log.warning if fate == "parked" else log.info  # a person has to look
        say("study", study=claim.study_uid, fate=fate, reason=reason, problems=problems, ms=round(took * 1000))

    def sync(self, claim: Claim) -> int:
        """Make FHIR say what the source says about one study; returns the number of problems."""
        source = self.sources[claim.source]
        reading = self._timed("read", lambda: read(source, claim, self.ledger))
        mapped = self._timed("map", lambda: self.mapping(reading, source))
        problems = msgspec.json.encode(mapped.problems[:PROBLEMS_KEPT]).decode()
        ended, sighting = False, reading.sighting

        def done() -> None:
            nonlocal ended
            self.ledger.seen.remember(claim.source, sighting)
            ended = self.end(claim, "done", started=mapped.rank, problems=problems, fingerprint=sighting.fingerprint)

        self._timed("put", lambda: self.delivery.write(claim, mapped, done))
        self.concurrency.went_well()
        must_have_ended(ended)
        return len(mapped.problems)

    def checked(self, resources: Sequence[Resource]) -> None:
        """Let pass what may be sent; raises BundleRejected."""
        self._timed("check", lambda: self.check(resources))

    def end(self, claim: Claim, how: Ending, reason: str = "", **facts: str) -> bool:
        """End a claim; False when it was lost meanwhile: what we wrote may be old, so the study is marked once more."""
        ended = self.ledger.studies.finish(claim, how, reason, mapping_version=self.version(claim.source), **facts)
        if not ended:
            self.ledger.studies.mark(claim.source, [claim.study_uid])
        return ended

    def retract(self, claim: Claim, gone: StudyGone) -> tuple[str, str]:
        """Say in FHIR that a study is gone; returns its fate and the reason."""
        self.delivery.retract(claim)
        self.ledger.seen.forget(claim.source, claim.study_uid)
        must_have_ended(self.end(claim, "gone", str(gone), problems="[]", fingerprint=""))
        return "removed", str(gone)

    def failed(self, claim: Claim, error: MapperError) -> State:
        """Record a failure by its fate; returns the state it leads to."""
        if error.too_much:
            self.concurrency.too_much()
        error = outage_behind(error, self.sink.probe) if isinstance(error, SinkBusy) else error
        failure = type(error).__name__
        if error.outage:
            breaker = self.breakers[claim.source] if error.side == "source" else self.sink_breaker
            breaker.open(str(error), error.retry_after)
            ended = self.ledger.studies.release(claim, str(error), OUTAGE_WAIT, failure)
        elif error.fate == "retry":
            ended = self.ledger.studies.fail(claim, str(error), error.retry_after, failure)
        else:
            if isinstance(error, TwoPatients):
                self.ledger.seen.notice(claim.source, claim.study_uid, error.seen)
            facts = {"failure": failure, "mapping_version": self.version(claim.source)}
            ended = self.ledger.studies.finish(claim, "refused", str(error), **facts)
        if not ended and isinstance(error, SinkBusy | SinkDown):  # it may yet arrive, after what somebody else wrote
            self.ledger.studies.mark(claim.source, [claim.study_uid])
        return "retrying" if error.fate == "retry" else "parked"

    def _timed(self, stage: str, do: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            return do()
        finally:
            self.metrics.stage(stage, time.monotonic() - began)


def must_have_ended(ended: bool) -> None:
    """Raise LeaseLost where a claim was no longer ours to end."""
    if not ended:
        raise LeaseLost("the lease ran out while the study was written: it is synced once more")
