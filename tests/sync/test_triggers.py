"""What marks studies dirty: the first sweep, /changes by a cursor, rings, and what happens when the source is down."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from mapper.errors import SinkDown, SourceDown
from mapper.ledger.outcome import Sync
from mapper.ledger.schema import study
from mapper.ledger.studies import LEASE
from mapper.sources.source import Sighting
from mapper.sync import threads as module
from mapper.sync.threads import ALIVE_FOR, Threads, somebody_works
from mapper.sync.triggers import RESTS, SWEEP, SWEEP_AFTER_RING, Bell, Triggers
from tests.support.fakes import Clock, World

A, B = "1.2.1", "1.2.2"


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    yield world
    world.database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


@pytest.fixture
def triggers(world: World, clock: Clock) -> Triggers:
    return Triggers(world.source, world.ledger, clock=clock)


def marked(world: World) -> list[str]:
    claims = world.ledger.studies.claim([world.source.name], limit=1000)
    assert all(map(world.ledger.studies.finish, claims))
    return sorted(claim.study_uid for claim in claims)


def asked(world: World) -> float:
    """Return when somebody asks for a sweep: now, by the ledger's clock."""
    world.clock.forward(1)
    return world.clock()


def test_the_first_turn_sweeps(world: World, triggers: Triggers) -> None:
    world.source.store(A)
    assert triggers.turn()
    assert marked(world) == [A]
    assert triggers.last is not None
    assert triggers.last.listed == 1
    assert not triggers.turn(), "the next sweep is due later"
    assert marked(world) == []


def test_an_archive_that_takes_long_to_list_is_left_alone_for_longer(
    world: World, triggers: Triggers, clock: Clock
) -> None:
    listing, took = world.source.listing, 2 * SWEEP

    def slow() -> Iterator[Sighting]:
        clock.forward(took)
        return listing()

    world.source.listing = slow  # type: ignore[method-assign]
    assert triggers.turn()
    clock.forward(RESTS * took - 1)
    assert not triggers.turn()
    clock.forward(1)
    assert triggers.turn()


def test_what_becomes_stable_is_marked_by_the_change_log(world: World, triggers: Triggers) -> None:
    triggers.turn()
    world.source.store(A)
    world.source.store(B, stable=False)
    assert not triggers.turn()
    assert marked(world) == [A]
    world.source.settle(B)
    assert not triggers.turn()
    assert marked(world) == [B]
    assert not triggers.turn()
    assert marked(world) == [], "no change is followed twice"


def test_a_change_log_that_begins_anew_asks_for_a_sweep(world: World, triggers: Triggers) -> None:
    for number in range(5):
        world.source.store(A, instance=str(number))
    triggers.turn()
    marked(world)
    world.source.start_anew()
    world.source.store(B)
    assert triggers.turn(), "a sweep"
    assert marked(world) == [A, B], "what went, and what came"
    world.source.store(B, instance="2")
    assert not triggers.turn()
    assert marked(world) == [B], "the cursor follows the new log"


def test_it_sweeps_again_when_it_is_time_or_asked(world: World, triggers: Triggers, clock: Clock) -> None:
    triggers.turn()
    clock.forward(SWEEP - 1)
    assert not triggers.turn()
    assert triggers.turn(sweep_asked=asked(world))
    clock.forward(SWEEP - 1)
    assert not triggers.turn()
    clock.forward(1)
    assert triggers.turn()


def test_rings_for_a_sweep_are_answered_once_each_and_not_more_often_than_that(
    world: World, triggers: Triggers, clock: Clock
) -> None:
    triggers.turn()
    ring = asked(world)
    assert not triggers.turn(sweep_asked=ring), "the first sweep was just made"
    clock.forward(SWEEP_AFTER_RING)
    assert triggers.turn(sweep_asked=ring)
    clock.forward(SWEEP_AFTER_RING)
    assert not triggers.turn(sweep_asked=ring), "that ring was answered"
    assert triggers.turn(sweep_asked=asked(world))


def test_a_deletion_is_found_by_the_sweep(world: World, triggers: Triggers, clock: Clock) -> None:
    world.source.store(A)
    triggers.turn()
    marked(world)
    world.source.delete(A)
    triggers.turn()
    assert marked(world) == []
    clock.forward(SWEEP_AFTER_RING)
    triggers.turn(sweep_asked=asked(world))
    assert marked(world) == [A]


def test_a_source_that_is_down_is_said_once_and_nothing_is_lost(world: World, triggers: Triggers) -> None:
    world.source.down = SourceDown("not there")
    with capture_logs() as log:
        for _ in range(3):
            assert not triggers.turn()
        assert triggers.down == "not there"
        world.source.store(A)
        world.source.down = None
        assert triggers.turn(), "the sweep that could not be made"
        triggers.turn()
    assert [line["event"] for line in log] == ["source down", "source back"]
    assert triggers.down == ""
    assert marked(world) == [A]


def test_what_changed_while_the_source_was_down_is_followed(world: World, triggers: Triggers) -> None:
    triggers.turn()
    world.source.down = SourceDown("not there")
    triggers.turn()
    world.source.store(A)
    world.source.down = None
    triggers.turn()
    assert marked(world) == [A]


def test_a_sweep_that_was_asked_for_while_the_source_is_down_is_made_when_it_is_back(
    world: World, triggers: Triggers
) -> None:
    world.source.store(A)
    triggers.turn()
    marked(world)
    world.source.delete(A)
    world.source.down = SourceDown("not there")
    triggers.turn(sweep_asked=asked(world))
    world.source.down = None
    triggers.turn()
    assert marked(world) == [A]


