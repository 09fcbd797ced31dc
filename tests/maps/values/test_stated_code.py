"""A code whose stated meaning is another one than DICOM knows of it is not believed."""

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
        assert reason == "the code means something else than its stated meaning: the code is left out"


def test_the_first_of_several_is_kept_and_none_is_nothing() -> None:
    items = [{"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": one} for one in ("a", "b")]
    made, reasons = run(stated_concept, "SegmentedPropertyTypeCodeSequence*", SegmentedPropertyTypeCodeSequence=items)
    assert made["coding"][0]["display"] == "a"
    assert len(reasons) == 1
    assert run(stated_concept, "SegmentedPropertyTypeCodeSequence*") == (None, [])
