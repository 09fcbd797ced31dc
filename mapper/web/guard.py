"""Who gets in: a bearer token or, for browsers, Basic with the token as password; and no cross-site write."""

import base64
import binascii
import hmac
from urllib.parse import urlsplit

from fastapi import Request
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

OPEN = frozenset({"/healthz", "/readyz"})
"""Paths that tell nothing of patients: probes need no token."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
READING = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",  # with none at all browsers send our own forms as `Origin: null`
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Guard(BaseHTTPMiddleware):
    """Refuses every request that has no business here, before any route sees it."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        super().__init__(app)
        self._token = token

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Answer 401, 403 or 415, or let the request pass."""
        refused = self.refusal(request)
        answer = refused or await call_next(request)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    def refusal(self, request: Request) -> Response | None:
        """Return why a request is refused, or None."""
        if request.url.path in OPEN:
            return None
        if self._token is None:
            if (request.url.hostname or "") not in LOOPBACK:
                return problem(403, "without a token this service answers on loopback only")
        elif not hmac.compare_digest(presented(request).encode(), self._token.encode()):
            challenge = {"WWW-Authenticate": 'Basic realm="orthanc-fhir: any user, the token as password"'}
            return problem(401, "a token is needed: Authorization: Bearer, or Basic with it as password", challenge)
        if request.method in READING:
            return None
        if not same_site(request):
            return problem(403, "refused: the request comes from another site")
        is_form = request.url.path.startswith("/page/")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        wanted = "application/x-www-form-urlencoded" if is_form else "application/json"
        return None if kind == wanted else problem(415, f"send {wanted}")


def presented(request: Request) -> str:
    """Return the token that a request shows, or an empty text."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def same_site(request: Request) -> bool:
    """Tell whether a write comes from our own pages, or from no browser at all."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def problem(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return a refusal that says what to do."""
    return JSONResponse({"message": message}, status, headers)
