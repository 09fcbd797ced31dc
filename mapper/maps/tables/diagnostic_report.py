"""DiagnosticReport <- text reports (PS3.16 TID 2000; PS3.3 A.35.1 to A.35.3, C.17.1, C.17.2).

Free text stays text: nothing in it is read as a finding. Source: FHIR R4 DiagnosticReport.
"""

from base64 import b64encode
from datetime import datetime
from hashlib import sha1
from typing import Any

from mapper.dicom.sr.code import Code
from mapper.dicom.sr.content_item import ContentItem
from mapper.fhir import systems
from mapper.maps import derived_keys, engine
from mapper.maps.content import ContentRule
from mapper.maps.kind import CONCLUDING
from mapper.maps.report import Report
from mapper.maps.rule import MUST, Made, Rule, many
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.observation import constant
from mapper.maps.tables.reported import EFFECTIVE, ZONE, of_study, report_status, study_of, with_zone, written
from mapper.maps.tables.service_request import ACCESSION
from mapper.maps.tables.subject import subject
from mapper.maps.values import concepts as c
from mapper.maps.values import content, html
from mapper.maps.values.coding import checked, codeable_concept, concept_of
from mapper.maps.values.context import Context
from mapper.maps.values.date_time import date_time, dt_date_time
from mapper.maps.values.order import accession_order, requested_orders
from mapper.maps.values.text import as_items, as_text, each
from mapper.maps.values.uid import uid_identifier
from mapper.maps.values.verifier import verifier_references

LONGEST_PAGE = 1 << 20
"""Bytes of a page that are sent along."""
SECTIONS = (c.IMPRESSIONS.pair, c.CONCLUSIONS.pair, c.IMPRESSIONS_LN.pair, c.CONCLUSIONS_LN.pair)
FLAGS = "PreliminaryFlag? CompletionFlag? VerificationFlag? PredecessorDocumentsSequence*? ConceptNameCodeSequence*?"


def report_id(cx: Context, *_: Any) -> str:
    """SOPInstanceUID -> id: one document is one report."""
    return cx.id(*derived_keys.document("DiagnosticReport", content.at(cx).report.uid))


def identifiers(cx: Context, uid: Any) -> list[dict[str, Any]]:
    """SOPInstanceUID -> identifier, as FHIR writes a UID."""
    made = uid_identifier(cx, uid)
    return [made] if made else []


def status(cx: Context, preliminary: Any, completion: Any, verification: Any, predecessors: Any, title: Any) -> str:
    """PreliminaryFlag, CompletionFlag, VerificationFlag, PredecessorDocumentsSequence and title -> status: nothing is final that nobody verified."""
    said = report_status(preliminary, completion, verification)
    if said != "final" or not as_items(predecessors):
        return said
    return "appended" if content.at(cx).content.means(c.ADDENDUM.pair) else "amended"


def imaging_studies(cx: Context, *_: Any) -> list[dict[str, Any]]:
    """The studies of CurrentRequestedProcedureEvidenceSequence -> References; the report's own where there are none."""
    return each(cx, content.at(cx).report.asked, lambda uid: study_of(cx, uid))


def taken(cx: Context, da: Any, tm: Any = None, offset: Any = None) -> str | None:
    """StudyDate + StudyTime + TimezoneOffsetFromUTC -> dateTime, where the report is about this study."""
    return date_time(cx, da, tm, offset) if cx.study.uid in content.at(cx).report.asked else None


def code(cx: Context, title: Any) -> dict[str, Any]:
    """Title of the document -> code, else that it is a diagnostic imaging report."""
    made = codeable_concept(cx, title) or {}
    return made if "coding" in made else {"coding": [c.IMAGING_REPORT.coding], **made}


def verified(cx: Context, verifiers: Any, offset: Any) -> str | None:
    """VerificationDateTime of the last verification -> instant; nothing where the zone is unknown."""
    times = each(cx, as_items(verifiers), lambda one: dt_date_time(cx, as_text(one["VerificationDateTime"]), offset))
    return max(filter(None, map(with_zone, times)), key=datetime.fromisoformat, default=None)


def organizations(cx: Context, verifiers: Any) -> list[dict[str, str]]:
    """VerifyingOrganization -> performer, by name only."""
    names = each(cx, as_items(verifiers), lambda one: as_text(one["VerifyingOrganization"]))
    return [{"display": name} for name in dict.fromkeys(names)]


def results(cx: Context) -> list[dict[str, str]]:
    """The Observations of the same report -> result; what is in a group comes with it."""
    report = content.at(cx).report
    inside = {id(member) for part in report.parts.values() for member in part.members}
    ids = (cx.id(*part.key) for part in report.parts.values() if id(part) not in inside)
    return [{"reference": f"Observation/{one}"} for one in dict.fromkeys(ids) if one in report.made]


def concluding(cx: Context) -> list[ContentItem]:
    """Return what impressions and conclusions say, in the order of the report."""
    found = []
    for item in content.at(cx).content.descendants():
        in_section = next(item.ancestors(*SECTIONS), None) is not None
        if item.relationship in ("CONTAINS", None) and (in_section or item.means(*(one.pair for one in CONCLUDING))):
            found.append(item)
    return found


