"""Studies of documents in which every row of their tables counts: the samples, and what none of these has."""

from collections.abc import Iterator
from typing import Any

from pydicom.sr.coding import Code

from mapper.dicom.study import Study
from samples.dataset import code
from samples.sr.content import CONTAINS, CONTEXT, PROPERTY, coded, container, item, not_measured, num, text, unit
from tests.support.datasets import dataset
from tests.support.reported import BASIC_TEXT, SAMPLES, SITE, instance, study_of, study_of_samples

EVERYTHING = SITE.model_copy(update={"options": ("dose_events", "key_objects", "repeated_measurements", "segments")})
"""A site with all rows of documents that are off by default."""
MM = unit("mm")
REPORT, GROUP = Code("126000", "DCM", "Imaging Measurement Report"), Code("125007", "DCM", "Measurement Group")
LENGTH, MEAN = Code("410668003", "SCT", "Length"), Code("373098007", "SCT", "Mean")
DERIVED = Code("126011", "DCM", "Derived Imaging Measurements")
SITES, LUNG = Code("363698007", "SCT", "Finding Site"), Code("39607008", "SCT", "Lung")
SIDE, LEFT = Code("272741003", "SCT", "Laterality"), Code("7771000", "SCT", "Left")
RIGHT, KIDNEY = Code("24028007", "SCT", "Right"), Code("64033007", "SCT", "Kidney")
MASS = Code("4147007", "SCT", "Mass")
TITLE = Code("18748-4", "LN", "Diagnostic Imaging Report")
IMPRESSION, EMBOLISM = Code("121073", "DCM", "Impression"), Code("59282003", "SCT", "Pulmonary embolism")


def untracked() -> dict[str, Any]:
    """Return a report of a length in the left lung, of a lesion that nobody tracks, and of a mean at a time."""
    site = coded(CONTEXT, SITES, LUNG, coded(PROPERTY, SIDE, LEFT))
    length = num(CONTAINS, LENGTH, "12.40", MM, not_measured(PROPERTY, MEAN, None))
    mean = {**num(CONTAINS, MEAN, "2", MM), "ObservationDateTime": "20240517110000"}
    content = (container(CONTAINS, GROUP, site, length), container(CONTAINS, DERIVED, mean))
    return instance(container("", REPORT, *content, template="1500"))


def verified() -> dict[str, Any]:
    """Return a text report with a number and a coded impression, whose verifier has a number, and a request."""
    code = {"CodeValue": "1234567893", "CodingSchemeDesignator": "NPI", "CodeMeaning": "NPI"}
    who = {"VerifyingObserverName": "Weber^Karl", "VerifyingObserverIdentificationCodeSequence": [code]}
    content = (num(CONTAINS, LENGTH, "12.40", MM), coded(CONTAINS, IMPRESSION, EMBOLISM))
    said = {"VerifyingObserverSequence": [who], "ReferencedRequestSequence": [{"AccessionNumber": "A-7"}]}
    return instance(container("", TITLE, *content, template="2000"), BASIC_TEXT, 6, **said)


def titled() -> dict[str, Any]:
    """Return an encapsulated document that has a title in words only."""
    said = {"MIMETypeOfEncapsulatedDocument": "application/pdf", "DocumentTitle": "Report", "Modality": "DOC"}
    return instance({}, "104.1", 5, **said)


def with_unnamed() -> dict[str, Any]:
    """Return a report with a number that has no name: it becomes nothing, and its group has one member."""
    unnamed = {name: one for name, one in num(CONTAINS, LENGTH, "3", MM).items() if name != "ConceptNameCodeSequence"}
    group = container(CONTAINS, GROUP, unnamed, num(CONTAINS, LENGTH, "4", MM), text(CONTAINS, MEAN, "words"))
    return instance(container("", REPORT, group, template="1500"))


def at_moments() -> dict[str, Any]:
    """Return a report of a group with values of the types that samples have not, and of a lesion without any value."""
    values = {"DATE": "Date", "DATETIME": "DateTime", "TIME": "Time", "PNAME": "PersonName", "UIDREF": "UID"}
    said = ("20240517", "20240517101500+0200", "101500", "Weber^Karl", "1.2.3")
    moments = (
        item(CONTAINS, kind, Code(f"A{number}", "99X", kind), {keyword: value})
        for number, ((kind, keyword), value) in enumerate(zip(values.items(), said, strict=True))
    )
    lesion = coded(CONTAINS, Code("276214006", "SCT", "Finding category"), Code("52988006", "SCT", "Lesion"))
    return instance(
        container("", REPORT, container(CONTAINS, GROUP, *moments), container(CONTAINS, GROUP, lesion), template="1500")
    )


def replacing() -> dict[str, Any]:
    """Return an encapsulated document that replaces another one."""
    before = {"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1", "ReferencedSOPInstanceUID": "1.2.3"}
    named = {"StudyInstanceUID": "1.2", "ReferencedSeriesSequence": [{"ReferencedSOPSequence": [before]}]}
    return {**titled(), **dataset(PredecessorDocumentsSequence=[named])}


def segmented() -> dict[str, Any]:
    """Return a segmentation of the left kidney, and of a mass in the right lung that has a description only."""
    left, right = ({**code(one), "CodeMeaning": None} for one in (LEFT, RIGHT))
    kidney = {**code(KIDNEY), "SegmentedPropertyTypeModifierCodeSequence": [left]}
    lung = {**code(LUNG), "AnatomicRegionModifierSequence": [right]}
    place, finding = ([code(Code(value, "SCT", "x"))] for value in ("91723000", "49755003"))
    segments = [
        {
            "SegmentNumber": 1,
            "SegmentLabel": "kidney",
            "SegmentedPropertyCategoryCodeSequence": place,
            "SegmentedPropertyTypeCodeSequence": [kidney],
        },
        {
            "SegmentNumber": 2,
            "SegmentDescription": "mass",
            "SegmentedPropertyCategoryCodeSequence": finding,
            "SegmentedPropertyTypeCodeSequence": [code(MASS)],
            "AnatomicRegionSequence": [lung],
        },
    ]
    return instance({"SegmentSequence": segments}, "66.4", 7, Modality="SEG")


OTHERS = {
    "segmented": segmented,
    "untracked": untracked,
    "verified": verified,
    "titled": titled,
    "with an unnamed number": with_unnamed,
    "at moments": at_moments,
    "replacing": replacing,
}


def every_study() -> Iterator[tuple[str, Study]]:
    """Yield a study of each sample, and of what no sample has."""
    yield from ((name, study_of_samples(name)) for name in SAMPLES)
    yield from ((name, study_of(make())) for name, make in OTHERS.items())
