"""The delivery: whoever writes late, for whatever reason, does not undo what is newer."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from mapper.errors import LedgerFailed, MapperError, SinkBusy, StaleVersion
from mapper.fhir.ids import resource_id
from mapper.fhir.resource import Key
from mapper.ledger import advisory
from mapper.ledger.database import Database
from mapper.ledger.locks import Lock, Locks
from mapper.ledger.studies import LEASE, LONGEST_BACKOFF
from stack import Postgres
from tests.conftest import emptied
from tests.support.fakes import SITE, World, study_key

OLD, NEW = "1.2.1", "1.2.2"
PATIENT = ("Patient", resource_id(SITE.namespace, "Patient", f"{SITE.base}/patient", "P1"))


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    yield world
    world.database.close()


def store(world: World, study_uid: str, name: str, date: str = "") -> None:
    """Store a study whose patient has this name, and mark it; OLD is older than NEW."""
    world.source.store(study_uid, PatientName=name, StudyDate=date or {OLD: "20200101", NEW: "20240101"}[study_uid])
    world.mark(study_uid)


def name_of(world: World) -> str:
    """Return the name that the server has of the patient."""
    return str(world.sink.now(PATIENT)["name"][0]["family"])


def end_locks(world: World) -> None:
    """End the database's sessions that hold locks."""
    question = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    with world.database.engine.connect() as db:
        assert any(db.execute(question).scalars()), "nobody held a lock"


class Gateway:
    """Keeps the next write of a sink and says that it took too long; `deliver` hands it on later."""

    def __init__(self, world: World) -> None:
        self.put = world.sink.put
        self.kept: list[Any] = []
        world.sink.put = self.keep  # type: ignore[method-assign]
        self.world = world

    def keep(self, resources: Any, expected: Any = None) -> Any:
        self.world.sink.put = self.put  # type: ignore[method-assign]
        self.kept.append((list(resources), dict(expected or {})))
        raise SinkBusy("did not answer in time")

    def deliver(self) -> None:
        """Hand the write on; the one who sent it no longer listens."""
        ((resources, expected),) = self.kept
        with suppress(MapperError):
            self.put(resources, expected)


@pytest.mark.parametrize("known", [False, True], ids=["first", "later"])
def test_a_write_that_arrives_after_a_newer_one_is_refused(world: World, known: bool) -> None:
    if known:
        store(world, OLD, "Known")
        world.work()
    store(world, OLD, "Late")
    gateway = Gateway(world)
    world.work()
    store(world, OLD, "Newer")
    world.work()
    before = world.sink.versions()
    gateway.deliver()
    assert (name_of(world), world.sink.versions()) == ("Newer", before)


def test_a_write_that_arrives_after_another_study_has_spoken_is_refused(world: World) -> None:
    store(world, OLD, "Known")
    world.work()
    store(world, OLD, "Late")
    gateway = Gateway(world)
    world.work()
    store(world, NEW, "Newer")
    world.work()
    gateway.deliver()
    assert name_of(world) == "Newer"
    world.clock.forward(LONGEST_BACKOFF)
    world.work()
    assert name_of(world) == "Newer"


def test_a_write_that_arrives_before_the_next_one_is_written_over(world: World) -> None:
    store(world, OLD, "Known")
    world.work()
    store(world, OLD, "Late")
    gateway = Gateway(world)
    world.work()
    gateway.deliver()
    store(world, NEW, "Newer")
    world.work()
    assert name_of(world) == "Newer"
    assert world.state(NEW) == "synced"


def test_who_lost_the_locks_and_comes_too_late_writes_nothing(ledger_postgres: Postgres) -> None:
    """The database of the ledger is killed while a study is under way: another replica takes its locks."""
    world = World(emptied(ledger_postgres.sqlalchemy_url()))
    store(world, OLD, "Known")
    world.work()
    put, refused = world.sink.put, []

    def meanwhile(resources: Any, expected: Any = None) -> Any:
        world.sink.put = put  # type: ignore[method-assign]
        end_locks(world)
        store(world, NEW, "Newer")
        assert world.new_worker().turn()
        assert name_of(world) == "Newer"
        try:
            return put(resources, expected)
        except StaleVersion as stale:
            refused.append(stale)
            raise

    store(world, OLD, "Late")
    world.sink.put = meanwhile  # type: ignore[method-assign]
    assert world.worker.turn()
    assert refused
    assert name_of(world) == "Newer"
    world.clock.forward(LEASE + LONGEST_BACKOFF)
    world.work()
    assert name_of(world) == "Newer"
    assert world.ledger.rows.counts()["synced"] == 2
    world.database.close()


