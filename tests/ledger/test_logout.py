"""Ended sessions: kept as hashes until they would have ended anyway, and forgotten then."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from tests.support.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(new_database: Callable[[], str], clock: Clock) -> Iterator[Ledger]:
    database = Database(new_database())
    yield Ledger(database, clock)
    database.close()


def kept(ledger: Ledger) -> list[str]:
    with ledger.database.read() as db:
        return list(db.execute(text("SELECT id_hash FROM ended_session")).scalars())


def test_what_is_ended_is_known_to_whoever_reads_the_ledger(ledger: Ledger, clock: Clock) -> None:
    ledger.ended.add("one", clock() + 10)
    ledger.ended.add("one", clock() + 10)
    other = Ledger(ledger.database, clock)
    assert [other.ended.has(name) for name in ("one", "two", "")] == [True, False, False]
    (stored,) = kept(ledger)
    assert "one" not in stored, "no id: who reads a backup learns of no session"


def test_they_are_forgotten_when_they_would_have_ended_anyway(ledger: Ledger, clock: Clock) -> None:
    for number in range(5):
        ledger.ended.add(f"session {number}", clock() + 10)
    assert len(kept(ledger)) == 5
    clock.forward(10.5)
    ledger.ended.add("the next", clock() + 10)
    assert [ledger.ended.has(name) for name in ("session 0", "the next")] == [False, True]
    assert len(kept(ledger)) == 1
