"""Forms of our own pages: what they send, and what shows that a page of ours sent it."""

import hmac
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request

from mapper.web.paths import path_of, takes_form
from mapper.web.rendering import FIELD
from mapper.web.visitor import WRITING

FIELDS = 1100
"""Fields of one form: a thousand studies, and some."""
HEADER = "x-csrf-token"
"""Header by which a script of a page shows what the field shows in a form."""


async def form_of(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form as they came; raises HTTPException 422 for what is none."""
    try:
        return parse_qsl(
            (await request.body()).decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS
        )
    except ValueError:
        raise HTTPException(422, "this is no form of a page of ours") from None


async def field_of(request: Request, name: str) -> str:
    """Return a field that a form has once, else nothing."""
    values = [value for known, value in await form_of(request) if known == name]
    return values[0] if len(values) == 1 else ""


async def from_our_page(request: Request) -> None:
    """Refuse a write that a browser sends along with who it is by itself, unless a page of ours sent it.

    Raises HTTPException 403. Who shows a token with each request needs nothing more.
    """
    admitted = getattr(request.state, "admitted", None)
    if request.method not in WRITING or admitted is None or not admitted.csrf:
        return
    is_form = takes_form(path_of(request.scope))
    if not is_form and admitted.session is None:
        return
    shown = request.headers.get(HEADER) or (await field_of(request, FIELD) if is_form else "")
    if not hmac.compare_digest(shown.encode(), admitted.csrf.encode()):
        request.state.note("form", visitor=admitted.visitor.name)
        raise HTTPException(403, "this was not sent by a page of your session: load the page again")
