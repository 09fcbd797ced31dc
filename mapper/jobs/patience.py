"""Patience with a side that is down or busy: a job asks again, longer each time, and says why it waits."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from mapper.errors import MapperError

FIRST, LONGEST = 1.0, 30.0
T = TypeVar("T")


@dataclass
class Patience:
    """Tries until it works or `seconds` are over since it last did; failures of other fates are raised at once."""

    seconds: float = 300.0
    say: Callable[[str], object] = lambda reason: None
    sleep: Callable[[float], object] = time.sleep

    def __call__(self, do: Callable[[], T]) -> T:
        """Return what `do` returns; raises what it raised last."""
        waited, tries = 0.0, 0
        while True:
            try:
                return do()
            except MapperError as error:
                if error.fate != "retry" or waited >= self.seconds:
                    raise
                if not waited:
                    self.say(f"waiting: {error}")
                tries += 1
                waited += self.pause(tries, error)

    def listing(self, begin: Callable[[], Iterator[T]]) -> Iterator[tuple[T, bool]]:
        """Yield what a listing yields, begun anew where it breaks off, and whether it was begun anew.

        Then things come again. Raises what the listing raised where it never began, and what it raised last when it was
        waited for `seconds` in all.
        """
        waited, tries, began, items = 0.0, 0, False, begin()
        while True:
            try:
                one = next(items)
            except StopIteration:
                return
            except MapperError as error:
                if error.fate != "retry" or not began or waited >= self.seconds:
                    raise
                self.say(f"waiting, then listed anew: {error}")
                tries += 1
                waited += self.pause(tries, error)
                items = begin()
                continue
            began = True
            yield one, tries > 0

    def pause(self, tries: int, error: MapperError) -> float:
        """Wait after a try that failed, longer each time, and as long as was asked for; returns the seconds."""
        seconds: float = min(max(FIRST * 2 ** min(tries - 1, 10), error.retry_after or 0.0), LONGEST)
        self.sleep(seconds)
        return seconds
