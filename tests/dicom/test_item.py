"""Attributes of the DICOM JSON Model as the tables ask for them: by keyword, decoded, cleaned."""

import base64
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.dicom.characters import clean
from mapper.dicom.item import Item, is_single, tag_of, vr_of
from mapper.dicom.layers import Layers
from tests.support.datasets import dataset

NAME = {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}


def item(**raw: Any) -> Item:
    """Return a data set of raw attributes."""
    return Item({tag_of(keyword): element for keyword, element in raw.items()})


def test_keywords_are_those_of_ps3_6() -> None:
    assert tag_of("StudyInstanceUID") == "0020000D"
    assert vr_of("PixelData") == "OB"
    assert is_single("PatientID")
    assert not is_single("ImageType")
    with pytest.raises(KeyError):
        tag_of("PatientIdentity")


# keyword, raw element -> value
READ: dict[str, tuple[str, Any, Any]] = {
    "text": ("PatientID", {"vr": "LO", "Value": [" A1 "]}, "A1"),
    "absent": ("PatientID", None, None),
    "no value": ("PatientID", {"vr": "LO"}, None),
    "empty values": ("PatientID", {"vr": "LO", "Value": [None, "", " "]}, None),
    "the first that is not empty": ("PatientSex", {"vr": "CS", "Value": [None, "M"]}, "M"),
    "controls and padding": ("StudyDescription", {"vr": "LO", "Value": ["\x00CT\x1b \x85Abdomen\x00 "]}, "CT Abdomen"),
    "line ends": ("AdditionalPatientHistory", {"vr": "LT", "Value": [" a\r\nb\rc "]}, " a\nb\nc"),
    "a backslash that was split": ("StudyDescription", {"vr": "LO", "Value": ["a", "b"]}, "a\\b"),
    "several where one is allowed": ("Modality", {"vr": "CS", "Value": ["CT", "MR"]}, "CT"),
    "a number as text": ("SeriesNumber", {"vr": "IS", "Value": ["7"]}, Decimal(7)),
    "a number": ("SeriesNumber", {"vr": "IS", "Value": [7]}, Decimal(7)),
    "digits stay": ("PatientSize", {"vr": "DS", "Value": [Decimal("1.80")]}, Decimal("1.80")),
    "an exponent": ("PatientSize", {"vr": "DS", "Value": ["18e-1"]}, Decimal("1.8")),
    "a wrong vr does not count": ("SeriesNumber", {"vr": "LO", "Value": ["7"]}, Decimal(7)),
    "a number where text belongs": ("PatientID", {"vr": "LO", "Value": [4711]}, "4711"),
    "a name": ("PatientName", {"vr": "PN", "Value": [NAME]}, NAME),
    "a name as text": ("PatientName", {"vr": "PN", "Value": ["Yamada^Tarou=山田^太郎=やまだ^たろう"]}, NAME),
    "an empty group": (
        "PatientName",
        {"vr": "PN", "Value": [{"Alphabetic": "A", "Phonetic": " "}]},
        {"Alphabetic": "A"},
    ),
    "an empty name": ("PatientName", {"vr": "PN", "Value": [{}]}, None),
    "bytes of a text": ("PatientID", {"vr": "UN", "InlineBinary": base64.b64encode(b"A1 ").decode()}, "A1"),
    "bytes of a number": ("SeriesNumber", {"vr": "UN", "InlineBinary": base64.b64encode(b"7 ").decode()}, Decimal(7)),
    "bytes that are no UTF-8": (
        "PatientID",
        {"vr": "UN", "InlineBinary": base64.b64encode(b"\xff").decode()},
        "\ufffd",
    ),
    "a lone surrogate": ("PatientID", {"vr": "LO", "Value": ["a\ud800"]}, "a\ufffd"),
}


@pytest.mark.parametrize(("keyword", "element", "value"), READ.values(), ids=READ)
def test_a_value_is_read_by_its_keyword(keyword: str, element: Any, value: Any) -> None:
    found = item(**{keyword: element} if element is not None else {})[keyword]
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, Decimal):
        assert str(found) == str(value)


