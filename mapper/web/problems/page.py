"""The page of the problems."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse

from mapper.ledger.choice import ANY
from mapper.ledger.outcome import Moment
from mapper.ledger.state import State
from mapper.remedies import REMEDIES, Remedy, manner, remedy
from mapper.service import Service
from mapper.web.cursor import AFTER_SYNC, LONGEST, place, word
from mapper.web.lately import Lately
from mapper.web.questions import known_kind
from mapper.web.studies.wanted import FAILURE, PERIODS
from mapper.web.view import View
from mapper.web.visitor import Role, needs

SHOWN = 50
Within = Literal["1h", "24h", "7d", "30d"]


@dataclass
class Kind:
    """One kind of failure: what it means, how many studies have it now, how many syncs ended so lately."""

    name: str
    now: dict[State, int] = field(default_factory=dict)
    lately: int = 0

    @property
    def remedy(self) -> Remedy:
        """What it means and what to do."""
        return remedy(self.name)

    @property
    def side(self) -> str:
        """Whose side it is on."""
        return manner(self.name)[0]


def add(app: FastAPI, service: Service, lately: Lately, view: View) -> None:
    """Add the page."""
    ledger = service.ledger

    def kinds(length: float) -> list[Kind]:
        found: dict[str, Kind] = {}
        for (state, name), number in ledger.rows.failures().items():
            found.setdefault(name, Kind(name)).now[state] = number
        for (_, failed), number in lately.counts(length).items():
            if failed:
                found.setdefault(failed, Kind(failed)).lately += number
        order = [*REMEDIES]
        place_of = {name: order.index(name) if name in order else len(order) for name in found}
        return sorted(found.values(), key=lambda one: (-one.now.get("parked", 0), place_of[one.name], one.name))

    @app.get("/problems", response_class=HTMLResponse, include_in_schema=False, dependencies=[needs(Role.READ)])
    def problems(
        request: Request,
        failure: Annotated[str, Query(pattern=f"^({FAILURE})$")] = "",
        since: Within = "7d",
        after: Annotated[str, Query(max_length=LONGEST)] = "",
    ) -> HTMLResponse:
        known_kind(ledger, failure)
        failure = "" if failure == ANY else failure
        words, seconds = PERIODS[since]
        begins = ledger.clock() - seconds
        found = kinds(seconds)
        if failure and failure not in {one.name for one in found}:
            found.append(Kind(failure))
        failed = [one.name for one in found if one.lately] if not failure else [failure]
        syncs = latest(failed, begins, place(after, AFTER_SYNC))
        context: dict[str, Any] = {
            "kinds": [one for one in found if not failure or one.name == failure],
            "failure": failure,
            "since": since,
            "period": words,
            "periods": PERIODS,
            "syncs": syncs[:SHOWN],
            "stands": ledger.history.states(syncs[:SHOWN]),
            "after": after,
            "older": word(syncs[SHOWN - 1].moment) if len(syncs) > SHOWN else "",
            "refresh": None if after else f"/problems?since={since}" + (f"&failure={failure}" if failure else ""),
        }
        return view.page(request, "problems/page.html", here="/problems", **context)

    def latest(failed: list[str], begins: float, before: Moment | None) -> list[Any]:
        """Return the syncs that failed lately, of these kinds, newest first."""
        each = (ledger.history.latest(failure=one, since=begins, before=before, limit=SHOWN + 1) for one in failed)
        return sorted((sync for syncs in each for sync in syncs), key=lambda one: one.moment, reverse=True)[: SHOWN + 1]
