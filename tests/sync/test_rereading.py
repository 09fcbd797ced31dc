"""How a claimed study is read: by what is known of when it was read last."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mapper.ledger.claim import BEHIND, BY_HAND, WITH_ALL, Claim
from mapper.sync.rereading import read
from mapper.sync.sweep import sweep
from tests.support.fakes import World

CLAIM = Claim("orthanc", "1.2.3", 1, 1, 0, "owner")
DONE = replace(CLAIM, generation=9, done_generation=8)
STATE = "20240101T110000"
CLAIMS: dict[str, tuple[Claim, str | None]] = {  # claim -> the state after which nothing that was kept is read
    "new": (CLAIM, None),
    "by hand, new": (replace(CLAIM, priority=BY_HAND), ""),
    "new, of a backfill": (replace(CLAIM, priority=BEHIND), None),
    "it moved since it was new": (replace(CLAIM, generation=2), ""),
    "a second attempt": (replace(CLAIM, attempts=2), ""),
    "held back by an outage, which burns no attempt": (replace(CLAIM, failure="SinkDown"), ""),
    "put back in line by other settings while it was tried again": (
        replace(CLAIM, generation=2, priority=BEHIND),
        "",
    ),
    "moved": (replace(DONE, fingerprint=STATE), STATE),
    "with all": (replace(DONE, fingerprint=STATE, priority=WITH_ALL), STATE),
    "mapped anew": (replace(DONE, fingerprint=STATE, priority=BEHIND), STATE),
    "by hand": (replace(DONE, fingerprint=STATE, priority=BY_HAND), ""),
    "mapped anew, synced by an earlier release": (replace(DONE, priority=BEHIND), None),
    "mapped anew and moved, synced by an earlier release": (replace(DONE, generation=10, priority=BEHIND), ""),
    "moved, synced by an earlier release": (DONE, ""),
}


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    yield world
    world.database.close()


class Rereading:
    """A source that says how it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def read(self, study_uid: str, known_ids: list[str]) -> Any:
        self.asked.append((study_uid, known_ids, None))

    def read_again(self, study_uid: str, known_ids: list[str], since: str) -> Any:
        self.asked.append((study_uid, known_ids, since))


@pytest.mark.parametrize(("claim", "since"), CLAIMS.values(), ids=CLAIMS)
def test_what_moved_since_it_was_read_is_read_past_what_is_kept(world: World, claim: Claim, since: str | None) -> None:
    source = Rereading()
    read(source, claim, world.ledger)  # type: ignore[arg-type]
    assert source.asked == [("1.2.3", [], since)]


def test_a_claim_says_in_which_state_the_study_was_synced_last(world: World) -> None:
    world.source.store("1.2.3")
    sweep(world.ledger, world.source)
    world.work()
    world.ledger.studies.mark("orthanc", ["1.2.3"])
    (claim,) = world.ledger.studies.claim(["orthanc"])
    (sighting,) = world.source.listing()
    assert claim.fingerprint == sighting.fingerprint


def test_a_claim_says_how_the_study_failed_last(world: World) -> None:
    world.ledger.studies.mark("orthanc", ["1.2.3"])
    (claim,) = world.ledger.studies.claim(["orthanc"])
    world.ledger.studies.release(claim, "no answer", 0.0, "SinkDown")
    (again,) = world.ledger.studies.claim(["orthanc"])
    assert (again.attempts, again.failure) == (1, "SinkDown")


def test_of_a_study_that_went_nobody_knows_how_it_was_read(world: World) -> None:
    """It may come back from a backup in the very state in which it was."""
    world.source.store("1.2.3")
    sweep(world.ledger, world.source)
    world.work()
    world.source.delete("1.2.3")
    sweep(world.ledger, world.source, vanishing_allowed=True)
    world.work()
    world.ledger.studies.mark("orthanc", ["1.2.3"])
    (claim,) = world.ledger.studies.claim(["orthanc"])
    assert claim.fingerprint == ""
