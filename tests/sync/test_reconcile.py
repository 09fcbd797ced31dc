"""What works between whole sweeps and beside them: glances, the comparison with FHIR, a new mapping, one leader."""

from collections.abc import Iterable, Iterator, Mapping

import pytest

from mapper.errors import SinkDown
from mapper.fhir.ids import resource_id
from mapper.ledger.claim import BY_HAND
from mapper.ledger.ledger import Ledger
from mapper.sinks.sink import Key, Resource
from mapper.sources.source import Sighting
from mapper.sync.reconcile import ELSEWHERE, EVERY, due, reconcile, under_other_ids
from mapper.sync.sweep import glance, sweep
from mapper.sync.triggers import SWEEP, Triggers
from tests.support.fakes import SITE, FakeSource, World, references, study_key

A, B, C = "1.2.1", "1.2.2", "1.2.3"
ENDPOINT = resource_id(SITE.namespace, "Endpoint", "dicom-wado-rs", SITE.dicomweb or "")


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    world.source.sorts = True
    yield world
    world.database.close()


def marked(world: World) -> list[str]:
    claims = world.ledger.studies.claim([world.source.name], limit=1000)
    assert all(map(world.ledger.studies.finish, claims))
    return sorted(claim.study_uid for claim in claims)


def swept(world: World, *study_uids: str) -> None:
    """Store studies, sweep, and forget what was marked."""
    for study_uid in study_uids:
        world.source.store(study_uid)
    sweep(world.ledger, world.source)
    marked(world)


# -- a glance ------------------------------------------------------------------------------------


def test_a_glance_marks_what_came_and_what_changed(world: World) -> None:
    swept(world, A, B)
    world.source.store(A, instance="2")
    world.source.store(C)
    found = glance(world.ledger, world.source)
    assert found is not None
    assert (found.listed, found.changed) == (3, 2)
    assert marked(world) == [A, C]
    assert glance(world.ledger, world.source) is not None
    assert marked(world) == []


def test_a_glance_at_nothing_new_marks_nothing(world: World) -> None:
    swept(world, A)
    assert glance(world.ledger, world.source) is not None
    assert marked(world) == []


@pytest.mark.parametrize("also", [None, B], ids=["one went", "one went and one came"])
def test_what_went_is_left_to_a_whole_sweep(world: World, also: str | None) -> None:
    swept(world, A, C)
    world.source.delete(A)
    if also:
        world.source.store(also)
    assert glance(world.ledger, world.source) is None
    assert marked(world) == []


def test_an_archive_that_cannot_be_asked_is_swept(world: World) -> None:
    swept(world, A)
    world.source.sorts = False
    assert glance(world.ledger, world.source) is None


def test_a_ledger_that_saw_nothing_is_swept(world: World) -> None:
    world.source.store(A)
    assert glance(world.ledger, world.source) is None


def test_what_was_still_moving_is_looked_at_again_although_others_are_newer(world: World) -> None:
    """The event that says "stable" may be lost: a restart is enough."""
    triggers = Triggers(world.source, world.ledger, clock=world.clock)
    swept(world, A)
    triggers.turn()
    world.source.store(A, instance="2", stable=False)
    world.source.store(B)
    world.clock.forward(SWEEP)
    triggers.turn()
    assert marked(world) == [B]
    world.source.held[f"P1/{A}"].stable = True  # and nobody is told
    world.clock.forward(SWEEP)
    triggers.turn()
    assert marked(world) == [A]


def test_between_whole_sweeps_nobody_lists_everything(world: World) -> None:
    listed: list[int] = []

    class Counted(FakeSource):
        def listing(self):  # type: ignore[no-untyped-def]
            listed.append(1)
            return super().listing()

    source = Counted()
    source.sorts = True
    source.store(A)
    triggers = Triggers(source, world.ledger, clock=world.clock)
    for _ in range(10):
        triggers.turn()
        world.clock.forward(SWEEP)
    assert len(listed) == 1
    source.delete(A)
    triggers.turn()
    assert len(listed) == 2


# -- FHIR itself ---------------------------------------------------------------------------------


def in_line(world: World, *study_uids: str) -> None:
    for study_uid in study_uids:
        world.source.store(study_uid)
    sweep(world.ledger, world.source)
    world.work()


def compare(world: World, **given: bool) -> tuple[int, int, bool]:
    found = reconcile(world.ledger, "orthanc", world.sink, ENDPOINT, study_key, **given)
    return found.strange, found.lost, bool(found.brake)


def test_what_is_in_line_is_left_alone(world: World) -> None:
    in_line(world, A, B)
    assert compare(world) == (0, 0, False)
    assert world.work() == 0


def test_what_the_server_lost_is_written_again(world: World) -> None:
    in_line(world, A, B)
    for key in list(world.sink.held):
        if key != study_key(B):
            world.sink.lose(key)
    assert compare(world) == (0, 1, False)
    world.work()
    assert world.sink.available() == [A, B]
    assert len(world.sink.keys("Patient")) == 1


