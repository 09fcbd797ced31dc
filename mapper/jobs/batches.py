"""A stream in lists of a size."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(ones: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield things in lists of a size, the last one shorter."""
    left = iter(ones)
    while batch := list(islice(left, size)):
        yield batch
