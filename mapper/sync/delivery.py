"""The delivery: what a study makes goes to the sink, what it no longer makes is retracted, and both are recorded.

Every write of an ImagingStudy or of a shared resource names the version that the sink must hold still. Who comes late
(a paused process, a gateway that delivers after the timeout) is refused instead of undoing what is newer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from mapper.errors import LeaseLost, StaleVersion, TargetMissing
from mapper.ledger.ledger import BY_HAND, Claim, Ledger
from mapper.ledger.locks import Lock
from mapper.ledger.speaker import SHARED, key_of
from mapper.ledger.written import Resources
from mapper.maps import Mapped
from mapper.sinks.sink import Key, Resource, Sink
from mapper.sync.several_sources import endpoints_elsewhere, unite, without

Check = Callable[[Sequence[Resource]], object]
Send = Callable[[Sequence[Resource]], dict[Key, str]]


@dataclass(frozen=True)
class Delivery:
    """Makes the sink say what a claimed study says."""

    sink: Sink
    ledger: Ledger
    resources: Resources
    study_key: Callable[[str], Key]
    """StudyInstanceUID -> type and id of its ImagingStudy."""
    ours: Callable[[Resource, str], bool]
    """Resource, StudyInstanceUID -> whether we may have made it of that study."""
    policy: str
    """What becomes of the resources of a study that is gone."""
    several: bool
    """Whether several sources may bring one study: they take turns then. Of one source the lease is enough."""
    check: Check
    """The stage before the sink: refuses what must not be sent, as BundleRejected."""

    def write(self, claim: Claim, mapped: Mapped) -> None:
        """Send what this study decides, retract what it no longer makes, and record both; raises as Sink.put."""
        study = self.study_key(claim.study_uid)
        shared = [one for one in mapped.resources if one["resourceType"] in SHARED]
        choose = partial(self.resources.to_send, claim, mapped.rank, again=claim.priority >= BY_HAND)
        wanted = [*self.turns(study), *map(key_of, choose(shared))]  # not all that is shared: one Endpoint is of all
        with self.resources.locks.on(wanted) as lock:
            united = unite(self.resources, claim, mapped, study)
            own = [one for one in united.mapped.resources if one["resourceType"] not in SHARED]
            before = self.resources.of_study(claim)
            expected = self.resources.versions([study, *map(key_of, shared)])
            known = bool(expected[study])
            chosen = choose(one for one in shared if key_of(one) in lock.keys)
            for key in (study, *map(key_of, chosen)):
                expected[key] = expected[key] or self.sink.version(key)
            self.resources.begin(claim, own, chosen)
            send = partial(self.send, claim, lock, expected)
            versions = self.put(own if united.speaks else [], chosen, shared, send)
            self.resources.record(claim, mapped.rank, shared, versions, ())
            made = {key_of(one) for one in mapped.resources}
            theirs = self.parts_before(claim) if expected[study] and not known else []  # another ledger's, now lost
            stale = sorted({*before, *theirs} - made)
            self.retract_own(claim, stale)
            self.resources.record(claim, united.rank, own, versions, stale)
            if united.asks:
                self.resources.ask_other_sources(claim, study)

    def put(
        self, own: Sequence[Resource], chosen: Sequence[Resource], shared: Sequence[Resource], send: Send
    ) -> dict[Key, str]:
        """Write a study's resources; a target that the server lost is sent along, and its speaker is asked."""
        try:
            return send([*chosen, *own])
        except TargetMissing:
            elsewhere = [key for one in own for key in endpoints_elsewhere(one, shared)]
            lost = [key for key in elsewhere if not self.sink.version(key)]
            if len(chosen) == len(shared) and not lost:
                raise
            versions = send([*shared, *without(own, lost)])
            self.resources.ask_again([*(key_of(one) for one in shared if one not in chosen), *lost])
            if lost:
                raise TargetMissing("the FHIR server lost the Endpoint of another source: it is sent again") from None
            return versions

    def send(
        self, claim: Claim, lock: Lock, expected: Mapping[Key, str], resources: Sequence[Resource]
    ) -> dict[Key, str]:
        """Write resources as long as the study is ours, over the versions that we expect.

        When the sink holds others (somebody edited one, or the ledger is older than the sink), they are overwritten
        if claim and locks still hold after they were looked up: nobody newer can have written them.
        """
        if not resources:
            return {}
        self.check(resources)
        self.still_ours(claim)
        try:
            versions = self.sink.put(resources, expected)
        except StaleVersion:
            found = {key: self.sink.version(key) for key in map(key_of, resources) if key in expected}
            lock.verify()
            self.still_ours(claim)
            versions = self.sink.put(resources, {key: version for key, version in found.items() if version})
        self.sink.flush()
        return versions

    def retract(self, claim: Claim) -> None:
        """Say of all that a removed study made alone that it is gone; raises as Sink.retract."""
        study = self.study_key(claim.study_uid)
        with self.resources.locks.on(self.turns(study)):
            self.still_ours(claim)
            self.retract_own(claim, self.resources.of_study(claim) or self.written_before(claim))
            self.resources.leave(claim)
            self.resources.ask_other_sources(claim, study)

    def retract_own(self, claim: Claim, keys: Iterable[Key]) -> None:
        """Retract what this study alone produced; what is shared stays.

        The ImagingStudy goes last: as long as it is available, a lost ledger finds the rest by it.
        """
        study = self.study_key(claim.study_uid)
        for key in sorted(keys, key=lambda key: key == study):
            if key[0] not in SHARED and not self.resources.made_by_others(claim, key):
                self.sink.retract(key, self.policy, partial(self.still_ours, claim))

    def written_before(self, claim: Claim) -> list[Key]:
        """Return what the server holds of a study that this ledger never wrote (another one was lost)."""
        key = self.study_key(claim.study_uid)
        return [key, *self.parts_before(claim)] if self.sink.version(key) else []

    def parts_before(self, claim: Claim) -> list[Key]:
        """Return which parts of a study the server holds that we may have made: those of others are not ours."""
        found = self.sink.ours(self.study_key(claim.study_uid))
        return [key_of(one) for one in found if self.ours(one, claim.study_uid)]

    def turns(self, study: Key) -> list[Key]:
        """Return the lock of a study if it takes one: a process that froze with it keeps the others waiting."""
        return [study] if self.several else []

    def still_ours(self, claim: Claim) -> None:
        """Lengthen the lease before something is written; raises LeaseLost."""
        if not self.ledger.extend(claim):
            raise LeaseLost("the lease ran out before anything was written: somebody else has the study")
