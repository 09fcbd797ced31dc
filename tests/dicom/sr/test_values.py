"""What content items say, by value type: every digit, every part, and what is no value."""

from decimal import Decimal
from typing import Any

import pytest
from pydicom.sr.coding import Code as Concept

from mapper.dicom.item import tag_of
from mapper.dicom.sr.code import Code
from mapper.dicom.sr.coordinates import Coordinates, TemporalCoordinates
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.dicom.sr.reference import Reference
from samples.sr.content import CONTAINS, coded, container, item, not_measured, num, pname, referring, text, uidref
from tests.dicom.sr.trees import FINDING, GROUP, LENGTH, MASS, MILLIMETRE, only, raw, said, tree
from tests.support.datasets import dataset

UNIT = Code("mm", "UCUM", None, "millimeter")
CLASS, UID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
SOP = (CLASS, UID)

PLAIN: dict[str, tuple[Any, Any]] = {
    "a text": (text(CONTAINS, FINDING, " two\r\nlines "), " two\nlines"),
    "a code": (coded(CONTAINS, FINDING, MASS), Code("4147007", "SCT", None, "Mass")),
    "a date": (item(CONTAINS, "DATE", FINDING, {"Date": "20240517"}), "20240517"),
    "a time": (item(CONTAINS, "TIME", FINDING, {"Time": "093105.250"}), "093105.250"),
    "a date and time": (item(CONTAINS, "DATETIME", FINDING, {"DateTime": "202405170931+0200"}), "202405170931+0200"),
    "a UID": (uidref(CONTAINS, FINDING, UID), UID),
    "a name": (
        pname(CONTAINS, FINDING, "Mihon^Hanako=見本^花子=みほん^はなこ"),
        {"Alphabetic": "Mihon^Hanako", "Ideographic": "見本^花子", "Phonetic": "みほん^はなこ"},
    ),
    "a container": (container(CONTAINS, GROUP), None),
    "a table": (item(CONTAINS, "TABLE", FINDING, {}), None),
    "an instance": (referring(CONTAINS, "COMPOSITE", FINDING, SOP), Reference(CLASS, UID)),
    "an image": (referring(CONTAINS, "IMAGE", None, SOP), Reference(CLASS, UID)),
    "frames": (referring(CONTAINS, "IMAGE", None, SOP, ReferencedFrameNumber=[1, 3]), Reference(CLASS, UID, (1, 3))),
    "a segment": (
        referring(CONTAINS, "IMAGE", None, SOP, ReferencedSegmentNumber=2),
        Reference(CLASS, UID, segments=(2,)),
    ),
    "an image as it was shown": (
        referring(
            CONTAINS,
            "IMAGE",
            None,
            SOP,
            ReferencedSOPSequence=[{"ReferencedSOPClassUID": "1.2.9", "ReferencedSOPInstanceUID": "1.2.3.5"}, {}],
        ),
        Reference(CLASS, UID, rendered_by=(Reference("1.2.9", "1.2.3.5"),)),
    ),
    "channels": (
        referring(CONTAINS, "WAVEFORM", None, SOP, ReferencedWaveformChannels=[1, 0, 2, 3]),
        Reference(CLASS, UID, channels=((1, 0), (2, 3))),
    ),
    "an instance of no class": (
        item(CONTAINS, "IMAGE", None, {"ReferencedSOPSequence": [{"ReferencedSOPInstanceUID": UID}]}),
        Reference(None, UID),
    ),
    "a graphic": (
        item(CONTAINS, "SCOORD", FINDING, {"GraphicType": "POLYLINE", "GraphicData": ["1.5", "2", "3", "4.25"]}),
        Coordinates("POLYLINE", (Decimal("1.5"), Decimal(2), Decimal(3), Decimal("4.25")), 2),
    ),
    "a point in space": (
        item(
            CONTAINS,
            "SCOORD3D",
            FINDING,
            {
                "GraphicType": "POINT",
                "GraphicData": ["1", "2", "-3.5"],
                "ReferencedFrameOfReferenceUID": "1.2.7",
                "FiducialUID": "1.2.8",
            },
        ),
        Coordinates("POINT", (Decimal(1), Decimal(2), Decimal("-3.5")), 3, "1.2.7", fiducial_uid="1.2.8"),
    ),
    "samples": (
        item(CONTAINS, "TCOORD", FINDING, {"TemporalRangeType": "SEGMENT", "ReferencedSamplePositions": [100, 250]}),
        TemporalCoordinates("SEGMENT", samples=(100, 250)),
    ),
    "offsets": (
        item(CONTAINS, "TCOORD", FINDING, {"TemporalRangeType": "POINT", "ReferencedTimeOffsets": "0.250"}),
        TemporalCoordinates("POINT", offsets=(Decimal("0.250"),)),
    ),
    "moments": (
        item(CONTAINS, "TCOORD", FINDING, {"TemporalRangeType": "POINT", "ReferencedDateTime": "20240517"}),
        TemporalCoordinates("POINT", times=("20240517",)),
    ),
}