def test_however_much_the_server_lost_live_work_goes_first(world: World) -> None:
    """An index that is built anew finds nothing for a while."""
    uids = [f"1.9.{number}" for number in range(1, 61)]
    in_line(world, *uids)
    before = world.sink.versions()
    world.sink.ours = lambda about: iter(())  # type: ignore[method-assign]
    world.mark(A)
    assert compare(world) == (0, 60, False)
    assert [claim.study_uid for claim in world.ledger.studies.claim(["orthanc"])] == [A]
    world.ledger.studies.mark("orthanc", [uids[59]], BY_HAND)
    assert [claim.study_uid for claim in world.ledger.studies.claim(["orthanc"])] == [uids[59]]
    world.clock.forward(200)
    world.work()
    assert {key: world.sink.versions()[key] for key in before} == before


def test_a_server_that_misses_what_studies_share_and_does_not_say_so_gets_it_again(world: World) -> None:
    in_line(world, A, B)
    shared = [*world.sink.keys("Patient"), *world.sink.keys("Endpoint")]
    for key in (study_key(A), study_key(B), *shared):
        world.sink.lose(key)
    put = world.sink.put

    def lax(resources: Iterable[Resource], expected: Mapping[Key, str] | None = None) -> dict[Key, str]:
        sent = list(resources)
        absent = {key for one in sent for key in references(one)} - set(world.sink.held)
        world.sink.held |= {key: [] for key in absent}  # taken without a word, and not there
        try:
            return put(sent, expected)
        finally:
            for key in [key for key, versions in world.sink.held.items() if not versions]:
                world.sink.lose(key)

    world.sink.put = lax  # type: ignore[method-assign]
    assert compare(world) == (0, 2, False)
    world.work()
    assert world.sink.available() == [A, B]
    assert set(shared) <= set(world.sink.held)


def test_what_somebody_retracted_is_offered_again(world: World) -> None:
    in_line(world, A)
    world.sink.retract(study_key(A), "unknown")
    assert compare(world) == (0, 1, False)
    world.work()
    assert world.sink.available() == [A]


def test_a_lost_ledger_is_rebuilt_and_what_went_meanwhile_is_retracted(world: World, quick_folder: object) -> None:
    in_line(world, A, B, C)
    before = world.sink.versions()
    fresh = World(f"sqlite:///{quick_folder}/rebuilt.db", world.source)
    fresh.sink = world.sink
    fresh.worker = fresh.new_worker()
    world.source.delete(B)
    sweep(fresh.ledger, world.source)
    fresh.work()
    assert fresh.sink.available() == [A, B, C]
    assert compare(fresh) == (1, 0, False)
    fresh.work()
    assert fresh.sink.available() == [A, C]
    assert fresh.state(B) == "removed"
    assert {key for key, number in fresh.sink.versions().items() if number != before[key]} == {study_key(B)}
    fresh.database.close()


def test_what_stands_at_our_endpoint_under_an_id_that_is_not_ours_is_not_compared(world: World) -> None:
    """It neither vanishes with the source, nor stands in for a study of ours that the server lost."""
    in_line(world, A)
    for study_uid, id in ((A, "a-copy"), (B, "another-program")):
        other = {**world.sink.now(study_key(A)), "id": id}
        other["identifier"] = [{"system": "urn:dicom:uid", "value": f"urn:oid:{study_uid}"}]
        world.sink.put([other])
    assert compare(world) == (0, 0, False)
    world.sink.lose(study_key(A))
    assert compare(world) == (0, 1, False)
    world.work()
    assert world.sink.now(study_key(A))["status"] == "available"
    assert world.sink.now(("ImagingStudy", "another-program"))["status"] == "available"


def test_a_study_that_is_in_line_to_be_synced_is_no_difference(world: World) -> None:
    in_line(world, A)
    world.source.delete(A)
    sweep(world.ledger, world.source)
    assert compare(world) == (0, 0, False)


def test_too_many_strangers_are_believed_only_when_a_person_says_so(world: World, quick_folder: object) -> None:
    uids = [f"1.9.{number}" for number in range(1, 61)]
    in_line(world, *uids)
    fresh = World(f"sqlite:///{quick_folder}/braked.db")
    fresh.sink = world.sink
    fresh.worker = fresh.new_worker()
    sweep(fresh.ledger, fresh.source)
    assert compare(fresh) == (60, 0, True)
    assert fresh.work() == 0
    assert compare(fresh, vanishing_allowed=True) == (60, 0, False)
    fresh.work()
    assert fresh.sink.available() == []
    fresh.database.close()


def test_a_server_that_is_down_is_compared_next_time(world: World) -> None:
    in_line(world, A)
    world.sink.down = SinkDown("no answer")
    with pytest.raises(SinkDown):
        compare(world)
    assert due(world.ledger, "orthanc")
    world.sink.down = None
    compare(world)
    assert not due(world.ledger, "orthanc")
    world.clock.forward(EVERY)
    assert due(world.ledger, "orthanc")


# -- another mapping -----------------------------------------------------------------------------


