"""NUM -> Quantity: numbers as stated, units of UCUM only where the report says UCUM."""

from decimal import Decimal
from typing import Any

import pytest

from mapper.dicom.item import Item
from mapper.dicom.sr.code import Code
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.fhir.bundle import dump
from mapper.maps.engine import Context
from mapper.maps.rule import Rule
from mapper.maps.values.measured_value import absent_reason, in_words, quantity
from samples.sr.content import CONTAINS, container, num
from tests.support.datasets import site, study_of
from tests.support.documented import LENGTH, MM, REPORT
from tests.support.reported import instance, mapped, of_kind
from tests.support.tables import rows

UCUM = "http://unitsofmeasure.org"


def made(measured: MeasuredValue) -> tuple[Any, list[str]]:
    cx = Context(site(), study_of(Item()), rule=Rule("Test.value", "", quantity))
    found = quantity(cx, measured)
    return found, [problem.reason for problem in cx.problems]


@rows(
    "value, floating, written, noted",
    """
    12.40            -                     12.40                 no
    12.4             -                     12.4                  no
    1.2E+01          -                     12                    no
    -0.10            -                     -0.10                 no
    0.0000001        -                     1E-7                  no
    1E+40            -                     1E+40                 no
    0.123456789012   0.1234567890123456    0.1234567890123456    no    # the double adds digits
    12.40            12.4                  12.40                 no    # the decimal has more
    12.40            13.0                  12.40                 yes   # they contradict each other
    12.40            NaN                   12.40                 no
    -                0.5                   0.5                   no
    12.40            12.404                12.404                no    # rounded: half a step
    12.40            12.396                12.396                no
    12.40            12.409                12.409                no    # cut
    12.40            12.41                 12.40                 yes   # a whole step is another number
    12.40            12.391                12.40                 yes   # neither rounded nor cut
    -12.40           -12.409               -12.409               no    # cut towards zero
    -12.40           -12.391               -12.40                yes
    12.40            -12.40                12.40                 yes
    0                0.4                   0.4                   no
    0                -0.4                  -0.4                  no
    0                1.0                   0                     yes
    5                5.9                   5.9                   no
    5                4.2                   5                     yes
    1.2E+03          1234.5                1200                  yes   # no step above 1
    1.2E+03          1200.25               1200.25               no
    1E+2             150                   100                   yes
    1E-7             0.000000123           1.23E-7               no
    9999999999999999    1E+16                 9999999999999999      no    # the double nearest to it
    """,
)
def test_numbers_to_the_last_digit_in_the_quantity_and_in_words(
    value: str | None, floating: str | None, written: str, noted: str
) -> None:
    measured = MeasuredValue(Decimal(value) if value else None, Decimal(floating) if floating else None)
    found, notes = made(measured)
    assert (in_words(measured) or "").upper() == written, "a person reads the same number"
    assert dump(found["value"]).decode() == written
    assert bool(notes) == (noted == "yes")


@pytest.mark.parametrize("value", ["1E+400", "1E-400"])
def test_what_no_reader_could_hold_is_an_error(value: str) -> None:
    measured = MeasuredValue(Decimal(value))
    with pytest.raises(ValueError, match="no reader"):
        made(measured)
    assert absent_reason(measured)["coding"][0]["code"] == "error"  # type: ignore[index]


