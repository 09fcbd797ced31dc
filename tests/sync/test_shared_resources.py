"""Resources that several studies make: the newest study speaks, whatever arrives, goes or changes its patient."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.errors import BundleRejected, SinkBusy, SinkDown, StudyGone
from mapper.fhir.ids import resource_id
from mapper.ledger.claim import BY_HAND
from mapper.ledger.speaker import SHARED
from mapper.ledger.studies import LEASE, LONGEST_BACKOFF
from mapper.sinks.sink import Key
from mapper.sync.sweep import sweep
from tests.support.ages import DATES, MIDDLE, NEW, OLD
from tests.support.fakes import SITE, FakeSource, World, plain_mapping, study_key, with_a_new_ledger

SYSTEM = f"{SITE.base}/patient"
PATIENT = ("Patient", resource_id(SITE.namespace, "Patient", SYSTEM, "P1"))


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    yield world
    world.database.close()


def store(world: World, study_uid: str, **attributes: Any) -> None:
    """Store a study of P1 whose patient is named after the study, and mark it."""
    given = {"StudyDate": DATES.get(study_uid), "PatientName": f"Name^{study_uid}", **attributes}
    patient = given.pop("patient", "P1")
    world.source.store(study_uid, patient, **given)
    world.mark(study_uid)


def speaker(world: World, key: tuple[str, str] = PATIENT) -> str:
    """Return the study whose content the server holds."""
    return str(world.sink.now(key)["name"][0]["given"][0])


# -- who speaks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations([OLD, MIDDLE, NEW])), ids="-".join)
def test_the_newest_study_speaks_whatever_comes_first(world: World, order: tuple[str, ...]) -> None:
    for study_uid in order:
        store(world, study_uid)
        world.work()
    assert speaker(world) == NEW
    assert world.ledger.rows.counts()["synced"] == 3
    assert len(world.sink.keys("Patient")) == 1


@pytest.mark.parametrize("order", list(permutations([OLD, MIDDLE, NEW])), ids="-".join)
def test_every_removal_hands_over_to_the_next(world: World, order: tuple[str, ...]) -> None:
    for study_uid in (OLD, MIDDLE, NEW):
        store(world, study_uid)
    world.work()
    left = {OLD, MIDDLE, NEW}
    for study_uid in order:
        world.source.delete(study_uid)
        world.mark(study_uid)
        world.work()
        left.discard(study_uid)
        assert speaker(world) == (max(left) if left else study_uid)
        assert world.sink.available() == sorted(left)


WINS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {  # two studies -> who speaks
    "the later date": ({"StudyDate": "20200101"}, {"StudyDate": "20190101"}, "1.9.1"),
    "any date over none": ({"StudyDate": "18990101"}, {"StudyDate": None}, "1.9.1"),
    "of equal dates the greater UID": ({"StudyDate": "20200101"}, {"StudyDate": "20200101"}, "1.9.2"),
    "of none the greater UID": ({"StudyDate": None}, {"StudyDate": None}, "1.9.2"),
    "time of day, across zones": (
        {"StudyDate": "20200101", "StudyTime": "003000", "TimezoneOffsetFromUTC": "+0200"},
        {"StudyDate": "20191231", "StudyTime": "233000", "TimezoneOffsetFromUTC": "+0000"},
        "1.9.2",
    ),
}


@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
@pytest.mark.parametrize(("first", "second", "wins"), WINS.values(), ids=WINS)
def test_who_is_newer(world: World, first: dict[str, Any], second: dict[str, Any], wins: str, turned: bool) -> None:
    studies = [("1.9.1", first), ("1.9.2", second)]
    for study_uid, attributes in reversed(studies) if turned else studies:
        store(world, study_uid, **attributes)
        world.work()
    assert speaker(world) == wins


def test_a_study_that_becomes_older_hands_over(world: World) -> None:
    store(world, OLD)
    store(world, NEW)
    world.work()
    store(world, NEW, StudyDate="19990101")
    world.work()
    assert speaker(world) == OLD


def test_a_study_that_becomes_newer_takes_over(world: World) -> None:
    store(world, OLD)
    store(world, NEW)
    world.work()
    store(world, OLD, StudyDate="20300101")
    world.work()
    assert speaker(world) == OLD


def test_a_study_that_moves_to_another_patient_leaves_the_first_to_the_next(world: World) -> None:
    store(world, OLD)
    store(world, NEW)
    world.work()
    world.source.delete(NEW)
    store(world, NEW, patient="P2")
    world.work()
    assert speaker(world) == OLD
    other = ("Patient", resource_id(SITE.namespace, "Patient", SYSTEM, "P2"))
    assert speaker(world, other) == NEW
    assert world.sink.now(study_key(NEW))["subject"] == {"reference": f"Patient/{other[1]}"}


def test_older_studies_change_nothing_and_send_nothing_shared(world: World) -> None:
    store(world, NEW)
    world.work()
    before = world.sink.versions()
    store(world, OLD)
    world.work()
    assert {key: world.sink.versions()[key] for key in before} == before
    assert [key[0] for key in world.sink.puts[-1]] == ["ImagingStudy"]


def test_sending_again_changes_no_version(world: World) -> None:
    for study_uid in (OLD, MIDDLE, NEW):
        store(world, study_uid)
    world.work()
    before = world.sink.versions()
    for _ in range(3):
        world.ledger.studies.mark("orthanc", [OLD, MIDDLE, NEW], BY_HAND)
        world.work()
        world.mark(OLD, MIDDLE, NEW)
        world.work()
    assert world.sink.versions() == before


def test_by_hand_the_speaker_sends_everything_again(world: World) -> None:
    store(world, OLD)
    store(world, NEW)
    world.work()
    world.mark(NEW)
    world.work()
    assert PATIENT not in world.sink.puts[-1]
    world.ledger.studies.mark("orthanc", [NEW], BY_HAND)
    world.work()
    assert PATIENT in world.sink.puts[-1]
    world.ledger.studies.mark("orthanc", [OLD], BY_HAND)
    world.work()
    assert PATIENT not in world.sink.puts[-1], "not by who does not speak"


def test_what_the_server_lost_comes_back_from_whoever_refers_to_it_and_then_from_the_speaker(world: World) -> None:
    store(world, OLD)
    store(world, NEW)
    world.work()
    world.sink.lose(PATIENT)
    world.mark(OLD)
    world.work()
    assert speaker(world) == NEW
    assert world.ledger.rows.counts()["synced"] == 2


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("failure", [Killed, SinkBusy])
def test_what_an_older_study_sent_for_one_that_was_lost_does_not_stay(
    world: World, failure: type[BaseException]
) -> None:
    """Whatever ends the older study's turn after its write: the speaker was asked before."""
    store(world, OLD)
    store(world, NEW)
    world.work()
    world.sink.lose(PATIENT)
    world.mark(OLD)
    put = world.sink.put

    def cut(resources: Any, expected: Any = None) -> Any:
        answer = put(resources, expected)
        if any(one["resourceType"] == "Patient" for one in resources):
            world.sink.put = put  # type: ignore[method-assign]
            raise failure("after it was written")
        return answer

    world.sink.put = cut  # type: ignore[method-assign]
    with suppress(Killed):
        world.work()
    for _ in range(5):
        world.clock.forward(LEASE + LONGEST_BACKOFF)
        sweep(world.ledger, world.source)
        world.work()
    assert speaker(world) == NEW
    assert world.ledger.rows.counts()["synced"] == 2


