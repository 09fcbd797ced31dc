"""Values that are told once: equal ones are found by a set, however many there are."""

from collections.abc import Hashable, Iterable
from typing import Any


def unseen(values: Iterable[Any], known: set[Hashable]) -> list[Any]:
    """Return the values that are not known yet, each once, and add them to what is known."""
    found = []
    for value in values:
        key = frozen(value)
        if key not in known:
            known.add(key)
            found.append(value)
    return found


def frozen(value: Any) -> Hashable:
    """Return what stands for a value of JSON in a set: equal for equal values."""
    if isinstance(value, dict):
        return frozenset((name, frozen(one)) for name, one in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    key: Hashable = value
    return key
