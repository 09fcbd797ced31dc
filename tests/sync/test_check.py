"""The check as a stage: it sees exactly what the sink is sent, and what it refuses parks the study."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from mapper.errors import BundleRejected, MapperError, StaleVersion
from mapper.fhir.check import check
from mapper.maps import Mapped
from mapper.sinks.sink import Key, Resource
from mapper.sources.source import Reading, Source
from tests.support.fakes import FakeSource, World, plain_mapping, study_key

A, B = "1.2.1", "1.2.2"


class Seen:
    """A check that remembers what it let pass, beside what the sink was sent."""

    def __init__(self, world: World) -> None:
        self.checked: list[list[dict[str, Any]]] = []
        self.sent: list[list[dict[str, Any]]] = []
        self._put = world.sink.put
        world.sink.put = self.put  # type: ignore[method-assign]

    def check(self, resources: Sequence[Resource]) -> None:
        self.checked.append([dict(one) for one in resources])
        check(resources)

    def put(self, resources: Any, expected: Any = None) -> dict[Key, str]:
        self.sent.append([dict(one) for one in resources])
        return self._put(resources, expected)


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url, FakeSource("one"), FakeSource("two"))
    yield world
    world.database.close()


def nothing(world: World) -> None:
    """Let all go well."""


def stale(world: World) -> None:
    """Let somebody else have written: it is looked up, and written over."""
    world.sink.failures.append(StaleVersion("HTTP 409"))


def lost(world: World) -> None:
    """Let the server lose what the study refers to: it is sent along."""
    for key in [*world.sink.keys("Patient"), *world.sink.keys("Endpoint")]:
        world.sink.lose(key)
    world.sources[0].store(A, instance="2")


def elsewhere(world: World) -> None:
    """Let another source hold the study too: it has the endpoints of both."""
    world.sources[1].store(A)
    world.mark(A, source="two")


@pytest.mark.parametrize("happens", [nothing, stale, lost, elsewhere])
def test_what_is_sent_was_checked_as_it_is_sent(world: World, happens: Any) -> None:
    world.sources[0].store(A)
    world.mark(A)
    world.work()
    seen = Seen(world)
    world.worker = world.new_worker(check=seen.check)
    world.sources[0].store(A, instance="3")
    world.mark(A)
    happens(world)
    world.work()
    assert world.state(A) == "synced"
    assert seen.sent
    assert all(one in seen.checked for one in seen.sent)


def wrong(reading: Reading, source: Source) -> Mapped:
    """Map one study so that no FHIR server should see it."""
    mapped = plain_mapping(reading, source)
    if reading.study.uid == A:
        for one in mapped.resources:
            if one["resourceType"] == "ImagingStudy":
                one["status"] = "SECRET"
    return mapped


def test_what_the_check_refuses_is_the_study_s_problem_and_nothing_is_sent(world: World) -> None:
    world.worker = world.new_worker(mapping=wrong)
    for study_uid in (A, B):
        world.sources[0].store(study_uid)
        world.mark(study_uid)
    world.work()
    assert (world.state(A), world.state(B)) == ("parked", "synced")
    assert "our own check" in world.reason(A)
    assert "SECRET" not in world.reason(A)
    assert world.sink.version(study_key(A)) == ""
    assert all(study_key(A) not in put for put in world.sink.puts)
    assert world.ledger.rows.parked_by_failure() == {BundleRejected.__name__: 1}


def test_a_study_that_passes_after_all_is_synced(world: World) -> None:
    world.worker = world.new_worker(mapping=wrong)
    world.sources[0].store(A)
    world.mark(A)
    world.work()
    world.worker = world.new_worker()
    world.ledger.studies.retry([A])
    world.work()
    assert world.state(A) == "synced"


def test_any_stage_may_stand_there(world: World) -> None:
    class Refused(MapperError):
        """A site's own rule."""

    def refuse(resources: Sequence[Resource]) -> None:
        raise Refused("not here")

    world.worker = world.new_worker(check=refuse)
    world.sources[0].store(A)
    world.mark(A)
    world.work()
    assert (world.state(A), world.reason(A)) == ("parked", "not here")
