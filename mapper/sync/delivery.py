"""The delivery: what a study makes goes to the sink, what it no longer makes is retracted, and both are recorded.

Every write of an ImagingStudy or of a shared resource names the version that the sink must hold still. Who comes late
(a paused process, a gateway that delivers after the timeout) is refused instead of undoing what is newer.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from mapper.errors import LeaseLost, StaleVersion, TargetMissing
from mapper.fhir.resource import Key, Resource, key_of
from mapper.ledger.claim import Claim
from mapper.ledger.known import Known
from mapper.ledger.ledger import Ledger
from mapper.ledger.locks import Lock, Locks
from mapper.maps import Mapped
from mapper.sinks.sink import Sink
from mapper.sync.decision import Decision, decide, speaks_for
from mapper.sync.hunch import Held, Hunch
from mapper.sync.several_sources import endpoints_elsewhere, without

Check = Callable[[Sequence[Resource]], object]
Sent = tuple[dict[Key, str], list[Key]]
"""The versions that the sink answered, and what it had lost of others."""


@dataclass(frozen=True)
class Delivery:
    """Makes the sink say what a claimed study says."""

    sink: Sink
    ledger: Ledger
    locks: Locks
    study_key: Callable[[str], Key]
    """StudyInstanceUID -> type and id of its ImagingStudy."""
    identifier: Callable[[str], Key]
    """StudyInstanceUID -> system and value of the identifier of all that is derived from it."""
    ours: Callable[[Resource, str], bool]
    """Resource, StudyInstanceUID -> whether we may have made it of that study."""
    policy: str
    """What becomes of the resources of a study that is gone."""
    several: bool
    """Whether several sources may bring one study: they take turns then. Of one source the lease is enough."""
    check: Check
    """The stage before the sink: refuses what must not be sent, as BundleRejected."""
    hunch: Hunch = field(default_factory=Hunch)
    """Whether the sink has to be asked what it holds of a study that the ledger never wrote."""

    def write(self, claim: Claim, mapped: Mapped, done: Callable[[], object] = lambda: None) -> None:
        """Decide what a study writes, send it, retract what it no longer makes, and record it; raises as Sink.put.

        `done` is called in the transaction that records it.
        """
        study = self.study_key(claim.study_uid)
        made = [key_of(one) for one in mapped.resources]
        written = self.ledger.written
        known = written.known(claim, study, made)
        likely = speaks_for(known, claim, mapped)  # not all: one Endpoint is of all studies
        with self.locks.on([*self.turns(study), *map(key_of, likely)]) as lock:
            if lock.keys:  # whoever held them until now may have written; without any, a second look is worth no more
                known = written.known(claim, study, made)
            lock.keep([*self.turns(study), *map(key_of, speaks_for(known, claim, mapped))])  # not what was sent since
            written.begin(claim, known.copies - known.mine, ())  # who gives them up asks us, also if we are parked now
            decision, (versions, lost) = self.decided(claim, mapped, study, known, lock)
            self.retract_own(claim, decision.stale)
            asked = study if decision.united.asks else None
            shared = {key_of(one) for one in decision.shared}
            with self.ledger.database.write():  # all at once: a commit costs more than what is in it
                written.record(
                    claim, decision.made, versions, stale=decision.stale, lost=lost, shared=shared, study=asked
                )
                done()

    def decided(self, claim: Claim, mapped: Mapped, study: Key, known: Known, lock: Lock) -> tuple[Decision, Sent]:
        """Decide what a study writes, and send it; the sink is not asked what it holds where that is likely nothing."""
        before = partial(self.parts_before, claim)
        held = Held(known, self.sink.version, self.hunch.nothing)
        decision = decide(claim, mapped, study, known, lock.keys, held, before)
        if held.guessed:
            with suppress(StaleVersion):
                return decision, self.send(claim, decision, lock, guessed=True)
            lock.verify()
            held = Held(known, self.sink.version, guessing=False)
            decision = decide(claim, mapped, study, known, lock.keys, held, before)
        self.hunch.learn(held.answers)
        return decision, self.send(claim, decision, lock)

    def send(self, claim: Claim, decision: Decision, lock: Lock, *, guessed: bool = False) -> Sent:
        """Write what was decided; returns the versions, and what the sink had lost of others.

        A target that the sink lost is sent along, and its speaker is asked.
        """
        put = partial(self.put, claim, decision, lock, guessed)
        try:
            return put(decision.sent), []
        except TargetMissing:
            own = decision.said
            elsewhere = [key for one in own for key in endpoints_elsewhere(one, decision.shared)]
            lost = [key for key in elsewhere if not self.sink.version(key)]
            unsent = [key_of(one) for one in decision.shared if one not in decision.chosen]
            if not unsent and not lost:
                raise
            self.ledger.written.ask_again([*unsent, *lost])  # before: a kill in between leaves an older study's content
            versions = put([*decision.shared, *without(own, lost)])
            if lost:
                raise TargetMissing("the FHIR server lost the Endpoint of another source: it is sent again") from None
            return versions, unsent

    def put(
        self, claim: Claim, decision: Decision, lock: Lock, guessed: bool, resources: Sequence[Resource]
    ) -> dict[Key, str]:
        """Write resources as long as the study is ours, over the versions that we expect.

        When the sink holds others (somebody edited one, or the ledger is older than the sink), they are overwritten
        if claim and locks still hold after they were looked up: nobody newer can have written them. Of what was only
        guessed StaleVersion is raised.
        """
        if not resources:
            return {}
        self.check(resources)
        with self.ledger.database.write():
            self.ledger.written.begin(claim, decision.new, map(key_of, decision.chosen))
            self.still_ours(claim)
        try:
            versions = self.sink.put(resources, decision.expected)
        except StaleVersion:
            if guessed:
                raise
            found = {key: self.sink.version(key) for key in map(key_of, resources) if key in decision.expected}
            lock.verify()
            self.still_ours(claim)
            versions = self.sink.put(resources, {key: version for key, version in found.items() if version})
        self.sink.flush()
        return versions

    def retract(self, claim: Claim) -> None:
        """Say of all that a removed study made alone that it is gone; raises as Sink.retract."""
        study = self.study_key(claim.study_uid)
        with self.locks.on(self.turns(study)):
            self.still_ours(claim)
            self.retract_own(claim, self.ledger.written.of_study(claim) or self.written_before(claim))
            self.ledger.written.leave(claim, study)

    def retract_own(self, claim: Claim, keys: Iterable[Key]) -> None:
        """Retract what this study alone produced; what is shared stays.

        The ImagingStudy goes last: as long as it is available, a lost ledger finds the rest by it.
        """
        study = self.study_key(claim.study_uid)
        for key in sorted(self.ledger.written.alone(claim, keys), key=lambda key: key == study):
            self.sink.retract(key, self.policy, partial(self.still_ours, claim))

    def written_before(self, claim: Claim) -> list[Key]:
        """Return what the server holds of a study that this ledger never wrote (another one was lost)."""
        key = self.study_key(claim.study_uid)
        return [key, *self.parts_before(claim)] if self.sink.version(key) else []

    def parts_before(self, claim: Claim) -> list[Key]:
        """Return which parts of a study the server holds that we may have made: those of others are not ours."""
        uid = claim.study_uid
        found = (*self.sink.ours(self.study_key(uid)), *self.sink.ours(self.identifier(uid)))
        return list(dict.fromkeys(key_of(one) for one in found if self.ours(one, uid)))

    def turns(self, study: Key) -> list[Key]:
        """Return the lock of a study if it takes one: a process that froze with it keeps the others waiting."""
        return [study] if self.several else []

    def still_ours(self, claim: Claim) -> None:
        """Lengthen the lease before something is written; raises LeaseLost."""
        if not self.ledger.studies.extend(claim):
            raise LeaseLost("the lease ran out before anything was written: somebody else has the study")
