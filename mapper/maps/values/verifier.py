"""Who verified a document: VerifyingObserverSequence -> References, Practitioner where identified (PS3.3 C.17.2)."""

from typing import Any

from mapper.dicom.item import Item
from mapper.maps import keys
from mapper.maps.values.context import Context
from mapper.maps.values.distinct import unseen
from mapper.maps.values.human_name import display_name
from mapper.maps.values.person import identifier_of
from mapper.maps.values.text import as_items, each


def verifier_references(cx: Context, verifiers: Any) -> list[dict[str, Any]]:
    """VerifyingObserverName + VerifyingObserverIdentificationCodeSequence -> resultsInterpreter, each person once."""
    found = each(cx, as_items(verifiers), lambda one: verifier_reference(cx, one))
    return unseen(found, set())


def verifier_reference(cx: Context, item: Item) -> dict[str, str] | None:
    """Return the Reference to who verified: to a Practitioner where identified, else by name alone."""
    identifier, display = verifier_identifier(cx, item), display_name(cx, item["VerifyingObserverName"])
    made = {"display": display} if display else {}
    if identifier:
        id = cx.id(*keys.practitioner(identifier))
        made = {"reference": f"Practitioner/{id}", **made}
    return made or None


def verifier_identifier(cx: Context, item: Item) -> dict[str, str] | None:
    """Return the Identifier of who verified, its system made of the coding scheme; None where there is none."""
    return identifier_of(cx, as_items(item.values("VerifyingObserverIdentificationCodeSequence")))
