"""What one study alone makes: many rows of `written` in few statements."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, select

from mapper.fhir.resource import Key, Resource, key_of
from mapper.ledger.claim import Claim
from mapper.ledger.database import Database, Inserting
from mapper.ledger.schema import written
from mapper.ledger.speaker import MINE, hash_of, mine

STORED = ("sha256", "rank")
"""What a study says of a resource that it makes; `version` beside it, when the sink answered one."""
RECORDED = select(written.c.type, written.c.id, written.c.sha256, written.c.rank, written.c.version).where(MINE)


@cache
def beginning(insert: Inserting) -> Any:
    """Return the INSERT of what is only about to be written."""
    return insert(written).on_conflict_do_nothing()


@cache
def storing(insert: Inserting, *columns: str) -> Any:
    """Return the INSERT of what was written, over what these columns said before."""
    statement = insert(written)
    changed = {name: statement.excluded[name] for name in columns}
    return statement.on_conflict_do_update(index_elements=["source", "study_uid", "type", "id"], set_=changed)


def begin(database: Database, db: Connection, claim: Claim, keys: Iterable[Key]) -> None:
    """Store that a study is about to write these, where nothing is known of them yet."""
    row = {"source": claim.source, "study_uid": claim.study_uid, "sha256": ""}
    rows = [{**row, "type": type, "id": id} for type, id in keys]
    if rows:
        db.execute(beginning(database.inserting), rows)


def record(
    database: Database,
    db: Connection,
    claim: Claim,
    made: Iterable[tuple[Resource, str]],
    versions: Mapping[Key, str],
) -> None:
    """Store what a study makes, each with its rank and the version that the sink answered; what is so already stays."""
    known = {(row.type, row.id): row for row in db.execute(RECORDED, mine(claim))}
    rows = []
    for resource, rank in made:
        key, digest = key_of(resource), hash_of(resource)
        before = known.get(key)
        version = versions.get(key, before.version if before else "")
        if before is None or (before.sha256, before.rank, before.version) != (digest, rank, version):
            values = {"type": key[0], "id": key[1], "sha256": digest, "rank": rank, "version": version}
            rows.append({"source": claim.source, "study_uid": claim.study_uid, **values})
    if rows:
        db.execute(storing(database.inserting, *STORED, "version"), rows)
