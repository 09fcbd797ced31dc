"""What the plugin and scripts call."""

import asyncio
import time
from typing import Annotated, Any, Self

from anyio import to_thread
from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mapper.service import Service
from mapper.standing import HoldUps, parked_of, put_back
from mapper.web import shapes
from mapper.web.audit import known_uids, record
from mapper.web.body import Places
from mapper.web.marker import Marker
from mapper.web.questions import MOST
from mapper.web.refusals import UNSEEN
from mapper.web.uid import StudyUID
from mapper.web.visitor import Role, needs
from mapper.words import Links, kept_waiting, status, sync_json

SETTLED = frozenset({"synced", "parked", "removed", "retrying"})
LONGEST_WAIT = 60.0
WAITING = 10
"""Requests that wait for an outcome at one time; others are told at once how things stand."""
LOOK_AGAIN = 0.2
NEVER_SEEN = "no such study in the ledger: it was never seen in the PACS"
MOST_SYNCS = 100
"""Syncs of its history that come with a study."""
History = Annotated[int, Query(ge=0, le=MOST_SYNCS, description="So many of its last syncs come with it.")]


class Wake(BaseModel):
    """Body of POST /wake."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"sweep": True}]})
    sweep: bool = Field(False, description="Look at everything that the PACS lists.")


class Sync(BaseModel):
    """Body of POST /api/studies/{uid}/sync."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"wait": 5}]})
    wait: float = Field(
        0.0, ge=0.0, le=LONGEST_WAIT, allow_inf_nan=False, description="Seconds to wait for the outcome."
    )


RETRIES: list[Any] = [{"studies": [shapes.UID]}, {"all": True}]


class Retry(BaseModel):
    """Body of POST /api/retry: the studies named, or with `all` all that are parked; an empty body is refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": RETRIES})
    studies: list[StudyUID] = Field([], max_length=MOST, fail_fast=True, description="StudyInstanceUIDs.")
    all: bool = Field(False, strict=True, description="Every parked study; then no `studies`.")

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if bool(self.studies) is self.all:
            raise ValueError("name studies, or say all: true")
        return self


ASKED = {"state", "fate", "failure", "since", "until", "uid_begins", "source", "limit", "after", "offset", "history"}
FIELDS = frozenset({"study_uid", "study"} | ASKED | {*Wake.model_fields, *Sync.model_fields, *Retry.model_fields})
"""Every name that we gave to something one sends: an error may say these, and nothing else of what came."""


def add_api(app: FastAPI, service: Service, marker: Marker, links: Links) -> None:
    """Add what the plugin and scripts call."""
    waiting = Places(WAITING)
    operate = [needs(Role.OPERATE)]

    def found(study_uid: str) -> dict[str, Any]:
        row = service.ledger.rows.find(study_uid)
        if row is None:
            raise HTTPException(404, NEVER_SEEN, {"Content-Type": UNSEEN})
        return status(row, links, HoldUps(service.ledger))

    @app.post("/wake", status_code=202, response_model=shapes.Awake, dependencies=operate)
    async def wake(body: Wake) -> dict[str, str]:
        """Ring: something may have changed in the PACS. What is lost of rings, the next sweep finds."""
        service.bell.ring(body.sweep)
        return {"message": "awake"}

    @app.get(
        "/api/studies/{study_uid}",
        response_model=shapes.StudyWithHistory,
        response_model_exclude_unset=True,
        dependencies=[needs(Role.READ)],
    )
    def study(study_uid: StudyUID, history: History = 0) -> dict[str, Any]:
        """Return one study; of several sources that hold it the first one's."""
        one = found(study_uid)
        if history:
            one["history"] = [sync_json(sync) for sync in service.ledger.history.of(study_uid, limit=history)]
        return one

    @app.post("/api/studies/{study_uid}/sync", response_model=shapes.Study, dependencies=operate)
    async def sync(study_uid: StudyUID, body: Sync, request: Request) -> dict[str, Any]:
        """Put a study first in line, in every source that holds it, and wait for the outcome if asked to."""
        record(request, "re-synced", studies=await to_thread.run_sync(known_uids, service.ledger.rows, [study_uid]))
        await marker.mark(study_uid)
        with waiting.one() as place:
            until = time.monotonic() + (body.wait if place else 0.0)
            while True:
                now = await to_thread.run_sync(found, study_uid)
                if now["state"] in SETTLED or time.monotonic() >= until or await request.is_disconnected():
                    return now
                await asyncio.sleep(LOOK_AGAIN)

    @app.post("/api/retry", response_model=shapes.Retried, dependencies=operate)
    def retry(body: Retry, request: Request) -> dict[str, Any]:
        """Put parked studies back in line: those named, or with `all` every one."""
        ledger = service.ledger
        record(request, "retried", studies=known_uids(ledger.rows, body.studies) or "all that are parked")
        parked, before = ledger.rows.those_in("parked", body.studies), parked_of(ledger)
        number = ledger.studies.retry(body.studies)
        service.bell.ring()
        down = HoldUps(ledger).any_of(put_back(before, ledger)) if number else ""
        left = [uid for uid in body.studies if uid not in parked]
        return {"retried": number, "not_parked": left, "waits": kept_waiting(down) if down else None}