@pytest.mark.parametrize(("content", "value"), PLAIN.values(), ids=PLAIN)
def test_a_value_is_read_by_its_type(content: Any, value: Any) -> None:
    assert only(content).value == value


def test_points_are_pairs_or_triples() -> None:
    flat = Coordinates("POLYLINE", tuple(map(Decimal, (1, 2, 3, 4))), 2)
    assert flat.points == ((1, 2), (3, 4))
    assert Coordinates("POINT", tuple(map(Decimal, (1, 2, 3))), 3).points == ((1, 2, 3),)


# -- numbers ------------------------------------------------------------------------------------------------------

# what stands in NumericValue, as JSON has it -> the digits that come out
DIGITS: dict[str, tuple[Any, str]] = {
    "trailing zeros": ("12.40", "12.40"),
    "trailing zeros of a JSON number": (Decimal("12.40"), "12.40"),
    "blanks": (" 12.40 ", "12.40"),
    "an exponent": ("1.2E+01", "12"),
    "a negative exponent": ("4.05878e-006", "0.00000405878"),
    "all that a DS can hold": ("0.12345678901234", "0.12345678901234"),
    "sixteen digits": (1234567890123456, "1234567890123456"),
    "a double with all its digits": (Decimal("72.459999999999994"), "72.46"),
    "a text longer than a DS may be": ("0.3333333333333333333", "0.3333333333333333333"),
    "a small double": (Decimal("0.000022059999999999999"), "0.00002206"),
    "a float": (12.4, "12.4"),
    "whole": (512, "512"),
    "zero": ("0.000", "0.000"),
    "below zero": ("-29.80", "-29.80"),
}


@pytest.mark.parametrize(("sent", "digits"), DIGITS.values(), ids=DIGITS)
def test_every_digit_stays(sent: Any, digits: str) -> None:
    value = only(num(CONTAINS, LENGTH, sent, MILLIMETRE)).value
    assert isinstance(value, MeasuredValue)
    assert value.value is not None
    assert f"{value.value:f}" == digits
    assert (value.unit, value.unreadable) == (UNIT, False)


def measured(**attributes: Any) -> Any:
    """Return a NUM whose measured value has these attributes."""
    return item(CONTAINS, "NUM", LENGTH, {"MeasuredValueSequence": [attributes]})


