"""Whether the sides answer, and since when: told when it changes, for every replica to read."""

from collections.abc import Iterator

import pytest

from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.sides import SINK, Side, Swept, source_side
from tests.support.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def ledger(ledger_url: str, clock: Clock) -> Iterator[Ledger]:
    database = Database(ledger_url)
    yield Ledger(database, clock)
    database.close()


def test_since_when_stays_while_it_stays_so(ledger: Ledger, clock: Clock) -> None:
    assert ledger.sides.of(SINK) is None
    said = []
    for reason in ("", "", "no answer", "HTTP 503", "", ""):
        ledger.sides.tell(SINK, reason)
        said.append(ledger.sides.of(SINK))
        clock.forward(1.0)
    up, down = Side(1000.0, observed=False), Side(1002.0, "no answer")
    assert said == [up, up, down, Side(1002.0, "HTTP 503"), Side(1004.0), Side(1004.0)]
    assert (up.up, down.up) == (True, False)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("no answer", "", Side(1010.0, observed=False)),
        ("", "", Side(1005.0)),
        ("", "no answer", Side(1010.0, "no answer", observed=False)),
        ("no answer", "HTTP 503", Side(1005.0, "HTTP 503")),
    ],
)
def test_what_changed_while_nobody_looked_is_told_as_found_so(
    ledger: Ledger, clock: Clock, before: str, after: str, found: Side
) -> None:
    ledger.sides.tell(SINK, "" if before else "no answer")
    clock.forward(5.0)
    ledger.sides.tell(SINK, before)
    clock.forward(5.0)
    Ledger(ledger.database, clock).sides.tell(SINK, after)  # the next start
    assert ledger.sides.of(SINK) == found


def test_a_source_may_have_the_name_of_the_sink(ledger: Ledger) -> None:
    ledger.sides.tell(SINK, "down")
    ledger.sides.tell(source_side(SINK))
    assert ledger.sides.of(SINK) == Side(1000.0, "down", observed=False)
    assert ledger.sides.of(source_side(SINK)) == Side(1000.0, observed=False)


def test_the_longest_name_of_a_source_has_room(ledger: Ledger) -> None:
    assert len(f"side:{source_side('n' * 48)}") <= 64


def test_the_last_sweep_is_remembered(ledger: Ledger, clock: Clock) -> None:
    assert ledger.sides.last_sweep("orthanc") is None
    ledger.sides.sweep("orthanc", 10, 2, 1, whole=True)
    clock.forward(60.0)
    ledger.sides.sweep("orthanc", 10, 0, 0, whole=False)
    assert ledger.sides.last_sweep("orthanc") == Swept(1060.0, 10, 0, 0, False)
