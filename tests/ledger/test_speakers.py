"""Who speaks: the database's answer is Python's, and it comes from an index."""

from itertools import product
from typing import Any

from sqlalchemy import text

from mapper.ledger.claim import Claim
from mapper.ledger.database import Database
from mapper.ledger.schema import written
from mapper.ledger.speaker import Writer, speaker, writer, writers

ENDPOINT = ("Endpoint", "e")
RANKS = ("", "2024", "2024-05-17", "2024-05-17T08:00:00Z", "2024-05-17T08:00:00.5Z", "00000012")
UIDS = ("1.2.10", "1.2.9", "1.20", "1.2", "2.25.7")
SOURCES = ("orthanc", "Orthanc", "orthanc-2")


def claim_of(one: Writer) -> Claim:
    """Return a claim on the study of a row."""
    return Claim(one.source, one.study_uid, 1, 1, 0, "owner")


def store(database: Database, rows: list[tuple[str, str, str]]) -> None:
    """Write rows of source, StudyInstanceUID and rank."""
    kind, id = ENDPOINT
    made = [
        {"source": source, "study_uid": uid, "type": kind, "id": id, "sha256": f"{source} {uid}", "rank": rank}
        for source, uid, rank in rows
    ]
    with database.write() as db:
        db.execute(written.insert(), made)


def test_the_database_finds_the_greatest_as_python_does(new_database: Any) -> None:
    database = Database(new_database())
    database.create()
    ranks = iter(RANKS * 10)
    store(database, [(source, uid, next(ranks)) for source, uid in product(SOURCES, UIDS)])
    with database.write() as db:
        left = writers(db, ENDPOINT)
        assert len(left) == len(SOURCES) * len(UIDS)
        while left:
            newest = max(left, key=lambda one: one.order)
            assert speaker(db, ENDPOINT) == newest
            assert writer(db, ENDPOINT, claim_of(newest)) == newest
            others = [one for one in left if one is not newest]
            assert speaker(db, ENDPOINT, besides=claim_of(newest)) == max(
                others, key=lambda one: one.order, default=None
            )
            mine = (written.c.source == newest.source) & (written.c.study_uid == newest.study_uid)
            db.execute(written.delete().where(mine))
            left = others
        assert speaker(db, ENDPOINT) is None
        assert writer(db, ENDPOINT, claim_of(newest)) is None
    database.close()


def test_the_speaker_of_what_every_study_makes_is_found_by_the_index(ledger_url: str) -> None:
    database = Database(ledger_url)
    question = (
        "EXPLAIN QUERY PLAN SELECT sha256 FROM written WHERE type = 'Endpoint' AND id = 'e' "
        "AND NOT (source = 'orthanc' AND study_uid = '1.2') ORDER BY rank DESC, study_uid DESC, source DESC LIMIT 1"
    )
    with database.read() as db:
        plan = " ".join(row.detail for row in db.execute(text(question)))
    assert "written_speaker" in plan
    assert "TEMP B-TREE" not in plan
    database.close()
