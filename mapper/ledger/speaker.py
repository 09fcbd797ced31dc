"""Who makes a resource, and who of them speaks for it: the newest by (`started`, StudyInstanceUID, source)."""

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, and_, bindparam, select

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
WRITERS = select(*(written.c.source, written.c.study_uid, written.c.rank, written.c.sha256, written.c.version)).where(
    ABOUT
)
SPEAKER = WRITERS.order_by(written.c.rank.desc(), written.c.study_uid.desc(), written.c.source.desc()).limit(1)
BESIDES = SPEAKER.where(~MINE)
WRITER = WRITERS.where(MINE)


def writers(db: Connection, key: Key) -> list[Writer]:
    """Return all who make a resource; of a shared one that may be every study there is."""
    return [Writer(*row) for row in db.execute(WRITERS, about(key))]


def speaker(db: Connection, key: Key, besides: Claim | None = None) -> Writer | None:
    """Return who speaks for a resource, or who would if one study did not make it."""
    asked = (SPEAKER, about(key)) if besides is None else (BESIDES, {**about(key), **mine(besides)})
    row = db.execute(*asked).first()
    return None if row is None else Writer(*row)


def writer(db: Connection, key: Key, claim: Claim) -> Writer | None:
    """Return what one study last did about a resource."""
    row = db.execute(WRITER, {**about(key), **mine(claim)}).first()
    return None if row is None else Writer(*row)


def mine(claim: Claim | Writer) -> dict[str, str]:
    """Return which study a question is about that was made before."""
    return {"of_source": claim.source, "of_study": claim.study_uid}


def about(key: Key) -> dict[str, str]:
    """Return which resource such a question is about."""
    return {"of_type": key[0], "of_id": key[1]}