UNKNOWN = Code("114010", "DCM", None, "Value unknown")
ABSENT = MeasuredValue()
NUMBERS: dict[str, tuple[Any, MeasuredValue, list[str]]] = {
    "not measured, and why": (
        not_measured(CONTAINS, LENGTH, Concept("114010", "DCM", "Value unknown")),
        MeasuredValue(qualifier=UNKNOWN),
        [],
    ),
    "not measured": (not_measured(CONTAINS, LENGTH, None), ABSENT, []),
    "no sequence": (item(CONTAINS, "NUM", LENGTH, {}), ABSENT, []),
    "a sequence without a value": (item(CONTAINS, "NUM", LENGTH, {"MeasuredValueSequence": None}), ABSENT, []),
    "an empty item": (measured(), ABSENT, []),
    "no number": (measured(NumericValue=None), ABSENT, []),
    "only a unit": (
        measured(MeasurementUnitsCodeSequence=[{"CodeValue": "mm"}]),
        MeasuredValue(unit=Code("mm")),
        [],
    ),
    "a text": (
        measured(NumericValue="abc"),
        MeasuredValue(unreadable=True),
        ["1.1 NUM NumericValue: not a number"],
    ),
    "two numbers in one": (
        measured(NumericValue="10.50/ 15.00"),
        MeasuredValue(unreadable=True),
        ["1.1 NUM NumericValue: not a number"],
    ),
    "what Orthanc makes of a text": (
        measured(NumericValue=[]),
        MeasuredValue(unreadable=True),
        ["1.1 NUM NumericValue: not a number"],
    ),
    "a text beside a number that is more precise": (
        measured(NumericValue="abc", FloatingPointValue=1.5),
        MeasuredValue(floating=Decimal("1.5"), unreadable=True),
        ["1.1 NUM NumericValue: not a number"],
    ),
    "several numbers": (
        measured(NumericValue=["1.0", "2.0"]),
        MeasuredValue(Decimal("1.0")),
        ["1.1 NUM NumericValue: several values: the first is kept"],
    ),
    "several measured values": (
        item(CONTAINS, "NUM", LENGTH, {"MeasuredValueSequence": [{"NumericValue": "1"}, {"NumericValue": "2"}]}),
        MeasuredValue(Decimal(1)),
        ["1.1 NUM MeasuredValueSequence: several items where one is allowed: the first is kept"],
    ),
    "more digits than a DS has": (
        measured(NumericValue="0.123456789012", FloatingPointValue=Decimal("0.12345678901234559")),
        MeasuredValue(Decimal("0.123456789012"), Decimal("0.1234567890123456")),
        [],
    ),
    "not a number": (
        measured(NumericValue="1", FloatingPointValue="NaN"),
        MeasuredValue(Decimal(1)),
        ["1.1 NUM FloatingPointValue: not a number"],
    ),
    "a fraction": (
        measured(NumericValue="0.3333333333", RationalNumeratorValue=-1, RationalDenominatorValue=3),
        MeasuredValue(Decimal("0.3333333333"), rational=(-1, 3)),
        [],
    ),
    "half a fraction": (
        measured(NumericValue="1", RationalNumeratorValue=1),
        MeasuredValue(Decimal(1)),
        ["1.1 NUM RationalDenominatorValue: numerator and denominator make no number"],
    ),
    "the other half": (
        measured(NumericValue="1", RationalDenominatorValue=3),
        MeasuredValue(Decimal(1)),
        ["1.1 NUM RationalDenominatorValue: numerator and denominator make no number"],
    ),
    "a fraction of zero": (
        measured(NumericValue="1", RationalNumeratorValue=1, RationalDenominatorValue=0),
        MeasuredValue(Decimal(1)),
        ["1.1 NUM RationalDenominatorValue: numerator and denominator make no number"],
    ),
    "a unit that is no code": (
        measured(NumericValue="1", MeasurementUnitsCodeSequence=[{"CodeMeaning": "score"}]),
        MeasuredValue(Decimal(1), unit=Code(meaning="score")),
        [],
    ),
}


