"""A source that only lists: nobody tells what happened there, and the sweep brings FHIR in line all the same."""

from collections.abc import Iterator

import pytest

from mapper.sync.triggers import SWEEP, Triggers
from tests.support.fakes import Clock, World

A, B = "1.2.1", "1.2.2"


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    world.source.feed = None
    world.source.changes = world.source.recent = None  # type: ignore[assignment,method-assign]  # nobody may ask
    yield world
    world.database.close()


def test_what_comes_moves_and_goes_is_found_by_listing_alone(world: World) -> None:
    clock = Clock(100.0)
    triggers = Triggers(world.source, world.ledger, clock=clock)

    def available() -> list[str]:
        """Sweep when it is due, work, and say what is offered."""
        clock.forward(SWEEP)
        assert triggers.turn()
        world.work()
        return world.sink.available()

    world.source.store(A)
    assert available() == [A]
    world.source.store(B)
    assert available() == [A, B]
    world.source.store(A, instance="2")
    assert available() == [A, B]
    assert world.sink.now(("ImagingStudy", world.sink.keys("ImagingStudy")[0][1]))
    world.source.delete(B)
    assert available() == [A]
    assert triggers.cursor is None
    assert not triggers.turn(), "and it is left alone until then"
