"""What was asked for, by the requests that a series names (PS3.3 C.7.3.1, Request Attributes Macro)."""

from typing import Any

from mapper.maps.values.coding import codeable_concepts
from mapper.maps.values.context import Context
from mapper.maps.values.text import as_items, text_concepts


def requested_procedures(cx: Context, requests: Any) -> list[dict[str, Any]]:
    """RequestedProcedureCodeSequence of each request -> CodeableConcepts, in the order of the requests."""
    return [
        one
        for item in as_items(requests)
        for one in codeable_concepts(cx, item.values("RequestedProcedureCodeSequence"))
    ]


def requested_descriptions(cx: Context, requests: Any) -> list[dict[str, Any]]:
    """RequestedProcedureDescription of each request -> CodeableConcepts that have no code."""
    return [one for item in as_items(requests) for one in text_concepts(cx, item["RequestedProcedureDescription"])]


def requested_reasons(cx: Context, requests: Any) -> list[dict[str, Any]]:
    """ReasonForTheRequestedProcedure, ReasonForRequestedProcedureCodeSequence of each request -> all that is given."""
    reasons = []
    for item in as_items(requests):
        reasons += text_concepts(cx, item["ReasonForTheRequestedProcedure"])
        reasons += codeable_concepts(cx, item.values("ReasonForRequestedProcedureCodeSequence"))
    return reasons
