"""Reports of computer-aided detection (PS3.16 TID 4000, TID 4100): marks for people, for some, and for machines."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import (
    ChestCADSRStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    DigitalXRayImageStorageForPresentation,
    MammographyCADSRStorage,
)

from samples.dataset import Attributes, uid
from samples.header import Header
from samples.sr.content import (
    ACQUIRED,
    CONTAINS,
    CONTEXT,
    INFERRED,
    MOD,
    PROPERTY,
    SELECTED,
    by_reference,
    coded,
    container,
    num,
    point,
    referring,
    text,
    unit,
)
from samples.sr.document import document, instances_of

MAMMOGRAPHY, CHEST = Code("111036", "DCM", "Mammography CAD Report"), Code("112000", "DCM", "Chest CAD Report")
SUMMARY = Code("111017", "DCM", "CAD Processing and Findings Summary")
WITH_FINDINGS = Code("111242", "DCM", "All algorithms succeeded; with findings")
IMPRESSION = Code("111034", "DCM", "Individual Impression/Recommendation")
SINGLE, COMPOSITE = Code("111059", "DCM", "Single Image Finding"), Code("111015", "DCM", "Composite Feature")
INTENT = Code("111056", "DCM", "Rendering Intent")
REQUIRED = Code("111150", "DCM", "Presentation Required: Rendering device is expected to present")
OPTIONAL = Code("111151", "DCM", "Presentation Optional: Rendering device may present")
HIDDEN = Code("111152", "DCM", "Not for Presentation: Rendering device expected not to present")
CERTAINTY, PROBABILITY = Code("111012", "DCM", "Certainty of Finding"), Code("111047", "DCM", "Probability of cancer")
IMPRESSION_CERTAINTY = Code("111013", "DCM", "Certainty of Impression")
NAME, VERSION = Code("111001", "DCM", "Algorithm Name"), Code("111003", "DCM", "Algorithm Version")
CENTER, LIBRARY = Code("111010", "DCM", "Center"), Code("111028", "DCM", "Image Library")
CLUSTER, MASS = Code("129769006", "SCT", "Calcification Cluster"), Code("129788004", "SCT", "Mammographic breast mass")
NODULE, OPACITY = Code("27925004", "SCT", "Nodule"), Code("112033", "DCM", "Abnormal opacity")
DETECTIONS, ANALYSES = Code("111064", "DCM", "Summary of Detections"), Code("111065", "DCM", "Summary of Analyses")
SUCCEEDED, NOT_ATTEMPTED = Code("111222", "DCM", "Succeeded"), Code("111225", "DCM", "Not Attempted")
SUCCESSFUL, PERFORMED = Code("111063", "DCM", "Successful Detections"), Code("111022", "DCM", "Detection Performed")
LATERALITY, LEFT = Code("111027", "DCM", "Image Laterality"), Code("80248007", "SCT", "Left breast")
PERCENT = unit("%", "Percent")


def algorithm(name: str) -> tuple[Attributes, ...]:
    """Return which algorithm it was (TID 4019)."""
    return text(CONTEXT, NAME, name), text(CONTEXT, VERSION, "1.3")


def finding(how: str, kind: Code, value: Code, intent: Code, *more: Attributes, **numbers: str) -> Attributes:
    """Return a mark of an algorithm, and how certain it is (TID 4004, TID 4006, TID 4104)."""
    told = {"certainty": CERTAINTY, "probability": PROBABILITY}
    stated = (num(PROPERTY, told[name], number, PERCENT) for name, number in numbers.items())
    return coded(how, kind, value, coded(MOD, INTENT, intent), *more, *stated)


def at(column: float, row: float) -> Attributes:
    """Return where in the one image of the library a mark is."""
    return point(PROPERTY, CENTER, column, row, by_reference(SELECTED, 1, 2, 1))


def report(
    header: Header, title: Code, template: str, classes: tuple[str, str], *marks: Attributes, detects: Code, of: int = 1
) -> Dataset:
    """Return a report of one image, that of number `of`; `classes` are those of report and image."""
    sop_class, image_class = classes
    image = (image_class, uid(header.name, 1, of))
    library = referring(CONTAINS, "IMAGE", None, image)
    sides = {"ContentSequence": [coded(ACQUIRED, LATERALITY, LEFT)]} if title == MAMMOGRAPHY else {}
    detected = coded(CONTAINS, PERFORMED, detects, *algorithm("Mark Finder"), by_reference(INFERRED, 1, 2, 1))
    root = container(
        "",
        title,
        coded(MOD, codes.DCM.LanguageOfContentItemAndDescendants, Code("en", "RFC5646", "English")),
        container(CONTAINS, LIBRARY, {**library, **sides}),
        coded(CONTAINS, SUMMARY, WITH_FINDINGS, *marks),
        coded(CONTAINS, DETECTIONS, SUCCEEDED, container(INFERRED, SUCCESSFUL, detected)),
        coded(CONTAINS, ANALYSES, NOT_ATTEMPTED),
        template=template,
    )
    seen = instances_of(header.study_uid, uid(header.name, 1), [image])
    series = header.series(51, "SR", "CAD", 5)
    return document(header, series, sop_class, root, CurrentRequestedProcedureEvidenceSequence=seen)


def mammography_cad(header: Header, image: int = 1, scale: float = 1) -> Dataset:
    """Return a report of two impressions: of the marks of the first one is for people, of the second none is."""

    def there(column: float, row: float) -> Attributes:
        return at(column * scale, row * scale)

    marker = algorithm("Mark Finder")
    shown = container(
        INFERRED,
        IMPRESSION,
        coded(MOD, INTENT, REQUIRED),
        num(CONTAINS, IMPRESSION_CERTAINTY, "71", PERCENT),
        finding(CONTAINS, SINGLE, CLUSTER, REQUIRED, *marker, there(812, 1040), certainty="88.5", probability="34"),
        finding(CONTAINS, SINGLE, MASS, OPTIONAL, *marker, there(400, 1500), certainty="41"),
        finding(CONTAINS, SINGLE, MASS, HIDDEN, *marker, there(90, 120), certainty="3"),
    )
    perhaps = container(
        INFERRED,
        IMPRESSION,
        coded(MOD, INTENT, OPTIONAL),
        finding(CONTAINS, SINGLE, CLUSTER, REQUIRED, *marker, there(300, 700), certainty="55"),
    )
    classes = (MammographyCADSRStorage, DigitalMammographyXRayImageStorageForPresentation)
    return report(header, MAMMOGRAPHY, "4000", classes, shown, perhaps, detects=CLUSTER, of=image)


def chest_cad(header: Header) -> Dataset:
    """Return a report of a feature that was inferred from one finding."""
    nodule = finding(INFERRED, SINGLE, NODULE, REQUIRED, *algorithm("Mark Finder"), at(512, 300), certainty="77.25")
    feature = finding(INFERRED, COMPOSITE, OPACITY, REQUIRED, *algorithm("Mark Judge"), nodule, certainty="80")
    classes = (ChestCADSRStorage, DigitalXRayImageStorageForPresentation)
    return report(header, CHEST, "4100", classes, feature, detects=NODULE)
