"""Content trees in the form of dsr2xml.py's rows, so that the two can be compared."""

import re
from typing import Any

from mapper.dicom.sr.code import Code
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.coordinates import Coordinates, TemporalCoordinates
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.dicom.sr.reference import Reference
from mapper.dicom.sr.tree import ContentTree
from tests.dicom.sr.dsr2xml import Row

FRACTION = re.compile(r"\.[0-9]+")


def rows(tree: ContentTree) -> list[Row]:
    """Return one row a content item, in the order of the document."""
    return [row(item) for item in tree]


def row(item: ContentItem) -> Row:
    """Return the row of one item; the value of a container is its template, that of a reference a path."""
    how = item.relationship or ""
    if item.reference is not None:
        return item.path, "REFERENCE", how, None, item.target.path if item.target else None
    value = item.template if item.value_type == "CONTAINER" else form(item.value_type, item.value)
    return item.path, item.value_type, how, code(item.concept), value


def form(value_type: str, value: Any) -> Any:
    if value_type in ("DATETIME", "TIME") and value:
        return FRACTION.sub("", value)
    if isinstance(value, dict):
        return value.get("Alphabetic", "").rstrip("^")
    return FORMS[type(value)](value) if type(value) in FORMS else value


def code(found: Code | None) -> Any:
    return (found.value or "", found.scheme or "") if found and (found.value or found.scheme) else None


def measured(found: MeasuredValue) -> Any:
    return (
        None if found.value is None else f"{found.value:f}",
        None if found.floating is None else f"{float(found.floating):.7g}",
        found.rational,
        code(found.unit) if found.value is not None else None,
        code(found.qualifier),
    )


def reference(found: Reference) -> Any:
    channels = tuple(number for pair in found.channels for number in pair)
    others = tuple(sop(one) for one in found.rendered_by)
    return (sop(found), found.frames, found.segments, channels, others)


def sop(found: Reference) -> Any:
    return found.sop_class_uid or "", found.sop_instance_uid


def graphic(found: Coordinates) -> Any:
    flat = tuple(f"{float(number):.6g}" for number in found.data)
    return (found.graphic_type, flat, found.frame_of_reference_uid, found.fiducial_uid)


def temporal(found: TemporalCoordinates) -> Any:
    ways: dict[str, tuple[Any, ...]] = {
        "SAMPLE POSITION": found.samples,
        "TIME OFFSET": tuple(map(float, found.offsets)),
        "DATETIME": found.times,
    }
    kind, values = next((kind, values) for kind, values in ways.items() if values)
    return (found.range_type, kind, tuple(map(str, values)))


FORMS: dict[type, Any] = {
    Code: code,
    MeasuredValue: measured,
    Reference: reference,
    Coordinates: graphic,
    TemporalCoordinates: temporal,
}
"""How each kind of value is written into a row."""
