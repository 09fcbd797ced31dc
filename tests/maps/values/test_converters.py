"""Whatever a file holds, a converter makes a FHIR value, makes nothing, or raises ValueError without the value."""

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mapper.maps.values
from mapper.dicom.item import Item, tag_of
from mapper.maps.rule import Rule
from mapper.maps.values.context import Context
from tests.support.datasets import BERLIN, site, study_of

SECRET = "Zq7Secret"
NAMED = """
    AnatomicRegionSequence AssigningFacilitySequence CodeMeaning CodeValue CodingSchemeDesignator
    CodingSchemeIdentificationSequence CodingSchemeUID CodingSchemeVersion EquivalentCodeSequence
    FrameAnatomySequence FrameLaterality IdentifierTypeCode ImageLaterality InstitutionName
    IssuerOfAccessionNumberSequence IssuerOfPatientID IssuerOfPatientIDQualifiersSequence
    LocalNamespaceEntityID LongCodeValue LongitudinalTemporalInformationModified Modality PatientBreedDescription
    PatientID PatientIdentityRemoved PatientSpeciesCodeSequence PatientSpeciesDescription
    PersonIdentificationCodeSequence StationName TypeOfPatientID URNCodeValue UniversalEntityID
    UniversalEntityIDType"""
KEYWORDS = NAMED.split()
NOT_FOR_ROWS = {"first_item", "instant", "pairs", "time_of_day"}  # they hand on parts to other converters, or sort

words = st.sampled_from(
    [
        *("", " ", "\\", "=", "^", "CT", "YES", "ISO", "UUID", "DCM", "SRT", "LN", "L", "1.2.3", "1.02", "T-D3000"),
        *("20240517", "20240230", "093105", "+0200", "-9999", "2024-05-17", "REMOVED", "CHEST", "0", "-1"),
        *(SECRET, f"{SECRET}^{SECRET}", f"1.2.{SECRET}", f"20240517{SECRET}", f"a  {SECRET}"),
    ]
)
texts = words | st.text(max_size=12)
numbers = st.integers() | st.decimals() | st.sampled_from([Decimal("1E+999999"), Decimal("1E-999999"), Decimal("NaN")])
names = st.dictionaries(st.sampled_from(["Alphabetic", "Ideographic", "Phonetic", SECRET]), texts | st.none())
leaves = st.none() | st.booleans() | texts | numbers | names
elements = st.recursive(
    leaves | st.dictionaries(texts, leaves, max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.fixed_dictionaries(
            {"vr": st.sampled_from(["LO", "SQ", "UN"]), "Value": st.lists(inner, max_size=2) | inner}
        )
        | st.dictionaries(st.sampled_from(KEYWORDS).map(tag_of), inner, max_size=6)
    ),
    max_leaves=12,
)
items = st.dictionaries(
    st.sampled_from(KEYWORDS).map(tag_of),
    elements | st.builds(lambda value: {"vr": "LO", "Value": [value]}, elements),
    max_size=8,
).map(Item)
values = leaves | items | st.lists(leaves | items, max_size=3) | elements


def converters() -> Iterator[Callable[..., Any]]:
    """Yield every function of mapper.maps.values that a row could name: by(cx, *values)."""
    for module in pkgutil.iter_modules(mapper.maps.values.__path__, "mapper.maps.values."):
        for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            parameters = list(inspect.signature(function).parameters.values())
            ours = function.__module__ == module.name and name not in NOT_FOR_ROWS
            takes_context = len(parameters) > 1 and parameters[0].name == "cx"
            if ours and takes_context and all(one.annotation is Any for one in parameters[1:]):
                yield function


@pytest.mark.parametrize("by", list(converters()), ids=lambda by: f"{by.__module__}.{by.__name__}")
@given(data=st.data())
def test_garbage_makes_a_value_or_nothing_or_a_value_error(by, data):
    count = sum(one.kind is not one.VAR_POSITIONAL for one in inspect.signature(by).parameters.values()) - 1
    item = data.draw(items)
    cx = Context(site(timezone=BERLIN), study_of(item), item, rule=Rule("Test.element", "PatientID", by))
    made, reason = None, "said"
    try:
        found = by(cx, *(data.draw(values) for _ in range(count)))
        made = list(found) if isinstance(found, Iterator) else found
    except ValueError as error:
        reason = str(error)
    json.dumps(made)
    assert not list(blanks(made)), made
    assert reason
    assert all(SECRET not in text for text in (reason, *(problem.reason for problem in cx.problems)))


def blanks(made: Any) -> Iterator[Any]:
    """Yield what FHIR forbids inside a value: null, blank text, empty objects and lists."""
    for inner in made.values() if isinstance(made, dict) else made if isinstance(made, list | tuple) else ():
        if inner is None or inner == {} or inner == [] or (isinstance(inner, str) and not re.search(r"\S", inner)):
            yield inner
        yield from blanks(inner)


def test_there_are_converters_to_try():
    assert len(list(converters())) > 40
