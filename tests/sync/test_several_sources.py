"""One study in two archives: one ImagingStudy, the endpoints of both, and the archive that holds more speaks."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.errors import SinkBusy
from mapper.fhir.ids import resource_id
from mapper.ledger.claim import BY_HAND
from mapper.ledger.studies import LEASE, LONGEST_BACKOFF
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.site import Site
from mapper.sinks.sink import Key
from mapper.sources.source import Reading, Source
from mapper.sync.sweep import sweep
from tests.support.fakes import SITE, FakeSource, World, study_key

STUDY, OTHER = "1.2.1", "1.2.2"


def address_of(name: str) -> str:
    """Return where the studies of an archive are to be had."""
    return f"https://{name}.example.org/dicom-web"


def endpoint_of(name: str) -> Key:
    """Return the key of an archive's Endpoint."""
    return "Endpoint", resource_id(SITE.namespace, "Endpoint", "dicom-wado-rs", address_of(name))


def mapping_of(reading: Reading, source: Source) -> Mapped:
    """Map a study as it is to be had from its own archive."""
    return study_to_fhir(reading.study, Site(base=SITE.base, dicomweb=address_of(source.name)))


def two_archives(url: str) -> World:
    """Return two archives before one FHIR server."""
    world = World(url, FakeSource("here"), FakeSource("there"))
    world.worker = world.new_worker(mapping=mapping_of)
    return world


@pytest.fixture
def world(new_database: Any) -> Iterator[World]:
    world = two_archives(new_database())
    yield world
    world.database.close()


def store(world: World, source: FakeSource, study_uid: str = STUDY, instances: int = 1) -> None:
    """Store a study in one archive, described by its name, and mark it."""
    for number in range(instances):
        source.store(study_uid, instance=str(number), StudyDescription=source.name, StudyDate="20240517")
    world.mark(study_uid, source=source.name)


def assert_in_line(world: World) -> None:
    """Hold the sink to what both archives hold."""
    held = {(one.name, held.study_uid): held for one in world.sources for held in one.held.values()}
    assert world.sink.available() == sorted({uid for _, uid in held})
    for study_uid in world.sink.available():
        here = {name: one for (name, uid), one in held.items() if uid == study_uid}
        speaker = max(here, key=lambda name: (len(here[name].instances), name))
        said = world.sink.now(study_key(study_uid))
        assert said["description"] == speaker
        assert said["numberOfInstances"] == len(here[speaker].instances)
        endpoints = [("Endpoint", one["reference"].partition("/")[2]) for one in said["endpoint"]]
        assert {world.sink.now(key)["address"] for key in endpoints} == {address_of(name) for name in here}


@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
@pytest.mark.parametrize("more", [1, 2])
def test_both_endpoints_and_the_fuller_archive_speaks(world: World, more: int, turned: bool) -> None:
    here, there = reversed(world.sources) if turned else world.sources
    store(world, here)
    world.work()
    store(world, there, instances=more)
    world.work()
    assert_in_line(world)


def test_an_archive_that_loses_instances_hands_over(world: World) -> None:
    here, there = world.sources
    store(world, here, instances=3)
    store(world, there, instances=2)
    world.work()
    for instance in "12":
        here.delete_instance(STUDY, instance)
    world.mark(STUDY, source=here.name)
    world.work()
    assert_in_line(world)


def test_the_last_archive_that_loses_a_study_retracts_it(world: World) -> None:
    for source in world.sources:
        store(world, source)
    world.work()
    for source in world.sources:
        assert world.sink.available() == [STUDY]
        source.delete(STUDY)
        world.mark(STUDY, source=source.name)
        world.work()
        if source is world.sources[0]:
            assert_in_line(world)
    assert world.sink.available() == []


def test_another_patient_elsewhere_is_parked_and_what_is_stored_stays(world: World) -> None:
    here, there = world.sources
    store(world, here)
    world.work()
    before = world.sink.versions()
    there.store(STUDY, patient="P2")
    world.mark(STUDY, source="there")
    world.work()
    counts = world.ledger.rows.counts()
    assert (counts["synced"], counts["parked"]) == (1, 1)
    assert world.sink.versions() == before


def test_endpoints_that_the_server_lost_come_back(world: World) -> None:
    for source in world.sources:
        store(world, source)
    world.work()
    for source in world.sources:
        world.sink.lose(endpoint_of(source.name))
    sync_all(world)
    for _ in range(4):
        world.work()
        world.clock.forward(LONGEST_BACKOFF)
    assert_in_line(world)
    counts = world.ledger.rows.counts()
    assert counts["synced"] == sum(counts.values())