def conclusion(cx: Context, *_: Any) -> str | None:
    """Texts of impressions and conclusions -> conclusion, one a line."""
    words = [text for item in concluding(cx) if item.value_type == "TEXT" and (text := content.text_of(item))]
    joined = "\n".join(words)
    if len(joined) > content.LONGEST:
        raise ValueError("longer than a string of FHIR may be")
    return joined or None


def conclusion_codes(cx: Context, *_: Any) -> list[dict[str, Any]]:
    """Codes of impressions and conclusions -> conclusionCode, in their order; none that something modifies."""
    items = [item for item in concluding(cx) if isinstance(item.value, Code)]
    plain = [item for item in items if not is_modified(item)]
    if len(plain) < len(items):
        cx.note("a code that something modifies, as that it is absent: it stands in the page alone")
    return each(cx, plain, lambda one: concept_of(cx, one.item.values("ConceptCodeSequence")[0]))


def is_modified(item: ContentItem) -> bool:
    """Tell whether an item has a concept modifier (PS3.3 table C.17.3-8): without it its code says something else."""
    return any(not one.means(c.LANGUAGE.pair) for one in item.related("HAS CONCEPT MOD"))


def page(cx: Context, title: Any, languages: list[ContentItem]) -> list[dict[str, Any]]:
    """The whole report as a page for people: XHTML in ASCII, every text escaped, with its size and SHA-1."""
    root = content.at(cx).content
    name = content.name_of(root) or c.IMAGING_REPORT.meaning
    data = html.page(cx, root, name).encode("ascii", "xmlcharrefreplace")  # as it is read in any character set
    if len(data) > LONGEST_PAGE:
        raise ValueError(f"more than {LONGEST_PAGE >> 20} MB: the page is left out")
    language = next((one.value for one in languages if isinstance(one.value, Code)), None)
    spoken = spoken_in(cx, language) if language else {}
    digest = b64encode(sha1(data, usedforsecurity=False).digest()).decode()
    facts = {"data": b64encode(data).decode(), "size": len(data), "hash": digest, "title": name}
    return [{"contentType": "text/html", **spoken, **facts}]


def spoken_in(cx: Context, language: Code) -> dict[str, str]:
    """Return the language of a page, nothing where its code is not one of BCP 47."""
    if language.scheme != "RFC5646" or not language.value:
        return {}
    try:
        return {"language": checked(language.value)}
    except ValueError as error:
        cx.note(f"the language is left out: {error}")
        return {}


SAYS = "ContentSequence*?"
# fmt: off
RULES = (
    #           FHIR element                           DICOM attribute             by
    ContentRule("DiagnosticReport.id",                 "SOPInstanceUID",           report_id, MUST),
    *meta("DiagnosticReport"),
    Rule("DiagnosticReport.identifier",                "SOPInstanceUID",           identifiers),
    Rule("DiagnosticReport.identifier",                "StudyInstanceUID",         of_study),
    Rule("DiagnosticReport.basedOn",                   ACCESSION,                  many(accession_order)),
    Rule("DiagnosticReport.basedOn",                   "ReferencedRequestSequence*", requested_orders),
    Rule("DiagnosticReport.status",                    FLAGS,                      status, MUST),
    Rule("DiagnosticReport.category",                  "",                         constant("category", [{"coding": [{"system": systems.DIAGNOSTIC_SERVICE, "code": "RAD"}]}], "A report of radiology (FHIR R4 DiagnosticReport).")),
    ContentRule("DiagnosticReport.code",               "ConceptNameCodeSequence*?", code, MUST),
    *subject("DiagnosticReport.subject"),
    ContentRule("DiagnosticReport.effectiveDateTime",  EFFECTIVE,                  taken),
    Rule("DiagnosticReport.issued",                   f"VerifyingObserverSequence*? {ZONE}?", verified),
    Rule("DiagnosticReport.issued",                   f"ContentDate ContentTime? {ZONE}?", written),
    Rule("DiagnosticReport.performer",                 "VerifyingObserverSequence*", organizations),
    Rule("DiagnosticReport.resultsInterpreter",        "VerifyingObserverSequence*", verifier_references),
    ContentRule("DiagnosticReport.result",             "",                         results),
    ContentRule("DiagnosticReport.imagingStudy",       "CurrentRequestedProcedureEvidenceSequence*?", imaging_studies),
    ContentRule("DiagnosticReport.conclusion",         SAYS,                       conclusion),
    ContentRule("DiagnosticReport.conclusionCode",     SAYS,                       conclusion_codes),
    ContentRule("DiagnosticReport.presentedForm",      "ConceptNameCodeSequence*?", page, concepts=(c.LANGUAGE,)),
)
# fmt: on


def diagnostic_report(cx: Context, report: Report) -> Made:
    """Return the DiagnosticReport of a text report."""
    return engine.resource(RULES, cx, report.within(cx.study), "DiagnosticReport")