@rows(
    "code, scheme, meaning, unit, ucum, noted",
    """
    mm          UCUM     millimeter    millimeter    mm          no
    mm          UCUM     -             mm            mm          no
    1           UCUM     no units      no units      1           no
    {events}    UCUM     events        events        {events}    no
    [hnsf'U]    UCUM     HU            HU            [hnsf'U]    no
    mGy.cm      UCUM     mGy.cm        mGy.cm        mGy.cm      no
    mGycm       UCUM     mGycm         mGycm         -           yes    # seen in reports of older machines
    uGym2       UCUM     uGym2         uGym2         -           yes
    dGycm2      UCUM     dGycm2        dGycm2        -           yes
    Gy          UCUM     gray          gray          Gy          no
    Gy.m2       UCUM     Gy.m2         Gy.m2         Gy.m2       no
    dB m        UCUM     dB m          dB m          -           yes
    Gym²        UCUM     Gym²          Gym²          -           yes    # no character of UCUM
    Gy.cm²      UCUM     Gy.cm²        Gy.cm²        -           yes
    μm          UCUM     μm            μm            -           yes
    µGy.m2      UCUM     µGy.m2        µGy.m2        -           yes
    °C          UCUM     °C            °C            -           yes
    Å           UCUM     Å             Å             -           yes
    Cel         UCUM     °C            °C            Cel         no
    um          UCUM     µm            µm            um          no
    g/ml{SUVbw}  UCUM    SUV           SUV           g/ml{SUVbw}    no
    [in_i]      UCUM     inch          inch          [in_i]      no
    10*-6       UCUM     x             x             10*-6       no
    score       99X      score         score         -           no
    mm          -        millimeter    millimeter    -           no
    mm          SCT      millimeter    millimeter    -           no
    -           UCUM     millimeter    millimeter    -           no
    """,
)
def test_a_unit_has_a_code_only_where_it_is_ucum(
    code: str | None, scheme: str | None, meaning: str | None, unit: str, ucum: str | None, noted: str
) -> None:
    found, notes = made(MeasuredValue(Decimal(3), unit=Code(code, scheme, None, meaning)))
    coded = {"system": UCUM, "code": ucum} if ucum else {}
    assert found == {"value": Decimal(3), "unit": unit, **coded}
    assert bool(notes) == (noted == "yes")


def test_a_number_without_a_unit_has_none() -> None:
    assert made(MeasuredValue(Decimal(3))) == ({"value": Decimal(3)}, [])


@rows(
    "qualifier, reason",
    """
    114000    not-a-number
    114001    negative-infinity
    114002    positive-infinity
    114003    error
    114006    error
    114007    not-performed
    114009    error
    114010    unknown
    114011    unknown
    999999    unknown
    -         unknown
    """,
)
def test_why_there_is_no_number(qualifier: str | None, reason: str) -> None:
    measured = MeasuredValue(qualifier=Code(qualifier, "DCM") if qualifier else None)
    assert made(measured) == (None, [])
    assert absent_reason(measured)["coding"][0]["code"] == reason  # type: ignore[index]


def test_letters_for_a_number_are_an_error_and_a_number_is_no_absence() -> None:
    assert absent_reason(MeasuredValue(unreadable=True))["coding"][0]["code"] == "error"  # type: ignore[index]
    assert absent_reason(MeasuredValue(Decimal(0))) is None
    assert absent_reason(MeasuredValue(floating=Decimal(0))) is None


def test_in_words() -> None:
    assert in_words(MeasuredValue(Decimal("512.30"), unit=Code("mGy.cm", "UCUM"))) == "512.30 mGy.cm"
    assert in_words(MeasuredValue(Decimal("3"))) == "3"
    assert in_words(MeasuredValue()) is None


@rows(
    "keyword, value, ucum",
    """
    CodeValue        mm                                 mm
    LongCodeValue    mm                                 -
    LongCodeValue    kg.m2.s-2.K-1.mol-1                -     # no code of UCUM stands there
    URNCodeValue     urn:oid:2.16.840.1.113883.6.8      -
    """,
)
def test_a_unit_in_another_attribute_than_code_value_is_text(keyword: str, value: str, ucum: str | None) -> None:
    unit = {keyword: value, "CodingSchemeDesignator": "UCUM", "CodeMeaning": "words"}
    measured = {"NumericValue": "3", "MeasurementUnitsCodeSequence": [unit]}
    length = {**num(CONTAINS, LENGTH, "3", MM), "MeasuredValueSequence": [measured]}
    found = mapped(instance(container("", REPORT, length, template="1500")))
    (one,) = of_kind(found, "Observation")
    assert one["valueQuantity"] == {"value": 3, "unit": "words", **({"system": UCUM, "code": ucum} if ucum else {})}
    assert any("UCUM" in problem.reason for problem in found.problems) is (ucum is None)
    assert in_words(MeasuredValue(floating=Decimal("0.5"), unit=Code("mm", "UCUM"))) == "0.5 mm"
    assert in_words(MeasuredValue(floating=Decimal("NaN"))) is None
    assert in_words(MeasuredValue(floating=Decimal("0.5"), unreadable=True)) is None, "NumericValue is no number"
