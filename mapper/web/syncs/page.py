"""The page of the syncs of a stretch of time."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse

from mapper.ledger.ledger import Ledger
from mapper.web.cursor import AFTER_SYNC, LAST_SECOND, LONGEST, place, word
from mapper.web.view import View
from mapper.web.visitor import Role, needs

SHOWN = 50
Second = Annotated[int, Query(ge=0, le=LAST_SECOND)]


def add(app: FastAPI, ledger: Ledger, view: View) -> None:
    """Add the page."""

    @app.get("/syncs", response_class=HTMLResponse, include_in_schema=False, dependencies=[needs(Role.READ)])
    def syncs(
        request: Request,
        begins: Second = 0,
        ends: Second = LAST_SECOND,
        failed: bool = False,
        after: Annotated[str, Query(max_length=LONGEST)] = "",
    ) -> HTMLResponse:
        before = place(after, AFTER_SYNC)
        found = ledger.history.between(begins, ends, failed=failed, before=before, limit=SHOWN + 1)
        asked = {"begins": begins, "ends": ends} | ({"failed": "true"} if failed else {})
        context: dict[str, Any] = {
            "begins": begins,
            "ends": ends if ends < LAST_SECOND else None,
            "failed": failed,
            "other": urlencode({"begins": begins, "ends": ends} | ({} if failed else {"failed": "true"})),
            "syncs": found[:SHOWN],
            "stands": ledger.history.states(found[:SHOWN]),
            "older": urlencode({**asked, "after": word(found[SHOWN - 1].moment)}) if len(found) > SHOWN else "",
            "newest": urlencode(asked) if after else "",
        }
        return view.page(request, "syncs/page.html", here="/", **context)
