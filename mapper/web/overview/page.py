"""The first page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from mapper.dicom.uid import is_askable
from mapper.ledger.sides import Offered, Side, Swept
from mapper.ledger.state import OPEN, State
from mapper.service import Service
from mapper.standing import SourceStanding, standing
from mapper.web.lately import Lately
from mapper.web.overview.chart import chart
from mapper.web.redirect import there
from mapper.web.view import View
from mapper.web.visitor import Role, needs

HOUR, WEEK = 3600.0, 7 * 24 * 3600.0
FIVE_MINUTES, HALF_DAY = 5 * 60, 12 * 3600
"""Stretches of the charts: few enough for a bar to be pressed."""
PACE = 600.0
"""Seconds of the past by which the rate is told."""
PARKED_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Compared:
    """One source beside what FHIR offers of it."""

    name: str
    about: str
    side: Side | None
    swept: Swept | None
    offered: Offered | None
    missing: Mapping[State, int]
    """Studies that FHIR never had, by their state: asked for where the two differ."""
    known: int
    """Studies that the ledger knows to be there: after the last sweep others may have come."""
    twice: int
    """Studies that stand there more than once, under several patients."""
    more: int
    """How many entries they make beyond one each."""

    @property
    def differ(self) -> int | None:
        """By how many studies the two differ; None where one of them is not known."""
        return differ_of(self.swept, self.offered, self.more)

    @property
    def unexplained(self) -> int:
        """By how many studies they differ beyond those that FHIR never had."""
        differ = self.differ or 0
        return differ - sum(self.missing.values()) if differ > 0 else differ


def differ_of(swept: Swept | None, offered: Offered | None, more: int) -> int | None:
    """Return by how many studies a source and FHIR differ; None where one of them is not known."""
    return swept.listed - more - offered.number if swept and offered else None


def add(app: FastAPI, service: Service, lately: Lately, view: View) -> None:
    """Add the page."""
    ledger = service.ledger

    def compared(one: SourceStanding) -> Compared:
        about, offered = service.about(one.name), ledger.sides.offered(one.name)
        known = sum(one.counts.values()) - one.counts.get("removed", 0)
        twice, more = lately.twice(one.name)
        fewer = (differ_of(one.swept, offered, more) or 0) > 0
        found = lately.never_synced(one.name) if fewer else {}
        missing = {state: found[state] for state in ("parked", *OPEN) if found.get(state)}
        return Compared(one.name, about, one.side, one.swept, offered, missing, known, twice, more)

    def downs(sources: list[Compared], fhir: Side | None) -> list[str]:
        """Return why a side does not answer: as the ledger has it of all replicas, and as this process has it now."""
        said = [one.side.reason for one in sources if one.side] + [fhir.reason if fhir else ""]
        said += [triggers.down for triggers in service.triggers]
        said += [one.reason for one in (*service.worker.breakers.values(), service.worker.sink_breaker)]
        return list(dict.fromkeys(filter(None, said)))

    @app.get("/", response_class=HTMLResponse, include_in_schema=False, dependencies=[needs(Role.READ)])
    def overview(request: Request, state: State | None = None, study: str = "") -> Response:
        if state or study.strip():  # where earlier releases had the list of studies
            uid = study.strip()
            asked = f"/studies/{uid}" if is_askable(uid) else f"/studies?state={state}" if state else "/studies"
            return there(request, asked)
        now, at = standing(ledger, tuple(service.worker.sources)), ledger.clock()
        sources = [compared(one) for one in now.sources]
        listed = [one.swept.listed for one in sources if one.swept]
        hour = chart("the last hour", lately.spans(HOUR, FIVE_MINUTES), at, HOUR, FIVE_MINUTES)
        week = chart("the last week", lately.spans(WEEK, HALF_DAY), at, WEEK, HALF_DAY)
        paced = sum(lately.counts(PACE).values())
        more = sum(one.more for one in sources)
        is_known = len(listed) == len(sources)
        context: dict[str, Any] = {
            "counts": now.counts,
            "failures": now.failures,
            "waiting": now.open,
            "lag": now.waits,
            "downs": downs(sources, now.sink),
            "brakes": [(one.name, reason) for one in now.sources for reason in one.brakes],
            "elsewhere": [one.elsewhere for one in now.sources if one.elsewhere],
            "starting": not is_known,
            "unstable": max(sum(listed) - more - sum(now.counts.values()) + now.counts["removed"], 0)
            if is_known
            else 0,
            "sources": sources,
            "sink": now.sink,
            "sink_about": service.about(),
            "charts": [(hour, "1h"), (week, "7d")],
            "rate": paced / PACE,
            "left": now.open / (paced / PACE) if paced else None,
            "parked": ledger.rows.page("parked", PARKED_SHOWN) if now.counts["parked"] else [],
            "refresh": "/",
        }
        return view.page(request, "overview/page.html", here="/", **context)
