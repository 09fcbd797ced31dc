"""The breaker: one question at a time, longer and longer apart, and nobody works in between."""

import threading

import pytest

from mapper.errors import SinkDown
from mapper.sync.breaker import FIRST_WAIT, LONGEST_WAIT, Breaker
from tests.support.fakes import Clock


class Side:
    """What is up or down, and how often it was asked."""

    def __init__(self) -> None:
        self.up = False
        self.asked = 0

    def probe(self) -> None:
        self.asked += 1
        if not self.up:
            raise SinkDown("still down")


@pytest.fixture
def side() -> Side:
    return Side()


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


@pytest.fixture
def breaker(side: Side, clock: Clock) -> Breaker:
    return Breaker("fhir", side.probe, clock)


def test_it_asks_once_and_then_nothing_until_somebody_says_down(breaker: Breaker, side: Side) -> None:
    side.up = True
    for _ in range(3):
        assert breaker.closed()
    assert breaker.reason == ""
    assert side.asked == 1


def test_a_side_that_is_down_at_the_start_is_not_worked_for(breaker: Breaker, side: Side, clock: Clock) -> None:
    assert not breaker.closed()
    assert breaker.reason == "still down"
    assert not breaker.closed()
    assert side.asked == 1
    side.up = True
    clock.forward(LONGEST_WAIT)
    assert breaker.closed()


def test_it_asks_at_growing_intervals_and_closes_when_the_side_is_back(
    breaker: Breaker, side: Side, clock: Clock
) -> None:
    breaker.open("does not answer")
    assert breaker.reason == "does not answer"
    gaps, last = [], clock.now
    for _ in range(2000):
        before = side.asked
        assert not breaker.closed()
        if side.asked > before:
            gaps.append(clock.now - last)
            last = clock.now
        clock.forward(0.125)  # exact in binary
    assert gaps[0] == pytest.approx(FIRST_WAIT, abs=0.2)
    assert gaps == sorted(gaps)
    assert max(gaps) == pytest.approx(LONGEST_WAIT, abs=0.2)
    side.up = True
    clock.forward(LONGEST_WAIT)
    assert breaker.closed()
    assert breaker.reason == ""
    asked = side.asked
    assert breaker.closed()
    assert side.asked == asked


def test_retry_after_is_honoured(breaker: Breaker, side: Side, clock: Clock) -> None:
    side.up = True
    breaker.open("comes back later", retry_after=100.0)
    clock.forward(99)
    assert not breaker.closed()
    assert side.asked == 0
    clock.forward(1)
    assert breaker.closed()


def test_only_one_thread_asks(clock: Clock) -> None:
    asking, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        asking.set()
        assert go_on.wait(10)

    breaker = Breaker("fhir", slow, clock)
    breaker.open("down")
    clock.forward(FIRST_WAIT)
    answers: list[bool] = []
    first = threading.Thread(target=lambda: answers.append(breaker.closed()))
    first.start()
    assert asking.wait(10)
    assert not breaker.closed(), "a second thread does not wait for the answer"
    go_on.set()
    first.join()
    assert answers == [True]


def test_what_it_says_is_why_the_side_is_down_now(breaker: Breaker, clock: Clock) -> None:
    breaker.open("first reason")
    clock.forward(FIRST_WAIT)
    assert not breaker.closed()
    assert breaker.reason == "still down"
