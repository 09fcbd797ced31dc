"""DocumentReference <- key object selections (PS3.3 A.35.4, C.17.6.2; PS3.16 TID 2010), with the option `key_objects`.

A selection names images that are worth a look, and says for what: each is one attachment, at its place in DICOMweb. What
says that images should not be used is no such selection (mapper.maps.rejection). Source: FHIR R4 DocumentReference.
"""

from contextlib import suppress
from typing import Any

from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.reference import Reference
from mapper.errors import Problem
from mapper.maps import derived_keys, engine
from mapper.maps.content import ContentRule
from mapper.maps.rejection import REJECTING
from mapper.maps.report import Report
from mapper.maps.rule import MUST, Made, MissingElement, Rule
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.document_reference import CONTENT, CURRENT
from mapper.maps.tables.observation import constant
from mapper.maps.tables.reported import ZONE, evidence, observers, of_study, written
from mapper.maps.tables.subject import subject
from mapper.maps.values import content
from mapper.maps.values.coding import codeable_concept
from mapper.maps.values.concepts import (
    KEY_IMAGES,
    KEY_OBJECT_DESCRIPTION,
    PERSON_OBSERVER,
    RETENTION_EXPIRED,
)
from mapper.maps.values.context import Context
from mapper.maps.values.distinct import unseen
from mapper.maps.values.document_url import DICOM, instance_url
from mapper.maps.values.uid import uid_identifier

OPTION = "key_objects"
NO_SELECTION = tuple(one.pair for one in (*REJECTING, RETENTION_EXPIRED))
"""Titles of notes on what should not be used, or may go."""
NOWHERE = Problem(CONTENT, "ReferencedSOPSequence", "no URL of any instance is known: the selection is left out")


def selection_id(cx: Context, *_: Any) -> str:
    """SOPInstanceUID -> id: one selection is one DocumentReference."""
    return cx.id(*derived_keys.document("DocumentReference", content.at(cx).report.uid))


def category(cx: Context) -> list[dict[str, Any]]:
    """A key object selection is one of key images (PS3.16 CID 7001)."""
    return [{"coding": [KEY_IMAGES.coding]}]


def description(cx: Context, found: list[ContentItem]) -> str | None:
    """Key Object Description -> description, as it stands there."""
    return content.text_of(content.first(cx, found))


def where(cx: Context) -> str | None:
    """The instance that an item points to -> url, by the study and series that the evidence names."""
    here = content.at(cx)
    value = here.content.value
    if not isinstance(value, Reference):
        return None
    named = here.report.named.get(value.sop_instance_uid)
    if named is None:
        raise ValueError("in no evidence sequence: nobody knows its study and series")
    return instance_url(cx, named.study, named.series, named.instance)


# fmt: off
RULES = (
    #           FHIR element                             DICOM attribute             by
    ContentRule("DocumentReference.id",                  "SOPInstanceUID",           selection_id, MUST),
    *meta("DocumentReference"),
    Rule("DocumentReference.masterIdentifier",           "SOPInstanceUID",           uid_identifier),
    Rule("DocumentReference.identifier",                 "StudyInstanceUID",         of_study),
    CURRENT,
    ContentRule("DocumentReference.type",                "ConceptNameCodeSequence*", codeable_concept),
    Rule("DocumentReference.category",                   "",                         category),
    *subject("DocumentReference.subject"),
    Rule("DocumentReference.date",                      f"ContentDate ContentTime? {ZONE}?", written),
    ContentRule("DocumentReference.author",              "",                         observers, concepts=(PERSON_OBSERVER,)),
    ContentRule("DocumentReference.description",         "",                         description, concepts=(KEY_OBJECT_DESCRIPTION,)),
    ContentRule("DocumentReference.context.related",     "CurrentRequestedProcedureEvidenceSequence*?", evidence),
)
ATTACHMENT = (
    ContentRule("DocumentReference.content.attachment.url", "",                      where, MUST),
    Rule("DocumentReference.content.attachment.contentType", "",                     constant("contentType", DICOM, "What DICOMweb answers with (PS3.18 section 8.7.3).")),
)
# fmt: on


def key_objects(cx: Context, report: Report) -> Made | None:
    """Return the DocumentReference of a selection; None where it is none, or lists nothing that is to be had."""
    if report.tree.root.means(*NO_SELECTION):
        cx.silent(RULES[0], "a note on what should not be used is no selection")
        return None
    in_use = [one for one in report.references if not (cx.in_error or is_rejected(cx, one))]
    if report.references and not in_use:
        cx.silent(RULES[0], "a rejection note takes out all that it names")
        return None
    made = engine.resource(RULES, cx, report.within(cx.study), "DocumentReference")
    listed = []
    for item in in_use:
        with suppress(MissingElement):
            listed.append(engine.apply(ATTACHMENT, cx, report.within(cx.study, item), CONTENT))
    if not listed:
        cx.record(NOWHERE)
        return None
    made["content"] = unseen(listed, set())
    return made


def is_rejected(cx: Context, item: ContentItem) -> bool:
    """Tell whether what an item points to was taken out by a rejection note."""
    return isinstance(item.value, Reference) and item.value.sop_instance_uid in cx.rejected
