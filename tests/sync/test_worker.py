"""The worker: every failure has its fate, a crash anywhere loses nothing, a lost lease changes nothing."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from mapper.errors import (
    BadMetadata,
    BadUID,
    BundleRejected,
    ExistsTwice,
    MapperError,
    NotOneStudy,
    SinkBusy,
    SinkDown,
    SinkRefused,
    SourceBusy,
    SourceChanged,
    SourceDown,
    StaleVersion,
    TargetMissing,
    TooLarge,
    TwoPatients,
)
from mapper.ledger.schema import seen, study, written
from mapper.ledger.studies import ATTEMPTS, LEASE, LONGEST_BACKOFF
from mapper.metrics import Metrics
from mapper.sync.breaker import FIRST_WAIT
from mapper.sync.sweep import sweep
from mapper.sync.worker import Worker
from tests.support.fakes import FakeSink, FakeSource, World, plain_mapping, study_key

A, B = "1.2.1", "1.2.2"
SECRET = "SECRET^PATIENT"


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    yield world
    world.database.close()


def raw(world: World, study_uid: str = A) -> Any:
    with world.ledger.database.read() as db:
        return db.execute(select(study).where(study.c.study_uid == study_uid)).one()


def contents(world: World) -> list[Any]:
    """Return every row that says what was seen, written and done."""
    with world.ledger.database.read() as db:
        return [sorted(map(tuple, db.execute(select(table)).all()), key=str) for table in (study, seen, written)]


# -- where x error -> fate -----------------------------------------------------------------------

# error: state, an attempt is burnt, which side is down
FATES: dict[str, tuple[str, MapperError, str, bool, str]] = {
    f"{where}: {type(error).__name__}": (where, error, state, burnt, down)
    for where, error, state, burnt, down in [
        ("read", SourceDown("no answer"), "retrying", False, "source"),
        ("read", SourceBusy("HTTP 500"), "retrying", True, ""),
        ("read", SourceChanged("moved"), "retrying", True, ""),
        ("read", TwoPatients("see a, b"), "parked", True, ""),
        ("read", NotOneStudy("nothing"), "parked", True, ""),
        ("read", BadMetadata("no JSON"), "parked", True, ""),
        ("read", BadUID("none"), "parked", True, ""),
        ("put", SinkBusy("HTTP 409"), "retrying", True, ""),
        ("put", SinkDown("no answer"), "retrying", False, "sink"),
        ("put", SinkRefused("HTTP 401"), "retrying", False, "sink"),
        ("put", TargetMissing("a Patient"), "retrying", True, ""),
        ("put", TooLarge("HTTP 413"), "retrying", True, ""),
        ("put", BundleRejected("HTTP 422"), "parked", True, ""),
        ("put", ExistsTwice("HTTP 412"), "parked", True, ""),
    ]
}


@pytest.mark.parametrize(("where", "error", "state", "burnt", "down"), FATES.values(), ids=FATES)
def test_every_failure_has_its_fate(
    world: World, where: str, error: MapperError, state: str, burnt: bool, down: str
) -> None:
    world.source.store(A)
    world.mark(A)
    (world.source if where == "read" else world.sink).failures.append(error)  # type: ignore[arg-type]
    assert world.worker.turn()
    assert (world.state(A), world.reason(A)) == (state, str(error))
    assert raw(world).attempts == (1 if burnt else 0)
    assert bool(world.worker.breakers["orthanc"].reason) == (down == "source")
    assert bool(world.worker.sink_breaker.reason) == (down == "sink")
    assert raw(world).owner == ""
    if state == "parked":
        world.clock.forward(10 * LONGEST_BACKOFF)
        assert world.work() == 0, "what is parked waits for a person or a change"
        assert world.ledger.studies.retry() == 1
    else:
        world.worker = world.new_worker()
        world.clock.forward(LONGEST_BACKOFF)
    assert world.work() == 1
    assert world.state(A) == "synced"


def test_the_table_of_fates_is_that_of_the_errors() -> None:
    for _, error, state, burnt, down in FATES.values():
        assert error.fate == ("park" if state == "parked" else "retry")
        assert error.outage == bool(down) == (not burnt)
        assert not down or error.side == down


class Unplugged(MapperError):
    """An outage whose name says nothing of its side."""

    fate = "retry"
    outage = True


@pytest.mark.parametrize("side", ["source", "sink"])
@pytest.mark.parametrize("where", ["read", "put"])
def test_the_breaker_of_the_failures_side_opens_whatever_it_is_called_and_wherever_it_is_met(
    world: World, side: str, where: str
) -> None:
    error = type("SourceOrSink", (Unplugged,), {"side": side})("no answer")
    world.source.store(A)
    world.mark(A)
    (world.source if where == "read" else world.sink).failures.append(error)
    assert world.worker.turn()
    assert (world.state(A), raw(world).attempts) == ("retrying", 0)
    assert bool(world.worker.breakers["orthanc"].reason) == (side == "source")
    assert bool(world.worker.sink_breaker.reason) == (side == "sink")


def test_retry_after_is_honoured(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    busy = SinkBusy("HTTP 429")
    busy.retry_after = 250.0
    world.sink.failures.append(busy)
    world.work()
    world.clock.forward(249)
    assert world.work() == 0
    world.clock.forward(1)
    assert world.work() == 1


def test_a_bad_study_never_stops_the_others(world: World) -> None:
    uids = [f"1.3.{number}" for number in range(1, 11)]
    for study_uid in uids:
        world.source.store(study_uid)
    world.mark(*uids)
    world.source.failures = [BadMetadata("no JSON"), RuntimeError(SECRET), TwoPatients("two"), SourceBusy("HTTP 500")]
    world.work()
    counts = world.ledger.rows.counts()
    assert (counts["parked"], counts["retrying"], counts["synced"]) == (3, 1, 6)


# -- outages -------------------------------------------------------------------------------------


def test_while_a_source_is_down_its_studies_wait_and_others_do_not(ledger_url: str) -> None:
    here, there = FakeSource("here"), FakeSource("there")
    world = World(ledger_url, here, there)
    here.store(A)
    there.store(B)
    here.down = SourceDown("no answer")
    world.mark(A, source="here")
    world.mark(B, source="there")
    world.work()
    assert (world.state(A), world.state(B)) == ("pending", "synced")
    assert world.worker.sink_breaker.reason == ""
    world.clock.forward(LONGEST_BACKOFF)
    assert world.work() == 0, "nobody works for a side that is down"
    here.down = None
    world.worker.breakers["here"]._next = 0.0
    assert world.work() == 1
    assert world.state(A) == "synced"
    world.database.close()


def test_while_the_sink_is_down_nothing_is_read_and_no_attempt_is_burnt(world: World) -> None:
    uids = [f"1.3.{number}" for number in range(1, 4)]
    for study_uid in uids:
        world.source.store(study_uid)
    world.mark(*uids)
    world.sink.down = SinkDown("no answer")
    for _ in range(3 * ATTEMPTS):
        world.work()
        world.clock.forward(LONGEST_BACKOFF)
    assert world.source.reads == []
    assert [raw(world, uid).attempts for uid in uids] == [0, 0, 0]
    world.sink.down = None
    world.worker.sink_breaker._next = 0.0
    world.work()
    assert world.ledger.rows.counts()["synced"] == 3


def test_an_outage_that_comes_and_goes_never_parks(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    for _ in range(3 * ATTEMPTS):
        world.worker = world.new_worker()
        world.sink.failures.append(SinkDown("no answer"))
        assert world.worker.turn()
        world.clock.forward(LONGEST_BACKOFF)
    assert (world.state(A), raw(world).attempts) == ("retrying", 0)


def test_eight_attempts_then_parked(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    world.sink.failures = [SinkBusy("HTTP 409") for _ in range(ATTEMPTS)]
    for _ in range(ATTEMPTS):
        assert world.worker.turn()
        world.clock.forward(LONGEST_BACKOFF)
    assert world.state(A) == "parked"
    assert "HTTP 409" in world.reason(A)
    assert world.work() == 0


# -- what nobody expected ------------------------------------------------------------------------


class Broken(FakeSource):
    """A source with a bug."""

    def read(self, study_uid: str, known_ids: list[str]) -> Any:
        return {}[SECRET]  # type: ignore[index]


def bug_in_mapping(reading: Any, source: Any) -> Any:
    raise ZeroDivisionError(SECRET)


class BrokenSink(FakeSink):
    """A sink with a bug."""

    def put(self, resources: Any, expected: Any = None) -> Any:
        raise AttributeError(SECRET)

    def retract(self, key: Any, policy: str, confirm: Any = None) -> None:
        raise AttributeError(SECRET)


@pytest.mark.parametrize(
    ("where", "name"), [("read", "KeyError"), ("map", "ZeroDivisionError"), ("put", "AttributeError")]
)
def test_an_unexpected_exception_parks_under_its_name_and_place_without_its_text(
    ledger_url: str, where: str, name: str
) -> None:
    world = World(ledger_url, Broken() if where == "read" else FakeSource())
    world.source.store(A)
    changes: dict[str, Any] = {"map": {"mapping": bug_in_mapping}, "put": {"sink": BrokenSink()}}.get(where, {})
    world.worker = world.new_worker(**changes)
    world.mark(A)
    with capture_logs() as log:
        world.work()
    assert world.state(A) == "parked"
    assert re.fullmatch(rf"unexpected {name} in tests\.sync\.test_worker:\d+", world.reason(A))
    assert SECRET not in str(log) + world.reason(A)
    world.database.close()


def test_an_unexpected_exception_while_retracting_parks_too(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    world.work()
    world.source.delete(A)
    world.mark(A)
    broken = BrokenSink()
    broken.held = world.sink.held
    world.worker = world.new_worker(sink=broken)
    world.work()
    assert world.state(A) == "parked"
    assert "unexpected AttributeError in " in world.reason(A)
    assert SECRET not in world.reason(A)


def test_a_ledger_that_stumbles_parks_nobody(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    leave = world.ledger.written.record
    calls: list[Any] = []

    def stumble(*given: Any, **named: Any) -> None:
        calls.append(given)
        if len(calls) == 1:
            with world.database.write():
                raise OperationalError("statement with " + SECRET, {}, Exception("database is locked"))
        leave(*given, **named)

    world.ledger.written.record = stumble  # type: ignore[method-assign]
    with capture_logs() as log:
        world.work()
    assert world.state(A) == "retrying"
    assert SECRET not in str(log) + world.reason(A)
    world.clock.forward(LONGEST_BACKOFF)
    world.work()
    assert world.state(A) == "synced"


@pytest.mark.parametrize(
    ("error", "level"),
    [(BundleRejected("HTTP 422"), "warning"), (SinkBusy("HTTP 502"), "info"), (None, "info")],
    ids=["parked", "retrying", "synced"],
)
def test_what_a_person_has_to_look_at_is_logged_as_a_warning(
    world: World, error: MapperError | None, level: str
) -> None:
    world.source.store(A)
    world.sink.failures += [error] if error else []
    world.mark(A)
    with capture_logs() as log:
        world.worker.turn()
    assert [line["log_level"] for line in log if line["event"] == "study"] == [level]


def test_one_log_line_a_study_a_turn(world: World) -> None:
    world.source.store(A, PatientBirthDate="not a date")
    world.mark(A)
    with capture_logs() as log:
        world.work()
    (line,) = [line for line in log if line["event"] == "study"]
    assert (line["study"], line["fate"], line["reason"]) == (A, "synced", "")
    assert line["problems"] >= 1
    assert line["ms"] >= 0
    row = world.ledger.rows.find(A)
    assert row is not None
    assert "PatientBirthDate" in " ".join(problem.attribute for problem in row.problems)


class Told(Metrics):
    """Writes down which stages it is told of."""

    def __init__(self, stages: list[str]) -> None:
        self.stages = stages

    def stage(self, name: str, seconds: float) -> None:
        self.stages.append(name)


def test_each_stage_is_timed(world: World) -> None:
    told: list[str] = []
    world.worker = world.new_worker(metrics=Told(told))
    world.source.store(A)
    world.mark(A)
    world.work()
    assert told == ["read", "map", "check", "put", "study"]


# -- the study changes meanwhile -----------------------------------------------------------------


def test_a_study_that_changes_while_it_is_read_is_read_again(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    world.source.while_reading = lambda: world.source.store(A, instance="2")
    world.work()
    assert world.state(A) == "retrying"
    world.clock.forward(LONGEST_BACKOFF)
    world.work()
    assert world.sink.now(study_key(A))["numberOfInstances"] == 2


def test_a_change_that_is_marked_while_the_study_is_written_is_written_too(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    put = world.sink.put

    def meanwhile(resources: Any, expected: Any = None) -> Any:
        world.sink.put = put  # type: ignore[method-assign]
        world.source.store(A, instance="2")
        sweep(world.ledger, world.source)
        return put(resources, expected)

    world.sink.put = meanwhile  # type: ignore[method-assign]
    assert world.work() == 2
    assert world.sink.now(study_key(A))["numberOfInstances"] == 2
    sweep(world.ledger, world.source)
    assert world.work() == 0, "the sweep and the worker agree on what was seen"


def test_two_patients_are_parked_until_one_of_them_goes(world: World) -> None:
    world.source.store(A, "P1")
    world.source.store(A, "P2")
    sweep(world.ledger, world.source)
    world.work()
    assert world.state(A) == "parked"
    world.source.delete(A, "P1")
    sweep(world.ledger, world.source)
    world.work()
    assert world.state(A) == "synced"


MET: dict[str, Callable[[World], object]] = {  # how the mapper comes to know of the second patient
    "a sweep": lambda world: sweep(world.ledger, world.source),
    "a ring, before any sweep saw either": lambda world: world.mark(A),
    "a ring, between two sweeps": lambda world: world.mark(A),
    "a ring, while it still receives": lambda world: world.mark(A),
}
CHANGES: dict[str, Callable[[World], object]] = {  # what a person or the PACS does next -> it is tried again, once
    "an instance came": lambda world: world.source.store(A, "P1", "2"),
    "one of the two went": lambda world: world.source.delete(A, "P2"),
    "a third patient": lambda world: world.source.store(A, "P3"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("met", MET)
def test_two_patients_park_a_study_at_the_first_read_and_until_it_changes(
    world: World, met: str, change: Callable[[World], object]
) -> None:
    world.source.store(A, "P1")
    if "between" in met:
        sweep(world.ledger, world.source)
        world.work()
        world.source.store(A, "P1", "0")
    world.source.store(A, "P2", stable="receives" not in met)
    world.source.reads.clear()
    MET[met](world)
    world.work()
    if "receives" in met:
        world.source.settle(A, "P2")
    for _ in range(2):
        sweep(world.ledger, world.source)
        world.work()
    assert (world.state(A), world.source.reads) == ("parked", [A])

    change(world)
    for _ in range(2):
        sweep(world.ledger, world.source)
        world.work()
    assert world.source.reads == [A, A]
    assert world.state(A) == ("synced" if len(world.source.held) == 1 else "parked")


def test_a_twin_that_goes_before_any_sweep_saw_it_leaves_no_study_parked(world: World) -> None:
    world.source.store(A, patient="P1")
    sweep(world.ledger, world.source)
    world.work()
    world.source.store(A, patient="P2")
    world.mark(A)
    world.work()
    assert world.state(A) == "parked"
    world.source.delete(A, patient="P2")
    sweep(world.ledger, world.source)
    world.work()
    assert world.state(A) == "synced"


def test_a_study_whose_uid_is_none_is_parked_by_the_sources_id_corrected_or_removed(world: World) -> None:
    held = [world.source.store(uid, patient) for uid, patient in ((f"{A}/../x", "P1"), (f"{A}?x", "P2"))]
    sweep(world.ledger, world.source)
    world.work()
    assert [world.state(one.id) for one in held] == ["parked", "parked"]
    assert all(one.id in world.reason(one.id) for one in held)
    assert world.sink.held == {}

    del world.source.held[held[0].id]  # corrected: it is another study now
    world.source.store(A)
    del world.source.held[held[1].id]
    sweep(world.ledger, world.source)
    world.work()
    assert [world.state(one.id) for one in held] == ["removed", "removed"]
    assert world.sink.available() == [A]


def test_a_parked_study_that_goes_before_any_sweep_saw_it_is_removed(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    world.source.failures.append(BadMetadata("no JSON"))
    world.work()
    assert world.state(A) == "parked"
    world.source.delete(A)
    sweep(world.ledger, world.source)
    world.work()
    assert world.state(A) == "removed"


def test_somebody_who_edits_our_study_in_fhir_is_overwritten(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    world.work()
    world.sink._write(study_key(A), {**world.sink.now(study_key(A)), "status": "cancelled"})
    world.mark(A)
    world.work()
    assert world.state(A) == "synced"
    assert world.sink.available() == [A]


def test_somebody_who_edits_without_end_lets_us_try_again(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    world.work()

    def always(resources: Any, expected: Any = None) -> Any:
        raise StaleVersion("another version")

    put, world.sink.put = world.sink.put, always  # type: ignore[method-assign]
    world.mark(A)
    world.work()
    assert world.state(A) == "retrying"
    world.sink.put = put  # type: ignore[method-assign]
    world.clock.forward(LONGEST_BACKOFF)
    world.work()
    assert world.state(A) == "synced"


# -- a lease that is lost ------------------------------------------------------------------------


def overtaken(world: World) -> None:
    """Let another worker take the study over and finish it, with one more instance."""
    world.clock.forward(LEASE + 1)
    world.source.store(A, instance="2")
    assert world.new_worker().turn()


def test_who_wakes_up_after_the_read_writes_nothing(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    after: list[Any] = []

    def paused(reading: Any, source: Any) -> Any:
        mapped = plain_mapping(reading, source)
        overtaken(world)
        after.append((contents(world), world.sink.versions()))
        return mapped

    world.worker = world.new_worker(mapping=paused)
    with capture_logs() as log:
        assert world.worker.turn()
    assert [(contents(world), world.sink.versions())] == after
    assert world.sink.now(study_key(A))["numberOfInstances"] == 2
    assert log[-1]["fate"] == "lost"


def test_who_wakes_up_after_the_write_undoes_nothing_in_the_end(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    put = world.sink.put

    def paused(resources: Any, expected: Any = None) -> Any:
        world.sink.put = put  # type: ignore[method-assign]
        sent = list(resources)
        overtaken(world)
        return put(sent, expected)

    world.sink.put = paused  # type: ignore[method-assign]
    assert world.worker.turn()
    world.clock.forward(LONGEST_BACKOFF)
    world.work()
    assert world.sink.now(study_key(A))["numberOfInstances"] == 2
    assert world.state(A) == "synced"


def test_an_unknown_outcome_after_the_lease_ran_out_is_synced_once_more(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    put = world.sink.put

    def late(resources: Any, expected: Any = None) -> Any:
        world.sink.put = put  # type: ignore[method-assign]
        sent = list(resources)
        overtaken(world)
        put(sent, expected)
        raise SinkBusy("did not answer in time")

    world.sink.put = late  # type: ignore[method-assign]
    assert world.worker.turn()
    world.clock.forward(LONGEST_BACKOFF)
    world.work()
    assert world.sink.now(study_key(A))["numberOfInstances"] == 2
    assert world.state(A) == "synced"


def test_a_gateway_that_speaks_for_a_dead_server_burns_no_attempt(world: World) -> None:
    world.source.store(A)
    world.mark(A)
    world.sink.failures.append(SinkBusy("HTTP 502"))
    world.sink.probe = lambda: (_ for _ in ()).throw(SinkBusy("HTTP 502"))  # type: ignore[method-assign]
    assert world.worker.turn()
    assert (world.state(A), raw(world).attempts) == ("retrying", 0)
    assert "HTTP 502" in world.worker.sink_breaker.reason


def test_who_fails_late_does_not_touch_the_success_of_another(world: World) -> None:
    world.source.store(A)
    world.mark(A)

    def paused(reading: Any, source: Any) -> Any:
        overtaken(world)
        raise BadMetadata("no JSON")

    world.worker = world.new_worker(mapping=paused)
    assert world.worker.turn()
    assert world.state(A) == "synced"


# -- crashes -------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process ends here: no `except Exception` sees it."""


