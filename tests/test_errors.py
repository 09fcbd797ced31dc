"""The tree of failures as it is drawn, and as it is."""

import inspect
import re
from typing import get_args

import pytest

from mapper import errors
from mapper.errors import Fate, MapperError, Problem, Side

DRAWN = re.findall(r"^  \+ (\w+) +(\w+) +(\w+) +(\S.*)$", errors.__doc__ or "", re.MULTILINE)
CLASSES = {
    name: one
    for name, one in vars(errors).items()
    if inspect.isclass(one) and issubclass(one, MapperError) and one is not MapperError
}


def test_the_drawing_is_the_tree() -> None:
    assert len(DRAWN) == len({name for name, *_ in DRAWN})
    drawn = {name: (fate, side) for name, fate, side, _ in DRAWN}
    assert drawn == {name: (one.fate, one.side) for name, one in CLASSES.items()}


@pytest.mark.parametrize(("name", "fate", "side", "words"), DRAWN)
def test_what_is_drawn_as_an_outage_is_one(name: str, fate: str, side: str, words: str) -> None:
    assert CLASSES[name].outage == ("outage" in words)
    assert fate in get_args(Fate)
    assert side in get_args(Side)
    if CLASSES[name].outage:
        assert fate == "retry", "an outage is waited for"
        assert side in ("source", "sink"), "each has a breaker"


@pytest.mark.parametrize("one", CLASSES.values(), ids=CLASSES)
def test_every_failure_says_what_it_is(one: type[MapperError]) -> None:
    assert one.__doc__
    assert one.__doc__ != MapperError.__doc__
    assert one("text").retry_after is None
    assert str(one("text")) == "text"


def test_a_problem_names_element_attribute_and_reason() -> None:
    problem = Problem("Patient.birthDate", "PatientBirthDate", "not a date")
    assert str(problem) == "Patient.birthDate <- PatientBirthDate: not a date"
