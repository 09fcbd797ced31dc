"""Orders and visits that live elsewhere: FHIR R4 logical references (FHIR R4 references.html), by identifier only."""

from typing import Any

from mapper.dicom.item import Item
from mapper.maps.values.context import Context, beside
from mapper.maps.values.distinct import frozen, unseen
from mapper.maps.values.identifier import Identifier
from mapper.maps.values.order_number import accession, filler, placer, visit
from mapper.maps.values.text import as_items, each

Reference = dict[str, Any]


def logical(target: str, identifier: Identifier | None) -> Reference | None:
    """Return a Reference to a resource of some type that is known by an identifier only."""
    return {"type": target, "identifier": identifier} if identifier else None


def accession_order(cx: Context, value: Any, issuer: Any = None) -> Reference | None:
    """AccessionNumber + IssuerOfAccessionNumberSequence -> Reference to the ServiceRequest."""
    return logical("ServiceRequest", accession(cx, value, issuer))


def placer_order(cx: Context, value: Any, issuer: Any = None) -> Reference | None:
    """PlacerOrderNumberImagingServiceRequest + OrderPlacerIdentifierSequence -> Reference to the ServiceRequest."""
    return logical("ServiceRequest", placer(cx, value, issuer))


def filler_order(cx: Context, value: Any, issuer: Any = None) -> Reference | None:
    """FillerOrderNumberImagingServiceRequest + OrderFillerIdentifierSequence -> Reference to the ServiceRequest."""
    return logical("ServiceRequest", filler(cx, value, issuer))


def requested_orders(cx: Context, sequence: Any) -> list[Reference]:
    """RequestAttributesSequence, ReferencedRequestSequence -> References by accessions that the study's is not."""
    made = each(cx, as_items(sequence), lambda item: by_own_accession(cx, item))
    told = accession_order(cx, beside(cx, "AccessionNumber"))
    return unseen(made, {frozen(told)})


def by_own_accession(cx: Context, item: Item) -> Reference | None:
    """Return the Reference that one item of a request sequence makes."""
    issuer = item.values("IssuerOfAccessionNumberSequence")
    return logical("ServiceRequest", accession(cx, item["AccessionNumber"], issuer))


def encounter(cx: Context, value: Any, issuer: Any = None) -> Reference | None:
    """AdmissionID + IssuerOfAdmissionIDSequence -> Reference to the Encounter."""
    return logical("Encounter", visit(cx, value, issuer))
