"""Who makes a resource, and who of them speaks for it: the newest by (`started`, StudyInstanceUID, source)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select, union_all

from mapper.fhir.bundle import dump
from mapper.fhir.resource import Key, Resource
from mapper.ledger.claim import Claim
from mapper.ledger.schema import written

SHARED = frozenset({"BodyStructure", "Patient", "Device", "Practitioner", "Organization", "Endpoint"})
"""Types that several studies make."""


@dataclass(frozen=True, slots=True)
class Writer:
    """One study that makes a resource: a row of `written`."""

    source: str
    study_uid: str
    rank: str
    sha256: str
    version: str

    @property
    def order(self) -> tuple[str, str, str]:
        """The greatest speaks."""
        return self.rank, self.study_uid, self.source

    def is_of(self, claim: Claim) -> bool:
        """Tell whether this is the study of a claim."""
        return (self.source, self.study_uid) == (claim.source, claim.study_uid)


def hash_of(resource: Resource) -> str:
    """Return the SHA-256 of a resource."""
    return sha256(dump(resource)).hexdigest()


# Made once: SQLAlchemy takes longer to make a question than SQLite to answer it.
ABOUT = and_(written.c.type == bindparam("of_type"), written.c.id == bindparam("of_id"))
"""Which rows of `written` are about a resource; see about."""
MINE = and_(written.c.source == bindparam("of_source"), written.c.study_uid == bindparam("of_study"))
"""Which rows of `written` are the study's of a claim; see mine."""
KEY = written.c.type, written.c.id
FACTS = written.c.source, written.c.study_uid, written.c.rank, written.c.sha256, written.c.version
NEWEST = written.c.rank.desc(), written.c.study_uid.desc(), written.c.source.desc()
WRITERS = select(*FACTS).where(ABOUT)
SPEAKER = WRITERS.order_by(*NEWEST).limit(1)
ROWS = select(*KEY, *FACTS).where(MINE)
AT_ONCE = 16
"""Resources that one question is about; there is one such question for each number of them."""


def writers(db: Connection, key: Key) -> list[Writer]:
    """Return all who make a resource; of a shared one that may be every study there is."""
    return [Writer(*row) for row in db.execute(WRITERS, about(key))]


def speaker(db: Connection, key: Key) -> Writer | None:
    """Return who speaks for a resource."""
    row = db.execute(SPEAKER, about(key)).first()
    return None if row is None else Writer(*row)


def besides(db: Connection, keys: Sequence[Key], claim: Claim) -> dict[Key, Writer]:
    """Return who would speak for each of these resources if one study did not make it, where anybody would."""
    found: dict[Key, Writer] = {}
    for first in range(0, len(keys), AT_ONCE):
        some = keys[first : first + AT_ONCE]
        asked = mine(claim)
        for number, (kind, id) in enumerate(some):
            asked |= {f"type_{number}": kind, f"id_{number}": id}
        found |= {(row[0], row[1]): Writer(*row[2:]) for row in db.execute(_besides(len(some)), asked)}
    return found


def rows_of(db: Connection, claim: Claim) -> dict[Key, Writer]:
    """Return what one study last did about each resource that it makes."""
    return {(row[0], row[1]): Writer(*row[2:]) for row in db.execute(ROWS, mine(claim))}


def newest(*some: Writer | None) -> Writer | None:
    """Return who of some speaks."""
    return max((one for one in some if one), key=lambda one: one.order, default=None)


@cache
def _besides(number: int) -> Any:
    """Return the question about so many resources: each part of it follows the index to its first row, and ends."""
    parts = []
    for one in range(number):
        of_one = written.c.type == bindparam(f"type_{one}"), written.c.id == bindparam(f"id_{one}")
        first = select(*KEY, *FACTS).where(*of_one, ~MINE).order_by(*NEWEST).limit(1)
        parts.append(select(first.subquery()))
    return union_all(*parts)


def mine(claim: Claim | Writer) -> dict[str, str]:
    """Return which study a question is about that was made before."""
    return {"of_source": claim.source, "of_study": claim.study_uid}


def about(key: Key) -> dict[str, str]:
    """Return which resource such a question is about."""
    return {"of_type": key[0], "of_id": key[1]}
