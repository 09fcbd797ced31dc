"""The page of one study, its buttons, and the export of its problems."""

import asyncio
import time
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mapper.remedies import manner, remedy
from mapper.service import Service
from mapper.standing import HoldUps
from mapper.sync.threads import somebody_works
from mapper.web.api import LOOK_AGAIN, NEVER_SEEN
from mapper.web.audit import known_uids, record
from mapper.web.body import Places
from mapper.web.cursor import AFTER_SYNC, LAST_SECOND, LONGEST, place, word
from mapper.web.marker import Marker
from mapper.web.redirect import there
from mapper.web.refusals import UNSEEN
from mapper.web.study.export import FORMS, records
from mapper.web.study.ways import Ways
from mapper.web.uid import StudyUID
from mapper.web.view import VERSION, View
from mapper.web.visitor import Role, needs

SYNCS, EXPORTED = 20, 50
"""Syncs of the history on a page, and in an export."""
WAIT, WAITING = 3.0, 4
"""Seconds for which a button waits for the outcome, and how many do at one time: others see it on the page."""
OPENED = frozenset({"pending", "syncing"})
Moment = Annotated[float, Query(ge=0.0, le=LAST_SECOND, allow_inf_nan=False)]
MOVES = frozenset({"pending", "syncing", "retrying"})


def add(app: FastAPI, service: Service, marker: Marker, view: View, ways: Ways) -> None:
    """Add the page, its button and its export."""
    ledger, waiting = service.ledger, Places(WAITING)

    @app.get(
        "/studies/{study_uid}", response_class=HTMLResponse, include_in_schema=False, dependencies=[needs(Role.READ)]
    )
    def study(
        request: Request,
        study_uid: StudyUID,
        after: Annotated[str, Query(max_length=LONGEST)] = "",
        asked_at: Moment = 0.0,
    ) -> Response:
        rows = ledger.rows.of_all_sources(study_uid)
        before = place(after, AFTER_SYNC)
        syncs = ledger.history.of(study_uid, before=before, limit=SYNCS + 1)
        if not rows and not syncs:
            return view.wrong(request, "study/unseen.html", 404, NEVER_SEEN, here="/studies")
        known = {row.source: ledger.seen.ids(row.source, study_uid) for row in rows}
        context: dict[str, Any] = {
            "study_uid": study_uid,
            "rows": rows,
            "ways": {row.source: ways.orthanc(row.source, study_uid, known[row.source]) for row in rows},
            "viewer": ways.viewer(study_uid),
            "fhir": ways.fhir(study_uid),
            "versions": service.worker.versions,
            "remedies": {row.failure: (remedy(row.failure), manner(row.failure)) for row in rows if row.failure},
            "holdups": HoldUps(ledger),
            "syncs": syncs[:SYNCS],
            "after": after,
            "older": word(syncs[SYNCS - 1].moment) if len(syncs) > SYNCS else "",
            "asked_at": asked_at,
            "refresh": f"/studies/{study_uid}{f'?asked_at={asked_at}' if asked_at else ''}" if not after else None,
            "every": "2s" if any(row.state in MOVES for row in rows) else "15s",
        }
        return view.page(request, "study/page.html", here="/studies", **context)

    @app.get("/studies/{study_uid}/problems", include_in_schema=False, dependencies=[needs(Role.READ)])
    def export(study_uid: StudyUID, form: Literal["txt", "ndjson"] = "txt") -> Response:
        rows = ledger.rows.of_all_sources(study_uid)
        if not rows:
            raise HTTPException(404, NEVER_SEEN, {"Content-Type": UNSEEN})
        kind, made = FORMS[form]
        content = made(records(rows, ledger.history.of(study_uid, limit=EXPORTED), VERSION, HoldUps(ledger)))
        named = f'attachment; filename="{study_uid}-problems.{form}"'  # a UID as the route takes it needs no quoting
        return Response(content, media_type=kind, headers={"Content-Disposition": named})

    @app.post("/page/studies/{study_uid}/sync", include_in_schema=False, dependencies=[needs(Role.OPERATE)])
    async def sync(request: Request, study_uid: StudyUID) -> RedirectResponse:
        studies = await to_thread.run_sync(known_uids, ledger.rows, [study_uid])
        parked = await to_thread.run_sync(ledger.rows.those_in, "parked", [study_uid])
        record(request, "retried" if parked else "re-synced", studies=studies)  # as the button is called
        at = f"{ledger.clock():.3f}"
        await marker.mark(study_uid)
        await to_thread.run_sync(service.bell.ring)
        with waiting.one() as place:  # a page without scripts says what became of it all the same
            until = time.monotonic() + WAIT
            while place and time.monotonic() < until and await to_thread.run_sync(moves, study_uid):
                await asyncio.sleep(LOOK_AGAIN)
        return there(request, f"/studies/{study_uid}?asked_at={at}")

    def moves(study_uid: str) -> bool:
        """Tell whether a study that is open still will be settled soon: somebody works here."""
        return somebody_works(ledger) and any(row.state in OPENED for row in ledger.rows.of_all_sources(study_uid))
