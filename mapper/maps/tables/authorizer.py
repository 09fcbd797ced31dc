"""Practitioner <- who authorised an irradiation (PS3.16 TID 1020, DCM 113850), where identified; else a name alone."""

from typing import Any

from mapper.dicom.sr.content_item import ContentItem
from mapper.maps import engine, keys
from mapper.maps.content import ContentRule, Within
from mapper.maps.rule import MUST, Made
from mapper.maps.values import content
from mapper.maps.values.concepts import AUTHORIZING, PERSON_ID, PERSON_ID_ISSUER, PERSON_ROLE
from mapper.maps.values.context import Context
from mapper.maps.values.human_name import display_name, human_name
from mapper.maps.values.person import number_of

NUMBER = (PERSON_ID, PERSON_ID_ISSUER)


def person_identifier(cx: Context, ids: list[ContentItem], issuers: list[ContentItem]) -> dict[str, str] | None:
    """Return the Identifier of a person, None where number or issuer is absent."""
    value, issuer = (content.text_of(next(iter(found), None)) for found in (ids, issuers))
    if not value or not issuer:
        return None
    return number_of(cx, issuer, value)


def person_id(cx: Context, *number: Any) -> str | None:
    """Person ID and Person ID Issuer -> id: one person is one Practitioner."""
    made = person_identifier(cx, *number)
    return cx.id(*keys.practitioner(made)) if made else None


def identifiers(cx: Context, *number: Any) -> list[dict[str, str]]:
    """Person ID and Person ID Issuer -> identifier, its system made of the issuer."""
    made = person_identifier(cx, *number)
    return [made] if made else []


def names(cx: Context, name: Any) -> list[dict[str, Any]]:
    """Person Name -> HumanName, as it is written there."""
    made = human_name(cx, name)
    return [made] if made else []


def authorizers(people: list[ContentItem]) -> list[ContentItem]:
    """Return the people whose role is to authorise the irradiation."""
    roles = ((one, one.child(PERSON_ROLE.pair)) for one in people if isinstance(one.value, dict))
    return [one for one, role in roles if role is not None and means_authorizing(role)]


def means_authorizing(role: ContentItem) -> bool:
    """Tell whether a role is that of who authorises."""
    return content.is_code(role.value, AUTHORIZING)


def performers(cx: Context, people: list[ContentItem]) -> list[dict[str, str]]:
    """Who authorised the irradiation -> performer: a Practitioner where identified, else by name."""
    made: dict[str, dict[str, str]] = {}
    for one in authorizers(people):
        id = person_id(cx, one.having(PERSON_ID.pair), one.having(PERSON_ID_ISSUER.pair))
        display = display_name(cx, one.value)
        reference = {**({"reference": f"Practitioner/{id}"} if id else {}), **({"display": display} if display else {})}
        if reference:
            made.setdefault(id or display or "", reference)
    return list(made.values())


# fmt: off
RULES = (
    #           FHIR element               content item   by
    ContentRule("Practitioner.id",         "",            person_id, MUST, concepts=NUMBER),
    ContentRule("Practitioner.identifier", "",            identifiers, concepts=NUMBER),
    ContentRule("Practitioner.name",       "PersonName",  names),
)
# fmt: on


def authorizer(cx: Context, within: Within) -> Made:
    """Return the Practitioner of one person; raises MissingElement where nothing identifies them."""
    return engine.resource(RULES, cx, within, "Practitioner")
