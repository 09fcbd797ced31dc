"""How a claimed study is read: by what is known of when it was read last."""

from collections.abc import Iterator
from math import inf
from typing import Any

import pytest

from mapper.ledger.claim import BEHIND, BY_HAND, WITH_ALL, Claim
from mapper.sync.rereading import LONGEST_SYNC, read
from tests.support.fakes import World

HOUR = 3600.0
CLAIMS: dict[str, tuple[int, float | None, float | None]] = {  # priority, synced so long ago -> seconds; None: read
    "new": (0, None, None),
    "mapped anew, never synced": (BEHIND, None, None),
    "by hand, never synced": (BY_HAND, None, inf),
    "moved": (0, HOUR, HOUR + LONGEST_SYNC),
    "with all": (WITH_ALL, HOUR, HOUR + LONGEST_SYNC),
    "mapped anew": (BEHIND, HOUR, HOUR + LONGEST_SYNC),
    "by hand": (BY_HAND, HOUR, inf),
    "synced in the future: the clock was set back": (0, -HOUR, LONGEST_SYNC),
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

    def read_again(self, study_uid: str, known_ids: list[str], seconds: float) -> Any:
        self.asked.append((study_uid, known_ids, seconds))


@pytest.mark.parametrize(("priority", "ago", "seconds"), CLAIMS.values(), ids=CLAIMS)
def test_what_moved_since_it_was_read_is_read_past_what_is_kept(
    world: World, priority: int, ago: float | None, seconds: float | None
) -> None:
    now = world.ledger.clock()
    claim = Claim("orthanc", "1.2.3", 1, 1, priority, "owner", now, None if ago is None else now - ago)
    source = Rereading()
    read(source, claim, world.ledger)  # type: ignore[arg-type]
    assert source.asked == [("1.2.3", [], seconds)]


def test_a_claim_says_when_the_study_was_synced_last(world: World) -> None:
    world.ledger.studies.mark("orthanc", ["1.2.3"])
    (first,) = world.ledger.studies.claim(["orthanc"])
    assert first.synced_at is None
    world.ledger.studies.finish(first)
    ended = world.ledger.clock()
    world.ledger.studies.mark("orthanc", ["1.2.3"])
    (second,) = world.ledger.studies.claim(["orthanc"])
    assert second.synced_at == ended
