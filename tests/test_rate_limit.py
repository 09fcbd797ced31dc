"""One thing is said once a minute, however often it happens, and how often it happened is not lost."""

import threading

from mapper.rate_limit import RateLimit
from tests.support.fakes import Clock
from tests.support.tables import rows


@rows(
    "at, told",
    """
    0             | 0            # the first one passes
    0 0 0         | 0 - -
    0 59.9        | 0 -
    0 60          | 0 0
    0 1 2 60      | 0 - - 2      # and says how many it stands for
    0 1 60 61 120 | 0 - 1 - 1
    0 1000        | 0 0
    """,
)
def test_each_kind_passes_once_a_minute(at: str, told: str) -> None:
    clock = Clock(0.0)
    rate = RateLimit(clock=clock)
    said = []
    for moment in at.split():
        clock.now = float(moment)
        said.append(rate.turn("kind"))
    assert ["-" if one is None else str(one) for one in said] == told.split()


def test_kinds_do_not_hold_each_other_back() -> None:
    rate = RateLimit(clock=Clock())
    assert [rate.turn(kind) for kind in ("a", "b", ("a", 1), "a")] == [0, 0, 0, None]


def test_what_is_remembered_is_bounded() -> None:
    clock = Clock(0.0)
    rate = RateLimit(clock=clock, most=50)
    for number in range(500):
        assert rate.turn(("role", number)) == 0
        assert rate.turn(("role", number)) is None
    assert len(rate._passed) == len(rate._held) == 50
    assert rate.turn(("role", 450)) is None, "the newest are held back"
    assert rate.turn(("role", 0)) == 0, "what is forgotten is said again"


def test_of_many_threads_one_passes() -> None:
    rate = RateLimit(clock=Clock())
    passed: list[int | None] = []
    threads = [threading.Thread(target=lambda: passed.append(rate.turn("kind"))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one for one in passed if one is not None] == [0]
    assert len(passed) == 50
