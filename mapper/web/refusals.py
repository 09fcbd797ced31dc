"""What is refused at the door: one table of reasons, counted for the metrics, and said in the log now and then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil

from starlette.responses import JSONResponse

from mapper import log
from mapper.rate_limit import RateLimit
from mapper.web.audit import Audit

CHALLENGE = {"WWW-Authenticate": 'Basic realm="orthanc-fhir: any user, the token as password"'}
BEARER = {"WWW-Authenticate": 'Bearer realm="orthanc-fhir"'}
"""For browsers that have a login page: Basic would make them ask for a password of their own."""
WANTED = "a token is needed: Authorization: Bearer, or Basic with it as password"

PROBLEM = "application/problem+json"
"""Media type of an answer that says what is wrong."""
UNSEEN = "application/vnd.orthanc-fhir.unseen+json"
"""Media type of the 404 for a study that nobody knows: whatever else answers 404 does not say this."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """How one kind of request is answered: status, what to do instead, and headers that belong to it."""

    status: int
    message: str
    headers: Mapping[str, str] | None = None


REFUSALS = {
    "target": Refusal(400, "the target of a request is a path on this service"),
    "head": Refusal(431, "path and headers have at most 16 kB"),
    "host": Refusal(403, "without a token this service answers on loopback only"),
    "no token": Refusal(401, WANTED, CHALLENGE),
    "wrong token": Refusal(401, WANTED, CHALLENGE),
    "ended": Refusal(401, "the session has ended: log in again", BEARER),
    "part": Refusal(401, "the session has ended: log in again", {**BEARER, "HX-Refresh": "true"}),
    "too many": Refusal(429, "too many wrong tokens came from this address: come again"),
    "guessed": Refusal(429, "too many wrong tokens that begin as this one came, from many addresses: come again"),
    "untold": Refusal(403, "the proxy names nobody, or no role, in words that are known here"),
    "method": Refusal(405, "read with GET, write with POST", {"Allow": "GET, POST"}),
    "site": Refusal(403, "the request comes from another site"),
    "no json": Refusal(415, "send application/json"),
    "no form": Refusal(415, "send application/x-www-form-urlencoded"),
    "size": Refusal(413, "a body has at most 1 MB"),
    "login size": Refusal(413, "the form of the login has at most 8 kB"),
    "depth": Refusal(400, "the body is no JSON of ours: it nests too deep, or is no UTF-8"),
    "busy": Refusal(503, "too many requests at once: come again", {"Retry-After": "1"}),
}
"""Every reason for which a request ends before any route sees it. No answer repeats what was sent."""
NOTED = ("forged", "form", "role")
"""Reasons that are counted beside these: a header that was not believed, and what a route refuses to who was let in."""
AUDITED = frozenset({"wrong token", "too many", "guessed", "untold", "host", "site", *NOTED})
"""Reasons that say something of who tries to get in."""
CUT = ("late head", "late body", "late answer", "crowd", "no http")
"""Reasons for which a connection is cut without an answer that anybody could use."""
DO = {
    "host": "reach it as http://127.0.0.1, or set ORTHANC_FHIR_TOKEN",
    "no token": "send ORTHANC_FHIR_TOKEN: plugin, scripts and people need it",
    "wrong token": "compare ORTHANC_FHIR_TOKEN here with the FhirSync.Token of Orthanc, and look who else asks",
    "ended": "log in again",
    "too many": "look who sends wrong tokens",
    "guessed": "somebody knows how a token begins: give its holder another one",
    "untold": "let the proxy send a name of visible ASCII characters, and read, operate or values as role",
    "forged": "somebody who is none of trusted_proxies says who asks: it was not believed",
    "form": "load the page again; if it goes on, look for a page of another site",
    "role": "a token with another role is needed: `orthanc-fhir token`",
    "site": "does a proxy change the header Host?",
}
"""What a person should do about it, where there is something to do."""


class Refusals:
    """Counts what is refused, and logs each kind once a minute at most; never what was sent."""

    def __init__(
        self, count: Callable[[str], object], rate: RateLimit | None = None, audit: Audit | None = None
    ) -> None:
        self._count = count
        self._rate = rate or RateLimit()
        self._audit = audit

    def answer(self, reason: str, *, ring: bool = False, seconds: float = 0.0) -> JSONResponse:
        """Return the answer to a refused request; `ring`: it was the plugin's; `seconds`: when to come again."""
        self.note(reason, ring=ring)
        how = REFUSALS[reason]
        again = {"Retry-After": str(ceil(seconds))} if seconds else {}
        return problem(how.status, how.message, {**(how.headers or {}), **again})

    def note(self, reason: str, *, ring: bool = False, visitor: str = "") -> None:
        """Count one refusal, and say so in log and audit when that kind, of this visitor, was not said lately."""
        self._count(reason)
        if (kept_quiet := self._rate.turn((reason, ring, visitor))) is None:
            return
        if self._audit is not None and reason in AUDITED:
            self._audit.refused(visitor, reason, kept_quiet + 1)
        facts: dict[str, object] = {"reason": reason, "times": kept_quiet + 1}
        if ring:
            facts["ring"] = True
        if visitor:
            facts["visitor"] = visitor
        if reason in DO:
            facts["do"] = DO[reason]
        log.warn("refused", **facts)


def problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an answer that says what is wrong: the one shape of all of them (RFC 9457)."""
    said = {"title": HTTPStatus(status).phrase, "status": status, "detail": message, "message": message}
    return JSONResponse(said, status, dict(headers or {}), media_type=PROBLEM)


def unseen(message: str) -> JSONResponse:
    """Return an answer that says that nobody knows the study."""
    return problem(404, message, {"Content-Type": UNSEEN})
