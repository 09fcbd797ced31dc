"""What one study alone makes: many rows of `written` in few statements."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from mapper.fhir.resource import Key, Resource, key_of
from mapper.ledger.claim import Claim
from mapper.ledger.database import Database
from mapper.ledger.schema import written
from mapper.ledger.speaker import hash_of, of


def begin(database: Database, db: Connection, claim: Claim, keys: Iterable[Key]) -> None:
    """Store that a study is about to write these, where nothing is known of them yet."""
    mine = {"source": claim.source, "study_uid": claim.study_uid, "sha256": ""}
    rows = [{**mine, "type": type, "id": id} for type, id in keys]
    if rows:
        db.execute(database.insert(written).on_conflict_do_nothing(), rows)


def record(
    database: Database,
    db: Connection,
    claim: Claim,
    made: Iterable[tuple[Resource, str]],
    versions: Mapping[Key, str],
) -> None:
    """Store what a study makes, each with its rank and the version that the sink answered; what is so already stays."""
    one = written.c
    known = {
        (row.type, row.id): row
        for row in db.execute(select(one.type, one.id, one.sha256, one.rank, one.version).where(of(claim)))
    }
    rows = []
    for resource, rank in made:
        key, digest = key_of(resource), hash_of(resource)
        before = known.get(key)
        version = versions.get(key, before.version if before else "")
        if before is None or (before.sha256, before.rank, before.version) != (digest, rank, version):
            values = {"type": key[0], "id": key[1], "sha256": digest, "rank": rank, "version": version}
            rows.append({"source": claim.source, "study_uid": claim.study_uid, **values})
    if rows:
        insert = database.insert(written)
        changed = {name: insert.excluded[name] for name in ("sha256", "rank", "version")}
        index = ["source", "study_uid", "type", "id"]
        db.execute(insert.on_conflict_do_update(index_elements=index, set_=changed), rows)
