"""How things stand: in line or not, and of whatever keeps us out of line the reason and what to do."""

from collections.abc import Callable, Iterator

import pytest

from mapper.errors import BundleRejected, SinkDown, SourceDown
from mapper.ledger.sides import SINK, source_side
from mapper.standing import ON_THEIR_WAY, standing
from mapper.sync.brake import BRAKE
from mapper.sync.reconcile import ELSEWHERE
from mapper.sync.threads import ALIVE
from mapper.sync.triggers import Triggers
from tests.support.fakes import World

A, B = "1.2.1", "1.2.2"


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    """Give a world that is in line: swept, synced, and somebody works."""
    world = World(ledger_url)
    world.source.store(A)
    Triggers(world.source, world.ledger).turn()
    world.work()
    alive(world)
    yield world
    world.database.close()


def alive(world: World) -> None:
    world.ledger.meta.put(ALIVE, str(world.clock()))


def test_in_line(world: World) -> None:
    now = standing(world.ledger, ["orthanc"])
    assert (now.in_line, now.reasons, now.open, now.working) == (True, [], 0, True)
    (source,) = now.sources
    assert source.side is not None
    assert source.side.up
    assert now.sink is not None
    assert now.sink.up
    assert source.swept is not None
    assert (source.swept.listed, source.swept.at) == (1, world.clock())
    assert source.counts["synced"] == now.counts["synced"] == 1


def test_what_waits_is_on_its_way_for_a_while(world: World) -> None:
    world.mark(B)
    world.clock.forward(ON_THEIR_WAY)
    alive(world)
    assert standing(world.ledger, ["orthanc"]).in_line
    assert standing(world.ledger, ["orthanc"]).open == 1
    world.clock.forward(1.0)
    assert not standing(world.ledger, ["orthanc"]).in_line
    assert standing(world.ledger, ["orthanc"], longest_wait=2 * ON_THEIR_WAY).in_line


def source_down(world: World) -> None:
    world.source.down = SourceDown("no Orthanc answers")
    Triggers(world.source, world.ledger).turn()


def sink_down(world: World) -> None:
    world.sink.down = SinkDown("no FHIR server answers")
    world.mark(A)
    world.work()


def parked(world: World) -> None:
    world.sink.failures.append(BundleRejected("HTTP 422"))
    world.source.store(B)
    world.mark(B)
    world.work()


OUT_OF_LINE: dict[str, tuple[Callable[[World], object], str, str]] = {  # what happens, the reason, what to do
    "nobody works": (lambda world: world.clock.forward(60.0), "no service works", "serve"),
    "the source is down": (source_down, "orthanc is down: no Orthanc answers", "doctor"),
    "the sink is down": (sink_down, "the FHIR server is down: no FHIR server answers", "doctor"),
    "one is parked": (parked, "1 parked (BundleRejected 1)", "studies --state parked"),
    "the brake": (
        lambda world: world.ledger.meta.put(f"{BRAKE}:orthanc", "99 of 100 vanished"),
        "nothing of orthanc is retracted: 99 of 100 vanished",
        "--accept-removals",
    ),
    "other ids": (
        lambda world: world.ledger.meta.put(f"{ELSEWHERE}:orthanc", "under other ids"),
        "under other ids",
        "docs/operations.md",
    ),
    "never swept": (lambda world: world.ledger.meta.drop("swept:"), "never looked at", "wait"),
}


@pytest.mark.parametrize("happens", OUT_OF_LINE)
def test_whatever_keeps_us_out_of_line_is_said_with_what_to_do(world: World, happens: str) -> None:
    do, text, remedy = OUT_OF_LINE[happens]
    do(world)
    now = standing(world.ledger, ["orthanc"])
    assert not now.in_line
    (reason,) = now.reasons
    assert text in reason.text
    assert remedy in reason.do


def test_a_side_that_comes_back_is_told(world: World) -> None:
    sink_down(world)
    source_down(world)
    assert len(standing(world.ledger, ["orthanc"]).reasons) == 2
    world.source.down = world.sink.down = None
    world.clock.forward(60.0)
    world.worker = world.new_worker()  # another process: it asks at once
    Triggers(world.source, world.ledger).turn()
    world.work()
    alive(world)
    assert standing(world.ledger, ["orthanc"]).in_line
    for side in (SINK, source_side("orthanc")):
        found = world.ledger.sides.of(side)
        assert found is not None
        assert found.since == world.clock()
