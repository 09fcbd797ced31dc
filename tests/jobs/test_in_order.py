"""Calls done by a crew: their results in their order, in bounded number, through the death of a process."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapper.errors import MapperError, SourceBusy, SourceDown, Unreadable
from mapper.jobs.executors import Crew, crew_of
from mapper.jobs.in_order import AHEAD, TRIES, in_order

FAILURES: dict[str, MapperError] = {
    "unreadable": Unreadable("closed"),
    "busy": SourceBusy("busy"),
    "down": SourceDown("down"),
}


def doubled(number: int) -> int:
    return 2 * number


def failing(name: str) -> str:
    if name in FAILURES:
        raise FAILURES[name]
    return name


def dying(call: tuple[Path, int]) -> int:
    """Die at the calls from 100 on as often as their hundreds say, each time noting it; all else is done."""
    folder, number = call
    times = number // 100
    noted = folder / str(number)
    died = noted.stat().st_size if noted.exists() else 0
    if died < times:
        with noted.open("ab") as file:
            file.write(b"x")
        os._exit(9)
    return number


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("number", [0, 1, 2, 100])
def test_results_come_in_the_order_of_the_calls(threads: int, number: int) -> None:
    with crew_of(threads) as crew:
        assert list(in_order(crew, doubled, range(number))) == [(one, 2 * one) for one in range(number)]


def test_so_many_calls_are_in_work_and_no_more() -> None:
    asked = []

    def calls() -> Iterator[int]:
        for number in range(100):
            asked.append(number)
            yield number

    with crew_of(2) as crew:
        for taken, _ in enumerate(in_order(crew, doubled, calls()), 1):
            assert len(asked) - taken < AHEAD * crew.size


def test_a_failure_is_that_of_its_call_alone() -> None:
    names = ["a", "unreadable", "b", "busy", "down", "c"]
    with crew_of(1) as crew:
        found = dict(in_order(crew, failing, names))
    assert [found[name] for name in "abc"] == ["a", "b", "c"]
    assert all(found[name] is FAILURES[name] for name in FAILURES)


def test_what_nobody_expects_ends_it() -> None:
    with crew_of(1) as crew, pytest.raises(ZeroDivisionError):
        list(in_order(crew, lambda number: 1 // number, [1, 0]))


def test_a_call_that_kills_its_process_costs_itself_alone_and_no_more_pools_than_deaths(tmp_path: Path) -> None:
    calls = [(tmp_path, number) for number in (1, 2, 101, 3, 4, 100 * TRIES, 5, 6)]
    with crew_of(1, processes=1) as crew:
        made = count_pools(crew)
        found = {number: one for (_, number), one in in_order(crew, dying, calls)}
    assert isinstance(found.pop(100 * TRIES), SourceBusy)
    assert found == {number: number for number in (1, 2, 101, 3, 4, 5, 6)}
    deaths = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert len(made) <= deaths


def count_pools(crew: Crew) -> list[int]:
    """Count how often a crew is made anew."""
    made: list[int] = []
    make = crew._make
    crew._make = lambda: [make(), made.append(1)][0]  # type: ignore[assignment,return-value]
    return made
