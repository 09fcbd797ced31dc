"""What went wrong, as people read it: programs and the API have the same as JSON."""

from collections.abc import Awaitable, Callable

import msgspec
from fastapi import Request
from starlette.responses import Response
from starlette.types import Scope

from mapper.web.paths import path_of
from mapper.web.view import View

Answer = Callable[[Request, Exception], Awaitable[Response]]
OF_THE_BODY = frozenset({"content-type", "content-length"})


def for_people(view: View, answer: Answer) -> Answer:
    """Return what answers a browser with a page, and everybody else as `answer` does: status and headers stay."""

    async def answered(request: Request, error: Exception) -> Response:
        found = await answer(request, error)
        return shown(view, request, found) if "text/html" in request.headers.get("accept", "") else found

    return answered


def refused_page(view: View) -> Callable[[Scope, Response], Response]:
    """Return what makes a page of what the guard refuses: status and headers stay."""
    return lambda scope, answer: shown(view, Request(scope), answer)


def shown(view: View, request: Request, found: Response) -> Response:
    """Return an answer of ours as a page; the API's stays as it is."""
    if path_of(request.scope).startswith("/api/"):
        return found
    said = msgspec.json.decode(found.body)
    page = view.page(request, "wrong.html", found.status_code, problem=said["title"], message=said["detail"])
    page.headers.update({name: value for name, value in found.headers.items() if name not in OF_THE_BODY})
    return page
