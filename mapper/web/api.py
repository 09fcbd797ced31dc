"""What the plugin and scripts call."""

import asyncio
import time
from typing import Annotated, Any

from anyio import to_thread
from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mapper.dicom.uid import is_askable
from mapper.ledger.state import State
from mapper.service import Service
from mapper.web.audit import record
from mapper.web.body import Places
from mapper.web.marker import Marker
from mapper.web.refusals import UNSEEN
from mapper.web.status import Links, status, sync_json
from mapper.web.visitor import Role, needs

SETTLED = frozenset({"synced", "parked", "removed", "retrying"})
LONGEST_WAIT = 60.0
WAITING = 10
"""Requests that wait for an outcome at one time; others are told at once how things stand."""
LOOK_AGAIN = 0.2
NEVER_SEEN = "no such study in the ledger: it was never seen in the PACS"
MOST = 1000
"""Studies in one request, or in one answer."""
MOST_SYNCS = 100
"""Syncs of its history that come with a study."""
LAST = 10**9
"""The largest offset: more studies than anybody has, and fewer than SQLite can count."""


def uid(text: str) -> str:
    """Return a text that is a UID; raises ValueError without repeating it, as it may be anything."""
    if not is_askable(text):
        raise ValueError("no StudyInstanceUID such as 1.2.840.99.1")
    return text


StudyUID = Annotated[str, AfterValidator(uid)]


class Wake(BaseModel):
    """Body of POST /wake."""

    model_config = ConfigDict(extra="forbid")
    sweep: bool = False


class Sync(BaseModel):
    """Body of POST /api/studies/{uid}/sync."""

    model_config = ConfigDict(extra="forbid")
    wait: float = Field(
        0.0, ge=0.0, le=LONGEST_WAIT, allow_inf_nan=False, description="Seconds to wait for the outcome."
    )


class Retry(BaseModel):
    """Body of POST /api/retry: the studies named, or all that are parked."""

    model_config = ConfigDict(extra="forbid")
    studies: list[StudyUID] = Field([], max_length=MOST, fail_fast=True)


FIELDS = frozenset(
    {"study_uid", "study", "state", "limit", "offset", "history"}
    | {*Wake.model_fields, *Sync.model_fields, *Retry.model_fields}
)
"""Every name that we gave to something one sends: an error may say these, and nothing else of what came."""


def add_api(app: FastAPI, service: Service, marker: Marker, links: Links) -> None:
    """Add what the plugin and scripts call."""
    ledger, waiting = service.ledger, Places(WAITING)

    def found(study_uid: str) -> dict[str, Any]:
        row = ledger.rows.find(study_uid)
        if row is None:
            raise HTTPException(404, NEVER_SEEN, {"Content-Type": UNSEEN})
        return status(row, links)

    @app.post("/wake", status_code=202, dependencies=[needs(Role.OPERATE)])
    async def wake(body: Wake) -> dict[str, str]:
        service.bell.ring(body.sweep)
        return {"message": "awake"}

    @app.get("/api/studies", dependencies=[needs(Role.READ)])
    def studies(
        state: State | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        offset: Annotated[int, Query(ge=0, le=LAST)] = 0,
    ) -> dict[str, Any]:
        rows = ledger.rows.page(state, limit, offset)
        return {"counts": ledger.rows.counts(), "studies": [status(row, links) for row in rows]}

    @app.get("/api/studies/{study_uid}", dependencies=[needs(Role.READ)])
    def study(study_uid: StudyUID, history: Annotated[int, Query(ge=0, le=MOST_SYNCS)] = 0) -> dict[str, Any]:
        one = found(study_uid)
        if history:
            one["history"] = [sync_json(sync) for sync in ledger.history.of(study_uid, limit=history)]
        return one

    @app.post("/api/studies/{study_uid}/sync", dependencies=[needs(Role.OPERATE)])
    async def sync(study_uid: StudyUID, body: Sync, request: Request) -> dict[str, Any]:
        record(request, "re-synced", study_uid=study_uid)
        await marker.mark(study_uid)
        with waiting.one() as place:
            until = time.monotonic() + (body.wait if place else 0.0)
            while True:
                now = await to_thread.run_sync(found, study_uid)
                if now["state"] in SETTLED or time.monotonic() >= until or await request.is_disconnected():
                    return now
                await asyncio.sleep(LOOK_AGAIN)

    @app.post("/api/retry", dependencies=[needs(Role.OPERATE)])
    def retry(body: Retry, request: Request) -> dict[str, Any]:
        record(request, "retried", studies=body.studies or "all that are parked")
        parked = ledger.rows.those_in("parked", body.studies)
        number = ledger.studies.retry(body.studies)
        service.bell.ring()
        return {"retried": number, "not_parked": [uid for uid in body.studies if uid not in parked]}
