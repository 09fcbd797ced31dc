"""Studies by state, failure, time and the beginning of the UID, a page behind the other, each once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from mapper.ledger.choice import Choice, Place
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.schema import study
from mapper.ledger.state import STATES
from tests.support.fakes import Clock

START = 1_700_000_000.0
UIDS = [f"1.2.{number}" for number in range(30)]
ENDS: list[tuple[Any, str]] = [("done", ""), ("refused", "BadUID"), ("refused", "TwoPatients")]


@pytest.fixture
def ledger(new_database: Callable[[], str]) -> Iterator[Ledger]:
    """Give a ledger of thirty studies in two sources: the first 24 synced or parked in turn, the others pending.

    Each reached its state a second after the one before it.
    """
    clock = Clock(START)
    ledger = Ledger(Database(new_database()), clock, jitter=lambda least, most: most)
    for number, uid in enumerate(UIDS):
        source = source_of(number)
        ledger.studies.mark(source, [uid])
        if number < 24:
            (claim,) = ledger.studies.claim([source])
            how, failure = ENDS[number % 3]
            ledger.studies.finish(claim, how, "why" if failure else "", failure)
        clock.forward(1.0)
    yield ledger
    ledger.database.close()


def source_of(number: int) -> str:
    return "a" if number % 2 else "b"


NEWEST = list(range(29, -1, -1))
CHOICES: dict[str, tuple[Choice, list[int]]] = {
    "all": (Choice(), NEWEST),
    "a state": (Choice(state="synced"), [n for n in NEWEST if n < 24 and n % 3 == 0]),
    "a state that none is in": (Choice(state="removed"), []),
    "what waits": (Choice(state="pending"), [29, 28, 27, 26, 25, 24]),
    "a failure": (Choice(failure="BadUID"), [n for n in NEWEST if n < 24 and n % 3 == 1]),
    "a state and a failure": (Choice("parked", "TwoPatients"), [n for n in NEWEST if n < 24 and n % 3 == 2]),
    "since then": (Choice(since=START + 20), NEWEST[:10]),
    "before then": (Choice(until=START + 20), NEWEST[10:]),
    "a failure since then": (Choice(failure="BadUID", since=START + 15), [22, 19, 16]),
    "a source": (Choice(source="a"), [n for n in NEWEST if n % 2]),
    "a whole UID": (Choice(uid_begins="1.2.7"), [7]),
    "a beginning, sorted by UID": (Choice(uid_begins="1.2.2"), [2, *range(20, 30)]),
    "a beginning and a state": (Choice(state="pending", uid_begins="1.2.2"), list(range(24, 30))),
    "a beginning that none has": (Choice(uid_begins="1.3"), []),
    "a beginning with a sign of patterns": (Choice(uid_begins="1.2._"), []),
    "a beginning of everything": (Choice(uid_begins="1.2.%"), []),
    "no beginning of a UID": (Choice(uid_begins="1.2.\0"), []),
    "no ASCII": (Choice(uid_begins="1.2.\u0663"), []),
}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("limit", [1, 4, 100])
def test_pages_hold_each_study_once_and_in_order(ledger: Ledger, choice: str, limit: int) -> None:
    wanted, expected = CHOICES[choice]
    found: list[str] = []
    page = ledger.rows.chosen(wanted, limit=limit)
    while page:
        assert len(page) <= limit
        found += [row.study_uid for row in page]
        page = ledger.rows.chosen(wanted, page[-1].place, limit)
    assert found == [UIDS[number] for number in expected]
    assert ledger.rows.number(wanted) == len(expected)
    assert ledger.rows.number(wanted, at_most=3) == min(3, len(expected))


def test_studies_of_one_moment_and_one_study_of_two_sources_are_not_lost_between_pages(ledger: Ledger) -> None:
    ledger.studies.mark("c", UIDS)
    for choice in (Choice(), Choice(uid_begins="1.2")):
        found, page = [], ledger.rows.chosen(choice, limit=7)
        while page:
            found += [(row.study_uid, row.source) for row in page]
            page = ledger.rows.chosen(choice, page[-1].place, 7)
        assert len(found) == len(set(found)) == 60
    assert [row.source for row in ledger.rows.of_all_sources(UIDS[0])] == ["b", "c"]


def test_numbers_by_source_state_and_failure(ledger: Ledger) -> None:
    assert ledger.rows.counts_by_source() == {
        "a": dict.fromkeys(STATES, 0) | {"synced": 4, "parked": 8, "pending": 3},
        "b": dict.fromkeys(STATES, 0) | {"synced": 4, "parked": 8, "pending": 3},
    }
    assert ledger.rows.counts() == dict.fromkeys(STATES, 0) | {"synced": 8, "parked": 16, "pending": 6}
    assert ledger.rows.failures() == {("parked", "BadUID"): 8, ("parked", "TwoPatients"): 8}


def test_a_mark_moves_a_study_once_and_not_again_while_it_waits(ledger: Ledger) -> None:
    first, later = ledger.rows.chosen(Choice(state="synced"))[-1], START + 30
    ledger.studies.mark(first.source, [first.study_uid])
    (row,) = ledger.rows.of_all_sources(first.study_uid)
    assert (row.changed_at, row.failure) == (later, "")
    ledger.studies.mark(first.source, [first.study_uid])
    assert ledger.rows.of_all_sources(first.study_uid)[0].place == row.place


PLANS: dict[str, tuple[Choice, str]] = {
    "all": (Choice(), "study_changed"),
    "a state": (Choice(state="parked"), "study_state"),
    "a failure": (Choice(failure="BadUID"), "study_failure"),
    "a beginning": (Choice(uid_begins="1.2.2"), "study_named"),
}


@pytest.mark.parametrize("choice", PLANS)
def test_a_page_follows_an_index_and_sorts_nothing(ledger_url: str, choice: str) -> None:
    wanted, index = PLANS[choice]
    database = Database(ledger_url)
    query = wanted.page(select(study), Place(START, "1.2", "a"), 50)
    with database.read() as db:
        plan = str(query.compile(db, compile_kwargs={"literal_binds": True}))
        steps = [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {plan}")]
    database.close()
    assert len(steps) == 1
    assert f"USING INDEX {index} " in steps[0]
