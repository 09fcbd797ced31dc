"""A code whose stated meaning is another one than DICOM knows of it is not believed."""

import csv
from importlib.resources import files
from typing import Any

import pytest

from mapper.maps.values.pydicom_codes import meanings
from mapper.maps.values.stated_code import stated_concept
from tests.support.datasets import run
from tests.support.tables import rows


@rows(
    "code, scheme, meaning, is_kept",
    """
    78961009     SCT     Spleen                     yes
    78961009     SCT     spleen                     yes
    78961009     SCT     SPLEEN                     yes
    78961009     SCT     Splenic structure          yes    # another meaning that DICOM knows
    78961009     SCT     Structure of spleen        yes
    78961009     SCT     Entire spleen              yes
    78961009     SCT     liver                      no     # as MONAI Label writes it
    78961009     SCT     christine                  no
    78961009     SCT     Accessory spleen           no     # something else
    78961009     SCT     Spleen lesion              no
    78961009     SCT     Milz                       no     # nobody here speaks German
    78961009     SCT     -                          yes    # nothing is stated
    64033007     SCT     Left kidney                yes    # a kidney
    64033007     SCT     kidney_left                yes
    64033007     SCT     Kidneys                    yes
    39607008     SCT     Lung                       yes
    39607008     SCT     Liver                      no
    T-C3000      SRT     Spleen                     yes    # retired, and right
    T-C3000      SRT     Liver                      no
    10200004     SRT     Liver                      yes    # SNOMED CT under the old name
    51185008     SCT     Thorax                     yes    # as the lists of common writers have it
    51185008     SCT     Chest                      yes
    113345001    SCT     Abdomen                    yes
    43799004     SCT     Chest                      yes    # annex L
    87878005     SCT     Left ventricle of heart    yes
    87878005     SCT     Right ventricle of heart   no
    86049000     SCT     Neoplasm, Primary          yes
    M-80003      SRT     Neoplasm, Primary          yes
    15497006     SCT     Ovaries                    yes
    32849002     SCT     Oesophagus                 yes
    1234567      SCT     Whatever                   yes    # a code that DICOM does not have
    125040       DCM     Background                 yes
    125040       DCM     Liver                      no
    SPL          99X     Liver                      yes    # private: nobody knows better
    """,
)
def test_a_code_is_kept_where_it_means_what_it_says(code: str, scheme: str, meaning: str | None, is_kept: str) -> None:
    item = {"CodeValue": code, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}
    made, reasons = run(stated_concept, "SegmentedPropertyTypeCodeSequence*", SegmentedPropertyTypeCodeSequence=[item])
    if is_kept == "yes":
        assert made["coding"][0]["code"]
        assert reasons == []
    else:
        assert made == {"text": meaning}
        (reason,) = reasons
        assert (
            reason
            == "the code means something else than its stated meaning, or that is not known: the code is left out"
        )


def test_a_long_code_is_looked_at_too() -> None:
    item = {"LongCodeValue": "78961009", "CodingSchemeDesignator": "SCT", "CodeMeaning": "liver"}
    made, _ = run(stated_concept, "SegmentedPropertyTypeCodeSequence*", SegmentedPropertyTypeCodeSequence=[item])
    assert made == {"text": "liver"}


SPLEEN, LIVER, OURS = ("78961009", "SCT"), ("10200004", "SCT"), ("L1", "99X")


@pytest.mark.parametrize(
    ("first", "equivalent", "left"),
    [
        (LIVER, SPLEEN, ["10200004"]),
        (OURS, SPLEEN, ["L1"]),
        (SPLEEN, LIVER, ["10200004"]),
        (SPLEEN, SPLEEN, []),
        (LIVER, OURS, ["10200004", "L1"]),
    ],
)
def test_of_equivalent_codes_those_are_kept_that_mean_what_they_say(
    first: Any, equivalent: Any, left: list[str]
) -> None:
    def code(pair: tuple[str, str]) -> dict[str, Any]:
        return {"CodeValue": pair[0], "CodingSchemeDesignator": pair[1], "CodeMeaning": "liver"}

    item = {**code(first), "EquivalentCodeSequence": [code(equivalent)]}
    made, reasons = run(stated_concept, "SegmentedPropertyTypeCodeSequence*", SegmentedPropertyTypeCodeSequence=[item])
    assert [one["code"] for one in made.get("coding", ())] == left
    assert bool(reasons) == (SPLEEN in (first, equivalent))


def test_every_list_of_meanings_names_codes_of_snomed_ct_and_its_source() -> None:
    table = (files("mapper.maps.values") / "also_meant.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines()):
        assert meanings("SCT", row["code"]), "a code that DICOM does not have needs no other meaning"
        assert row["meaning"]
        assert row["source"] in ("dcmqi segContexts", "TotalSegmentator snomed_mapping")


def test_the_first_of_several_is_kept_and_none_is_nothing() -> None:
    items = [{"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": one} for one in ("a", "b")]
    made, reasons = run(stated_concept, "SegmentedPropertyTypeCodeSequence*", SegmentedPropertyTypeCodeSequence=items)
    assert made["coding"][0]["display"] == "a"
    assert len(reasons) == 1
    assert run(stated_concept, "SegmentedPropertyTypeCodeSequence*") == (None, [])
