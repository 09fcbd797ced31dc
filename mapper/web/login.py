"""The login page: a token becomes a session, and a session ends."""

import re

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from mapper.web import redirect
from mapper.web.audit import record, record_done
from mapper.web.entrance import COOKIE, Entrance
from mapper.web.form import field_of
from mapper.web.headers import Headers
from mapper.web.paths import LOGIN, LOGOUT
from mapper.web.refusals import REFUSALS
from mapper.web.session import LIFE
from mapper.web.tokens import Holder, NotLooked
from mapper.web.view import View

NEXT = re.compile(r"/(?![/\\])[A-Za-z0-9._~/?&=%:@,+-]*")
"""Where one may be sent after the login: a path and a query here, and nothing that a browser reads as another host."""
LONGEST = 1000
WRONG = "This is no token that is known here. Is it whole, without blanks?"
SLOW = "Too many wrong tokens came from your address: wait {:.0f} seconds, then try again."
GUESSED = "Too many wrong tokens that begin as this one came, from many addresses: wait {:.0f} seconds, then try again."
BUSY = "Too many log in at once: try again."
UNTOLD = (
    "You are logged out here, but the ledger cannot be used now: another replica would still take this session's "
    "cookie if somebody has stolen it. Change the token if you fear so."
)
NOT_LOOKED = {"too many": SLOW, "guessed": GUESSED, "busy": BUSY}


def add_login(app: FastAPI, entrance: Entrance, view: View) -> None:
    """Add the login page, and its end."""

    def page(request: Request, next_: str, problem: str = "", status: int = 200) -> HTMLResponse:
        return view.page(request, "login.html", status, next=local(next_), problem=problem)

    @app.get(LOGIN, response_class=HTMLResponse)
    async def ask(request: Request, next: str = "/") -> Response:
        if entrance.is_open:
            return there(request, "/")
        return page(request, next)

    @app.post(LOGIN, response_class=HTMLResponse)
    async def login(request: Request) -> Response:
        wanted, token = await field_of(request, "next"), (await field_of(request, "token")).strip()
        headers = Headers(request.scope["headers"])
        address = entrance.proxies.address(request.scope, headers)
        try:
            holder = await entrance.tokens.check(token.encode(errors="replace"), address)
        except NotLooked as not_looked:
            request.state.note(not_looked.reason)
            said = NOT_LOOKED[not_looked.reason].format(not_looked.seconds + 1)
            return page(request, wanted, said, REFUSALS[not_looked.reason].status)
        if holder is None:
            request.state.note("wrong token")
            return page(request, wanted, WRONG, 401)
        answer = there(request, wanted)
        begin(request, answer, holder, https=entrance.proxies.is_https(request.scope, headers))
        return answer

    def begin(request: Request, answer: Response, holder: Holder, *, https: bool) -> None:
        request.state.visitor = holder.visitor
        record(request, "logged in")
        answer.set_cookie(
            COOKIE,
            entrance.sessions.begin(holder.visitor.name, holder.credential),
            max_age=LIFE,
            path=path(request),
            secure=https or request.headers.get("origin", "").startswith("https://"),  # the guard has looked at it
            httponly=True,
            samesite="strict",
        )

    @app.post(LOGOUT)
    async def logout(request: Request) -> Response:
        admitted = getattr(request.state, "admitted", None)
        answer: Response = there(request, LOGIN)
        if admitted and (session := admitted.session):
            entrance.sessions.end(session)  # whatever becomes of the line: who leaves is not kept in
            is_told = await entrance.logouts.add(session)
            record_done(request, "logged out")
            if not is_told:
                del request.state.admitted, request.state.visitor  # the page is nobody's any more
                answer = page(request, "/", UNTOLD, 503)
        answer.delete_cookie(COOKIE, path=path(request), httponly=True, samesite="strict")
        return answer


def local(wanted: str) -> str:
    """Return where one may be sent: what was wanted if that is a place here, else the first page."""
    return wanted if len(wanted) <= LONGEST and NEXT.fullmatch(wanted) else "/"


def there(request: Request, wanted: str) -> RedirectResponse:
    """Return an answer that sends a browser to a place here."""
    return redirect.there(request, local(wanted))


def path(request: Request) -> str:
    """Return the path under which a browser sends our cookie."""
    return str(request.scope.get("root_path", "")) or "/"