def test_a_lost_study_resource_is_written_again(world: World) -> None:
    store(world, OLD)
    world.work()
    world.sink.lose(study_key(OLD))
    world.mark(OLD)
    world.work()
    assert world.sink.available() == [OLD]


# -- any history ends right ----------------------------------------------------------------------

STUDIES = ("1.5.1", "1.5.2", "1.5.3")
PATIENTS = ("P1", "P2")
Op = tuple[str, Any, Any, Any]
OPS = st.one_of(
    st.tuples(
        st.just("store"), st.sampled_from(STUDIES), st.sampled_from(PATIENTS), st.sampled_from(["20200101", "20240101"])
    ),
    st.tuples(st.just("delete"), st.sampled_from(STUDIES), st.none(), st.none()),
    st.tuples(st.just("turn"), st.integers(1, 3), st.none(), st.none()),
    st.tuples(st.just("sweep"), st.none(), st.none(), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([1.0, LEASE + 1]), st.none(), st.none()),
    st.tuples(
        st.just("fail"),
        st.sampled_from(["busy", "down", "rejected", "crash before", "crash after", "cut"]),
        st.none(),
        st.none(),
    ),
)


class Crash(BaseException):
    """The process ends here."""


def live(world: World, history: list[Op]) -> None:
    """Let things happen to a source, a sink and the worker between them."""
    for number, (what, subject, patient, date) in enumerate(history):
        if what == "store":
            for held in [one for one in world.source.held.values() if one.study_uid == subject]:
                world.source.delete(subject, held.patient)  # one study under one patient
            world.source.store(subject, patient, StudyDate=date, PatientName=f"Name^{number}")
        elif what == "delete":
            for held in [one for one in world.source.held.values() if one.study_uid == subject]:
                world.source.delete(subject, held.patient)
        elif what == "sweep":
            sweep(world.ledger, world.source, vanishing_allowed=True)
        elif what == "wait":
            world.clock.forward(subject)
        elif what == "fail":
            {
                "busy": lambda: world.sink.failures.append(SinkBusy("busy")),
                "down": lambda: world.sink.failures.append(SinkDown("down")),
                "rejected": lambda: world.sink.failures.append(BundleRejected("no")),
                "crash before": lambda: world.sink.failures.append(Crash()),
                "crash after": lambda: world.sink.cuts.append(Crash()),
                "cut": lambda: world.sink.cuts.append(SinkBusy("cut")),
            }[subject]()
        else:
            for _ in range(subject):
                try:
                    world.worker.turn()
                except Crash:
                    world.worker = world.new_worker()


