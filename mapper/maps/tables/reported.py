"""What everything that a document makes has in common: identifiers, study, status, times, observer, equipment.

Source: PS3.3 C.17.1, C.17.2 (SR Document General); FHIR R4 Observation; HL7 DICOM SR to FHIR 1.0.0 for identifiers.
"""

from typing import Any

from mapper.dicom.sr.content_item import ContentItem
from mapper.fhir import systems
from mapper.maps import derived_keys, keys
from mapper.maps.content import ContentRule
from mapper.maps.rule import MUST, Rule
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.device import IDENTITY as EQUIPMENT
from mapper.maps.tables.device import device_reference
from mapper.maps.tables.observation import constant
from mapper.maps.tables.subject import subject
from mapper.maps.values import content
from mapper.maps.values.concepts import PERSON_OBSERVER
from mapper.maps.values.context import Context
from mapper.maps.values.date_time import date_time, dt_date_time
from mapper.maps.values.human_name import display_name
from mapper.maps.values.text import as_code, each
from mapper.maps.values.uid import study_identifier, uid_identifier

ZONE = "TimezoneOffsetFromUTC"
PRELIMINARY = {"PRELIMINARY": "preliminary", "FINAL": "final"}
VERIFIED = {"VERIFIED": "final", "UNVERIFIED": "preliminary"}
IMAGING = {"coding": [{"system": systems.OBSERVATION_CATEGORY, "code": "imaging"}]}
OBSERVATION_UID = {"coding": [{"system": systems.SR_IDENTIFIER_TYPE, "code": "observation-uid"}]}


def observation_uid(cx: Context, uid: Any) -> list[dict[str, Any]]:
    """ObservationUID -> identifier, the same in every document that repeats the observation."""
    report, here = content.at(cx).report, content.at(cx).content
    if report.parts[here.positions].key[1] != "uid":
        return []  # none, or one that an item before has too
    made = uid_identifier(cx, uid)
    return [{"type": OBSERVATION_UID, **made}] if made else []


def sr_item(cx: Context, uid: Any) -> list[dict[str, str]]:
    """SOPInstanceUID and the place of the content item -> identifier of what has no UID of its own."""
    here = content.at(cx)
    system, value = derived_keys.item_identifier(cx.site.base, here.report.uid, here.content.path)
    return [{"system": system, "value": value}]


def of_study(cx: Context, uid: Any) -> list[dict[str, str]]:
    """StudyInstanceUID -> identifier by which all that was derived from a study is found."""
    system, value = derived_keys.study_identifier(cx.site.base, cx.study.uid)
    return [{"system": system, "value": value}]


def study_reference(cx: Context) -> dict[str, Any]:
    """Return the Reference to the study that holds the document."""
    return {"reference": f"ImagingStudy/{cx.id(*keys.imaging_study(cx.study.uid))}"}


def part_of(cx: Context, uid: Any) -> list[dict[str, Any]]:
    """StudyInstanceUID -> Reference to the study that holds the document, with its identifier."""
    return [{**study_reference(cx), "identifier": study_identifier(cx, uid)}]


def evidence(cx: Context, *_: Any) -> list[dict[str, Any]]:
    """The studies of the images that an item, else the nearest above, points to -> References; else the report's own."""
    here = content.at(cx)
    return each(cx, here.report.studies_of(here.content), lambda uid: study_of(cx, uid))


def taken(cx: Context, da: Any, tm: Any = None, offset: Any = None) -> str | None:
    """StudyDate + StudyTime + TimezoneOffsetFromUTC -> dateTime, where images of this study were looked at."""
    here = content.at(cx)
    return date_time(cx, da, tm, offset) if cx.study.uid in here.report.studies_of(here.content) else None


def study_of(cx: Context, uid: str) -> dict[str, Any]:
    """Return the Reference to a study: by its identifier alone where it is another one, which nobody may have."""
    if uid == cx.study.uid:
        return study_reference(cx)
    return {"type": "ImagingStudy", "identifier": uid_identifier(cx, uid)}


def report_status(preliminary: Any, completion: Any, verification: Any) -> str:
    """Return the status of a text report: what is preliminary, or what nobody verified, is never final (PS3.3 C.17.2)."""
    if as_code(completion) == "PARTIAL":
        return "partial"
    if as_code(preliminary) == "PRELIMINARY":
        return "preliminary"
    return VERIFIED.get(as_code(verification) or "") or "unknown"


def status(cx: Context, preliminary: Any, verified: Any, completion: Any) -> str:
    """PreliminaryFlag, else VerificationFlag -> status; of a text report's results what the report says."""
    if content.at(cx).report.kind == "text":
        said = report_status(preliminary, completion, verified)
        return "preliminary" if said == "partial" else said
    return PRELIMINARY.get(as_code(preliminary) or "") or VERIFIED.get(as_code(verified) or "") or "unknown"


def observed(cx: Context, own: Any, offset: Any) -> str | None:
    """ObservationDateTime of the item, else of the nearest above -> instant; nothing where the zone is unknown."""
    here = content.at(cx).content
    times = (item.observed for item in (here, *here.ancestors()))
    return with_zone(dt_date_time(cx, next(filter(None, times), None), offset))


def written(cx: Context, da: Any, tm: Any = None, offset: Any = None) -> str | None:
    """ContentDate + ContentTime + TimezoneOffsetFromUTC -> instant; nothing where the zone is unknown."""
    return with_zone(date_time(cx, da, tm, offset))


def with_zone(time: str | None) -> str | None:
    """Return a time that is an instant, None for a date alone: a report without a zone is nothing unusual."""
    return time if time and "T" in time else None


def observers(cx: Context, people: list[ContentItem]) -> list[dict[str, str]]:
    """Person Observer Name of the item, else of the nearest above -> performers, by name only."""
    names = (display_name(cx, one.value) for one in people if isinstance(one.value, dict))
    return [{"display": name} for name in dict.fromkeys(filter(None, names))]


imaging = constant("imaging", [IMAGING], "An observation on images (FHIR R4 Observation).")
STUDY_IDENTIFIER = Rule("Observation.identifier", "StudyInstanceUID", of_study)
EFFECTIVE = f"StudyDate StudyTime? {ZONE}?"
# fmt: off
IDENTITY = (
    ContentRule("Observation.identifier",        "ObservationUID?",   observation_uid),
    ContentRule("Observation.identifier",        "SOPInstanceUID",    sr_item, otherwise=True),
    STUDY_IDENTIFIER,
)
FRAME = (
    *meta("Observation"),
    Rule("Observation.partOf",                   "StudyInstanceUID",  part_of),
    Rule("Observation.status",                   "PreliminaryFlag? VerificationFlag? CompletionFlag?", status, MUST),
    Rule("Observation.category",                 "",                  imaging),
    *subject("Observation.subject"),
    ContentRule("Observation.effectiveDateTime", EFFECTIVE,           taken),
    ContentRule("Observation.issued",           f"ObservationDateTime? {ZONE}?", observed),
    Rule("Observation.issued",                  f"ContentDate ContentTime? {ZONE}?", written),
    ContentRule("Observation.performer",         "",                  observers, concepts=(PERSON_OBSERVER,), reach="above"),
)
# fmt: on
MADE_BY = Rule("Observation.device", EQUIPMENT, device_reference)
"""The equipment that wrote the document, where no algorithm is named."""
