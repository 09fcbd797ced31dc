"""BodyStructure <- a tracked lesion, or a site with side or part (PS3.16 TID 1410, TID 1411, TID 1501, TID 4108, TID 5103).

One a patient and Tracking Unique Identifier: over time points and groups it is the same. A site with a side that
nobody tracks is a BodyStructure of its own item.
"""

from typing import Any

from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.reading import Positions
from mapper.fhir import systems
from mapper.maps import derived_keys, engine, ultrasound
from mapper.maps.content import ContentRule, Within
from mapper.maps.rule import MUST, Made, Rule
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.reported import sr_item
from mapper.maps.tables.subject import ISSUED_ID, is_phantom, issued_reference, own_reference, patient_id
from mapper.maps.values import content
from mapper.maps.values.concepts import (
    FINDING_SITE,
    LATERALITY,
    TOPOGRAPHICAL_MODIFIER,
    TRACKING_IDENTIFIER,
    TRACKING_UID,
)
from mapper.maps.values.context import Context
from mapper.maps.values.uid import uid_identifier

MODIFIERS = (LATERALITY, TOPOGRAPHICAL_MODIFIER)
TRACKED = (TRACKING_UID.pair, TRACKING_IDENTIFIER.pair)
PLACES = (FINDING_SITE.pair, *TRACKED)


def holder_of(within: Within) -> Within | None:
    """Return the nearest item whose children say where, or which lesion; the site of a lesion may stand above it.

    In ultrasound the side of a site may stand nearer than the site, unless that is of a lesion.
    """
    names = within.report.names
    holder = names.holder(within.content, PLACES)
    if holder and within.report.kind == "ultrasound" and not names.children(holder, TRACKED):
        holder = names.holder(within.content, (*PLACES, *(one.pair for one in MODIFIERS)))
    return within.at(holder) if holder else None


def structure_id(cx: Context) -> str | None:
    """Return the id of the BodyStructure that an item speaks of, None where it speaks of none."""
    holder = holder_of(content.at(cx))
    if holder is None:
        return None
    known: dict[Positions, str | None] = holder.report.structures
    if holder.content.positions not in known:
        try:
            known[holder.content.positions] = id_of(cx, holder)
        except ValueError as error:
            cx.note(f"no BodyStructure: {error}")
            known[holder.content.positions] = None
    return known[holder.content.positions]


def id_of(cx: Context, holder: Within) -> str | None:
    """Return the id of the BodyStructure that an item's own children speak of."""
    if is_phantom(cx):
        return None
    uid = content.text_of(holder.content.child(TRACKING_UID.pair))
    patient = patient_id(cx)
    if uid:
        return cx.id(*derived_keys.body_structure(patient, uid))
    tracked = content.text_of(holder.content.child(TRACKING_IDENTIFIER.pair))
    if not tracked and not modifiers_of(holder, next(iter(holder.find((FINDING_SITE,), "above")[0]), None)):
        return None
    return cx.id(*derived_keys.body_structure_at(patient, holder.report.uid, holder.content.path))


def body_structure_id(cx: Context, *_: Any) -> str | None:
    """Patient and Tracking Unique Identifier -> id, else patient, SOPInstanceUID and the place of the item."""
    return structure_id(cx)


def body_site(cx: Context, sites: list[ContentItem], _: Any = None) -> dict[str, Any] | None:
    """Finding Site of the item, else of the nearest above -> CodeableConcept; side and part are a BodyStructure's."""
    site = content.first(cx, sites)
    made = dict(location(cx, sites) or {})
    if id := structure_id(cx):
        extension = {"url": systems.BODY_SITE, "valueReference": {"reference": f"BodyStructure/{id}"}}
        made = {"extension": [extension], **made}
    within = content.at(cx)
    sides = modifiers_of(within, site)
    if (
        site
        and within.report.kind == "ultrasound"
        and ultrasound.says_two_sides(within.content, site, within.report.names)
    ):
        cx.note("several sides: the nearest to the number counts")
    if site and sides and (named := made.get("text") or content.meaning_of(site)):
        made["text"] = in_words(named, sides)
    return made or None


