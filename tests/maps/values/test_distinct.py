"""Values that are compared by a set: equal ones once, in their order."""

from decimal import Decimal
from typing import Any

import pytest

from mapper.maps.rule import Made
from mapper.maps.values.distinct import unseen


def made(**elements: Any) -> Made:
    one = Made()
    one.update(elements)
    return one


VALUES: dict[str, tuple[list[Any], list[Any]]] = {
    "nothing": ([], []),
    "texts": (["a", "b", "a"], ["a", "b"]),
    "the order of elements": ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], [{"a": 1, "b": 2}]),
    "lists are not sets": ([["a", "b"], ["b", "a"]], [["a", "b"], ["b", "a"]]),
    "deep": (
        [{"a": [{"b": ["c"]}]}, {"a": [{"b": ["c"]}]}, {"a": [{"b": ["d"]}]}],
        [{"a": [{"b": ["c"]}]}, {"a": [{"b": ["d"]}]}],
    ),
    "numbers": ([Decimal("1.0"), Decimal("1.00")], [Decimal("1.0")]),
    "a text is no number": (["1", 1], ["1", 1]),
    "a list is no element": ([{"a": "b"}, [["a", "b"]]], [{"a": "b"}, [["a", "b"]]]),
    "what was made": ([made(a=1), {"a": 1}], [{"a": 1}]),
}


@pytest.mark.parametrize(("values", "kept"), VALUES.values(), ids=VALUES)
def test_equal_values_are_kept_once(values: list[Any], kept: list[Any]) -> None:
    known: set[Any] = set()
    assert unseen(values, known) == kept
    assert unseen(values, known) == []