UNREADABLE: dict[str, tuple[str, Any]] = {
    "no number": ("SeriesNumber", {"vr": "IS", "Value": ["seven"]}),
    "a number with an underscore": ("SeriesNumber", {"vr": "IS", "Value": ["1_000"]}),
    "digits of another script": ("SeriesNumber", {"vr": "IS", "Value": ["٣"]}),
    "not a number": ("SeriesNumber", {"vr": "IS", "Value": ["NaN"]}),
    "endless": ("PatientSize", {"vr": "DS", "Value": ["Infinity"]}),
    "truth": ("SeriesNumber", {"vr": "IS", "Value": [True]}),
    "a text that is an object": ("PatientID", {"vr": "LO", "Value": [{"a": 1}]}),
    "a text that is a list": ("PatientID", {"vr": "LO", "Value": [["a"]]}),
    "a name that is a number": ("PatientName", {"vr": "PN", "Value": [7]}),
    "a name of numbers": ("PatientName", {"vr": "PN", "Value": [{"Alphabetic": 7}]}),
    "an item that is none": ("IssuerOfPatientIDQualifiersSequence", {"vr": "SQ", "Value": ["a"]}),
    "a value that is no list": ("PatientID", {"vr": "LO", "Value": "A1"}),
    "an attribute that is none": ("PatientID", "A1"),
    "bytes that are no base64": ("PatientID", {"vr": "UN", "InlineBinary": "?"}),
    "bytes of a sequence": ("IssuerOfPatientIDQualifiersSequence", {"vr": "UN", "InlineBinary": "AAAA"}),
    "bytes of a binary number": ("NumberOfStudyRelatedSeries", {"vr": "LO", "Value": [{}, False]}),
    "a value that lies elsewhere": ("StudyDescription", {"vr": "LO", "BulkDataURI": "http://pacs.example/bulk"}),
}


@pytest.mark.parametrize(("keyword", "element"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_refused_without_quoting_it(keyword: str, element: Any) -> None:
    with pytest.raises(ValueError, match=r".") as failed:
        item(**{keyword: element})[keyword]
    said = str(failed.value)
    assert not any(value in said for value in ("seven", "1_000", "A1", "http"))


def test_items_of_a_sequence_are_data_sets() -> None:
    coded = Item(dataset(ProcedureCodeSequence=[{"CodeValue": "77477000", "CodeMeaning": "CT"}, {}]))
    found = coded.values("ProcedureCodeSequence")
    assert [one["CodeValue"] for one in found] == ["77477000"]


def test_positions_keep_the_empty_places() -> None:
    found = Item(dataset(OtherPatientIDs=["a", None, "c"]))
    assert found.positions("OtherPatientIDs") == ["a", None, "c"]
    assert found.values("OtherPatientIDs") == ["a", "c"]


def test_present_without_a_value_is_present() -> None:
    assert "PatientSex" in Item(dataset(PatientSex=None))
    assert "PatientSex" not in Item(dataset(PatientID="A"))


# -- several data sets as one --------------------------------------------------------------------


def layers(*sets: dict[str, Any]) -> Layers:
    return Layers(Item(dataset(**one)) for one in sets)


def test_the_first_with_a_value_speaks() -> None:
    study = layers(
        {"StudyDate": None}, {"StudyDate": "20240229", "TimezoneOffsetFromUTC": "+0100"}, {"StudyDate": "2025"}
    )
    assert study["StudyDate"] == "20240229"
    assert study.layer("StudyDate")["TimezoneOffsetFromUTC"] == "+0100"
    assert study["PatientID"] is None
    assert "StudyDate" in study
    assert "PatientID" not in study


@pytest.mark.parametrize(
    ("values", "disagree"),
    [
        (["a", "a"], False),
        (["a", "b"], True),
        (["a", None, "a"], False),
        ([None, "a", None, "b"], True),
        ([None], False),
    ],
)
def test_whether_they_disagree(values: list[str | None], disagree: bool) -> None:
    study = layers(*({"StudyDescription": value} for value in values))
    assert study.disagrees("StudyDescription") == disagree


def test_no_layers_are_an_empty_data_set() -> None:
    assert layers()["PatientID"] is None
    assert "PatientID" not in layers()


# -- whatever stands there -----------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: st.lists(one) | st.dictionaries(st.text(), one),
)
KEYWORDS = (
    "PatientID",
    "PatientName",
    "SeriesNumber",
    "ProcedureCodeSequence",
    "StudyDate",
    "PixelData",
    "PatientSize",
)


@given(keyword=st.sampled_from(KEYWORDS), element=JSON | st.fixed_dictionaries({"vr": st.text(), "Value": JSON}))
def test_anything_is_either_read_or_refused(keyword: str, element: Any) -> None:
    found = item(**{keyword: element})
    try:
        found.values(keyword)
        found[keyword]
    except ValueError:
        pass
    assert isinstance(Layers([found, found]).disagrees(keyword), bool)
    assert isinstance(keyword in found, bool)
    assert isinstance(found.is_repeated(keyword), bool)
    assert isinstance(found.canonical(), str)


@given(st.text())
def test_clean_text_is_clean(text: str) -> None:
    found = clean(text)
    if found is None:
        return
    assert found == found.strip()
    assert clean(found) == found
    assert not any(ord(letter) < 32 and letter not in "\t\n" for letter in found)
    found.encode()