def quiet(world: World) -> None:
    """Let everything come to rest."""
    world.sink.failures.clear()
    world.sink.cuts.clear()
    world.worker = world.new_worker()
    sweep(world.ledger, world.source, vanishing_allowed=True)
    world.ledger.studies.retry()
    for _ in range(4):
        world.clock.forward(LEASE + LONGEST_BACKOFF)
        world.work()


def assert_in_line(world: World) -> None:
    """Hold the sink to a fresh mapping of what the source holds, element by element."""
    uids = sorted(held.study_uid for held in world.source.held.values())
    assert world.sink.available() == uids
    speakers: dict[tuple[str, str], tuple[tuple[str, str], Any]] = {}
    for study_uid in uids:
        mapped = plain_mapping(world.source.read(study_uid, []), world.source)
        for one in mapped.resources:
            key = one["resourceType"], one["id"]
            if key[0] not in SHARED:
                assert world.sink.now(key) == one
            elif key not in speakers or speakers[key][0] < (mapped.rank, study_uid):
                speakers[key] = (mapped.rank, study_uid), one
    for key, (_, content) in speakers.items():
        assert world.sink.now(key) == content, f"{key[0]} does not say what its newest study says"
    counts = world.ledger.rows.counts()
    assert counts["synced"] == len(uids)
    assert counts["synced"] + counts["removed"] == sum(counts.values())


