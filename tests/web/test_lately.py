"""What takes long to count is counted once for a while; what does not is counted anew."""

from types import SimpleNamespace
from typing import Any

import pytest

from mapper.ledger.outcome import Span
from mapper.web.lately import LONGEST, MOST, Lately


class Slow:
    """A history whose every answer takes a while, by a clock that only it moves."""

    def __init__(self, takes: float) -> None:
        self.now, self.takes, self.asked = 1000.0, takes, list[tuple[float, ...]]()

    def spans(self, since: float, seconds: int) -> list[Span]:
        self.now += self.takes
        self.asked.append((since, seconds))
        return [Span(since, {"synced": len(self.asked)}, 0.1, 0.1)]

    def counts(self, since: float) -> dict[Any, int]:
        self.now += self.takes
        self.asked.append((since,))
        return {("synced", None): len(self.asked)}


def lately(takes: float) -> tuple[Slow, Lately]:
    slow = Slow(takes)
    ledger: Any = SimpleNamespace(history=slow, clock=lambda: 5000.0)
    return slow, Lately(ledger, clock=lambda: slow.now)


ASKED: dict[str, Any] = {
    "spans": lambda one: one.spans(3600.0, 60),
    "counts": lambda one: one.counts(3600.0),
    "counts since": lambda one: one.counts_since(4000.0),
}


@pytest.fixture(params=ASKED.values(), ids=ASKED)
def ask(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize(
    ("takes", "passes", "asked"),
    [(0.001, 0.0, 2), (0.5, 0.0, 1), (0.5, 99.0, 1), (0.5, 101.0, 2), (60.0, LONGEST - 1, 1), (60.0, LONGEST + 1, 2)],
)
def test_what_took_long_stands_for_a_while(ask: Any, takes: float, passes: float, asked: int) -> None:
    slow, one = lately(takes)
    first = ask(one)
    slow.now += passes
    assert (ask(one) == first) == (asked == 1)
    assert len(slow.asked) == asked


def test_each_time_is_counted_on_its_own() -> None:
    slow, one = lately(1.0)
    one.spans(3600.0, 60)
    one.spans(3600.0, 30)
    one.spans(7200.0, 60)
    one.counts(3600.0)
    assert slow.asked == [(1380.0, 60), (1380.0, 30), (-2220.0, 60), (1400.0,)]


def test_no_more_is_kept_than_so_many_answers() -> None:
    slow, one = lately(1.0)
    slow.takes = 1.0
    for moment in range(MOST * 2):
        one.counts_since(float(moment))
    assert len(one._kept) == MOST
    one.counts_since(MOST * 2 - 1.0)
    assert len(slow.asked) == MOST * 2