def test_another_mapping_is_run_over_all_a_few_at_a_time_behind_the_others(world: World) -> None:
    in_line(world, A, B, C)
    assert world.ledger.studies.remap("orthanc", "next", 2) == 2
    assert world.ledger.studies.remap("orthanc", "next", 2) == 0, "two wait already"
    world.mark("1.2.4")
    assert [claim.study_uid for claim in world.ledger.studies.claim(["orthanc"])] == ["1.2.4"]
    for claim in world.ledger.studies.claim(["orthanc"], limit=9):
        world.ledger.studies.finish(claim, mapping_version="next")
    assert world.ledger.studies.remap("orthanc", "next", 2) == 1
    for claim in world.ledger.studies.claim(["orthanc"], limit=9):
        world.ledger.studies.finish(claim, mapping_version="next")
    assert world.ledger.studies.remap("orthanc", "next", 2) == 0


def test_parked_studies_are_tried_with_another_mapping(world: World) -> None:
    world.mark(A)
    (claim,) = world.ledger.studies.claim(["orthanc"])
    world.ledger.studies.finish(claim, "refused", "refused", mapping_version="1")
    assert world.ledger.studies.remap("orthanc", "1", 9) == 0
    assert world.ledger.studies.remap("orthanc", "2", 9) == 1
    (claim,) = world.ledger.studies.claim(["orthanc"])
    assert claim.attempts == 1


def test_who_is_asked_for_by_hand_does_not_wait_behind_a_new_mapping(world: World) -> None:
    in_line(world, A, B)
    world.ledger.studies.remap("orthanc", "next", 9)
    world.ledger.studies.mark("orthanc", [B], BY_HAND)
    assert [claim.study_uid for claim in world.ledger.studies.claim(["orthanc"])] == [B]


# -- one leader ----------------------------------------------------------------------------------


def test_one_process_leads_until_it_falls_silent(world: World) -> None:
    ledger: Ledger = world.ledger
    assert ledger.meta.lead("orthanc", "elsewhere/1/a")
    assert not ledger.meta.lead("orthanc", "elsewhere/2/b")
    assert ledger.meta.lead("another source", "elsewhere/2/b")
    for _ in range(20):
        world.clock.forward(5)
        assert ledger.meta.lead("orthanc", "elsewhere/1/a"), "it goes on"
        assert not ledger.meta.lead("orthanc", "elsewhere/2/b")
    world.clock.forward(600)
    assert ledger.meta.lead("orthanc", "elsewhere/2/b")
    assert not ledger.meta.lead("orthanc", "elsewhere/1/a")


def test_a_glance_looks_back_to_whatever_was_young_when_it_was_synced(world: World) -> None:
    world.source.sorts = True
    asked: list[str] = []
    recent = world.source.recent
    world.source.recent = lambda since: (asked.append(since), recent(since))[1]  # type: ignore[method-assign]
    for study_uid, fingerprint in (("1.1", "00000001/young"), ("1.2", "00000009")):
        world.ledger.seen.remember("orthanc", Sighting(f"P1/{study_uid}", study_uid, fingerprint))
    glance(world.ledger, world.source)
    assert asked == ["00000001/young"]


class Ids:
    """A sink of which only the ids of studies are asked."""

    def __init__(self, held: dict[str, list[str]]) -> None:
        self.ids_of = held.__getitem__


OURS = {uid: study_key(uid)[1] for uid in (A, B)}
HELD: dict[str, tuple[dict[str, list[str]], bool, str, str]] = {  # ids, whether there is a namespace, alone, beside
    "nothing": ({A: [], B: []}, True, "", ""),
    "ours": ({A: [OURS[A]], B: [OURS[B]]}, True, "", ""),
    "others alone": ({A: ["x"], B: []}, True, "1 of 2", ""),
    "others beside ours": ({A: [OURS[A], "x"], B: [OURS[B]]}, True, "", "1 of 2"),
    "both": ({A: ["x"], B: ["y", OURS[B]]}, True, "1 of 2", "1 of 2"),
    "anything, as long as there is no namespace": ({A: [OURS[A]], B: ["x", "y"]}, False, "2 of 2", ""),
}


@pytest.mark.parametrize(("held", "named", "alone", "beside"), HELD.values(), ids=HELD)
def test_studies_under_other_ids_are_counted(held: dict[str, list[str]], named: bool, alone: str, beside: str) -> None:
    said = under_other_ids(Ids(held), study_key if named else None, [A, B])  # type: ignore[arg-type]
    for text, number in zip(said, (alone, beside), strict=True):
        assert number in text
        assert bool(text) == bool(number)


def test_that_studies_stand_under_other_ids_is_kept_for_the_page(world: World) -> None:
    in_line(world, A)
    other = {**world.sink.now(study_key(A)), "id": "x"}
    world.sink.put([other])
    reconcile(world.ledger, "orthanc", world.sink, ENDPOINT, study_key)
    assert "1 of 1" in (world.ledger.meta.get(f"{ELSEWHERE}:orthanc") or "")
    del world.sink.held["ImagingStudy", "x"]
    reconcile(world.ledger, "orthanc", world.sink, ENDPOINT, study_key)
    assert world.ledger.meta.get(f"{ELSEWHERE}:orthanc") == ""
