"""The page of the studies, and what can be done with many of them."""

from dataclasses import dataclass
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from mapper.dicom.uid import is_askable
from mapper.errors import MapperError
from mapper.inquiry import ASKED, Inquiry
from mapper.ledger.choice import ANY, Choice, Place
from mapper.ledger.outcome import Failed
from mapper.ledger.rows import Row
from mapper.ledger.state import FAILING, STATES
from mapper.service import Service
from mapper.standing import HoldUps, kinds
from mapper.web.asking import Asking
from mapper.web.audit import known_uids, record
from mapper.web.cursor import AFTER_STUDY, place, word
from mapper.web.form import field_of, form_of
from mapper.web.lately import Lately
from mapper.web.marker import Marker
from mapper.web.questions import failures_of, known_kind
from mapper.web.redirect import there
from mapper.web.studies.found import told_of
from mapper.web.studies.wanted import HOUR, PERIODS, SAID, Asked, Wanted, wanted_of
from mapper.web.study.ways import Way, Ways
from mapper.web.view import View
from mapper.web.visitor import Role, needs

SHOWN = 100
MOST = 1000
"""Studies that are put back in line at one time."""
COUNTED = 10_000
"""Up to how many studies are counted: beyond that a number says no more than `many`."""


@dataclass(frozen=True, slots=True)
class Line:
    """One study of the list, and where else it can be seen."""

    row: Row
    fhir: Way
    failed: Failed | None
    """How it failed in the time asked for."""

    @property
    def synced_since(self) -> bool:
        """Whether it was synced after it failed."""
        at = self.row.synced_at if self.row.state == "synced" else None
        return self.failed is not None and at is not None and at >= self.failed.last


