"""Codes of a content tree: their parts, and when two are one concept."""

from typing import Any

import pytest

from mapper.dicom.sr.code import Code
from mapper.dicom.sr.retired import current
from samples.sr.content import CONTAINS, item
from tests.dicom.sr.trees import FINDING, only, said, tree
from tests.support.tables import rows

CODES: dict[str, tuple[dict[str, Any], Code | None]] = {
    "as usual": (
        {"CodeValue": "4147007", "CodingSchemeDesignator": "SCT", "CodeMeaning": " Mass "},
        Code("4147007", "SCT", None, "Mass"),
    ),
    "a version": (
        {"CodeValue": "1", "CodingSchemeDesignator": "LN", "CodingSchemeVersion": "2.77"},
        Code("1", "LN", "2.77"),
    ),
    "long": (
        {"LongCodeValue": "12345678901234567890", "CodingSchemeDesignator": "SCT"},
        Code("12345678901234567890", "SCT"),
    ),
    "a URN": ({"URNCodeValue": "urn:lex:us:federal"}, Code("urn:lex:us:federal")),
    "only a meaning": ({"CodeMeaning": "Mass"}, Code(meaning="Mass")),
    "without its scheme": ({"CodeValue": "1"}, Code("1")),
    "nothing": ({}, None),
    "empty": ({"CodeValue": None, "CodeMeaning": " "}, None),
    "equivalent to another": (
        {
            "CodeValue": "A1",
            "CodingSchemeDesignator": "99ACME",
            "EquivalentCodeSequence": [{"CodeValue": "4147007", "CodingSchemeDesignator": "SCT"}],
        },
        Code("A1", "99ACME", equivalents=(Code("4147007", "SCT"),)),
    ),
}


@pytest.mark.parametrize(("sent", "code"), CODES.values(), ids=CODES)
def test_the_parts_of_a_code(sent: dict[str, Any], code: Code | None) -> None:
    assert only(item(CONTAINS, "CODE", FINDING, {"ConceptCodeSequence": [sent]})).value == code


def test_several_codes_where_one_is_allowed() -> None:
    found = tree(item(CONTAINS, "CODE", FINDING, {"ConceptCodeSequence": [{"CodeValue": "1"}, {"CodeValue": "2"}]}))
    assert found.root.children[0].value == Code("1")
    assert said(found) == ["1.1 CODE ConceptCodeSequence: several items where one is allowed: the first is kept"]


@rows(
    "value, scheme, sct",
    """
    G-C0E3    SRT    363698007   # finding site
    G-C0E3    SNM3   363698007
    G-C0E3    99SDM  363698007
    G-C0E3    SCT    363698007   # the new designator, the old code
    363698007  SCT  363698007
    G-A22A    SRT    410668003   # annex J alone
    T-D2500   SRT    24136001    # annex J over annex O
    L-85B00   SRT    337915000
    P5-B3004  SRT  433232009
    """,
)
def test_a_retired_code_is_the_one_that_took_its_place(value: str, scheme: str, sct: str) -> None:
    assert current(value, scheme) == (sct, "SCT")
    assert Code(value, scheme).means((sct, "SCT"))
    assert Code(sct, "SCT").means((value, scheme))


@rows(
    "value, scheme, other, other_scheme, same",
    """
    G-0000X   SRT     G-0000X   SNM3   yes   # no partner: still one code under two of its names
    G-0000X   SRT     G-0000Y   SRT    -
    121071    DCM     121071    DCM    yes
    121071    DCM     121071    99DCM  -     # the same number of another scheme
    121071    DCM     121070    DCM    -
    363698007  SCT  363698007  SRT  -     # no RT code
    a1        99ACME  A1        99ACME  -
    """,
)
def test_when_two_codes_are_one_concept(
    value: str, scheme: str, other: str, other_scheme: str, same: str | None
) -> None:
    assert Code(value, scheme).means((other, other_scheme)) == bool(same)


def test_an_equivalent_code_counts_and_nothing_else_does() -> None:
    private = Code("A1", "99ACME", meaning="Mass", equivalents=(Code("M-01000", "SRT"), Code("4147007", "SCT")))
    assert private.means(("4147007", "SCT"))
    assert private.means(("1", "DCM"), ("A1", "99ACME"))
    assert not private.means(("Mass", ""))
    assert not private.means()
    assert not Code(meaning="Mass").means(("4147007", "SCT"))
