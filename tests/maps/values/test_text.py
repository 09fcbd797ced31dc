"""Texts and whole numbers."""

import pytest

from mapper.maps.values.text import (
    display_reference,
    text,
    text_concept,
    text_concepts,
    texts,
    unsigned_int,
)
from tests.support.datasets import run


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("   ", None),
        (None, None),
        ("CT\u0000Abdomen", "CTAbdomen"),
        ("x" * 10_000, "x" * 10_000),
        ("Abdome\u0301n", "Abdome\u0301n"),  # never normalised
        ("\ufa10", "\ufa10"),
        (["a", "b"], "a\\b"),  # a backslash that was meant as text
        (" a ", "a"),
    ],
)
def test_texts_are_cleaned_and_kept_in_full(written, made):
    assert run(text, "StudyDescription", StudyDescription=written)[0] == made


def test_texts_stand_once_each():
    made, _ = run(texts, "SoftwareVersions*", SoftwareVersions=["b", "", "a", "b"])
    assert made == ["b", "a"]


def test_a_text_without_a_code_is_a_concept_with_a_text():
    attributes = {"ReasonForTheRequestedProcedure": "Cough"}
    assert run(text_concept, "ReasonForTheRequestedProcedure", **attributes)[0] == {"text": "Cough"}
    assert run(text_concepts, "ReasonForTheRequestedProcedure", **attributes)[0] == [{"text": "Cough"}]
    assert run(text_concepts, "ReasonForTheRequestedProcedure") == ([], [])
    assert run(display_reference, "InstitutionName", InstitutionName="H")[0] == {"display": "H"}
    assert run(display_reference, "InstitutionName")[0] is None


@pytest.mark.parametrize(
    ("written", "made", "recorded"),
    [
        ("2", 2, False),
        (2, 2, False),
        ("2 ", 2, False),
        ("1.0", 1, False),
        (1.0, 1, False),
        ("0", 0, False),
        ("2147483647", 2147483647, False),
        ("2147483648", None, True),
        ("99999999999", None, True),
        ("-1", None, True),
        ("1.5", None, True),
        ("1e999999999", None, True),
        ("1e-999999999", None, True),
        ("two", None, True),
        (True, None, True),
        ("", None, False),
        (None, None, False),
    ],
)
def test_series_numbers(written, made, recorded):
    found, reasons = run(unsigned_int, "SeriesNumber", SeriesNumber=written)
    assert (found, bool(reasons)) == (made, recorded)
    assert found is None or type(found) is int