def add(
    app: FastAPI,
    service: Service,
    marker: Marker,
    inquiry: Inquiry,
    asking: Asking,
    lately: Lately,
    view: View,
    ways: Ways,
) -> None:
    """Add the page and its buttons."""
    ledger = service.ledger
    sources = tuple(service.worker.sources)

    def only_one(wanted: Wanted, rows: list[Row]) -> str:
        """Return the one study that is meant, if it is one: by its whole UID, its beginning, or Orthanc's id."""
        if not wanted.uid or wanted.after:
            return ""
        named = ledger.seen.known_as(sources, wanted.uid) or [row.study_uid for row in rows]
        return named[0] if len(set(named)) == 1 else ""

    def number_of(wanted: Wanted, choice: Choice) -> int:
        """Return how many studies a list holds: what failed in a time has no index of its own, and may be behind."""
        if choice.looks_back:
            return lately.number(wanted.query(), choice, COUNTED)
        return ledger.rows.number(choice, COUNTED)

    def since(wanted: Wanted) -> dict[str, int] | None:
        """Return how many syncs ended since somebody put studies back in line, and how many of them failed.

        None where nobody did in the last hour.
        """
        if not wanted.done or wanted.asked_at < ledger.clock() - HOUR:
            return None
        counts = lately.counts_since(wanted.asked_at)
        failed = sum(number for (fate, _), number in counts.items() if fate in FAILING)
        return {"ended": sum(counts.values()), "failed": failed}

    @app.get("/studies", response_class=HTMLResponse, include_in_schema=False, dependencies=[needs(Role.READ)])
    def studies(request: Request, wanted: Asked) -> Response:
        known_kind(ledger, wanted.failure)
        choice, after = wanted.choice(ledger.clock()), place(wanted.after, AFTER_STUDY)
        odd = wanted.is_odd
        rows = [] if odd else ledger.rows.chosen(choice, Place(*after) if after else None, SHOWN + 1)
        if one := only_one(wanted, rows):
            return there(request, f"/studies/{one}")
        more, rows = len(rows) > SHOWN, rows[:SHOWN]
        unknown = bool(wanted.uid and not rows)
        if not rows:  # what nobody knows may be a name that has the shape of a UID: it is not repeated
            wanted = wanted.model_copy(update={"q": ""})
        context: dict[str, Any] = {
            "wanted": wanted,
            "odd": odd,
            "unknown": unknown,
            "lines": [
                Line(row, ways.fhir(row.study_uid), failed)
                for row, failed in zip(rows, failures_of(ledger, choice, rows), strict=True)
            ],
            "looks_back": choice.looks_back,
            "next": wanted.query(after=word(rows[-1].place)) if more else "",
            "number": 0 if odd else number_of(wanted, choice),
            "counted": COUNTED,
            "counts": ledger.rows.counts(),
            "states": STATES,
            "failures": [ANY, *kinds(ledger)],
            "periods": PERIODS,
            "sources": sources,
            "asked": ASKED,
            "most": MOST,
            "since": since(wanted),
            "holdups": HoldUps(ledger),
            "refresh": None if wanted.after or choice.looks_back else f"/studies?{wanted.query(**asked_of(wanted))}",
        }
        return view.page(request, "studies/page.html", here="/studies", **context)

    @app.post("/page/studies", include_in_schema=False, dependencies=[needs(Role.OPERATE)])
    async def again(request: Request) -> Response:
        fields = await form_of(request)
        wanted, which = wanted_of(fields)
        if which == "all":
            chosen = await to_thread.run_sync(names_of, wanted.choice(ledger.clock()))
        else:
            chosen = [value for name, value in fields if name == "study"][:MOST]
            if not all(map(is_askable, chosen)):
                raise HTTPException(422, "study: no StudyInstanceUID such as 1.2.840.99.1")
            chosen = await to_thread.run_sync(known, chosen)
        if chosen and dict(fields).get("confirmed") != "yes":
            context: dict[str, Any] = {
                "wanted": wanted,
                "said": SAID,
                "studies": chosen,
                "most": MOST,
                "word": word_for(wanted),
                "down": await to_thread.run_sync(HoldUps(ledger).any_of, sources),
            }
            return view.page(request, "studies/confirm.html", here="/studies", **context)
        if chosen:
            record(request, "retried" if wanted.state == "parked" else "re-synced", studies=chosen)
            at = f"{ledger.clock():.3f}"
            await to_thread.run_sync(service.mark, *chosen)
            return there(request, f"/studies?{wanted.query(done=len(chosen), asked_at=at)}")
        return there(request, f"/studies?{wanted.query(done=0)}")

    @app.post("/page/find", include_in_schema=False, dependencies=[needs(Role.VALUES)])
    async def find(request: Request) -> Response:
        by, value = await field_of(request, "by"), await field_of(request, "value")
        failure, uids = "", list[str]()
        record(request, "looked for a study", by=by if by in ASKED else "")
        try:
            with asking.looking():
                uids = await asking.run(inquiry.find, by, value)
        except (ValueError, MapperError) as error:
            failure = str(error)
        record(request, "looked for a study", by=by if by in ASKED else "", studies=uids)  # before it is shown
        facts = await to_thread.run_sync(told_of, ledger, uids)
        return view.page(
            request, "studies/found.html", here="/studies", failure=failure, sources=sources, ways=ways, **facts
        )

    @app.post("/page/ask", include_in_schema=False, dependencies=[needs(Role.OPERATE)])
    async def ask(request: Request) -> Response:
        study_uid = (await field_of(request, "study")).strip()
        if not is_askable(study_uid):
            raise HTTPException(422, "study: no StudyInstanceUID such as 1.2.840.99.1")
        record(request, "re-synced", studies=await to_thread.run_sync(known_uids, ledger.rows, [study_uid]))
        await marker.mark(study_uid)
        return there(request, f"/studies/{study_uid}")

    def names_of(choice: Choice) -> list[str]:
        return list(dict.fromkeys(row.study_uid for row in ledger.rows.chosen(choice, None, MOST)))

    def known(study_uids: list[str]) -> list[str]:
        there_are = ledger.rows.known(study_uids)
        return [uid for uid in dict.fromkeys(study_uids) if uid in there_are]


def word_for(wanted: Wanted) -> str:
    """Return what the buttons of a list do, in a word."""
    return "Retry" if wanted.state == "parked" else "Sync again"


def asked_of(wanted: Wanted) -> dict[str, Any]:
    """Return what a page that stays up to date has to say again of what somebody asked for."""
    return {"done": wanted.done, "asked_at": wanted.asked_at} if wanted.asked_at else {}