def crashing(after: Any = None, before: Any = None) -> Any:
    """Return a call that ends the process before or after what it wraps."""

    def call(*given: Any, **named: Any) -> Any:
        if before:
            raise Crash
        after(*given, **named)
        raise Crash

    return call


def until_idle(worker: Worker) -> None:
    """Sync what is due."""
    while worker.turn():
        pass


def dying_after(owner: Any, name: str) -> None:
    """Let the process end when this method is done."""
    setattr(owner, name, crashing(getattr(owner, name)))


CRASHES: dict[str, Any] = {
    "before the read": lambda world, worker: setattr(world.source, "read", crashing(before=True)),
    "after the read": lambda world, worker: setattr(world.source, "read", crashing(world.source.read)),
    "before the put": lambda world, worker: setattr(world.sink, "put", crashing(before=True)),
    "after the put": lambda world, worker: setattr(world.sink, "put", crashing(world.sink.put)),
    "before the record": lambda world, worker: setattr(world.ledger.written, "record", crashing(before=True)),
    "after the record": lambda world, worker: dying_after(world.ledger.written, "record"),
    "before the retraction": lambda world, worker: setattr(world.sink, "retract", crashing(before=True)),
    "after the retraction": lambda world, worker: setattr(world.sink, "retract", crashing(world.sink.retract)),
    "before it leaves": lambda world, worker: setattr(world.ledger.written, "leave", crashing(before=True)),
    "after it left": lambda world, worker: dying_after(world.ledger.written, "leave"),
    "before the end": lambda world, worker: setattr(worker, "end", crashing(before=True)),
    "after the end, before it is stored": lambda world, worker: dying_after(worker, "end"),
    "after the ledger": lambda world, worker: (dying_after(worker, "sync"), dying_after(worker, "retract")),
}
KINDS = ("a new study", "a changed study", "a removed study")
NEVER = {
    ("a new study", "retraction"),
    ("a changed study", "retraction"),
    ("a new study", "leave"),
    ("a changed study", "leave"),
    ("a removed study", "put"),
    ("a removed study", "record"),
    ("a removed study", "after the read"),
}


