"""What kind of document a report is: by its title, its template, its SOP class, and by what it holds."""

from typing import Literal

from mapper.dicom.documents import CADS, DOSES, KEY_OBJECTS
from mapper.dicom.sr.content_item import ContentItem
from mapper.maps import cad, ultrasound
from mapper.maps.values import concepts as c
from mapper.maps.values.concepts import Concept
from mapper.maps.values.context_groups import cid

Kind = Literal[
    "measurements",
    "ultrasound",
    "cad",
    "x-ray dose",
    "radiopharmaceutical dose",
    "text",
    "document",
    "key objects",
    "other",
]

MEASUREMENT_TITLES = 7021
"""PS3.16 CID 7021 Measurement Report Document Titles."""
REPORT_TITLES = 7000
"""PS3.16 CID 7000 Diagnostic Imaging Report Document Titles; those of DCM are titles of templates of their own."""
DOSE_TITLES: dict[Concept, Kind] = {
    c.X_RAY_DOSE: "x-ray dose",
    c.RADIOPHARMACEUTICAL_DOSE: "radiopharmaceutical dose",
}
"""The titles that make a dose report, whatever its SOP class: older machines write it into an Enhanced SR."""
CONCLUDING = (c.IMPRESSION, c.CONCLUSION, c.IMPRESSIONS, c.CONCLUSIONS, c.IMPRESSIONS_LN, c.CONCLUSIONS_LN)
"""What says what a report concludes."""
OBSTETRIC = ("125000", "DCM")
"""The title of TID 5000, whose groups are of a template of their own."""


def kind_of(root: ContentItem, sop_class: str | None) -> Kind:
    """Return what a document is: by its title, its template, its SOP class, then by the groups that it has."""
    if sop_class in KEY_OBJECTS:
        return "key objects"
    for title, kind in DOSE_TITLES.items():
        if root.means(title.pair):
            return kind
    if sop_class in DOSES:
        return "other"
    if root.template == "1500" or titled(root, MEASUREMENT_TITLES, "DCM"):
        return "measurements"
    if cad.is_cad(root) or sop_class in CADS:
        return "cad"
    if ultrasound.is_ultrasound(root):
        return "ultrasound"
    if has_groups(root) and not is_concluding(root):
        return "measurements"
    return "text"


def is_imaging_report(root: ContentItem) -> bool:
    """Tell whether a document is an imaging report by its template or its title."""
    return root.template == "2000" or titled(root, REPORT_TITLES, "LN")


def has_groups(root: ContentItem) -> bool:
    """Tell whether a document has Measurement Groups of TID 1501: its title and its template need not say so."""
    if root.means(OBSTETRIC):
        return False
    return any(one.value_type == "CONTAINER" for one in root.descendants(c.MEASUREMENT_GROUP.pair))


def is_concluding(root: ContentItem) -> bool:
    """Tell whether a document is a text report, whatever it measures: by its template, its title, or what it concludes."""
    return is_imaging_report(root) or next(root.descendants(*(one.pair for one in CONCLUDING)), None) is not None


def titled(root: ContentItem, number: int, scheme: str) -> bool:
    """Tell whether a document's title is a code that one scheme has in a context group."""
    return root.means(*((code, scheme) for code in cid(number, scheme)))
