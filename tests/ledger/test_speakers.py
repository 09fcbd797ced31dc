"""Who speaks: the database's answer is Python's, and it comes from an index."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import event

from mapper.ledger.claim import Claim
from mapper.ledger.database import Database
from mapper.ledger.schema import written
from mapper.ledger.speaker import AT_ONCE, Writer, besides, newest, rows_of, speaker, writers

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
            greatest = max(left, key=lambda one: one.order)
            claim = claim_of(greatest)
            assert speaker(db, ENDPOINT) == newest(*left) == greatest
            assert rows_of(db, claim) == {ENDPOINT: greatest}
            left = [one for one in left if one is not greatest]
            assert besides(db, [ENDPOINT], claim).get(ENDPOINT) == newest(*left)
            mine = (written.c.source == greatest.source) & (written.c.study_uid == greatest.study_uid)
            db.execute(written.delete().where(mine))
        assert speaker(db, ENDPOINT) is newest() is None
        assert rows_of(db, claim) == besides(db, [ENDPOINT], claim) == {}
    database.close()


@pytest.mark.parametrize("number", [0, 1, 2, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_one_question_about_many_resources_answers_as_one_about_each(new_database: Any, number: int) -> None:
    database = Database(new_database())
    database.create()
    keys = [("Device", f"d-{one}") for one in range(number)]
    claim = claim_of(Writer("orthanc", "1.2", "2024", "", ""))
    rows = [
        {"source": source, "study_uid": uid, "type": kind, "id": id, "sha256": uid, "rank": rank}
        for place, (kind, id) in enumerate(keys)
        for source, uid, rank in [("orthanc", "1.2", "2025"), ("other", "1.2", "2023"), ("orthanc", "1.9", "2024")]
        if place % 3 != 1 or (source, uid) == ("orthanc", "1.2")
    ]
    with database.write() as db:
        if rows:
            db.execute(written.insert(), rows)
        of_each = {key: newest(*(one for one in writers(db, key) if not one.is_of(claim))) for key in keys}
        assert besides(db, keys, claim) == {key: one for key, one in of_each.items() if one}
    database.close()


def test_the_speaker_of_what_every_study_makes_is_found_by_the_index(ledger_url: str) -> None:
    database = Database(ledger_url)
    asked: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    with database.read() as db:
        speaker(db, ENDPOINT)
        besides(db, [ENDPOINT, ("Patient", "p")], claim_of(Writer("orthanc", "1.2", "", "", "")))
        plans = [db.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values).all() for one, values in asked[-2:]]
    for plan, parts in zip([" ".join(row.detail for row in rows) for rows in plans], (1, 2), strict=True):
        assert plan.count("USING INDEX written_speaker") == parts
        assert "TEMP B-TREE" not in plan
    database.close()
