"""What one study alone makes: many rows of `written` in few statements."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from sqlalchemy import Connection

from mapper.fhir.resource import Key, Resource, key_of
from mapper.ledger.claim import Claim
from mapper.ledger.database import Database, Inserting
from mapper.ledger.schema import written
from mapper.ledger.speaker import Writer, hash_of

STORED = ("sha256", "rank", "version")
"""What a study says of a resource that it makes."""


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
    before: Mapping[Key, Writer],
) -> dict[Key, Writer]:
    """Store what a study makes, each with its rank and the version that the sink answered; what is so already stays.

    `before` is what it said of them; returns what it says now.
    """
    now: dict[Key, Writer] = {}
    for resource, rank in made:
        key = key_of(resource)
        version = versions.get(key, before[key].version if key in before else "")
        now[key] = Writer(claim.source, claim.study_uid, rank, hash_of(resource), version)
    rows = [{**asdict(one), "type": key[0], "id": key[1]} for key, one in now.items() if before.get(key) != one]
    if rows:
        db.execute(storing(database.inserting, *STORED), rows)
    return now
