"""Many calls done side by side by a crew, and their results in the order of the calls, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from mapper.errors import MapperError
from mapper.jobs.executors import Crew

AHEAD = 3
"""Calls in work for each that the crew works at: the next result is there when one is taken."""
TRIES = 3
"""How often a call is made whose process is killed."""
C = TypeVar("C")
R = TypeVar("R")


def in_order(crew: Crew, do: Callable[[C], R], calls: Iterable[C]) -> Iterator[tuple[C, R | MapperError]]:
    """Yield each call with what came of it, or with the failure that was left after some tries.

    Raises at once what is no failure of one call: SettingError where the cluster is gone, and what nobody expects.
    """
    waiting: deque[tuple[C, Future[R]]] = deque()
    for call in calls:
        waiting.append((call, crew.submit(do, call)))
        if len(waiting) >= AHEAD * crew.size:
            first, future = waiting.popleft()
            result = _result(crew, do, first, future)
            yield first, result
    for last, future in waiting:
        result = _result(crew, do, last, future)
        yield last, result


def _result(crew: Crew, do: Callable[[C], R], call: C, future: "Future[R]") -> R | MapperError:
    for left in reversed(range(TRIES)):
        try:
            return crew.result(future)
        except MapperError as failure:
            crew.check()
            if failure.fate != "retry" or not left:
                return failure
            future = crew.submit(do, call)
    raise AssertionError
