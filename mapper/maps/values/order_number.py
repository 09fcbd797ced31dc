"""Numbers of orders and visits: FHIR R4 Identifiers whose system is that of the issuer (PS3.3 C.7.2.1, C.3.4).

A number without an issuer is the same number as one with it: whichever series or request states the issuer, states
it for all.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from mapper.dicom.item import Item
from mapper.maps.values.authority import issuer_system
from mapper.maps.values.context import Context
from mapper.maps.values.identifier import Identifier, identifier_type
from mapper.maps.values.text import as_items, as_text

ACCESSION = ("AccessionNumber", "IssuerOfAccessionNumberSequence")
PLACER = ("PlacerOrderNumberImagingServiceRequest", "OrderPlacerIdentifierSequence")
FILLER = ("FillerOrderNumberImagingServiceRequest", "OrderFillerIdentifierSequence")
VISIT = ("AdmissionID", "IssuerOfAdmissionIDSequence")
REQUESTS = ("RequestAttributesSequence", "ReferencedRequestSequence")
Keywords = tuple[str, str]
"""Of a number and of its issuer."""


def accession(cx: Context, value: Any, issuer: Any = None) -> Identifier | None:
    """AccessionNumber + IssuerOfAccessionNumberSequence -> Identifier of type ACSN."""
    return order_number(cx, value, issuer, ACCESSION, "ACSN", "accession")


def placer(cx: Context, value: Any, issuer: Any = None) -> Identifier | None:
    """PlacerOrderNumberImagingServiceRequest + OrderPlacerIdentifierSequence -> Identifier of type PLAC."""
    return order_number(cx, value, issuer, PLACER, "PLAC", "placer-order")


def filler(cx: Context, value: Any, issuer: Any = None) -> Identifier | None:
    """FillerOrderNumberImagingServiceRequest + OrderFillerIdentifierSequence -> Identifier of type FILL."""
    return order_number(cx, value, issuer, FILLER, "FILL", "filler-order")


def visit(cx: Context, value: Any, issuer: Any = None) -> Identifier | None:
    """AdmissionID + IssuerOfAdmissionIDSequence -> Identifier of type VN."""
    return order_number(cx, value, issuer, VISIT, "VN", "visit")


def order_number(cx: Context, value: Any, issuer: Any, keywords: Keywords, code: str, kind: str) -> Identifier | None:
    """Return an Identifier of one type from a number and the sequence that names its issuer."""
    number = as_text(value)
    if number is None:
        return None
    system = issuer_system(cx, issuer or stated_issuer(cx, number, keywords), kind)
    return {"type": identifier_type(code), "system": system, "value": number}


def stated_issuer(cx: Context, number: str, keywords: Keywords) -> list[Item]:
    """Return the issuer that the first data set of the study states for a number."""
    if keywords not in cx.issuers:
        cx.issuers[keywords] = stated_issuers(cx, keywords)
    return cx.issuers[keywords].get(number, [])


def stated_issuers(cx: Context, keywords: Keywords) -> dict[str, list[Item]]:
    """Return the issuers that the data sets of the study state, by the number: the first counts."""
    found: dict[str, list[Item]] = {}
    for series in cx.study.series:
        for item in (series.item, *requests(series.item)):
            with suppress(ValueError):  # the row that reads it records it
                number, issuer = as_text(item[keywords[0]]), as_items(item.values(keywords[1]))
                if number and issuer:
                    found.setdefault(number, issuer)
    return found


def requests(item: Item) -> Iterator[Item]:
    """Yield the requests that a data set names."""
    for keyword in REQUESTS:
        with suppress(ValueError):
            yield from as_items(item.values(keyword))
