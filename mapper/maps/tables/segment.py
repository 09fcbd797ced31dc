"""BodyStructure <- a segment of a segmentation (PS3.3 C.8.20.2, C.8.20.4), with the option `segments`.

One a patient and Tracking UID, the same that a report measures; a segment that nobody tracks is one of its own. What is
segmented is a place where its category says so, else what is found at the place that AnatomicRegionSequence names.
"""

from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.sr.retired import current
from mapper.maps import derived_keys, engine
from mapper.maps.rule import MUST, Made, MissingElement, Rule
from mapper.maps.segmentation import Segment
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.subject import ISSUED_ID, is_phantom, issued_reference, own_reference, patient_id
from mapper.maps.values.coding import codeable_concepts
from mapper.maps.values.concepts import (
    ANATOMICAL_STRUCTURE,
    BACKGROUND,
    BODY_STRUCTURE,
    TISSUE,
    TRACKING_IDENTIFIER,
    TRACKING_UID,
)
from mapper.maps.values.context import Context
from mapper.maps.values.document_url import DICOM, series_url
from mapper.maps.values.stated_code import stated_concept
from mapper.maps.values.text import as_items, as_text, each, text, whole
from mapper.maps.values.uid import uid_identifier

OPTION = "segments"
PLACES = (ANATOMICAL_STRUCTURE, BODY_STRUCTURE, TISSUE)
"""Categories of what is a place itself (PS3.16 CID 7150)."""
TYPE = "SegmentedPropertyTypeCodeSequence* SegmentedPropertyCategoryCodeSequence*?"


def segment_at(cx: Context) -> Segment:
    """Return the segment that is being read."""
    assert isinstance(cx.item, Segment)
    return cx.item


def tracked_id(cx: Context, uid: Any) -> str | None:
    """TrackingUID -> id, the same in every segmentation and report that tracks it."""
    tracked = as_text(uid)
    return cx.id(*derived_keys.body_structure(patient_id(cx), tracked)) if tracked else None


def numbered_id(cx: Context, number: Any) -> str | None:
    """SOPInstanceUID and SegmentNumber -> id of what nobody tracks."""
    found = whole(number, smallest=0)
    if found is None:
        return None
    return cx.id(*derived_keys.body_structure_at(patient_id(cx), segment_at(cx).sop_instance_uid, str(found)))


def tracking_uids(cx: Context, uid: Any) -> list[dict[str, Any]]:
    """TrackingUID -> identifier, typed by DCM 112040."""
    made = uid_identifier(cx, uid)
    return [{"type": {"coding": [TRACKING_UID.coding]}, **made}] if made else []


def tracking_identifiers(cx: Context, value: Any) -> list[dict[str, Any]]:
    """TrackingID -> identifier without a system: it is unique in one segmentation only."""
    tracked = as_text(value)
    return [{"type": {"coding": [TRACKING_IDENTIFIER.coding]}, "value": tracked}] if tracked else []


def numbers(cx: Context, number: Any, tracked: Any) -> list[dict[str, str]]:
    """Without a TrackingUID: SOPInstanceUID and SegmentNumber -> identifier of what nobody tracks."""
    found = whole(number, smallest=0)
    if found is None or as_text(tracked):
        return []
    system, value = derived_keys.segment_identifier(cx.site.base, segment_at(cx).sop_instance_uid, str(found))
    return [{"system": system, "value": value}]


def is_of(items: Any, *concepts: Any) -> bool:
    """Tell whether the first item of a code sequence is one of these concepts, retired codes included."""
    for one in as_items(items)[:1]:
        code, scheme = as_text(one["CodeValue"]) or "", as_text(one["CodingSchemeDesignator"]) or ""
        return current(code, scheme) in {concept.pair for concept in concepts}
    return False


def place(cx: Context, kinds: Any, categories: Any) -> dict[str, Any] | None:
    """What is segmented -> location, where its category says that it is a place."""
    return stated_concept(cx, kinds) if is_of(categories, *PLACES) else None


