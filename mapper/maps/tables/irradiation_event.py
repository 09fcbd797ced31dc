"""Observation <- one irradiation event of a dose report (PS3.16 TID 10003, TID 10013), with the option `dose_events`.

The same event in several reports of a study is told once, by the newest of them. Source: FHIR R4 Observation.
"""

from typing import Any

from mapper.dicom.sr.content_item import ContentItem
from mapper.maps import derived_keys, engine
from mapper.maps.content import ContentRule
from mapper.maps.report import Report
from mapper.maps.rule import MUST, Made, MissingElement, Rule
from mapper.maps.tables.component import components
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.dose import FLAGS, status
from mapper.maps.tables.reported import EFFECTIVE, MADE_BY, STUDY_IDENTIFIER, ZONE, imaging, part_of, with_zone
from mapper.maps.tables.subject import subject
from mapper.maps.values import concepts as c
from mapper.maps.values import content
from mapper.maps.values.coding import codeable_concept
from mapper.maps.values.context import Context
from mapper.maps.values.date_time import date_time, dt_date_time
from mapper.maps.values.uid import uid_identifier

OPTION = "dose_events"
EVENTS = (c.CT_ACQUISITION.pair, c.X_RAY_EVENT.pair)
EVENT_VALUES = (
    *(c.MEAN_CTDIVOL, c.DLP, c.SSDE, c.DOSE_AREA_PRODUCT, c.DOSE_RP, c.GLANDULAR_DOSE, c.PHANTOM_TYPE),
    c.ACQUISITION_PLANE,
)
"""What is told of an event, in this order."""


def event_id(cx: Context, uids: list[ContentItem]) -> str | None:
    """Irradiation Event UID -> id, the same in every report that repeats the event."""
    uid = content.text_of_first(uids)
    return cx.id(*derived_keys.irradiation_event(uid)) if uid else None


def event_identifiers(cx: Context, uids: list[ContentItem]) -> list[dict[str, Any]]:
    """Irradiation Event UID -> identifier, typed by DCM 113769."""
    made = uid_identifier(cx, content.text_of_first(uids))
    return [{"type": {"coding": [c.EVENT_UID.coding]}, **made}] if made else []


def event_time(cx: Context, offset: Any, started: list[ContentItem]) -> str | None:
    """DateTime Started -> dateTime, where its zone is known."""
    return with_zone(dt_date_time(cx, content.text_of_first(started), offset))


def region(cx: Context, regions: list[ContentItem]) -> dict[str, Any] | None:
    """Target Region -> bodySite; a side stands in its text."""
    found = content.first(cx, regions)
    made = content.full_concept(cx, found, (c.LATERALITY,))
    side = found.child(c.LATERALITY.pair) if found else None
    if made and found and side and (words := content.meaning_of(side)):
        made["text"] = f"{words} {made.get('text') or content.meaning_of(found)}"
    return made


# fmt: off
RULES = (
    ContentRule("Observation.id",                  "",                  event_id, MUST, concepts=(c.EVENT_UID,)),
    *meta("Observation"),
    ContentRule("Observation.identifier",          "",                  event_identifiers, concepts=(c.EVENT_UID,)),
    STUDY_IDENTIFIER,
    Rule("Observation.partOf",                     "StudyInstanceUID",  part_of),
    Rule("Observation.status",                     FLAGS,               status, MUST),
    Rule("Observation.category",                   "",                  imaging),
    ContentRule("Observation.code",                "ConceptNameCodeSequence*", codeable_concept, MUST),
    *subject("Observation.subject"),
    ContentRule("Observation.effectiveDateTime",   f"{ZONE}?",          event_time, concepts=(c.DATETIME_STARTED,)),
    Rule("Observation.effectiveDateTime",          EFFECTIVE,           date_time),
    ContentRule("Observation.bodySite",            "",                  region, concepts=(c.TARGET_REGION,)),
    MADE_BY,
)
# fmt: on


def events(report: Report) -> list[ContentItem]:
    """Return the irradiation events of a report, in its order."""
    return [item for item in report.tree.root.descendants(*EVENTS) if item.value_type == "CONTAINER"]


def event(cx: Context, report: Report, container: ContentItem) -> Made | None:
    """Return the Observation of one irradiation event, None where it says nothing of a dose or has no UID."""
    within = report.within(cx.study, container)
    try:
        made = engine.resource(RULES, cx, within, "Observation")
    except MissingElement as missing:
        cx.left_out(missing)
        return None
    told = [item for concept in EVENT_VALUES for item in container.descendants(concept.pair)]
    found = components(cx, within, told, made["code"])
    if found:
        made["component"] = found
    return made if found else None