@pytest.mark.parametrize(("content", "value", "problems"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_is_not_as_usual(content: Any, value: MeasuredValue, problems: list[str]) -> None:
    found = tree(content)
    assert found.root.children[0].value == value
    assert said(found) == problems


# -- what is no value ---------------------------------------------------------------------------------------------

NO_VALUE: dict[str, tuple[Any, list[str]]] = {
    "no instance": (
        referring(CONTAINS, "IMAGE", None, SOP, ReferencedSOPInstanceUID=None),
        ["1.1 IMAGE ReferencedSOPSequence: names no SOP instance"],
    ),
    "no reference": (
        item(CONTAINS, "IMAGE", None, {}),
        ["1.1 IMAGE ReferencedSOPSequence: names no SOP instance"],
    ),
    "an empty reference": (
        item(CONTAINS, "COMPOSITE", None, {"ReferencedSOPSequence": [{}]}),
        ["1.1 COMPOSITE ReferencedSOPSequence: names no SOP instance"],
    ),
    "no graphic": (
        item(CONTAINS, "SCOORD", None, {"GraphicType": "POINT"}),
        ["1.1 SCOORD GraphicData: no points"],
    ),
    "half a point": (
        item(CONTAINS, "SCOORD", None, {"GraphicType": "POINT", "GraphicData": [1, 2, 3]}),
        ["1.1 SCOORD GraphicData: no points"],
    ),
    "a flat point in space": (
        item(CONTAINS, "SCOORD3D", None, {"GraphicType": "POINT", "GraphicData": [1, 2]}),
        ["1.1 SCOORD3D GraphicData: no points"],
    ),
    "a point that is no number": (
        item(CONTAINS, "SCOORD", None, {"GraphicType": "POINT", "GraphicData": ["1", "x"]}),
        ["1.1 SCOORD GraphicData: not a number", "1.1 SCOORD GraphicData: no points"],
    ),
    "no times": (
        item(CONTAINS, "TCOORD", None, {"TemporalRangeType": "POINT"}),
        ["1.1 TCOORD ReferencedSamplePositions: no times"],
    ),
    "no code": (coded(CONTAINS, FINDING, MASS) | {"ConceptCodeSequence": []}, []),
}


@pytest.mark.parametrize(("content", "problems"), NO_VALUE.values(), ids=NO_VALUE)
def test_an_item_without_a_value_stays(content: Any, problems: list[str]) -> None:
    found = tree(content)
    assert found.root.children[0].value is None
    assert said(found) == problems


PARTS: dict[str, tuple[Any, Reference, list[str]]] = {
    "half a frame": (
        referring(CONTAINS, "IMAGE", None, SOP, ReferencedFrameNumber=["1", "1.5"]),
        Reference(CLASS, UID),
        ["1.1 IMAGE ReferencedFrameNumber: not whole numbers of 32 bits"],
    ),
    "half a channel": (
        referring(CONTAINS, "WAVEFORM", None, SOP, ReferencedWaveformChannels=[1, 2, 3]),
        Reference(CLASS, UID),
        ["1.1 WAVEFORM ReferencedWaveformChannels: not pairs of group and channel"],
    ),
    "two instances": (
        item(
            CONTAINS,
            "IMAGE",
            None,
            {"ReferencedSOPSequence": [{"ReferencedSOPInstanceUID": UID}, {"ReferencedSOPInstanceUID": "1.2.5"}]},
        ),
        Reference(None, UID),
        ["1.1 IMAGE ReferencedSOPSequence: several items where one is allowed: the first is kept"],
    ),
}


@pytest.mark.parametrize(("content", "value", "problems"), PARTS.values(), ids=PARTS)
def test_a_part_that_cannot_be_read_is_dropped_alone(content: Any, value: Reference, problems: list[str]) -> None:
    found = tree(content)
    assert found.root.children[0].value == value
    assert said(found) == problems


def test_a_wrong_vr_does_not_count() -> None:
    entry = dataset(**num(CONTAINS, LENGTH, "1", MILLIMETRE))
    entry[tag_of("ValueType")]["vr"] = "LO"
    measured_value = entry[tag_of("MeasuredValueSequence")]["Value"][0]
    measured_value[tag_of("NumericValue")] = {"vr": "UN", "InlineBinary": "MTIuNDAg"}  # 12.40
    value = raw(entry).root.children[0].value
    assert isinstance(value, MeasuredValue)
    assert str(value.value) == "12.40"
