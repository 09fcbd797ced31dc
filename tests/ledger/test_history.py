"""The history: every way a sync ends is told once, in the transaction that ends it, and for a bounded time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from mapper.errors import LedgerFailed
from mapper.ledger.choice import ANY, Choice
from mapper.ledger.claim import Claim
from mapper.ledger.database import Database
from mapper.ledger.history import History, page
from mapper.ledger.ledger import Ledger
from mapper.ledger.outcome import Moment, Span, Sync, asked
from mapper.ledger.schema import study
from mapper.ledger.state import TRANSITIONS
from mapper.ledger.studies import ATTEMPTS, LEASE, UNFINISHED
from tests.support.fakes import Clock

SOURCE, UID = "orthanc", "1.2.3"
DAY = 24 * 3600.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(new_database: Callable[[], str], clock: Clock) -> Iterator[Ledger]:
    database = Database(new_database())
    yield Ledger(database, clock, jitter=lambda least, most: most)
    database.close()


def claimed(ledger: Ledger, study_uid: str = UID) -> Claim:
    """Mark a study and take it."""
    ledger.studies.mark(SOURCE, [study_uid])
    (claim,) = ledger.studies.claim([SOURCE])
    return claim


ENDS: dict[str, tuple[Callable[[Ledger, Claim], bool], str, str | None]] = {  # how, fate, failure
    "done": (lambda ledger, claim: ledger.studies.finish(claim, "done"), "synced", None),
    "gone": (lambda ledger, claim: ledger.studies.finish(claim, "gone", "why"), "removed", None),
    "refused": (lambda ledger, claim: ledger.studies.finish(claim, "refused", "why", "BadUID"), "parked", "BadUID"),
    "failed": (lambda ledger, claim: ledger.studies.fail(claim, "why", None, "SinkBusy"), "retrying", "SinkBusy"),
    "outage": (
        lambda ledger, claim: ledger.studies.release(claim, "why", 5.0, "SourceDown"),
        "retrying",
        "SourceDown",
    ),
}


@pytest.mark.parametrize("how", ENDS)
def test_each_end_of_a_claim_is_told_once(ledger: Ledger, clock: Clock, how: str) -> None:
    end, fate, failure = ENDS[how]
    began, claim = clock(), claimed(ledger)
    clock.forward(3.0)
    assert end(ledger, claim)
    (told,) = ledger.history.of(UID)
    assert (told.source, told.study_uid, told.started, told.ended) == (SOURCE, UID, began, began + 3.0)
    assert (told.fate, told.failure, told.attempts, told.took) == (fate, failure, 1, 3.0)
    row = ledger.rows.find(UID)
    assert row is not None
    assert (row.state, row.failure or None, row.changed_at, row.claimed_at) == (fate, failure, began + 3.0, began)
    assert not end(ledger, claim), "the claim is over"
    assert len(ledger.history.of(UID)) == 1


@pytest.mark.parametrize("how", ["done", "gone", "refused"])
def test_what_was_marked_meanwhile_was_synced_all_the_same(ledger: Ledger, how: str) -> None:
    end, fate, failure = ENDS[how]
    claim = claimed(ledger)
    ledger.studies.mark(SOURCE, [UID])
    assert end(ledger, claim)
    assert [(one.fate, one.failure) for one in ledger.history.of(UID)] == [(fate, failure)]
    assert ledger.rows.counts()["pending"] == 1


def test_the_last_attempt_is_told_as_parked_and_one_that_never_ends_too(ledger: Ledger, clock: Clock) -> None:
    ledger.studies.mark(SOURCE, [UID])
    for _ in range(ATTEMPTS - 1):
        ledger.studies.claim([SOURCE])
        clock.forward(LEASE + 1)
    began = clock()
    ledger.studies.claim([SOURCE])
    clock.forward(LEASE + 1)
    assert ledger.studies.claim([SOURCE]) == []
    (told,) = ledger.history.of(UID)
    assert (told.fate, told.failure, told.attempts, told.started) == ("parked", UNFINISHED, ATTEMPTS, began)
    assert ledger.studies.fail(last := Claim(*last_of(ledger, clock)), "why", None, "SinkBusy"), last
    assert [(one.fate, one.failure) for one in ledger.history.of("1.2.4")] == [("parked", "SinkBusy")]


def last_of(ledger: Ledger, clock: Clock) -> tuple[Any, ...]:
    """Return a claim of another study as if it were its last attempt."""
    claim = claimed(ledger, "1.2.4")
    return claim.source, claim.study_uid, claim.generation, ATTEMPTS, claim.priority, claim.owner, clock()


def test_what_cannot_be_told_is_not_done_either(ledger: Ledger) -> None:
    claim = claimed(ledger)
    with ledger.database.write() as db:
        db.execute(text("ALTER TABLE history RENAME TO elsewhere"))
    with pytest.raises(LedgerFailed):
        ledger.studies.finish(claim, "done")
    assert ledger.rows.counts()["syncing"] == 1


def sync(number: int, fate: Any = "synced", failure: str | None = None, uid: str = UID, took: float = 1.0) -> Sync:
    """Return a sync that ended so many seconds after 1000."""
    return Sync(SOURCE, uid, 1000.0 + number - took, 1000.0 + number, fate, failure, 1)


@pytest.fixture
def full(ledger: Ledger) -> Ledger:
    for number in range(10):
        fate, failure = [("synced", None), ("parked", "BadUID"), ("retrying", "SinkBusy")][number % 3]
        ledger.history.add(sync(number, fate, failure, f"1.2.{number % 2}", took=number))
    return ledger


WANTED: dict[str, tuple[dict[str, Any], list[int]]] = {
    "all": ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
    "a fate": ({"fate": "parked"}, [7, 4, 1]),
    "a failure": ({"failure": "SinkBusy"}, [8, 5, 2]),
    "both": ({"fate": "parked", "failure": "BadUID"}, [7, 4, 1]),
    "both, of which there is none": ({"fate": "synced", "failure": "BadUID"}, []),
    "since then": ({"since": 1006.0}, [9, 8, 7, 6]),
    "a failure since then": ({"failure": "SinkBusy", "since": 1003.0}, [8, 5]),
}


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_pages_of_the_history_hold_each_sync_once(full: Ledger, wanted: str, limit: int) -> None:
    asked, expected = WANTED[wanted]
    found: list[int] = []
    page = full.history.latest(**asked, limit=limit)
    while page:
        assert len(page) <= limit
        found += [round(one.ended - 1000) for one in page]
        page = full.history.latest(**asked, before=page[-1].moment, limit=limit)
    assert found == expected


PLANS: dict[str, tuple[dict[str, Any], str]] = {
    "all": ({}, "history_ended"),
    "a fate": ({"fate": "parked"}, "history_fate"),
    "a failure": ({"failure": "SinkBusy"}, "history_failure"),
    "both": ({"fate": "parked", "failure": "BadUID"}, "history_failed"),
    "both, of which there is none": ({"fate": "synced", "failure": "Nope"}, "history_failed"),
    "since then": ({"since": 1.0}, "history_ended"),
    "a failure since then": ({"failure": "SinkBusy", "since": 1.0}, "history_failure"),
    "all three": ({"fate": "parked", "failure": "BadUID", "since": 1.0}, "history_failed"),
}


@pytest.mark.parametrize("before", [None, (2.0, 7)], ids=["first", "next"])
@pytest.mark.parametrize("wanted", PLANS)
def test_a_page_of_the_history_follows_an_index_and_sorts_nothing(
    tmp_path: Path, wanted: str, before: Moment | None
) -> None:
    words, index = PLANS[wanted]
    database = Database(f"sqlite:///{tmp_path}/ledger.db")
    database.create()
    with database.read() as db:
        plan = str(page(asked(**words), before, 50).compile(db, compile_kwargs={"literal_binds": True}))
        steps = [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {plan}")]
    database.close()
    assert len(steps) == 1
    assert f"USING INDEX {index}" in steps[0]


LOOK_BACK: dict[str, Choice] = {
    "any": Choice(failure=ANY, since=1.0),
    "one kind": Choice(failure="SinkBusy", since=1.0),
    "until then": Choice(failure=ANY, since=1.0, until=9.0),
    "a kind until then": Choice(failure="SinkBusy", since=1.0, until=9.0),
}


@pytest.mark.parametrize("choice", LOOK_BACK.values(), ids=LOOK_BACK)
def test_what_failed_in_a_time_is_found_among_what_failed_alone(tmp_path: Path, choice: Choice) -> None:
    database = Database(f"sqlite:///{tmp_path}/ledger.db")
    database.create()
    with database.read() as db:
        for query in (choice.failed(), choice.page(select(study), None, 50)):
            steps = [row[3] for row in db.execute(text(f"EXPLAIN QUERY PLAN {literal(query, db)}"))]
            assert [one for one in steps if "USING COVERING INDEX history_failing " in one], steps
    database.close()


@pytest.mark.parametrize("before", [None, (2.0, 7)], ids=["first", "next"])
def test_a_page_of_failed_syncs_follows_an_index_of_these_alone(
    tmp_path: Path, before: Moment | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, asked = Database(f"sqlite:///{tmp_path}/ledger.db"), list[Any]()
    database.create()
    history = History(database)
    monkeypatch.setattr(history, "_page", lambda *words: asked.append(page(*words)))
    history.between(0.0, 9.0, failed=True, before=before)
    with database.read() as db:
        steps = [row[3] for row in db.execute(text(f"EXPLAIN QUERY PLAN {literal(asked[0], db)}"))]
    database.close()
    assert len(steps) == 1
    assert "USING INDEX history_failing" in steps[0]


def literal(query: Any, db: Any) -> str:
    return str(query.compile(db, compile_kwargs={"literal_binds": True}))


def test_syncs_that_ended_at_one_moment_are_not_lost_between_pages(ledger: Ledger) -> None:
    for _ in range(5):
        ledger.history.add(sync(1))
    first = ledger.history.of(UID, limit=2)
    rest = ledger.history.of(UID, before=first[-1].moment)
    assert sorted(one.number for one in first + rest) == sorted({one.number for one in first + rest})
    assert len(first + rest) == 5


def test_a_study_has_its_own_history(full: Ledger) -> None:
    assert [round(one.ended - 1000) for one in full.history.of("1.2.1")] == [9, 7, 5, 3, 1]
    assert full.history.of("1.2") == []


def test_what_happened_is_counted_by_fate_and_failure(full: Ledger) -> None:
    assert full.history.counts(0.0) == {
        ("synced", None): 4,
        ("parked", "BadUID"): 3,
        ("retrying", "SinkBusy"): 3,
    }
    assert full.history.counts(1009.0) == {("synced", None): 1}
    assert full.history.counts(2000.0) == {}


BOTH = [(SOURCE, "1.2.0"), (SOURCE, "1.2.1"), ("other", "1.2.0"), (SOURCE, "9.9")]
FAILED: dict[str, tuple[dict[str, Any], list[tuple[str, str, float, int]]]] = {
    "any kind": ({"since": 0.0}, [("1.2.0", "SinkBusy", 1008.0, 3), ("1.2.1", "BadUID", 1007.0, 3)]),
    "one kind": ({"since": 0.0, "failure": "BadUID"}, [("1.2.0", "BadUID", 1004.0, 1), ("1.2.1", "BadUID", 1007.0, 2)]),
    "since then": ({"since": 1008.0}, [("1.2.0", "SinkBusy", 1008.0, 1)]),
    "until then": ({"since": 0.0, "until": 1002.0}, [("1.2.1", "BadUID", 1001.0, 1)]),
    "a kind that none has": ({"since": 0.0, "failure": "TwoPatients"}, []),
    "too late": ({"since": 2000.0}, []),
}


@pytest.mark.parametrize("wanted", FAILED)
def test_how_studies_failed_is_told_once_a_study(full: Ledger, wanted: str) -> None:
    full.history.add(sync(20, "synced", uid="1.2.0"))
    words, expected = FAILED[wanted]
    found = full.history.failed(BOTH, **words)
    assert [(one.study_uid, one.failure, one.last, one.times) for one in found.values()] == expected
    assert full.history.failed([], **words) == {}


def test_each_study_that_failed_is_told_once_however_often_it_did(ledger: Ledger) -> None:
    for number in range(50):
        ledger.history.add(
            sync(number % 7, "retrying", "SinkBusy" if number % 2 else "SourceDown", f"1.2.{number % 3}")
        )
    found = ledger.history.failed([(SOURCE, f"1.2.{one}") for one in range(3)], 0.0)
    assert {uid: (one.last, one.times) for (_, uid), one in found.items()} == {
        "1.2.0": (1006.0, 17),
        "1.2.1": (1006.0, 17),
        "1.2.2": (1006.0, 16),
    }


def test_the_kinds_of_failure_that_are_remembered(full: Ledger) -> None:
    assert full.history.kinds() == ["BadUID", "SinkBusy"]
    full.history.add(sync(20, "parked", "Utf8Error"))
    assert full.history.kinds() == ["BadUID", "SinkBusy", "Utf8Error"]


def test_what_happened_stretch_by_stretch(full: Ledger) -> None:
    assert full.history.spans(1000.0, 5) == [
        Span(1000.0, {"synced": 2, "parked": 2, "retrying": 1}, 2.0, 4.0),
        Span(1005.0, {"synced": 2, "parked": 1, "retrying": 2}, 7.0, 9.0),
    ]
    assert full.history.spans(1006.0, 5)[0].fates == {"synced": 2, "parked": 1, "retrying": 1}


@pytest.mark.parametrize(
    ("ended", "begins"),
    [(0.0, 0.0), (0.5, 0.0), (4.4, 0.0), (4.5, 0.0), (4.999, 0.0), (5.0, 5.0), (5.5, 5.0), (1e9 + 4.5, 1e9)],
)
def test_a_sync_is_in_the_stretch_in_which_it_ended(ledger: Ledger, ended: float, begins: float) -> None:
    ledger.history.add(Sync(SOURCE, UID, 0.0, ended, "synced", None, 1))
    assert [one.begins for one in ledger.history.spans(0.0, 5)] == [begins]


def test_studies_that_failed_are_looked_for_by_how_they_stand_now(ledger: Ledger, clock: Clock) -> None:
    for number in range(200):
        clock.forward(1.0)
        ledger.studies.finish(claimed(ledger, f"1.2.{number}"), "refused", "no", "BadUID")
    later = clock() + 1.0
    for number in range(50, 200):
        clock.forward(1.0)
        ledger.studies.finish(claimed(ledger, f"1.2.{number}"))
    ledger.studies.mark("other", ["1.2.0"])  # that is the study of another source
    for state, expected in {"parked": range(49, -1, -1), "synced": range(199, 49, -1), "pending": range(0)}.items():
        for kind in ("BadUID", ANY):
            choice = Choice(state, kind, since=0.0)  # type: ignore[arg-type]
            assert [row.study_uid for row in ledger.rows.chosen(choice, limit=300)] == [
                f"1.2.{one}" for one in expected
            ]
            assert ledger.rows.number(choice) == len(expected)
    assert ledger.rows.number(Choice(failure=ANY, since=later)) == 0, "they were synced since then, and did not fail"
    assert ledger.rows.number(Choice(failure="TwoPatients", since=0.0)) == 0
    assert ledger.rows.number(Choice(failure="BadUID")) == 50, "those that fail now"
    assert ledger.rows.number(Choice(failure="BadUID", since=0.0, until=later - 100.0)) == 100


def test_what_is_old_is_forgotten_a_batch_at_a_time(full: Ledger) -> None:
    full.history.at_once = 2
    assert [full.history.forget(1005.0) for _ in range(4)] == [2, 2, 1, 0]
    assert [round(one.ended - 1000) for one in full.history.latest()] == [9, 8, 7, 6, 5]


def test_every_fate_of_a_sync_is_a_state() -> None:
    assert {fate for _, fate, _ in ENDS.values()} <= {*TRANSITIONS.values()}