@given(history=st.lists(OPS, max_size=25))
def test_whatever_happened_the_server_ends_with_what_the_newest_studies_say(
    history: list[Op], quick_folder: Any
) -> None:
    world = World(f"sqlite:///{quick_folder}/{threading.get_ident()}-{id(history)}.db")
    try:
        live(world, history)
        quiet(world)
        assert_in_line(world)
        before = world.sink.versions()
        world.ledger.studies.mark("orthanc", [held.study_uid for held in world.source.held.values()], BY_HAND)
        world.work()
        assert world.sink.versions() == before, "sending again changes no version"
    finally:
        world.database.close()


# -- side by side --------------------------------------------------------------------------------


def test_twenty_threads_with_studies_of_one_new_patient(ledger_url: str) -> None:
    source = FakeSource()
    world = World(ledger_url, source)
    uids = [f"1.7.{number}" for number in range(1, 41)]
    for number, study_uid in enumerate(uids):
        source.store(
            study_uid, StudyDate=f"2024{number // 28 + 1:02}{number % 28 + 1:02}", PatientName=f"Name^{study_uid}"
        )
    world.mark(*uids)
    bugs: list[BaseException] = []

    def work() -> None:
        try:
            while world.worker.turn():
                pass
        except BaseException as bug:
            bugs.append(bug)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quiet(world)
    assert not bugs
    assert_in_line(world)
    assert len(world.sink.keys("Patient")) == 1
    world.database.close()


def test_studies_that_share_nothing_new_do_not_wait_for_each_other(world: World) -> None:
    store(world, OLD)
    world.work()
    inside, go_on = threading.Event(), threading.Event()
    put = world.sink.put

    def slow(resources: Any, expected: Any = None) -> Any:
        sent = list(resources)
        if any(one["id"] == study_key("1.8.1")[1] for one in sent):
            inside.set()
            assert go_on.wait(10), "the other study waited"
        return put(sent, expected)

    world.sink.put = slow  # type: ignore[method-assign]
    store(world, "1.8.1", patient="P8")
    first = threading.Thread(target=world.worker.turn)
    first.start()
    assert inside.wait(10)
    store(world, "1.8.2", patient="P9")
    second = threading.Thread(target=world.worker.turn)
    second.start()
    second.join(5)
    done = not second.is_alive()
    go_on.set()
    first.join()
    second.join()
    assert done, "a study of another patient waited for a lock that both do not need"
    assert world.sink.available() == [OLD, "1.8.1", "1.8.2"]


def test_the_speaker_that_leaves_while_another_is_being_written_is_not_missed(world: World) -> None:
    store(world, NEW)
    world.work()
    put = world.sink.put

    def meanwhile(resources: Any, expected: Any = None) -> Any:
        world.sink.put = put  # type: ignore[method-assign]
        answer = put(resources, expected)
        world.source.delete(NEW)
        world.mark(NEW)
        assert world.new_worker().turn(), "the speaker is removed"
        return answer

    store(world, OLD)
    world.sink.put = meanwhile  # type: ignore[method-assign]
    world.work()
    assert world.state(NEW) == "removed"
    assert speaker(world) == OLD


# -- what leaves FHIR ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "status"), [("unknown", "unknown"), ("keep", "available"), ("entered-in-error", "entered-in-error")]
)
def test_a_removed_study_is_retracted_by_policy(ledger_url: str, policy: str, status: str) -> None:
    world = World(ledger_url, policy=policy)
    store(world, OLD)
    world.work()
    world.source.delete(OLD)
    world.mark(OLD)
    world.work()
    held = world.sink.now(study_key(OLD))
    assert held["status"] == status
    assert ("endpoint" in held) == (policy == "keep")
    assert world.state(OLD) == "removed"
    assert speaker(world) == OLD, "the patient stays"
    store(world, OLD)
    world.work()
    assert world.sink.now(study_key(OLD))["status"] == "available"
    assert "endpoint" in world.sink.now(study_key(OLD))
    world.database.close()


def test_what_a_study_no_longer_makes_is_retracted(world: World) -> None:
    """Without a size there is no Observation of the height any more."""
    store(world, OLD, PatientSize="1.8")
    world.work()
    (height,) = world.sink.keys("Observation")
    world.source.delete(OLD)
    store(world, OLD)
    world.work()
    assert world.sink.now(height)["status"] == "unknown"
    assert world.sink.available() == [OLD]


