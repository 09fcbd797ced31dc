"""Locks on resources: who needs one waits, and nobody else; what is not needed any more is given back."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from mapper.fhir.resource import Key
from mapper.ledger.database import Database
from mapper.ledger.locks import Locks
from stack import Postgres
from tests.conftest import emptied

PATIENT, DEVICE = ("Patient", "a"), ("Device", "b")
PATIENCE = 20.0


@pytest.fixture(params=["threads", "processes"])
def sides(request: pytest.FixtureRequest, ledger_url: str) -> Iterator[tuple[Locks, Locks]]:
    """Give the locks of two who compete: threads of one process, or processes on one PostgreSQL."""
    if request.param == "threads":
        databases = [Database(ledger_url)]
        locks = Locks(databases[0])
        yield locks, locks
    else:
        server: Postgres = request.getfixturevalue("ledger_postgres")
        databases = [Database(emptied(server.sqlalchemy_url())), Database(server.sqlalchemy_url())]
        yield Locks(databases[0]), Locks(databases[1])
    for one in databases:
        one.close()


class Other:
    """Takes locks in a thread of its own, and gives them back at once."""

    def __init__(self, locks: Locks, *keys: Key) -> None:
        self.had = threading.Event()
        self._locks, self._keys = locks, keys
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        with self._locks.on(self._keys):
            self.had.set()


def test_who_needs_the_same_waits_until_it_is_given_back(sides: tuple[Locks, Locks]) -> None:
    here, there = sides
    with here.on([PATIENT, DEVICE]) as lock:
        other = Other(there, DEVICE)
        assert not other.had.is_set()
        lock.verify()
    assert other.had.wait(PATIENCE)


def test_what_is_not_kept_is_free_and_what_is_kept_is_not(sides: tuple[Locks, Locks]) -> None:
    here, there = sides
    with here.on([PATIENT, DEVICE]) as lock:
        lock.keep([PATIENT])
        assert lock.keys == {PATIENT}
        assert Other(there, DEVICE).had.wait(PATIENCE)
        other = Other(there, PATIENT)
        assert not other.had.is_set()
        lock.verify()
    assert other.had.wait(PATIENCE)


def test_nothing_is_kept_that_was_not_taken(sides: tuple[Locks, Locks]) -> None:
    here, there = sides
    with here.on([PATIENT]) as lock:
        lock.keep([PATIENT, DEVICE])
        assert lock.keys == {PATIENT}
        assert Other(there, DEVICE).had.wait(PATIENCE)


def test_resources_of_many_studies_share_no_lock(sides: tuple[Locks, Locks]) -> None:
    """A write takes as long as the FHIR server wants: whoever shares a lock with it waits for nothing."""
    here, there = sides
    mine = [("Patient", str(number)) for number in range(64)]
    with here.on(mine):
        assert Other(there, *((kind, f"{id} of others") for kind, id in mine)).had.wait(PATIENCE)


@pytest.mark.parametrize("kind", ["BodyStructure", "Observation"])
def test_what_one_object_makes_by_the_thousand_takes_few_locks(ledger_url: str, kind: str) -> None:
    database = Database(ledger_url)
    locks = Locks(database)
    with locks.on([PATIENT, *((kind, str(number)) for number in range(5000))]):
        assert len(locks._locks) <= 257
    database.close()


def test_a_lock_that_nobody_wants_is_forgotten(ledger_url: str) -> None:
    database = Database(ledger_url)
    locks = Locks(database)
    for number in range(100):
        with locks.on([("Patient", str(number))]):
            pass
    assert len(locks._locks) == 0
    database.close()


def test_as_many_workers_as_there_may_be_hold_locks_and_write(ledger_postgres: Postgres) -> None:
    """Each holds a connection with its locks until the FHIR server has answered."""
    database = Database(emptied(ledger_postgres.sqlalchemy_url()))
    locks = Locks(database)
    with ExitStack() as held:
        for number in range(64):
            held.enter_context(locks.on([("Patient", str(number))]))
        with database.write() as db:
            assert db.execute(text("SELECT 1")).scalar_one() == 1
    database.close()
