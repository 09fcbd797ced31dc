"""A DS that came as a double gets the text that stands in the file, wherever the two fit each other."""

import json
from typing import Any

import pytest

from mapper.sources.orthanc.exact_numbers import exact, has_doubles

CONTENT, MEASURED, VALUE = "0040A730", "0040A300", "0040A30A"


def ds(*values: Any) -> dict[str, Any]:
    return {VALUE: {"vr": "DS", "Value": list(values)}}


def content(*items: dict[str, Any]) -> dict[str, Any]:
    return {CONTENT: {"vr": "SQ", "Value": [{MEASURED: {"vr": "SQ", "Value": [one]}} for one in items]}}


def short(*values: Any) -> dict[str, Any]:
    return {"0040,a730": [{"0040,a300": [{"0040,a30a": value}]} for value in values]}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {  # sent, said, becomes
    "a trailing zero": (content(ds(12.4)), short("12.40"), content(ds("12.40"))),
    "a large number": (content(ds(1e300)), short("1E+300 "), content(ds("1E+300"))),
    "several values": (content(ds(1, 2.5)), short("1.0\\2.50"), content(ds("1.0", "2.50"))),
    "an empty one of several": (content(ds(None, 2.5)), short("\\2.50"), content(ds(None, "2.50"))),
    "two items": (content(ds(1), ds(2)), short("1.0", "2.0"), content(ds("1.0"), ds("2.0"))),
    "texts already": (content(ds("12.40")), short("12.40"), content(ds("12.40"))),
    "another number of values": (content(ds(1.5)), short("1\\2"), content(ds(1.5))),
    "another number of items": (content(ds(1.5)), short("1.50", "2"), content(ds(1.5))),
    "a text too long to be told": (content(ds(1.5)), short(None), content(ds(1.5))),
    "nothing": (content(ds(1.5)), {}, content(ds(1.5))),
    "another shape": (content(ds(1.5)), {"0040,a730": "x"}, content(ds(1.5))),
    "no list of values": ({CONTENT: {"vr": "SQ"}}, short("1"), {CONTENT: {"vr": "SQ"}}),
    "no item": ({CONTENT: {"vr": "SQ", "Value": [5]}}, short("1"), {CONTENT: {"vr": "SQ", "Value": [5]}}),
    "no attribute": ({CONTENT: 5}, short("1"), {CONTENT: 5}),
}


@pytest.mark.parametrize(("sent", "said", "becomes"), CASES.values(), ids=CASES)
def test_numbers_become_the_texts_of_the_file(
    sent: dict[str, Any], said: dict[str, Any], becomes: dict[str, Any]
) -> None:
    before = json.dumps(sent)
    assert exact(sent, said) == becomes
    assert json.dumps(sent) == before


DOUBLES: tuple[tuple[dict[str, Any], bool], ...] = (
    (content(ds(12.4)), True),
    (content(ds("12.4"), ds(12)), True),
    (content(ds("12.4")), False),
    (content(ds(None)), False),
    (content({VALUE: {"vr": "FD", "Value": [12.4]}}), False),
    ({CONTENT: {"vr": "SQ", "Value": [5, None]}}, False),
    ({CONTENT: 5}, False),
)


@pytest.mark.parametrize(("sent", "expected"), DOUBLES, ids=str)
def test_only_a_ds_that_came_as_a_number_is_asked_for_again(sent: dict[str, Any], expected: bool) -> None:
    assert has_doubles(sent[CONTENT]) is expected
