"""The table of states: the ledger does what it says and nothing else."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select, update

from mapper.ledger.claim import BEHIND, BY_HAND, SENT_AGAIN, WITH_ALL, Claim
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.schema import study
from mapper.ledger.state import EVENTS, FIRST, STATES, TRANSITIONS, Event, State, moves, table
from mapper.ledger.studies import ATTEMPTS, LEASE
from tests.support.fakes import Clock

UID = "1.2.3"
OWNER = "an-owner"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(ledger_url: str, clock: Clock) -> Iterator[Ledger]:
    database = Database(ledger_url)
    yield Ledger(database, clock, jitter=lambda least, most: most)
    database.close()


def claim(attempts: int = 1) -> Claim:
    """Return a claim that fits the row of `put`."""
    return Claim("orthanc", UID, 1, attempts, 0, OWNER)


def put(ledger: Ledger, state: State, **columns: Any) -> None:
    """Let the one study stand in a state, claimed by OWNER."""
    ledger.studies.mark("orthanc", [UID])
    now = {"generation": 1, "owner": OWNER, "attempts": 1, "not_before": 0.0, "lease_until": ledger.clock() + LEASE}
    with ledger.database.write() as db:
        db.execute(update(study).values(state=state, **(now | columns)))


HAPPENINGS: dict[Event, tuple[dict[str, Any], Callable[[Ledger], object]]] = {  # columns before -> what happens
    "marked": ({}, lambda ledger: ledger.studies.mark("orthanc", [UID])),
    "renewed": ({}, lambda ledger: ledger.studies.renew("orthanc")),
    "claimed": ({}, lambda ledger: ledger.studies.claim(["orthanc"])),
    "taken over": ({"lease_until": 0.0}, lambda ledger: ledger.studies.claim(["orthanc"])),
    "extended": ({}, lambda ledger: ledger.studies.extend(claim())),
    "done": ({}, lambda ledger: ledger.studies.finish(claim(), "done")),
    "gone": ({}, lambda ledger: ledger.studies.finish(claim(), "gone")),
    "refused": ({}, lambda ledger: ledger.studies.finish(claim(), "refused", "why")),
    "failed": ({}, lambda ledger: ledger.studies.fail(claim(), "why")),
    "outage": ({}, lambda ledger: ledger.studies.release(claim(), "why", 5.0)),
    "gave up": ({}, lambda ledger: ledger.studies.fail(claim(ATTEMPTS), "why")),
    "outdated": ({"generation": 2}, lambda ledger: ledger.studies.finish(claim(), "done")),
}
"""Every event, and how it comes about."""


NO_TURN = (("pending", "taken over"), ("retrying", "taken over"))
"""What a worker takes there it claims."""
PAIRS = [pair for pair in product(STATES, HAPPENINGS) if pair not in NO_TURN]


@pytest.mark.parametrize(("state", "event"), PAIRS, ids="-".join)
def test_an_event_leads_where_the_table_says_and_is_refused_elsewhere(
    ledger: Ledger, state: State, event: Event
) -> None:
    columns, happens = HAPPENINGS[event]
    put(ledger, state, **columns)
    happens(ledger)
    with ledger.database.read() as db:
        row = db.execute(select(study)).one()
    expected = TRANSITIONS.get((state, event), state)
    assert row.state == expected
    if (state, event) not in TRANSITIONS:
        assert (row.generation, row.owner, row.attempts) == (columns.get("generation", 1), OWNER, 1), "nothing moved"


def test_a_study_that_dies_with_its_last_attempt_gave_up(ledger: Ledger) -> None:
    put(ledger, "syncing", attempts=ATTEMPTS, lease_until=0.0)
    assert ledger.studies.claim(["orthanc"]) == []
    assert ledger.rows.counts()[TRANSITIONS["syncing", "gave up"]] == 1


def test_a_new_study_begins_in_the_first_state(ledger: Ledger) -> None:
    ledger.studies.mark("orthanc", [UID])
    assert ledger.rows.counts()[FIRST] == 1


def test_every_event_is_named_once_leads_somewhere_and_comes_about_here() -> None:
    assert set(EVENTS) == set(HAPPENINGS) == {event for _, event in TRANSITIONS}
    assert {state for state, _ in TRANSITIONS} == {*TRANSITIONS.values()} == set(STATES)
    with pytest.raises(ValueError, match="no event"):
        moves("claimed", "unheard of")  # type: ignore[arg-type]


def test_from_every_state_a_mark_leads_back_to_work() -> None:
    assert set(moves("marked")) == set(STATES)
    assert set(moves("marked").values()) == {"pending", "syncing"}


def test_the_printed_table_has_a_line_an_event_and_a_column_a_state() -> None:
    head, rule, *lines = table().splitlines()
    assert [cell.strip(" `") for cell in head.strip("|").split("|")] == ["event", "what happened", *STATES]
    assert [line.split("|")[1].strip() for line in lines] == list(EVENTS)
    cells = [cell.strip(" `") for line in lines for cell in line.strip("|").split("|")[2:]]
    assert [cell for cell in cells if cell] == [TRANSITIONS[key] for key in sorted_as_printed()]
    assert rule.count("---") == len(STATES) + 2


def sorted_as_printed() -> list[tuple[State, Event]]:
    """Return the keys of the table, by event and then by state."""
    return [(state, event) for event in EVENTS for state in STATES if (state, event) in TRANSITIONS]


@pytest.mark.parametrize("state", ["retrying", "parked"])
@pytest.mark.parametrize(("before", "after"), [(BY_HAND, BY_HAND), (0, BEHIND), (WITH_ALL, WITH_ALL), (BEHIND, BEHIND)])
def test_what_is_to_be_sent_again_and_is_renewed_is_still_sent_again(
    ledger: Ledger, state: State, before: int, after: int
) -> None:
    put(ledger, state, priority=before, attempts=3)
    ledger.studies.renew("orthanc")
    (claimed,) = ledger.studies.claim(["orthanc"])
    assert (claimed.priority, claimed.attempts) == (after, 1)
    assert (claimed.priority in SENT_AGAIN) == (before in SENT_AGAIN)