def reaches(kind: str, where: str) -> bool:
    """Tell whether this kind of work comes to that place at all."""
    words = where.replace("left", "leave").replace("leaves", "leave")
    return not any(kind == one and part in words for one, part in NEVER)


@pytest.mark.parametrize(
    ("kind", "where"), [(kind, where) for kind in KINDS for where in CRASHES if reaches(kind, where)]
)
def test_a_crash_anywhere_loses_nothing(world: World, kind: str, where: str) -> None:
    world.source.store(A, StudyDate="20240101", PatientName="New^Name")
    world.source.store(B, StudyDate="20200101", PatientName="Old^Name")
    if kind != "a new study":
        sweep(world.ledger, world.source)
        world.work()
    if kind == "a changed study":
        world.source.store(A, instance="2", StudyDate="20240101", PatientName="Other^Name")
    if kind == "a removed study":
        world.source.delete(A)
    sweep(world.ledger, world.source)
    untouched = {name: getattr(world.source, name) for name in ("read",)}
    of_sink = {name: getattr(world.sink, name) for name in ("put", "retract")}
    of_ledger = {name: getattr(world.ledger.written, name) for name in ("record", "leave")}
    worker = world.new_worker()
    CRASHES[where](world, worker)
    with pytest.raises(Crash):
        until_idle(worker)
    for name, call in untouched.items():
        setattr(world.source, name, call)
    for name, call in of_ledger.items():
        setattr(world.ledger.written, name, call)
    for name, call in of_sink.items():
        setattr(world.sink, name, call)

    world.worker = world.new_worker()
    world.clock.forward(LEASE)
    world.work()
    held = sorted(one.study_uid for one in world.source.held.values())
    assert world.sink.available() == held
    assert world.state(A) == ("removed" if kind == "a removed study" else "synced")
    newest = max(world.source.held.values(), key=lambda one: one.study_uid == A).study_uid
    (patient,) = world.sink.keys("Patient")
    expected = plain_mapping(world.source.read(newest, []), world.source)
    assert world.sink.now(patient) == next(one for one in expected.resources if one["resourceType"] == "Patient")
    sweep(world.ledger, world.source)
    before = world.sink.versions()
    world.clock.forward(FIRST_WAIT)
    assert world.work() == 0
    assert world.sink.versions() == before


