"""What the ledger knows, at one moment, of a study and of what it shares with others: a decision is made from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from mapper.fhir.resource import Key
from mapper.ledger.claim import Claim
from mapper.ledger.schema import written
from mapper.ledger.speaker import MINE, SHARED, Writer, besides, mine, newest, rows_of, writers

AT_ONCE = 500
"""Ids that one question names."""
OWN = select(written.c.type, written.c.id).where(MINE)
OF_OTHERS = select(written.c.type, written.c.id).where(
    written.c.type.in_(bindparam("types", expanding=True)),
    written.c.id.in_(bindparam("ids", expanding=True)),
    written.c.study_uid != bindparam("of_study"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one study."""

    mine: frozenset[Key]
    """What it wrote or referred to so far."""
    speakers: Mapping[Key, Writer | None]
    """Who speaks for its ImagingStudy, and for what it shares."""
    others: Mapping[Key, Writer | None]
    """Who would speak for what it shares if it did not make that."""
    siblings: tuple[Writer, ...]
    """Who made its ImagingStudy and was recorded: the same study of every source that has it."""
    elsewhere: frozenset[Key]
    """What those of other sources wrote or referred to."""

    strangers: frozenset[str] = frozenset()
    """The Patients, by id, of other studies that make what only one study should make."""

    @property
    def copies(self) -> frozenset[Key]:
        """What another study makes too although only one should: one report that is in both."""
        return frozenset(key for key in self.others if key[0] not in SHARED)

    def is_shared(self, key: Key) -> bool:
        """Tell whether one study speaks for a resource: by its type, or because another study makes it too."""
        return key[0] in SHARED or key in self.others

    def version(self, key: Key) -> str:
        """Return the version of a resource when its speaker last wrote it, empty where that is not known."""
        one = self.speakers.get(key)
        return one.version if one else ""


def known(db: Connection, claim: Claim, study: Key, made: Iterable[Key]) -> Known:
    """Return what is known of a claimed study, of its ImagingStudy's key, and of those keys of it that are shared."""
    made = list(made)
    shared = [key for key in made if key[0] in SHARED]
    copies = of_others(db, claim, (key for key in made if key[0] not in SHARED and key != study))
    shared += sorted(copies)
    of_study, rows, elses = writers(db, study), rows_of(db, claim), besides(db, shared, claim)
    others = {key: elses.get(key) for key in shared}
    speakers = {study: newest(*of_study), **{key: newest(others[key], rows.get(key)) for key in shared}}
    siblings = tuple(one for one in of_study if one.rank)  # what was only begun is perhaps not in FHIR
    sources = [one.source for one in siblings if not one.is_of(claim)]
    theirs = written.c.source.in_(sources) & (written.c.study_uid == claim.study_uid)
    elsewhere = keys(db, theirs) if sources else frozenset()
    return Known(frozenset(rows), speakers, others, siblings, elsewhere, patients_of(db, claim, copies))


def patients_of(db: Connection, claim: Claim, copies: Iterable[Key]) -> frozenset[str]:
    """Return the ids of the Patients of all other studies that make one of these."""
    found = (one for key in copies for one in writers(db, key) if one.study_uid != claim.study_uid)
    makers = {(one.source, one.study_uid) for one in found}
    theirs = ((written.c.source == source) & (written.c.study_uid == uid) for source, uid in makers)
    patients = (keys(db, which & (written.c.type == "Patient")) for which in theirs)
    return frozenset(id for one in patients for _, id in one)


def of_others(db: Connection, claim: Claim, made: Iterable[Key]) -> frozenset[Key]:
    """Return those that another study makes too: one report in two studies, copied or merged."""
    own, found = list(made), set[Key]()
    for first in range(0, len(own), AT_ONCE):
        some = own[first : first + AT_ONCE]
        asked = {"types": sorted({key[0] for key in some}), "ids": [key[1] for key in some]}
        found |= {(row.type, row.id) for row in db.execute(OF_OTHERS, {**asked, "of_study": claim.study_uid})}
    return frozenset(found.intersection(own))


def own(db: Connection, claim: Claim) -> frozenset[Key]:
    """Return what a study wrote or referred to so far."""
    return frozenset((row.type, row.id) for row in db.execute(OWN, mine(claim)))


def keys(db: Connection, which: object) -> frozenset[Key]:
    """Return type and id of rows of `written`."""
    rows = db.execute(select(written.c.type, written.c.id).where(which))  # type: ignore[arg-type]
    return frozenset((row.type, row.id) for row in rows)
