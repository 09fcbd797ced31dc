"""DocumentReference <- encapsulated PDF and CDA documents (PS3.3 A.45, C.24.2).

The document itself stays in the archive: the attachment says where. Source: FHIR R4 DocumentReference.
"""

from typing import Any

from mapper.maps import derived_keys, engine
from mapper.maps.content import ContentRule
from mapper.maps.report import Report
from mapper.maps.rule import MUST, Made, Rule
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.observation import constant
from mapper.maps.tables.reported import VERIFIED, ZONE, of_study, study_reference, written
from mapper.maps.tables.subject import subject
from mapper.maps.values import content
from mapper.maps.values.coding import checked, codeable_concept
from mapper.maps.values.concepts import ADDENDUM
from mapper.maps.values.context import Context
from mapper.maps.values.document_url import document_url
from mapper.maps.values.text import as_code, as_items, as_text, each, text, text_concept, unsigned_int
from mapper.maps.values.uid import uid_identifier

PLACE = "StudyInstanceUID SeriesInstanceUID SOPInstanceUID PatientID?"


def reference_id(cx: Context, *_: Any) -> str:
    """SOPInstanceUID -> id: one document is one DocumentReference."""
    return cx.id(*derived_keys.document("DocumentReference", content.at(cx).report.uid))


def status(cx: Context, verification: Any) -> str | None:
    """VerificationFlag -> docStatus, final or preliminary."""
    return VERIFIED.get(as_code(verification) or "")


def media_type(cx: Context, value: Any) -> str | None:
    """MIMETypeOfEncapsulatedDocument -> contentType, in small letters."""
    named = as_text(value)
    return checked(named.strip().lower()) if named else None


def predecessors(cx: Context, sequence: Any, title: Any) -> list[dict[str, Any]]:
    """PredecessorDocumentsSequence -> relatesTo: what this one replaces, or as an addendum appends to, by its identifier."""
    titles = [(as_text(one["CodeValue"]), as_text(one["CodingSchemeDesignator"])) for one in as_items(title)]
    means = "appends" if ADDENDUM.pair in titles else "replaces"
    uids = dict.fromkeys(
        as_text(one["ReferencedSOPInstanceUID"])
        for study in as_items(sequence)
        for series in as_items(study.values("ReferencedSeriesSequence"))
        for one in as_items(series.values("ReferencedSOPSequence"))
    )
    made = each(cx, uids, lambda uid: uid_identifier(cx, uid))
    return [{"code": means, "target": {"type": "DocumentReference", "identifier": one}} for one in made]


def related(cx: Context, uid: Any) -> list[dict[str, Any]]:
    """The study that holds the document -> context.related, as a Reference."""
    return [study_reference(cx)]


CONTENT = "DocumentReference.content"
# fmt: off
CURRENT = Rule("DocumentReference.status",               "",                         constant("current", "current", "What the archive holds is current (FHIR R4 DocumentReference)."), MUST)
RULES = (
    #           FHIR element                             DICOM attribute             by
    ContentRule("DocumentReference.id",                  "SOPInstanceUID",           reference_id, MUST),
    *meta("DocumentReference"),
    Rule("DocumentReference.masterIdentifier",           "SOPInstanceUID",           uid_identifier),
    Rule("DocumentReference.identifier",                 "StudyInstanceUID",         of_study),
    CURRENT,
    Rule("DocumentReference.docStatus",                  "VerificationFlag",         status),
    ContentRule("DocumentReference.type",                "ConceptNameCodeSequence*", codeable_concept),
    Rule("DocumentReference.type",                       "DocumentTitle",            text_concept),
    *subject("DocumentReference.subject"),
    Rule("DocumentReference.date",                      f"ContentDate ContentTime? {ZONE}?", written),
    Rule("DocumentReference.relatesTo",                  "PredecessorDocumentsSequence* ConceptNameCodeSequence*?", predecessors),
    Rule("DocumentReference.description",                "DocumentTitle",            text),
    Rule("DocumentReference.context.related",            "StudyInstanceUID",         related),
)
ATTACHMENT = (
    Rule("DocumentReference.content.attachment.contentType", "MIMETypeOfEncapsulatedDocument", media_type),
    Rule("DocumentReference.content.attachment.url",     PLACE,                      document_url),
    Rule("DocumentReference.content.attachment.size",    "EncapsulatedDocumentLength", unsigned_int),
    Rule("DocumentReference.content.attachment.title",   "DocumentTitle",            text),
)
# fmt: on


def document_reference(cx: Context, report: Report) -> Made | None:
    """Return the DocumentReference of a document; None where nothing is known of its attachment: that is recorded."""
    within = report.within(cx.study)
    made = engine.resource(RULES, cx, within, "DocumentReference")
    attached = engine.apply(ATTACHMENT, cx, within, CONTENT)
    if not attached:
        cx.problem(ATTACHMENT[0], "absent: nothing is known of the document, it is left out")
        return None
    made["content"] = [attached]
    return made
