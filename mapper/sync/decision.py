"""What one study writes: decided once, under the lock, from what the ledger knows and the sink holds."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from mapper.errors import OtherPatient
from mapper.fhir.resource import Key, Resource, key_of
from mapper.ledger.claim import SENT_AGAIN, Claim
from mapper.ledger.known import Known
from mapper.ledger.speaker import hash_of
from mapper.maps import Mapped
from mapper.sync.several_sources import United, unite


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of all that a study makes, and of what it made before."""

    study: Key
    """Type and id of the ImagingStudy."""
    united: United
    own: tuple[Resource, ...]
    """What this study alone makes."""
    said: tuple[Resource, ...]
    """Of that: what goes to the sink. Of a study in several sources all is said by the one that speaks; of what that
    one does not have, a report say, by the one that has it."""
    shared: tuple[Resource, ...]
    """What other studies make as well."""
    chosen: tuple[Resource, ...]
    """Of what is shared: that for which this study speaks and whose content the sink lacks."""
    rank: str
    """The study's `started`: who is newer speaks for what is shared."""
    expected: dict[Key, str]
    """The version that the sink must hold still, of the ImagingStudy and of all that is shared; empty: none yet."""
    new: tuple[Key, ...]
    """What is about to be sent and was never written by this study."""
    stale: tuple[Key, ...]
    """What this study made before, and does not make any more."""

    @property
    def sent(self) -> list[Resource]:
        """What goes to the sink."""
        return [*self.chosen, *self.said]

    @property
    def made(self) -> list[tuple[Resource, str]]:
        """What the ledger records, each resource with its rank: the ImagingStudy's is that among its sources."""
        of_study = ((one, self.united.rank if key_of(one) == self.study else self.rank) for one in self.own)
        return [*((one, self.rank) for one in self.shared), *of_study]


def decide(
    claim: Claim,
    mapped: Mapped,
    study: Key,
    known: Known,
    locked: Collection[Key],
    held: Callable[[Key], str],
    before: Callable[[], Iterable[Key]],
) -> Decision:
    """Return what a claimed study writes; raises OtherPatient.

    `known` was read under the locks on the keys `locked`: nothing else that is shared is written. `held` asks the
    sink for a version that the ledger does not know; `before` what another ledger, lost now, wrote of this study.
    """
    united = unite(known, claim, mapped, study)
    patients = {one["id"] for one in mapped.resources if one["resourceType"] == "Patient"}
    if patients and known.strangers - patients:
        raise OtherPatient(
            f"a report of study {claim.study_uid} has a UID that a report of another patient has: is it filed twice?"
        )
    shared = tuple(one for one in mapped.resources if known.is_shared(key_of(one)))
    own = tuple(one for one in united.mapped.resources if not known.is_shared(key_of(one)))
    said = tuple(one for one in own if united.speaks or key_of(one) not in {study, *known.elsewhere})
    chosen = tuple(one for one in speaks_for(known, claim, mapped) if key_of(one) in locked)
    expected = {key: known.version(key) for key in (study, *map(key_of, shared))}
    for key in (study, *map(key_of, chosen)):
        expected[key] = expected[key] or held(key)
    lost = before() if expected[study] and not known.version(study) else ()
    made = {key_of(one) for one in mapped.resources}
    new = tuple(key for key in map(key_of, (*own, *chosen)) if key not in known.mine)
    stale = tuple(sorted({*known.mine, *lost} - made))
    return Decision(study, united, own, said, shared, chosen, mapped.rank, expected, new, stale)


def speaks_for(known: Known, claim: Claim, mapped: Mapped) -> list[Resource]:
    """Return those shared resources for which a study speaks and whose content the sink lacks; all, asked by hand."""
    order = mapped.rank, claim.study_uid, claim.source
    chosen: list[Resource] = []
    for resource in (one for one in mapped.resources if known.is_shared(key_of(one))):
        key = key_of(resource)
        other, newest = known.others[key], known.speakers[key]
        if other and other.order > order:
            continue
        if claim.priority in SENT_AGAIN or newest is None or newest.sha256 != hash_of(resource):
            chosen.append(resource)
    return chosen
