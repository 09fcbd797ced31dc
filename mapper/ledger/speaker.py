"""Who makes a resource, and who of them speaks for it: the newest by (`started`, StudyInstanceUID, source)."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Select, select

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


def of(claim: Claim) -> Any:
    """Tell in SQL which rows of `written` are the study's of a claim."""
    return (written.c.source == claim.source) & (written.c.study_uid == claim.study_uid)


def makes(key: Key) -> Any:
    """Tell in SQL which rows of `written` are about a resource."""
    return (written.c.type == key[0]) & (written.c.id == key[1])


def writers(db: Connection, key: Key) -> list[Writer]:
    """Return all who make a resource; of a shared one that may be every study there is."""
    return [Writer(*row) for row in db.execute(_rows(key))]


def speaker(db: Connection, key: Key, besides: Claim | None = None) -> Writer | None:
    """Return who speaks for a resource, or who would if one study did not make it."""
    newest_first = (written.c.rank.desc(), written.c.study_uid.desc(), written.c.source.desc())
    query = _rows(key).order_by(*newest_first).limit(1)
    row = db.execute(query if besides is None else query.where(~of(besides))).first()
    return None if row is None else Writer(*row)


def writer(db: Connection, key: Key, claim: Claim) -> Writer | None:
    """Return what one study last did about a resource."""
    row = db.execute(_rows(key).where(of(claim))).first()
    return None if row is None else Writer(*row)


def _rows(key: Key) -> Select[Any]:
    one = written.c
    return select(one.source, one.study_uid, one.rank, one.sha256, one.version).where(makes(key))
