"""Claims taken together: each is handed out once, none is kept from others for long, and none is lost."""

from collections.abc import Iterator

import pytest

from mapper.errors import SinkDown
from mapper.ledger.claim import Claim
from mapper.ledger.claiming import LEASE
from mapper.sync.taken import Taken
from mapper.sync.threads import Threads
from mapper.sync.triggers import Bell
from tests.support.fakes import World

UIDS = tuple(f"1.2.{number}" for number in range(1, 7))


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    world = World(ledger_url)
    for uid in UIDS:
        world.source.store(uid, PatientID=uid, PatientName="A", PatientSize="1.7", PatientWeight="70")
    yield world
    world.database.close()


def claim(number: int) -> Claim:
    """Return a claim on some study."""
    return Claim("orthanc", f"1.2.{number}", 1, 1, 0, "owner")


def given(taken: Taken, together: int) -> Claim | None:
    """Return the next claim, held for as long as it was handed out."""
    with taken.next(together) as one:
        assert one is None or one in taken.held
    return one


def test_claims_are_handed_out_in_their_order_and_more_are_taken_when_none_is_left() -> None:
    line, asked = [claim(number) for number in range(5)], list[int]()

    def take(most: int) -> list[Claim]:
        asked.append(most)
        taken, line[:] = line[:most], line[most:]
        return taken

    taken = Taken(take)
    handed = list[Claim]()
    while (one := given(taken, 2)) is not None:
        handed.append(one)
    assert handed == [claim(number) for number in range(5)]
    assert asked == [2, 2, 2, 2], "the last time nothing was due"
    assert taken.held == set()


def test_what_waits_can_be_dropped() -> None:
    taken = Taken(lambda most: [claim(number) for number in range(most)])
    with taken.next(3) as first:
        assert taken.drop() == [claim(1), claim(2)]
        assert (len(taken), taken.held) == (0, {first})
    assert taken.held == set()


def test_a_claim_at_which_something_fails_is_held_no_longer() -> None:
    taken = Taken(lambda most: [claim(1)])
    with pytest.raises(ZeroDivisionError), taken.next(1):
        raise ZeroDivisionError
    assert taken.held == set()


def test_what_waits_for_a_thread_is_given_back_when_the_sink_goes_down(world: World) -> None:
    """No attempt is burnt, and another replica may have it at once."""
    world.worker.together = len(UIDS)
    assert not world.worker.turn(), "both sides answer"
    world.mark(*UIDS)
    world.sink.down = SinkDown("away")
    assert world.worker.turn(), "the first of them finds out"
    assert not world.worker.turn()
    rows = [world.ledger.rows.find(uid) for uid in UIDS]
    assert {(row.state, row.attempts, row.failure) for row in rows if row} == {("retrying", 0, "SinkDown")}
    assert world.worker.taken.held == set()


def test_what_a_person_asks_for_is_next_when_what_was_taken_is_done(world: World) -> None:
    world.worker.together = 2
    world.mark(*UIDS[:4])
    assert world.worker.turn()
    world.ledger.studies.mark("orthanc", [UIDS[5]], 1)
    assert world.worker.turn()
    assert world.worker.turn()
    assert world.state(UIDS[5]) == "synced"


def test_a_mark_that_comes_while_a_study_waits_for_a_thread_is_not_lost(world: World) -> None:
    world.worker.together = 2
    world.mark(*UIDS[:2])
    assert world.worker.turn()
    world.mark(*UIDS[:2])
    assert world.work() >= 3
    assert {world.state(uid) for uid in UIDS[:2]} == {"synced"}


def test_who_waited_for_longer_than_its_lease_and_lost_it_changes_nothing(world: World) -> None:
    world.worker.together = 2
    world.mark(*UIDS[:2])
    assert world.worker.turn()
    world.clock.forward(LEASE + 1)
    other = world.new_worker()
    assert other.turn()
    before = world.sink.versions()
    assert world.worker.turn()
    assert world.sink.versions() == before
    assert world.state(UIDS[1]) == "synced"


def test_threads_that_stop_finish_what_they_took(world: World) -> None:
    world.mark(*UIDS)
    threads = Threads(world.worker, [], Bell(), workers=3)
    threads.start()
    threads.stop()
    assert world.worker.taken.held == set()
    assert {world.state(uid) for uid in UIDS} <= {"pending", "synced"}