def test_many_rings_are_one(world: World) -> None:
    bell = Bell()
    for _ in range(3):
        bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0), "nothing is left of the rings"
    assert not bell.sweep_asked.is_set()
    bell.ring(sweep=True)
    assert bell.sweep_asked.is_set()


# -- the threads ---------------------------------------------------------------------------------


def until(true: object, seconds: float = 10.0) -> None:
    """Wait for something that must become true soon."""
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_the_threads_sync_what_a_ring_tells_them_and_stop_when_told(world: World) -> None:
    bell = Bell()
    threads = Threads(world.worker, [Triggers(world.source, world.ledger)], bell, workers=2)
    world.source.store(A)
    threads.start()
    try:
        until(lambda: world.ledger.rows.counts()["synced"] == 1)
        assert somebody_works(world.ledger)
        world.source.store(B)
        bell.ring()
        until(lambda: world.ledger.rows.counts()["synced"] == 2)
    finally:
        threads.stop()
    assert not somebody_works(world.ledger)
    assert world.sink.available() == [A, B]


def test_the_threads_forget_the_history_of_long_ago_and_nothing_younger(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, day = world.clock(), 24 * 3600.0
    for age in (0.0, 6.9, 7.1, 90.0, 4000.0):
        world.ledger.history.add(Sync("orthanc", A, 0.0, now - age * day, "synced", None, 1))
    monkeypatch.setattr(world.ledger.history, "at_once", 1)
    bell = Bell()
    threads = Threads(world.worker, [], bell, workers=0, days=7)
    threads.start()
    try:
        until(lambda: bool(bell.ring()) or len(world.ledger.history.of(A)) == 2)
    finally:
        threads.stop()
    assert [round((now - one.ended) / day, 1) for one in world.ledger.history.of(A)] == [0.0, 6.9]


class Held(Triggers):
    """Looks after a source without coming to an end, until a test lets it go."""

    def turn(self, *, sweep_asked: float = 0.0) -> bool:
        begun.set()
        go_on.wait(30)
        return False


begun, go_on = threading.Event(), threading.Event()


def test_however_long_a_sweep_takes_others_see_that_somebody_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SIGN", 0.01)
    begun.clear()
    go_on.clear()
    threads = Threads(world.worker, [Held(world.source, world.ledger)], Bell(), workers=1)
    threads.start()
    try:
        assert begun.wait(10)
        for _ in range(3):
            until(lambda: somebody_works(world.ledger))
            world.clock.forward(10 * ALIVE_FOR)
        until(lambda: somebody_works(world.ledger))
    finally:
        go_on.set()
        threads.stop()
    assert not somebody_works(world.ledger)


def test_a_lease_is_lengthened_while_its_study_is_synced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIGN", 0.01)
    monkeypatch.setattr(module, "LEASE", 0.0)
    world.mark(A)
    (claim,) = world.ledger.studies.claim(["orthanc"])
    world.worker.claims[claim.owner] = claim
    go_on.clear()
    threads = Threads(world.worker, [Held(world.source, world.ledger)], Bell(), workers=0)
    threads.start()
    try:
        world.clock.forward(LEASE - 1)
        until(lambda: lease(world) > world.clock() + LEASE / 2)
    finally:
        go_on.set()
        threads.stop()


def lease(world: World) -> float:
    """Return until when a study is somebody's."""
    with world.database.read() as db:
        return float(db.execute(select(study.c.lease_until)).scalar_one())


def test_a_thread_survives_what_nobody_expected(world: World) -> None:
    class Odd(Triggers):
        def turn(self, *, sweep_asked: float = 0.0) -> bool:
            seen.append(sweep_asked)
            if len(seen) == 1:
                raise RuntimeError("SECRET")
            return super().turn(sweep_asked=sweep_asked)

    seen: list[float] = []
    bell = Bell()
    threads = Threads(world.worker, [Odd(world.source, world.ledger)], bell, workers=1)
    world.source.store(A)
    with capture_logs() as log:
        threads.start()
        try:
            until(lambda: bool(bell.ring()) or world.ledger.rows.counts()["synced"] == 1)
        finally:
            threads.stop()
    assert any(line.get("error") == "RuntimeError" for line in log)
    assert "SECRET" not in str(log)


def test_what_fhir_offers_is_counted_again_until_it_is_what_the_pacs_holds(world: World) -> None:
    clock, counts = Clock(), [1, None, 2, 2, 2]
    asked = list[float]()

    def offered() -> int | None:
        asked.append(clock.now)
        return counts.pop(0)

    triggers = Triggers(world.source, world.ledger, offered=offered, clock=clock)
    world.source.store("1.2.1")
    world.source.store("1.2.2")
    began = clock.now
    for _ in range(8):
        triggers.turn()
        clock.forward(SWEEP)
    assert [round(at - began) for at in asked] == [0, 60, 120, 240, 360]
    found = world.ledger.sides.offered("orthanc")
    assert found is not None
    assert found.number == 2


def test_a_sink_that_cannot_be_counted_costs_no_sweep(world: World) -> None:
    def offered() -> int | None:
        raise SinkDown("no FHIR server answers")

    triggers = Triggers(world.source, world.ledger, offered=offered)
    assert triggers.turn()
    assert world.ledger.sides.offered("orthanc") is None
