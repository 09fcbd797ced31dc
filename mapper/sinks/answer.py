"""What a FHIR server's answer means for the study, printed into docs/errors.md.

No text of the server is handed on: an OperationOutcome may quote values. Only its codes are.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from msgspec import Struct

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
from mapper.http.body import decoded
from mapper.http.no_answer import NoAnswer, TooMuch, Unreadable

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
TOO_MUCH = frozenset({408, 429, 503, 504})
"""What says that a server has more to do than it can (RFC 9110 section 15, RFC 6585 section 4)."""
STALE = frozenset({"HAPI-0989"})
MISSING_TARGET = frozenset({"HAPI-1094", "HAPI-1096"})
SERVER_CODE = re.compile(r"\bHAPI-\d{4,5}\b")  # of HAPI alone: another text of this shape may be a value
SAID = 8
"""How many codes of an outcome a message names."""
ISSUE_TYPES = frozenset(
    re.findall(
        r"\S+",
        "invalid structure required value invariant security login unknown expired forbidden suppressed processing "
        "not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly "
        "business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational",
    )
)
"""FHIR R4 value set issue-type: the only text of a server that is handed on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a FHIR server, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Tell 2xx from all else."""
        return 200 <= self.status < 300


class Outcome(Struct):
    """An OperationOutcome, as far as anybody asks."""

    resourceType: str
    issue: list[Any] | None = None


def failure(answer: Answer, now: Callable[[], float], *, conditional: bool = False) -> MapperError:
    """Return the failure that an answer outside 2xx means; `conditional`: versions were expected of the server."""
    unknown = SinkBusy if answer.status >= 500 else BundleRejected
    other = MOVED if 300 <= answer.status < 400 else (unknown, "answers something we do not know")
    kind, meaning = MEANING.get(answer.status, other)
    try:
        codes = outcome_codes(answer.body)
    except TooMuch as much:
        return SinkBusy(f"the FHIR server's answer {much}: HTTP {answer.status}")
    if MISSING_TARGET.intersection(codes) and answer.status in (400, 404, 409, 422):
        kind, meaning = TargetMissing, "misses a resource that this study refers to"
    elif conditional and (STALE.intersection(codes) or answer.status == 412):
        kind, meaning = StaleVersion, "holds another version than the one we wrote last"
    said = f" ({', '.join(codes[:SAID])})" if codes else ""
    error = kind(f"the FHIR server {meaning}: HTTP {answer.status}{said}")
    error.too_much = answer.status in TOO_MUCH
    error.retry_after = retry_after(answer.headers.get("Retry-After"), now)
    return error


def is_outcome(body: bytes) -> bool:
    """Tell whether a body is an OperationOutcome."""
    try:
        return decoded(body, Outcome).resourceType == "OperationOutcome"
    except NoAnswer:
        return False


def outcome_codes(body: bytes) -> list[str]:
    """Return the codes of an OperationOutcome: FHIR's issue types, and HAPI's own numbers; raises TooMuch."""
    try:
        outcome = decoded(body, Outcome)
    except Unreadable:
        return []
    codes: dict[str, None] = {}
    issues = outcome.issue if outcome.resourceType == "OperationOutcome" else None
    for issue in (one for one in issues or [] if isinstance(one, dict)):
        code = issue.get("code")
        if isinstance(code, str) and code in ISSUE_TYPES:
            codes[code] = None
        codes |= dict.fromkeys(SERVER_CODE.findall(str(issue.get("diagnostics", ""))))
    return list(codes)


def retry_after(header: str | None, now: Callable[[], float]) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110 section 10.2.3), at most an hour."""
    if not header:
        return None
    try:
        seconds = float(header) if header.isdigit() else parsedate_to_datetime(header).timestamp() - now()
    except (ValueError, ArithmeticError, OSError):  # a year beyond all calendars
        return None
    return min(max(seconds, 0.0), 3600.0)