def finding(cx: Context, kinds: Any, categories: Any) -> dict[str, Any] | None:
    """What is segmented -> morphology, where its category does not say that it is a place."""
    return None if is_of(categories, *PLACES) else stated_concept(cx, kinds)


def region_modifiers(cx: Context, regions: Any) -> list[dict[str, Any]]:
    """AnatomicRegionModifierSequence of the region -> locationQualifier, each with its code."""
    return modifiers(cx, regions, "AnatomicRegionModifierSequence")


def kind_modifiers(cx: Context, kinds: Any) -> list[dict[str, Any]]:
    """SegmentedPropertyTypeModifierCodeSequence of what is segmented -> locationQualifier, each with its code."""
    return modifiers(cx, kinds, "SegmentedPropertyTypeModifierCodeSequence")


def modifiers(cx: Context, sequence: Any, keyword: str) -> list[dict[str, Any]]:
    """Return the modifiers in the first item of a code sequence."""
    return [made for one in as_items(sequence)[:1] for made in codeable_concepts(cx, one.values(keyword))]


def sources(cx: Context, series: Any, study: Any) -> list[dict[str, str]]:
    """ReferencedSeriesSequence -> image: the series that was segmented, as it is to be had over DICOMweb."""

    def image(item: Item) -> dict[str, str] | None:
        uid = as_text(item["SeriesInstanceUID"])
        url = series_url(cx, as_text(study), uid) if uid not in cx.rejected else None
        return {"contentType": DICOM, "url": url} if url else None

    return each(cx, as_items(series), image)


# fmt: off
RULES = (
    #    FHIR element                      DICOM attribute                          by
    Rule("BodyStructure.id",               "TrackingUID?",                          tracked_id),
    Rule("BodyStructure.id",               "SegmentNumber?",                        numbered_id, MUST),
    *meta("BodyStructure"),
    Rule("BodyStructure.identifier",       "TrackingUID",                           tracking_uids),
    Rule("BodyStructure.identifier",       "TrackingID",                            tracking_identifiers),
    Rule("BodyStructure.identifier",       "SegmentNumber TrackingUID?",            numbers),
    Rule("BodyStructure.morphology",       TYPE,                                    finding),
    Rule("BodyStructure.location",         "AnatomicRegionSequence*",               stated_concept),
    Rule("BodyStructure.location",         TYPE,                                    place),
    Rule("BodyStructure.locationQualifier", "AnatomicRegionSequence*",              region_modifiers),
    Rule("BodyStructure.locationQualifier", "SegmentedPropertyTypeCodeSequence*",   kind_modifiers),
    Rule("BodyStructure.description",      "SegmentLabel",                          text),
    Rule("BodyStructure.description",      "SegmentDescription",                    text),
    Rule("BodyStructure.image",            "ReferencedSeriesSequence* StudyInstanceUID?", sources),
    Rule("BodyStructure.patient",          ISSUED_ID,                               issued_reference),
    Rule("BodyStructure.patient",          "",                                      own_reference, MUST),
)
# fmt: on


def body_structure(cx: Context, one: Segment) -> Made | None:
    """Return the BodyStructure of a segment; None for what is no body: a phantom, the background."""
    cx.item = one
    if is_phantom(cx) or is_background(one):
        cx.silent(RULES[0], "a phantom, or the background of a label map, is no body structure")
        return None
    try:
        return engine.resource(RULES, cx, one, "BodyStructure")
    except MissingElement as missing:
        cx.problem(missing.rule, "neither tracked nor numbered: the segment is left out")
        return None


def is_background(one: Segment) -> bool:
    """Tell whether a segment is what is outside of all others (PS3.16 CID 7151)."""
    try:
        return is_of(one.values("SegmentedPropertyTypeCodeSequence"), BACKGROUND)
    except ValueError:  # the segment's own row records it
        return False