def test_studies_that_kill_the_process_end_parked_and_the_others_synced(world: World) -> None:
    world.source.store(A)
    world.source.store(B)
    world.mark(A, B)
    read = world.source.read

    def deadly(study_uid: str, known_ids: list[str]) -> Any:
        if study_uid == A:
            raise Crash
        return read(study_uid, known_ids)

    world.source.read = deadly  # type: ignore[method-assign]
    for _ in range(2 * ATTEMPTS):
        try:
            world.work()
        except Crash:
            world.worker = world.new_worker()
            world.clock.forward(LEASE)
    assert (world.state(A), world.state(B)) == ("parked", "synced")


@pytest.mark.parametrize("how", ["nothing was done", "it was sent", "it was recorded"])
def test_a_claim_that_a_power_cut_forgot_is_made_again(world: World, how: str) -> None:
    world.source.store(A)
    world.mark(A)
    before = raw(world)
    (claim,) = world.ledger.studies.claim(["orthanc"])
    if how == "it was sent":
        world.sink.cuts.append(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            world.worker.settle(claim)
    if how == "it was recorded":
        world.worker.settle(claim)
    with world.database.write() as db:
        db.execute(update(study).values(before._asdict()))
    assert world.ledger.studies.finish(claim) is False
    assert world.work() == 1
    assert world.state(A) == "synced"
    assert set(world.sink.versions().values()) == {1}
    assert world.sink.available() == [A]
