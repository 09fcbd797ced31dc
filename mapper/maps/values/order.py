"""Orders and visits that live elsewhere: FHIR R4 logical references, by identifier only."""

from typing import Any

from mapper.dicom.item import Item
from mapper.maps.values.context import Context, beside
from mapper.maps.values.identifier import Identifier
from mapper.maps.values.order_number import accession, filler, placer, visit
from mapper.maps.values.text import as_items, each

Reference = dict[str, Any]


def logical(target: str, identifier: Identifier | None) -> Reference | None:
    """Return a Reference to a resource of some type that is known by an identifier only."""
    return {"type": target, "identifier": identifier} if identifier else None


def accession_orders(cx: Context, value: Any, issuer: Any = None) -> list[Reference]:
    """AccessionNumber + IssuerOfAccessionNumberSequence -> References to the ServiceRequest."""
    made = logical("ServiceRequest", accession(cx, value, issuer))
    return [made] if made else []


def placer_orders(cx: Context, value: Any, issuer: Any = None) -> list[Reference]:
    """PlacerOrderNumberImagingServiceRequest + OrderPlacerIdentifierSequence -> References."""
    made = logical("ServiceRequest", placer(cx, value, issuer))
    return [made] if made else []


def filler_orders(cx: Context, value: Any, issuer: Any = None) -> list[Reference]:
    """FillerOrderNumberImagingServiceRequest + OrderFillerIdentifierSequence -> References."""
    made = logical("ServiceRequest", filler(cx, value, issuer))
    return [made] if made else []


def requested_orders(cx: Context, sequence: Any) -> list[Reference]:
    """RequestAttributesSequence, ReferencedRequestSequence -> References by accessions that the study's is not."""
    made = each(cx, as_items(sequence), lambda item: by_own_accession(cx, item))
    told = accession_orders(cx, beside(cx, "AccessionNumber"))
    return [one for number, one in enumerate(made) if one not in [*told, *made[:number]]]


def by_own_accession(cx: Context, item: Item) -> Reference | None:
    """Return the Reference that one item of a request sequence makes."""
    issuer = item.values("IssuerOfAccessionNumberSequence")
    return logical("ServiceRequest", accession(cx, item["AccessionNumber"], issuer))


def encounter(cx: Context, value: Any, issuer: Any = None) -> Reference | None:
    """AdmissionID + IssuerOfAdmissionIDSequence -> Reference to the Encounter."""
    return logical("Encounter", visit(cx, value, issuer))