def test_a_removal_is_retracted_even_when_nobody_recorded_that_it_was_written(world: World) -> None:
    store(world, OLD)
    world.sink.cuts.append(Crash())
    with pytest.raises(Crash):
        world.worker.turn()
    assert world.sink.available() == [OLD]
    world.source.delete(OLD)
    world.mark(OLD)
    world.worker = world.new_worker()
    world.clock.forward(LEASE)
    world.work()
    assert world.state(OLD) == "removed"
    assert world.sink.available() == []


def test_a_removal_is_retracted_even_by_a_ledger_that_never_saw_the_study(world: World, quick_folder: Any) -> None:
    store(world, OLD, PatientSize="1.8")
    world.work()
    fresh = World(f"sqlite:///{quick_folder}/fresh.db")
    fresh.sink = world.sink
    fresh.worker = fresh.new_worker()
    fresh.mark(OLD)
    fresh.work()
    assert fresh.state(OLD) == "removed"
    assert fresh.sink.available() == []
    fresh.database.close()


def test_a_removed_study_that_cannot_be_retracted_now_is_tried_again(world: World) -> None:
    store(world, OLD)
    world.work()
    world.source.delete(OLD)
    world.mark(OLD)
    world.sink.down = SinkDown("down")
    world.work()
    assert world.state(OLD) == "retrying"
    world.sink.down = None
    world.clock.forward(LONGEST_BACKOFF)
    world.worker = world.new_worker()
    world.work()
    assert world.state(OLD) == "removed"
    assert world.sink.available() == []


def test_an_unknown_study_is_said_to_be_removed(world: World) -> None:
    world.mark("9.9.9")
    world.work()
    assert world.state("9.9.9") == "removed"
    assert world.sink.held == {}
    with pytest.raises(StudyGone):
        world.source.read("9.9.9", [])


# -- a ledger was lost ---------------------------------------------------------------------------

WEIGHED = "1.9.7"


def weighed(world: World) -> Key:
    """Store and sync a study with a weight; returns the key of its Observation."""
    world.source.store(WEIGHED, StudyDate="20240517", PatientWeight="70")
    world.mark(WEIGHED)
    world.work()
    [key] = world.sink.keys("Observation")
    return key


def test_what_a_study_stopped_making_while_the_ledger_was_lost_is_retracted(new_database: Any) -> None:
    world = World(new_database())
    observation = weighed(world)
    del world.source.held[f"P1/{WEIGHED}"].instances["1"]
    world.source.store(WEIGHED, instance="2", StudyDate="20240517")
    world.database.close()
    other = with_a_new_ledger(world, new_database())
    other.mark(WEIGHED)
    other.work()
    assert other.sink.now(observation)["status"] == "unknown"
    other.database.close()


def test_what_others_say_of_a_study_is_never_retracted(new_database: Any) -> None:
    world = World(new_database())
    observation = weighed(world)
    theirs = ("Observation", "of-somebody-else")
    world.sink.held[theirs] = [{**world.sink.now(observation), "id": theirs[1]}]
    world.source.delete(WEIGHED)
    world.database.close()
    other = with_a_new_ledger(world, new_database())
    other.mark(WEIGHED)
    other.work()
    assert other.sink.now(observation)["status"] == "unknown"
    assert other.sink.now(theirs)["status"] == "final"
    other.database.close()


def test_the_imaging_study_is_retracted_last(world: World) -> None:
    observation = weighed(world)
    world.source.delete(WEIGHED)
    retract, gone = world.sink.retract, []
    world.sink.retract = lambda key, *rest: (gone.append(key), retract(key, *rest))[1]  # type: ignore[method-assign]
    world.mark(WEIGHED)
    world.work()
    assert gone == [observation, study_key(WEIGHED)]
