"""The sweep: what it marks, what it leaves alone, and when it refuses to believe that studies vanished."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from mapper.errors import SourceDown
from mapper.sources.source import Sighting
from mapper.sync.brake import BRAKE
from mapper.sync.sweep import Sweep, record, sweep
from tests.support.fakes import FakeSource, World

A, B = "1.2.1", "1.2.2"
HELD = Sighting("orthanc-a", A, "revision 1")


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    yield world
    world.database.close()


def marked(world: World) -> list[str]:
    """Return what waits to be synced, and finish it: the next call sees only what came after."""
    claims = world.ledger.studies.claim([world.source.name], limit=1000)
    assert all(map(world.ledger.studies.finish, claims))
    return sorted(claim.study_uid for claim in claims)


def listed(world: World, *sightings: Sighting, complete: bool = True, allowed: bool = False) -> Sweep:
    return record(world.ledger, "orthanc", sightings, complete, allowed)


# what was seen before, what is listed now -> what is marked
CASES: dict[str, tuple[list[Sighting], list[Sighting], list[str]]] = {
    "nothing, nothing": ([], [], []),
    "a new study": ([], [HELD], [A]),
    "the same study": ([HELD], [HELD], []),
    "a changed study": ([HELD], [replace(HELD, fingerprint="revision 2")], [A]),
    "a new study that is not stable": ([], [replace(HELD, stable=False)], []),
    "a changed study that is not stable": ([HELD], [replace(HELD, fingerprint="revision 2", stable=False)], []),
    "a study that went": ([HELD], [], [A]),
    "the same study under another id": ([HELD], [replace(HELD, id="orthanc-b")], [A]),
    "a second id for one study": ([HELD], [HELD, replace(HELD, id="orthanc-b")], [A]),
    "one of two ids went": ([HELD, replace(HELD, id="orthanc-b")], [HELD], [A]),
    "a study without a UID": ([], [replace(HELD, study_uid="")], []),
    "a young state": ([], [replace(HELD, fingerprint="revision 1/young")], [A]),
    "a state that is no longer young": ([replace(HELD, fingerprint="revision 1/young")], [HELD], [A]),
    "a study that is called by another name now": ([HELD], [replace(HELD, study_uid=B)], [A, B]),
    "one came and one went": ([HELD], [Sighting("orthanc-c", B, "revision 9")], [A, B]),
}


@pytest.mark.parametrize(("before", "now", "expected"), CASES.values(), ids=CASES)
def test_what_differs_is_marked(world: World, before: list[Sighting], now: list[Sighting], expected: list[str]) -> None:
    listed(world, *before)
    marked(world)
    found = listed(world, *now)
    assert marked(world) == expected
    assert found.listed == len(now)
    assert not found.brake
    listed(world, *now)
    assert marked(world) == [], "the same listing again marks nothing"


def test_a_study_that_came_back_is_marked_again(world: World) -> None:
    for now in ([HELD], [], [HELD]):
        listed(world, *now)
        assert marked(world) == [A]


def test_what_arrives_unstable_is_marked_when_it_is_stable(world: World) -> None:
    listed(world, replace(HELD, stable=False))
    assert marked(world) == []
    listed(world, HELD)
    assert marked(world) == [A]


def many(number: int) -> list[Sighting]:
    return [Sighting(f"id-{one}", f"1.9.{one}", "revision 1") for one in range(number)]


BRAKES: dict[str, tuple[int, int, bool, bool]] = {  # known, left, complete, does the brake hold?
    "one of one went": (1, 0, True, False),
    "fifty of fifty went": (50, 0, True, False),
    "51 of 51 went": (51, 0, True, True),
    "51 of 300 went: less than a fifth": (300, 249, True, False),
    "60 of 300 went: a fifth": (300, 240, True, False),
    "61 of 300 went: more than a fifth": (300, 239, True, True),
    "one went, but the count disagrees": (300, 299, False, True),
    "nothing went, the count disagrees": (300, 300, False, False),
}


@pytest.mark.parametrize(("known", "left", "complete", "holds"), BRAKES.values(), ids=BRAKES)
def test_the_brake(world: World, known: int, left: int, complete: bool, holds: bool) -> None:
    listed(world, *many(known))
    marked(world)
    found = listed(world, *many(left), complete=complete)
    assert bool(found.brake) == holds
    assert bool(world.ledger.meta.get(f"{BRAKE}:orthanc")) == holds
    assert len(marked(world)) == (0 if holds else known - left)


def test_while_the_brake_holds_new_studies_still_come(world: World) -> None:
    listed(world, *many(60))
    marked(world)
    found = listed(world, HELD)
    assert found.brake
    assert "60" in found.brake
    assert marked(world) == [A]


def test_the_brake_is_released_by_a_person_or_by_the_studies_coming_back(world: World) -> None:
    listed(world, *many(60))
    marked(world)
    assert listed(world).brake
    assert listed(world, *many(60)).brake == ""
    assert world.ledger.meta.get(f"{BRAKE}:orthanc") == ""
    assert marked(world) == []
    assert listed(world).brake
    found = listed(world, allowed=True)
    assert (found.vanished, found.brake) == (60, "")
    assert len(marked(world)) == 60


def test_two_sources_do_not_take_each_others_studies_for_vanished(world: World) -> None:
    record(world.ledger, "orthanc", [HELD], True)
    record(world.ledger, "elsewhere", [], True)
    assert record(world.ledger, "orthanc", [HELD], True) == Sweep(listed=1)


# -- with a source -------------------------------------------------------------------------------


def test_a_source_is_listed_and_counted(world: World) -> None:
    world.source.store(A)
    world.source.store(B, stable=False)
    found = sweep(world.ledger, world.source)
    assert (found.listed, found.changed, found.vanished, found.brake) == (2, 1, 0, "")
    assert marked(world) == [A]


@pytest.mark.parametrize("beside", [1, -1])
def test_a_listing_that_the_count_contradicts_retracts_nothing(world: World, beside: int) -> None:
    world.source.store(A)
    world.source.store(B)
    sweep(world.ledger, world.source)
    marked(world)
    world.source.delete(A)
    world.source.miscounted = beside
    assert sweep(world.ledger, world.source).brake
    assert marked(world) == []
    world.source.miscounted = 0
    assert sweep(world.ledger, world.source).vanished == 1
    assert marked(world) == [A]


class Busy(FakeSource):
    """A source to which something happens between its counts and its listing."""

    def __init__(self, happens: Callable[["Busy"], object]) -> None:
        super().__init__()
        self._happens = happens
        self._counted = 0

    def count(self) -> int:
        self._counted += 1
        if self._counted % 2 == 0:
            self._happens(self)
        return super().count()


def test_studies_that_arrive_while_it_lists_are_no_contradiction(world: World) -> None:
    busy = Busy(lambda source: source.store(B))
    busy.store(A)
    busy.store("1.2.9")
    sweep(world.ledger, busy)
    busy.delete("1.2.9")
    assert sweep(world.ledger, busy).brake == ""


def test_a_source_that_is_down_marks_nothing(world: World) -> None:
    world.source.store(A)
    sweep(world.ledger, world.source)
    marked(world)
    world.source.down = SourceDown("not there")
    with pytest.raises(SourceDown):
        sweep(world.ledger, world.source)
    assert marked(world) == []


def test_a_source_that_goes_down_in_the_middle_of_its_listing_marks_nothing(world: World) -> None:
    class Broken(FakeSource):
        def listing(self):  # type: ignore[no-untyped-def]
            yield HELD
            raise SourceDown("gone in the middle")

    with pytest.raises(SourceDown):
        sweep(world.ledger, Broken())
    assert marked(world) == []


def test_what_was_just_synced_is_not_marked_by_the_next_sweep(world: World) -> None:
    world.source.store(A)
    world.ledger.seen.remember("orthanc", next(world.source.listing()))
    sweep(world.ledger, world.source)
    assert marked(world) == []
