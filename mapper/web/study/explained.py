"""The page on which every element of a study is explained, and the header of it as the PACS shows it."""

from itertools import groupby
from typing import Annotated, Any

from anyio import to_thread
from fastapi import FastAPI, Query, Request, Response

from mapper.errors import MapperError, SourceBusy, SourceDown, StudyGone
from mapper.inquiry import Inquiry
from mapper.ledger.ledger import Ledger
from mapper.ledger.rows import Row
from mapper.question import Question
from mapper.remedies import remedy
from mapper.web.api import NEVER_SEEN
from mapper.web.asking import Asking
from mapper.web.audit import record
from mapper.web.uid import StudyUID
from mapper.web.view import View
from mapper.web.visitor import Role, needs, visitor_of

SHOWN = 2000
"""Elements on one page."""
ELEMENT = r"^[A-Za-z0-9.\[\]]{0,120}$"


def add(app: FastAPI, ledger: Ledger, inquiry: Inquiry, asking: Asking, view: View) -> None:
    """Add both; of a study that nobody knows neither asks the PACS, as its UID may be any text."""

    def is_known(study_uid: str) -> bool:
        return bool(ledger.rows.find(study_uid) or ledger.history.of(study_uid, limit=1))

    def unseen(request: Request) -> Response:
        return view.wrong(request, "study/unseen.html", 404, NEVER_SEEN, here="/studies")

    def may_see(request: Request, study_uid: str, what: str) -> bool:
        if visitor_of(request).role < Role.VALUES:
            return False
        record(request, what, study_uid=study_uid)
        return True

    @app.get("/studies/{study_uid}/explain", include_in_schema=False, dependencies=[needs(Role.READ)])
    async def explain(
        request: Request, study_uid: StudyUID, element: Annotated[str, Query(pattern=ELEMENT)] = ""
    ) -> Response:
        if not await to_thread.run_sync(is_known, study_uid):
            return unseen(request)
        with asking.explaining(visitor_of(request).role):
            values = await to_thread.run_sync(may_see, request, study_uid, "looked at values")
            context = await asking.run(explained, study_uid, element, values)
        if context["gone"]:
            return unseen(request)
        if (failure := context["failure"]) and not context["parked"]:
            return view.wrong(request, "study/explain.html", 503, failure, here="/studies", **context)
        return view.page(request, "study/explain.html", here="/studies", **context)

    def explained(study_uid: str, element: str, values: bool) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        source, failure, gone, rows = "", "", False, list[Row]()
        try:
            one = inquiry.explain(study_uid, redact=not values, element=element, most=SHOWN + 1)
            source, found = one.source, one.objects
        except MapperError as error:
            failure, gone = str(error), isinstance(error, StudyGone)
            if not isinstance(error, SourceDown | SourceBusy):  # what keeps it parked: what is known is shown
                rows = [row for row in ledger.rows.of_all_sources(study_uid) if row.state == "parked"]
        by_kind = {kind: [one for one in found if one["kind"] == kind] for kind in ("made", "silent", "problem")}
        made = by_kind["made"]
        groups = [(name, list(rows)) for name, rows in groupby(made[:SHOWN], lambda one: one["resource"])]
        facts = {"study_uid": study_uid, "element": element, "values": values, "source": source, "failure": failure}
        question = Question(element)
        dropped = {
            row.source: [one for one in row.problems if question.takes(one.element, one.attribute.split())]
            for row in rows
        }
        facts |= {"gone": gone, "parked": rows, "remedies": {row.failure: remedy(row.failure) for row in rows}}
        facts["dropped"] = dropped
        facts["unknown"] = question.unknown if not found and not failure and not question.is_known else ""
        rest = {"groups": groups, "number": len(made), "shown": SHOWN}
        return {**facts, **rest, "silent": by_kind["silent"][:SHOWN], "problems": by_kind["problem"][:SHOWN]}

    @app.get("/studies/{study_uid}/header", include_in_schema=False, dependencies=[needs(Role.VALUES)])
    async def header(request: Request, study_uid: StudyUID) -> Response:
        if not await to_thread.run_sync(is_known, study_uid):
            return unseen(request)
        headers, failure = list[tuple[str, str, dict[str, str]]](), ""
        with asking.looking():
            await to_thread.run_sync(may_see, request, study_uid, "looked at the header")
            try:
                headers = await asking.run(inquiry.headers, study_uid)
            except MapperError as error:
                failure = str(error)
        context: dict[str, Any] = {"study_uid": study_uid, "headers": headers, "failure": failure}
        return view.page(request, "study/header.html", here="/studies", **context)
