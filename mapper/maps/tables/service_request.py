"""ServiceRequest <- accession, a stub for sites whose orders live nowhere else (option `order_stub`).

By default the EHR owns orders and ImagingStudy.basedOn is a logical reference. Sources: DICOM Imaging Service Request
module (PS3.3 C.4.12), Requested Procedure module (PS3.3 C.4.11), FHIR R4 ServiceRequest.
"""

from typing import Any

from mapper.dicom.item import Item
from mapper.maps import engine, keys
from mapper.maps.rule import MUST, Made, Rule, many
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.subject import subject
from mapper.maps.values.coding import codeable_concept, codeable_concepts
from mapper.maps.values.context import Context
from mapper.maps.values.order_number import accession, filler, placer
from mapper.maps.values.person import referrer
from mapper.maps.values.text import text_concepts

OPTION = "order_stub"
ACCESSION = "AccessionNumber IssuerOfAccessionNumberSequence*"


def order_id(cx: Context, *issued: Any) -> str | None:
    """AccessionNumber with its issuer -> id: one accession is one order, in every study."""
    made = accession(cx, *issued)
    return cx.id(*keys.service_request(made)) if made else None


def unknown(cx: Context) -> str:
    """What became of the order is not ours to know."""
    return "unknown"


def order(cx: Context) -> str:
    """An accession number is given to an order."""
    return "order"


# fmt: off
RULES = (
    #    FHIR element                     DICOM attribute                                                          by
    Rule("ServiceRequest.id",             ACCESSION,                                                               order_id, MUST),
    *meta("ServiceRequest"),
    Rule("ServiceRequest.identifier",     ACCESSION,                                                               many(accession)),
    Rule("ServiceRequest.identifier",     "PlacerOrderNumberImagingServiceRequest OrderPlacerIdentifierSequence*", many(placer)),
    Rule("ServiceRequest.identifier",     "FillerOrderNumberImagingServiceRequest OrderFillerIdentifierSequence*", many(filler)),
    Rule("ServiceRequest.status",         "",                                                                      unknown, MUST),
    Rule("ServiceRequest.intent",         "",                                                                      order, MUST),
    Rule("ServiceRequest.code",           "RequestedProcedureCodeSequence*",                                       codeable_concept),
    *subject("ServiceRequest.subject"),
    Rule("ServiceRequest.reasonCode",     "ReasonForTheRequestedProcedure",                                         text_concepts),
    Rule("ServiceRequest.reasonCode",     "ReasonForRequestedProcedureCodeSequence*",                               codeable_concepts),
    Rule("ServiceRequest.requester",      "RequestingPhysician",                                                   referrer),
)
# fmt: on


def service_request(cx: Context, item: Item) -> Made:
    """Return the stub of a study's order; raises MissingElement when there is no accession number."""
    return engine.resource(RULES, cx, item, "ServiceRequest")