def test_an_archive_whose_first_write_failed_keeps_nobody_waiting(world: World) -> None:
    here, there = world.sources
    store(world, here)
    world.sink.failures.append(SinkBusy("busy"))
    world.work()
    store(world, there)
    world.work()
    assert world.sink.available() == [STUDY]
    world.clock.forward(LONGEST_BACKOFF)
    world.work()
    assert_in_line(world)


def test_one_study_that_two_archives_bring_at_one_moment_has_both_endpoints(world: World) -> None:
    for source in world.sources:
        store(world, source)
    inside, go_on = threading.Event(), threading.Event()
    put = world.sink.put

    def slow(resources: Any, expected: Any = None) -> Any:
        if not inside.is_set():
            inside.set()
            go_on.wait(1.0)
        return put(resources, expected)

    world.sink.put = slow  # type: ignore[method-assign]
    first = threading.Thread(target=world.worker.turn)
    first.start()
    assert inside.wait(10)
    second = threading.Thread(target=world.worker.turn)
    second.start()
    second.join(0.3)
    go_on.set()
    first.join()
    second.join()
    world.work()
    assert_in_line(world)


def sync_all(world: World) -> None:
    """Ask for everything anew, as a person does after a restore of the FHIR server."""
    for source in world.sources:
        world.ledger.studies.mark(source.name, [held.study_uid for held in source.held.values()], BY_HAND)


ARCHIVES = st.sampled_from([0, 1])
STUDIES = st.sampled_from([STUDY, OTHER])
OPS = st.one_of(
    st.tuples(st.just("store"), ARCHIVES, STUDIES, st.integers(0, 2)),
    st.tuples(st.just("delete"), ARCHIVES, STUDIES, st.none()),
    st.tuples(st.just("shrink"), ARCHIVES, STUDIES, st.integers(0, 2)),
    st.tuples(st.just("turn"), st.none(), st.none(), st.integers(1, 3)),
    st.tuples(st.just("sweep"), ARCHIVES, st.none(), st.none()),
    st.tuples(st.just("lose"), ARCHIVES, st.none(), st.none()),
    st.tuples(st.just("wait"), st.none(), st.none(), st.sampled_from([1.0, LEASE + 1])),
    st.tuples(st.just("fail"), st.none(), st.none(), st.sampled_from(["before", "after", "busy", "cut"])),
)


class Crash(BaseException):
    """The process ends here."""


def break_next(world: World, how: str) -> None:
    """Let the next write fail, before or after it was done."""
    if how in ("before", "busy"):
        world.sink.failures.append(Crash() if how == "before" else SinkBusy("busy"))
    else:
        world.sink.cuts.append(Crash() if how == "after" else SinkBusy("cut"))


def turn(world: World) -> None:
    """Sync one study; a process that ends is started again."""
    try:
        world.worker.turn()
    except Crash:
        world.worker = world.new_worker(mapping=mapping_of)


@given(history=st.lists(OPS, max_size=25))
def test_whatever_comes_and_goes_in_the_end_both_archives_are_told(history: list[Any], quick_folder: Any) -> None:
    world = two_archives(f"sqlite:///{quick_folder}/union-{id(history)}.db")
    try:
        for what, number, study_uid, detail in history:
            source = world.sources[number] if number is not None else world.source
            if what == "store":
                source.store(study_uid, instance=str(detail), StudyDescription=source.name, StudyDate="20240517")
            elif what == "delete" and f"P1/{study_uid}" in source.held:
                source.delete(study_uid)
            elif what == "shrink" and str(detail) in getattr(source.held.get(f"P1/{study_uid}"), "instances", ()):
                source.delete_instance(study_uid, str(detail))
            elif what == "sweep":
                sweep(world.ledger, source, vanishing_allowed=True)
            elif what == "turn":
                for _ in range(detail):
                    turn(world)
            elif what == "lose" and (key := endpoint_of(source.name)) in world.sink.held:
                world.sink.lose(key)
            elif what == "wait":
                world.clock.forward(detail)
            elif what == "fail":
                break_next(world, detail)
        world.sink.failures.clear()
        world.sink.cuts.clear()
        world.worker = world.new_worker(mapping=mapping_of)
        for source in world.sources:
            sweep(world.ledger, source, vanishing_allowed=True)
        world.ledger.studies.retry()
        if any(what == "lose" for what, *_ in history):
            sync_all(world)
        for _ in range(4):
            world.clock.forward(LEASE + LONGEST_BACKOFF)
            world.work()
        assert_in_line(world)
        counts = world.ledger.rows.counts()
        assert counts["synced"] + counts["removed"] == sum(counts.values())
        before = world.sink.versions()
        sync_all(world)
        world.work()
        assert world.sink.versions() == before, "sending again changes no version"
    finally:
        world.database.close()
