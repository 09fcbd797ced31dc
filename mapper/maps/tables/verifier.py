"""Practitioner <- who verified a document, where identified (PS3.3 C.17.2, VerifyingObserverSequence)."""

from collections.abc import Iterator
from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.layers import Layers
from mapper.maps import engine, keys
from mapper.maps.rule import MUST, Made, MissingElement, Rule
from mapper.maps.values.context import Context
from mapper.maps.values.human_name import human_name
from mapper.maps.values.verifier import verifier_identifier

WHO = "VerifyingObserverIdentificationCodeSequence*"


def verifier_id(cx: Context, codes: Any) -> str | None:
    """VerifyingObserverIdentificationCodeSequence -> id, the same wherever the person is named."""
    made = verifier_identifier(cx, cx.item)
    return cx.id(*keys.practitioner(made)) if made else None


def identifiers(cx: Context, codes: Any) -> list[dict[str, str]]:
    """VerifyingObserverIdentificationCodeSequence -> identifier, its system made of the coding scheme."""
    made = verifier_identifier(cx, cx.item)
    return [made] if made else []


def names(cx: Context, name: Any) -> list[dict[str, Any]]:
    """VerifyingObserverName -> HumanName, as it is written there."""
    made = human_name(cx, name)
    return [made] if made else []


# fmt: off
RULES = (
    #    FHIR element               DICOM attribute           by
    Rule("Practitioner.id",         WHO,                      verifier_id, MUST),
    Rule("Practitioner.identifier", WHO,                      identifiers),
    Rule("Practitioner.name",       "VerifyingObserverName?", names),
)
# fmt: on


def verifiers(cx: Context, document: Item) -> Iterator[Made]:
    """Yield the Practitioner of every identified person who verified a document."""
    try:
        people = document.values("VerifyingObserverSequence")
    except ValueError:
        return  # the row that refers to these people records it
    for person in people:
        try:
            yield engine.resource(
                RULES, cx, Layers((person, document)), "Practitioner"
            )  # the schemes are the document's
        except MissingElement:
            continue
