"""UIDs: bare as FHIR `id`, or as `urn:oid:` (FHIR R4 datatypes.html, PS3.5 section 9)."""

import re
from typing import Any

from mapper.fhir import systems
from mapper.maps.values.context import Context
from mapper.maps.values.text import as_text

ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
LONGEST = 64


def expressible(uid: str) -> bool:
    """Tell whether a UID fits FHIR's type `id`; it is never cut or hashed to fit."""
    return ID.fullmatch(uid) is not None


def uid_id(cx: Context, value: Any) -> str | None:
    """UI -> id: the bare UID of a series or an instance."""
    uid = as_text(value)
    if uid is None:
        return None
    if not expressible(uid):
        raise ValueError("a UID that FHIR's type id cannot hold")
    doubt(cx, uid)
    return uid


def uid_uri(cx: Context, value: Any) -> str | None:
    """UI -> urn:oid, verbatim, so that it still matches the archive."""
    uid = as_text(value)
    if uid is None:
        return None
    doubt(cx, uid)
    return f"urn:oid:{uid}"


def uid_of(uri: str) -> str | None:
    """Return the UID of a urn:oid, None for another URI."""
    return uri.removeprefix(systems.OID_URN) or None if uri.startswith(systems.OID_URN) else None


def sop_class(cx: Context, value: Any) -> dict[str, str] | None:
    """SOPClassUID -> Coding; without a display, because names change from edition to edition."""
    uid = uid_id(cx, value)
    return {"system": systems.URI, "code": f"urn:oid:{uid}"} if uid else None


def uid_identifier(cx: Context, value: Any) -> dict[str, Any] | None:
    """UI -> Identifier: how FHIR R4 writes any DICOM UID as an identifier."""
    uri = uid_uri(cx, value)
    return {"system": systems.DICOM_UID, "value": uri} if uri else None


def study_identifier(cx: Context, value: Any) -> dict[str, Any] | None:
    """StudyInstanceUID -> Identifier with its type, DCM 110180."""
    made = uid_identifier(cx, value)
    if made is None:
        return None
    kind = {"system": systems.DCM, "code": "110180", "display": "Study Instance UID"}
    return {"type": {"coding": [kind]}, **made}


def doubt(cx: Context, uid: str) -> None:
    """Record a UID that PS3.5 section 9 forbids."""
    if len(uid) > LONGEST or not UID.fullmatch(uid):
        cx.note("not a valid UID: kept as it is")
