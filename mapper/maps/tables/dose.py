"""Observation <- radiation dose reports (PS3.16 TID 10001, TID 10011, TID 10021).

One of LOINC 73569-6 for each container of accumulated doses, or for each administration of a radiopharmaceutical.
Numbers, units and codes are those of the report: nothing is summed or converted. Source: HL7 Radiation Dose Summary
1.0.0, FHIR R4 Observation.
"""

from typing import Any

from mapper.dicom.collector import identity
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.fhir import systems
from mapper.maps import derived_keys, engine
from mapper.maps.content import ContentRule
from mapper.maps.report import Report
from mapper.maps.rule import MUST, Made, Rule
from mapper.maps.tables.authorizer import performers
from mapper.maps.tables.component import components
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.observation import constant
from mapper.maps.tables.reported import (
    EFFECTIVE,
    MADE_BY,
    STUDY_IDENTIFIER,
    ZONE,
    imaging,
    sr_item,
    study_reference,
    written,
)
from mapper.maps.tables.subject import subject
from mapper.maps.values import concepts as c
from mapper.maps.values import content
from mapper.maps.values.context import Context
from mapper.maps.values.date_time import date_time
from mapper.maps.values.text import as_code
from mapper.maps.values.uid import uid_identifier

EVENT_UIDS = {"x-ray dose": c.EVENT_UID.pair, "radiopharmaceutical dose": c.ADMINISTRATION_UID.pair}


def typed(code: str) -> dict[str, Any]:
    """Return the type of an identifier by HL7's guide on doses."""
    return {"coding": [{"system": systems.DOSE_IDENTIFIER_TYPE, "code": code}]}


def summary_id(cx: Context) -> str:
    """SOPInstanceUID and 1 -> id; where there are several containers, the place of this one."""
    here = content.at(cx)
    path = here.content.path if len(here.report.accumulated) > 1 else "1"
    return cx.id(*derived_keys.observation_at(here.report.uid, path))


def sop_instance(cx: Context, uid: Any) -> list[dict[str, Any]]:
    """SOPInstanceUID -> identifier of the type that HL7's guide on doses has."""
    made = uid_identifier(cx, uid)
    return [{"type": typed("sop-instance-uid"), **made}] if made else []


def place(cx: Context) -> list[dict[str, str]]:
    """SOPInstanceUID and the place of one of several containers -> identifier that tells them apart."""
    return sr_item(cx, None) if len(content.at(cx).report.accumulated) > 1 else []


def summary_of(cx: Context, uid: Any) -> list[dict[str, Any]]:
    """StudyInstanceUID -> Reference to the study, with its identifier."""
    return [
        {**study_reference(cx), "identifier": {"type": typed("study-instance-uid"), **(uid_identifier(cx, uid) or {})}}
    ]


def focus(cx: Context) -> list[dict[str, Any]]:
    """The study whose images the dose was for."""
    return [study_reference(cx)]


def status(cx: Context, preliminary: Any, completion: Any) -> str:
    """PreliminaryFlag, CompletionFlag -> status: nobody verifies what a machine wrote, so it is final unless it says not."""
    return "preliminary" if is_unfinished(preliminary, completion) else "final"


def is_unfinished(preliminary: Any, completion: Any) -> bool:
    """Tell whether a dose report says that it is not all."""
    return as_code(preliminary) == "PRELIMINARY" or as_code(completion) == "PARTIAL"


def summary_text(cx: Context) -> str | None:
    """The numbers of a container with their names and units -> valueString, as stated and never summed."""
    told = []
    for item in content.at(cx).content.related():
        words = content.in_words(cx, item) if isinstance(item.value, MeasuredValue) else None
        if words:
            told.append(" ".join(filter(None, [content.full_name_of(cx, item), words])))
    return "; ".join(told) or None


FLAGS = "PreliminaryFlag? CompletionFlag?"
# fmt: off
RULES = (
    #           FHIR element                       content item         by
    ContentRule("Observation.id",                  "",                  summary_id, MUST),
    *meta("Observation"),
    Rule("Observation.identifier",                 "SOPInstanceUID",    sop_instance),
    ContentRule("Observation.identifier",          "",                  place),
    STUDY_IDENTIFIER,
    Rule("Observation.partOf",                     "StudyInstanceUID",  summary_of),
    Rule("Observation.status",                     FLAGS,               status, MUST),
    Rule("Observation.category",                   "",                  imaging),
    Rule("Observation.code",                       "",                  constant("code", {"coding": [c.DOSE_SUMMARY.coding]}, "A summary of doses, LOINC 73569-6."), MUST),
    *subject("Observation.subject"),
    Rule("Observation.focus",                      "",                  focus),
    Rule("Observation.effectiveDateTime",          EFFECTIVE,           date_time),
    Rule("Observation.issued",                    f"ContentDate ContentTime? {ZONE}?", written),
    ContentRule("Observation.performer",           "",                  performers, concepts=(c.PERSON_NAME,), reach="document"),
    ContentRule("Observation.valueString",         "",                  summary_text),
    MADE_BY,
)
# fmt: on


def unfinished(report: Report) -> bool:
    """Tell whether a report says that it is not all; a flag that cannot be read says nothing."""
    return is_unfinished(*(identity(report.item, keyword) for keyword in ("PreliminaryFlag", "CompletionFlag")))


def event_uids(report: Report) -> frozenset[str]:
    """Return the UIDs of the events that a report is of."""
    if report.kind not in EVENT_UIDS:
        return frozenset()
    found = report.tree.root.descendants(EVENT_UIDS[report.kind])
    return frozenset(item.value for item in found if isinstance(item.value, str) and item.value)


def summary(cx: Context, report: Report, container: ContentItem) -> Made:
    """Return the summary of one container."""
    within = report.within(cx.study, container)
    made = engine.resource(RULES, cx, within, "Observation")
    told = [item for item in container.related() if item.value_type == "NUM"]
    told += container.having(c.ACQUISITION_PLANE.pair, c.AGENT.pair)
    told += within.find((c.SCOPE,), "above")[0]
    if found := components(cx, within, told, made["code"]):
        made["component"] = found
    return made
