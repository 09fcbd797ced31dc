"""A backfill through the ledger: behind live work, never twice, and done by as many threads as wanted."""

import threading
from collections.abc import Iterator
from itertools import islice

import pytest

from mapper.errors import LedgerFailed, SourceDown
from mapper.jobs import into_fhir
from mapper.jobs.into_fhir import Shift, take_in
from mapper.jobs.patience import Patience
from mapper.ledger.claim import BEHIND, BY_HAND
from mapper.sources.source import Sighting
from mapper.sync.threads import ALIVE
from tests.support.fakes import World

UIDS = [f"1.2.{number}" for number in range(1, 13)]


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    made = World(ledger_url)
    for uid in UIDS:
        made.source.store(uid)
    yield made
    made.database.close()


def test_each_study_is_marked_once(world: World) -> None:
    told: list[int] = []
    assert take_in(world.ledger, world.source, told.append) == 12
    assert told == [12]
    assert take_in(world.ledger, world.source) == 0
    world.source.store(UIDS[0], instance="2")
    assert take_in(world.ledger, world.source) == 1


def test_a_listing_that_breaks_off_is_begun_anew_and_marks_each_study_once(world: World) -> None:
    whole, told, once = world.source.listing, list[str](), [7]

    def broken() -> Iterator[Sighting]:
        yield from islice(whole(), once.pop() if (breaks := bool(once)) else None)
        if breaks:
            raise SourceDown("answers 503")

    world.source.listing = broken  # type: ignore[method-assign]
    listed: list[int] = []
    patience = Patience(say=told.append, sleep=lambda seconds: None)
    assert take_in(world.ledger, world.source, listed.append, patience) == 12
    assert told == ["waiting, then listed anew: answers 503"]
    assert world.work() == 12


def test_what_still_moves_is_left_to_the_sweep(world: World) -> None:
    world.source.store("1.3.1", stable=False)
    assert take_in(world.ledger, world.source) == 12


def test_live_work_comes_first(world: World) -> None:
    take_in(world.ledger, world.source)
    world.clock.forward(60)
    world.source.store("9.9.9")
    world.mark("9.9.9")
    world.worker.turn()
    assert world.source.reads == ["9.9.9"]
    world.work()
    assert sorted(world.source.reads) == sorted([*UIDS, "9.9.9"])


def test_what_live_work_did_is_not_done_again(world: World) -> None:
    world.mark(*UIDS[:6])
    world.work()
    assert take_in(world.ledger, world.source) == 6
    world.work()
    assert sorted(world.source.reads) == sorted(UIDS)


def test_a_shift_does_what_is_due_and_ends(world: World) -> None:
    take_in(world.ledger, world.source)
    looks: list[int] = []
    Shift(world.worker, 3).run(lambda: looks.append(len(world.sink.available())))
    assert world.sink.available() == sorted(UIDS)
    assert looks[-1] == 12
    assert sorted(world.source.reads) == sorted(UIDS), "no study twice"


@pytest.mark.parametrize(
    ("priority", "waits"), [(BEHIND, True), (0, False), (BY_HAND, False)], ids=["a backfill's", "live", "asked for"]
)
def test_a_shift_waits_for_what_another_process_is_at_only_if_a_backfill_wants_it(
    world: World, priority: int, waits: bool
) -> None:
    take_in(world.ledger, world.source)
    world.clock.forward(1)
    world.ledger.studies.mark(world.source.name, [UIDS[0]], priority)
    world.ledger.studies.mark(world.source.name, UIDS[1:], BEHIND)
    (other,) = world.ledger.studies.claim([world.source.name])
    assert other.priority == priority
    looks: list[int] = []

    def look() -> None:
        looks.append(len(world.sink.available()))
        if looks.count(11) == 3:
            world.worker.settle(other)

    Shift(world.worker, 2).run(look)
    assert world.ledger.rows.counts()["syncing"] == (0 if waits else 1)
    assert world.ledger.rows.behind() == 0


def test_an_interrupt_ends_a_shift_and_what_is_left_stays_in_line(world: World) -> None:
    take_in(world.ledger, world.source)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Shift(world.worker, 2).run(interrupt)
    assert world.worker.claims == {}
    Shift(world.worker, 2).run(lambda: None)
    assert world.sink.available() == sorted(UIDS)


def test_a_source_that_is_down_is_told(world: World) -> None:
    world.source.down = SourceDown("stopped")
    with pytest.raises(SourceDown):
        take_in(world.ledger, world.source)


class Turns(threading.Event):
    """So many turns, without a pause."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0

    def wait(self, timeout: float | None = None) -> bool:
        return False


@pytest.mark.parametrize("failure", [LedgerFailed("locked"), OSError("disk"), None], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("what", ["sign", "lease"])
def test_leases_are_lengthened_after_a_ledger_failed_at_it(
    world: World, what: str, failure: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(into_fhir, "LEASE", 0.0)
    take_in(world.ledger, world.source)
    claims = world.ledger.studies.claim([world.source.name])
    world.worker.claims.update({one.owner: one for one in claims})
    asked = {"sign": 0, "lease": 0}
    sign, lease = world.ledger.meta.put, world.ledger.studies.extend

    def once(name: str) -> None:
        asked[name] += 1
        if name == what and failure and asked[name] == 1:
            raise failure

    monkeypatch.setattr(world.ledger.meta, "put", lambda *of: (once("sign"), sign(*of))[1])
    monkeypatch.setattr(world.ledger.studies, "extend", lambda claim: (once("lease"), lease(claim))[1])
    shift = Shift(world.worker, 0)
    shift._stopping = Turns(3)
    shift._keep()
    assert asked == {"sign": 3 + 1, "lease": 3 * len(claims)}
    assert world.ledger.meta.get(ALIVE) == "0"