def test_who_lost_the_locks_and_comes_in_time_is_done(ledger_postgres: Postgres) -> None:
    """A write that takes longer than locks may be held is not done twice for that."""
    world = World(emptied(ledger_postgres.sqlalchemy_url()))
    put = world.sink.put

    def slow(resources: Any, expected: Any = None) -> Any:
        end_locks(world)
        return put(resources, expected)

    store(world, OLD, "Known")
    world.sink.put = slow  # type: ignore[method-assign]
    assert world.worker.turn()
    assert (world.state(OLD), name_of(world), len(world.sink.puts)) == ("synced", "Known", 1)
    world.sink.put = put  # type: ignore[method-assign]
    store(world, NEW, "Newer")
    assert world.worker.turn(), "the next one takes its locks on a connection that lives"
    assert name_of(world) == "Newer"
    world.database.close()


def test_locks_of_a_process_that_froze_end_with_its_lease(ledger_postgres: Postgres, monkeypatch: Any) -> None:
    monkeypatch.setattr(advisory, "LOCKED_AT_MOST", "1s")
    here = Database(emptied(ledger_postgres.sqlalchemy_url()))
    there = Database(ledger_postgres.sqlalchemy_url())
    with here.locked([1]) as (verify, _):
        verify()
        with there.locked([1]), pytest.raises(LedgerFailed):  # waits until the first session was idle for too long
            verify()
    here.close()
    there.close()


class Waited:
    """Locks that others held when a study came: they wrote what is shared before it got them."""

    def __init__(self, locks: Locks, others: Callable[[], object]) -> None:
        self._locks, self._others = locks, others

    @contextmanager
    def on(self, keys: Iterable[Key]) -> Iterator[Lock]:
        wanted, others = list(keys), self._others
        self._others = lambda: None
        others()
        with self._locks.on(wanted) as lock:
            yield lock


def test_who_waited_for_what_is_written_by_now_keeps_nobody_waiting(world: World) -> None:
    """Else many studies of one device are written one after the other at a start, each as slowly as the sink is."""
    worker, put = world.worker, world.sink.put
    locks, free = worker.delivery.locks, list[bool]()

    def patient_is_free() -> bool:
        taken = threading.Event()

        def take() -> None:
            with locks.on([PATIENT]):
                taken.set()

        threading.Thread(target=take, daemon=True).start()
        return taken.wait(20.0)

    def watched(resources: Any, expected: Any = None) -> Any:
        free.append(patient_is_free())
        return put(resources, expected)

    def others() -> None:
        store(world, NEW, "Known")
        assert worker.turn()
        world.sink.put = watched  # type: ignore[method-assign]

    store(world, OLD, "Known")
    worker.delivery = replace(worker.delivery, locks=Waited(locks, others))  # type: ignore[arg-type]
    assert worker.turn()
    assert free == [True]
    assert (world.state(OLD), world.state(NEW)) == ("synced", "synced")


def test_a_server_that_refuses_to_expect_nothing_gets_the_first_write_without_a_version(world: World) -> None:
    """RFC 9110 section 13.1.1: If-Match is false where there is nothing, whatever version it names."""
    put, refused = world.sink.put, []

    def strict(resources: Any, expected: Any = None) -> Any:
        sent = list(resources)
        for key in ((one["resourceType"], one["id"]) for one in sent):
            if key in (expected or {}) and key not in world.sink.held:
                refused.append(key)
                raise StaleVersion("nothing is here")
        return put(sent, expected)

    world.sink.put = strict  # type: ignore[method-assign]
    store(world, OLD, "Known")
    world.work()
    assert refused
    assert (world.state(OLD), name_of(world)) == ("synced", "Known")


def test_a_study_that_comes_back_while_its_removal_sleeps_stays_available(world: World) -> None:
    store(world, OLD, "Known")
    world.work()
    world.source.delete(OLD)
    world.mark(OLD)
    retract = world.sink.retract

    def asleep(key: Any, *rest: Any) -> None:
        world.sink.retract = retract  # type: ignore[method-assign]
        world.clock.forward(LEASE + 1)
        world.source.store(OLD, PatientName="Back", StudyDate="20200101")
        assert world.new_worker().turn()
        retract(key, *rest)

    world.sink.retract = asleep  # type: ignore[method-assign]
    before = len(world.sink.held[study_key(OLD)])
    assert world.worker.turn()
    assert world.sink.available() == [OLD]
    assert len(world.sink.held[study_key(OLD)]) == before
    assert world.state(OLD) == "synced"
