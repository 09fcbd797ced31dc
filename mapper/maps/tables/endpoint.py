"""Endpoint <- the site's DICOMweb root: where the study's pixels are (WADO-RS).

One a PACS root, shared by all its studies. Source: FHIR R4 Endpoint; IHE RAD MADO and IMR for payloadType.
"""

from typing import Any

from mapper.dicom.item import Item
from mapper.fhir import systems
from mapper.maps import engine, keys
from mapper.maps.rule import MUST, Made, Rule
from mapper.maps.values.context import Context


def endpoint_id(cx: Context) -> str | None:
    """DICOMweb root -> id: one root is one Endpoint, whatever study is behind it."""
    root = cx.site.dicomweb
    return cx.id(*keys.endpoint(root)) if root else None


def endpoint_reference(cx: Context) -> dict[str, str] | None:
    """DICOMweb root -> Reference to its Endpoint."""
    id = endpoint_id(cx)
    return {"reference": f"Endpoint/{id}"} if id else None


def active(cx: Context) -> str:
    """Every Endpoint is active: its PACS just answered."""
    return "active"


def wado_rs(cx: Context) -> dict[str, str]:
    """The connection type of DICOMweb retrieval."""
    return {"system": systems.CONNECTION_TYPE, "code": "dicom-wado-rs"}


def study_payload(cx: Context) -> list[dict[str, Any]]:
    """A study's payload, as MADO (none) and IMR (DCM 113014) both ask for it."""
    codings = [
        {"system": systems.PAYLOAD_TYPE, "code": "none"},
        {"system": systems.DCM, "code": "113014", "display": "Study"},
    ]
    return [{"coding": codings, "text": "DICOM WADO-RS"}]


def dicom_mime_type(cx: Context) -> list[str]:
    """The media type that every WADO-RS server answers."""
    return ["application/dicom"]


def address(cx: Context) -> str | None:
    """DICOMweb root as clients reach it, without /studies and without a trailing slash."""
    return cx.site.dicomweb


# fmt: off
RULES = (
    #    FHIR element                 DICOM    by
    Rule("Endpoint.id",               "",      endpoint_id, MUST),
    Rule("Endpoint.status",           "",      active, MUST),
    Rule("Endpoint.connectionType",   "",      wado_rs, MUST),
    Rule("Endpoint.payloadType",      "",      study_payload, MUST),
    Rule("Endpoint.payloadMimeType",  "",      dicom_mime_type),
    Rule("Endpoint.address",          "",      address, MUST),
)
# fmt: on


def endpoint(cx: Context, item: Item) -> Made:
    """Return the Endpoint of the site's DICOMweb root."""
    return engine.resource(RULES, cx, item, "Endpoint")
