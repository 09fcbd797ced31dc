"""What went wrong, as people read it: programs and the API have the same as JSON."""

from collections.abc import Awaitable, Callable

import msgspec
from fastapi import Request
from starlette.responses import Response

from mapper.web.paths import path_of
from mapper.web.view import View

Answer = Callable[[Request, Exception], Awaitable[Response]]
OF_THE_BODY = frozenset({"content-type", "content-length"})


def for_people(view: View, answer: Answer) -> Answer:
    """Return what answers a browser with a page, and everybody else as `answer` does: status and headers stay."""

    async def answered(request: Request, error: Exception) -> Response:
        found = await answer(request, error)
        if "text/html" not in request.headers.get("accept", "") or path_of(request.scope).startswith("/api/"):
            return found
        said = msgspec.json.decode(found.body)
        page = view.page(request, "wrong.html", found.status_code, problem=said["title"], message=said["detail"])
        page.headers.update({name: value for name, value in found.headers.items() if name not in OF_THE_BODY})
        return page

    return answered
