"""How many examples a property is tried on: few in every run, many in `make soak`."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")
FEW = 12


def times(factor: int) -> settings:
    """Return settings for a property that is quick and worth more examples than others."""
    return settings(max_examples=factor * settings.default.max_examples)


def some(shapes: Sequence[T], turn: int, every: int = FEW) -> Sequence[T]:
    """Return all shapes in the soak, else one in `every`, others at the next turn: together they meet all."""
    return shapes if settings.default.max_examples > FEW else shapes[turn % every :: every]