def modifiers_of(within: Within, site: ContentItem | None) -> list[ContentItem]:
    """Return the laterality and the topographical modifiers of a site.

    In ultrasound they stand at the measurement, its group, or the section that its vessel is in too (TID 5103).
    """
    if site is None:
        return []
    if within.report.kind == "ultrasound":
        return ultrasound.sides(within.content, site, within.report.names)
    return site.having(*(one.pair for one in MODIFIERS))


def in_words(site: str, modifiers: list[ContentItem]) -> str:
    """Return a site with its side before it and its part behind it: Left Lung, upper lobe."""
    before = [content.meaning_of(one) for one in modifiers if one.means(LATERALITY.pair)]
    behind = [content.meaning_of(one) for one in modifiers if not one.means(LATERALITY.pair)]
    return ", ".join(filter(None, [" ".join(filter(None, [*before, site])), *behind]))


def tracking_uids(cx: Context, found: list[ContentItem]) -> list[dict[str, Any]]:
    """Tracking Unique Identifier -> identifier, typed by DCM 112040."""
    made = uid_identifier(cx, content.text_of(content.first(cx, found)))
    return [{"type": {"coding": [TRACKING_UID.coding]}, **made}] if made else []


def tracking_identifiers(cx: Context, found: list[ContentItem]) -> list[dict[str, Any]]:
    """Tracking Identifier -> identifier without a system: it is unique in one report only."""
    value = content.text_of(content.first(cx, found))
    return [{"type": {"coding": [TRACKING_IDENTIFIER.coding]}, "value": value}] if value else []


def places(cx: Context, uids: list[ContentItem], _: Any = None) -> list[dict[str, str]]:
    """Without a Tracking Unique Identifier: SOPInstanceUID and the item's place -> identifier of what nobody tracks."""
    return [] if content.text_of(next(iter(uids), None)) else sr_item(cx, None)


def location(cx: Context, sites: list[ContentItem]) -> dict[str, Any] | None:
    """Finding Site of the item, else of the nearest above -> CodeableConcept, without its side and part."""
    return content.full_concept(cx, content.first(cx, sites), MODIFIERS)


def qualifiers(cx: Context, sites: list[ContentItem]) -> list[dict[str, Any]]:
    """Laterality and Topographical modifier of the site -> locationQualifier, each with its code."""
    found = modifiers_of(content.at(cx), next(iter(sites), None))
    return [made for one in found if (made := content.concept(cx, one))]


# fmt: off
RULES = (
    #           FHIR element                      content item       by
    ContentRule("BodyStructure.id",               "",                body_structure_id, MUST, concepts=(TRACKING_UID, FINDING_SITE)),
    *meta("BodyStructure"),
    ContentRule("BodyStructure.identifier",       "",                tracking_uids, concepts=(TRACKING_UID,)),
    ContentRule("BodyStructure.identifier",       "",                tracking_identifiers, concepts=(TRACKING_IDENTIFIER,)),
    ContentRule("BodyStructure.identifier",       "",                places, concepts=(TRACKING_UID, FINDING_SITE)),
    ContentRule("BodyStructure.location",         "",                location, concepts=(FINDING_SITE,), reach="above"),
    ContentRule("BodyStructure.locationQualifier", "",               qualifiers, concepts=(FINDING_SITE,), reach="above"),
    Rule("BodyStructure.patient",                 ISSUED_ID,         issued_reference),
    Rule("BodyStructure.patient",                 "",                own_reference, MUST),
)
# fmt: on


def body_structure(cx: Context, holder: Within) -> Made | None:
    """Return the BodyStructure that an item's own children speak of, None where they speak of none."""
    cx.rule, cx.item = RULES[0], holder
    return engine.resource(RULES, cx, holder, "BodyStructure") if structure_id(cx) else None
