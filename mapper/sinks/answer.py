"""What a FHIR server's answer means for the study: the table of DESIGN section 4.

No text of the server is handed on: an OperationOutcome may quote values. Only its codes are.
"""

import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import requests

from mapper.errors import (
    BundleRejected,
    ExistsTwice,
    MapperError,
    SinkBusy,
    SinkRefused,
    StaleVersion,
    TargetMissing,
    TooLarge,
)

MOVED = (SinkRefused, "sends us elsewhere: set fhir_url to the address that it really has")
MEANING: dict[int, tuple[type[MapperError], str]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), MOVED),
    400: (BundleRejected, "refuses the content"),
    401: (SinkRefused, "wants other credentials: check fhir_user, fhir_password or fhir_token"),
    403: (SinkRefused, "does not allow us to write: check the rights of our user"),
    404: (SinkRefused, "knows no such address: check fhir_url"),
    405: (SinkRefused, "takes no transactions at this address: check fhir_url"),
    408: (SinkBusy, "timed out"),
    409: (SinkBusy, "sees a conflict with another writer"),
    410: (SinkRefused, "knows no such address: check fhir_url"),
    412: (ExistsTwice, "holds one identity twice: find and repair the duplicate"),
    413: (TooLarge, "finds the transaction too large"),
    422: (BundleRejected, "refuses the content"),
    429: (SinkBusy, "asks to come again later"),
    500: (SinkBusy, "failed"),
    502: (SinkBusy, "is not to be reached behind its gateway"),
    503: (SinkBusy, "is not available now"),
    504: (SinkBusy, "did not answer its gateway in time"),
}
STALE = frozenset({"HAPI-0989"})
MISSING_TARGET = frozenset({"HAPI-1094", "HAPI-1096"})
SERVER_CODE = re.compile(r"\bHAPI-\d{4,5}\b")  # of HAPI alone: another text of this shape may be a value
ISSUE_TYPES = frozenset(
    re.findall(
        r"\S+",
        "invalid structure required value invariant security login unknown expired forbidden suppressed processing "
        "not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly "
        "business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational",
    )
)
"""FHIR R4 value set issue-type: the only text of a server that is handed on."""


def failure(answer: requests.Response, now: Callable[[], float], *, conditional: bool = False) -> MapperError:
    """Return the failure that an answer outside 2xx means; `conditional`: versions were expected of the server."""
    unknown = SinkBusy if answer.status_code >= 500 else BundleRejected
    kind, meaning = MEANING.get(answer.status_code, (unknown, "answers something we do not know"))
    codes = outcome_codes(answer)
    if MISSING_TARGET.intersection(codes) and answer.status_code in (400, 404, 409, 422):
        kind, meaning = TargetMissing, "misses a resource that this study refers to"
    elif conditional and (STALE.intersection(codes) or answer.status_code == 412):
        kind, meaning = StaleVersion, "holds another version than the one we wrote last"
    said = f" ({', '.join(codes)})" if codes else ""
    error = kind(f"the FHIR server {meaning}: HTTP {answer.status_code}{said}")
    error.retry_after = retry_after(answer.headers.get("Retry-After"), now)
    return error


def outcome_codes(answer: requests.Response) -> list[str]:
    """Return the codes of an OperationOutcome: FHIR's issue types, and HAPI's own numbers."""
    try:
        outcome: Any = msgspec.json.decode(answer.content)
        issues = outcome["issue"] if outcome["resourceType"] == "OperationOutcome" else []
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
        return []
    codes: list[str] = []
    for issue in filter(lambda one: isinstance(one, dict), issues if isinstance(issues, list) else []):
        found = [issue.get("code")] if issue.get("code") in ISSUE_TYPES else []
        found += SERVER_CODE.findall(str(issue.get("diagnostics", "")))
        codes += [code for code in found if code not in codes]
    return codes


def retry_after(header: str | None, now: Callable[[], float]) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 section 10.2.3), at most an hour."""
    if not header:
        return None
    try:
        seconds = float(header) if header.isdigit() else parsedate_to_datetime(header).timestamp() - now()
    except ValueError:
        return None
    return min(max(seconds, 0.0), 3600.0)
