"""The page of the mapping."""

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse

from mapper.maps import MAPPING_VERSION
from mapper.web.mapping.rows import Section, sections
from mapper.web.view import View, matching
from mapper.web.visitor import Role, needs

LONGEST = 100
"""Characters that one may look for."""


def add(app: FastAPI, view: View, options: tuple[str, ...]) -> None:
    """Add the page; `options` are those that the site has switched on."""

    @app.get("/mapping", response_class=HTMLResponse, include_in_schema=False, dependencies=[needs(Role.READ)])
    def mapping(request: Request, q: Annotated[str, Query(max_length=LONGEST)] = "") -> HTMLResponse:
        found = [Section(one.name, one.about, tuple(matching(one.rows, q, lambda row: row.text))) for one in sections()]
        context: dict[str, Any] = {
            "q": q if any(one.rows for one in found) else "",  # what no rule has is not repeated: it may be anything
            "asked": bool(q.strip()),
            "sections": [one for one in found if one.rows],
            "total": sum(len(one.rows) for one in sections()),
            "found": sum(len(one.rows) for one in found),
            "mapping_version": MAPPING_VERSION,
            "options": options,
        }
        return view.page(request, "mapping/page.html", here="/mapping", **context)
