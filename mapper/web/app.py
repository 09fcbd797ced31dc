"""The HTTP side of the mapper: probes, metrics, the API that plugin and scripts use, and the status page.

Pages and API read the ledger; all they may do is mark a study dirty and ring.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.staticfiles import StaticFiles

from mapper.namespace import namespace_of
from mapper.service import Service
from mapper.sync.schema import State
from mapper.sync.sweep import brakes
from mapper.web.guard import Guard
from mapper.web.metrics import Metrics
from mapper.web.status import WORDS, Links, moment, span, status

SETTLED = frozenset({"synced", "parked", "removed", "retrying"})
LONGEST_WAIT = 60.0
STUCK = 300.0
"""Seconds after which a marking thread that did not come round counts as dead."""
HERE = files("mapper.web")


class Wake(BaseModel):
    """Body of POST /wake."""

    model_config = ConfigDict(extra="forbid")
    sweep: bool = False


class Sync(BaseModel):
    """Body of POST /api/studies/{uid}/sync."""

    model_config = ConfigDict(extra="forbid")
    wait: float = Field(0.0, ge=0.0, le=LONGEST_WAIT, description="Seconds to wait for the outcome.")


class Retry(BaseModel):
    """Body of POST /api/retry: the studies named, or all that are parked."""

    model_config = ConfigDict(extra="forbid")
    studies: list[str] = []


def app_of(service: Service, metrics: Metrics) -> FastAPI:
    """Return the web application of a service; it starts and stops the service's threads."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.stop()

    app = FastAPI(title="orthanc-fhir", docs_url=None, redoc_url=None, lifespan=lifespan)
    token = service.settings.token.get_secret_value() if service.settings.token else None
    app.add_middleware(Guard, token=token)
    app.add_exception_handler(SQLAlchemyError, unstored)
    app.mount("/static", StaticFiles(directory=str(HERE.joinpath("static"))), name="static")
    links = Links(service.settings.fhir_public_url, namespace_of(service.settings))
    metrics.watch(service.ledger)
    add_probes(app, service, metrics)
    add_api(app, service, links)
    add_pages(app, service, links)
    return app


def unstored(request: Request, error: Exception) -> JSONResponse:
    """Say that the ledger cannot be used: what is not stored is not acknowledged."""
    kind = type(error).__name__
    return JSONResponse({"message": f"the ledger cannot be used ({kind}): is its disk full or read-only?"}, 503)


def add_probes(app: FastAPI, service: Service, metrics: Metrics) -> None:
    """Add health, readiness and metrics."""

    @app.get("/healthz", response_class=PlainTextResponse)
    def healthz() -> str:
        return "ok\n"

    @app.get("/readyz", response_class=PlainTextResponse)
    def readyz() -> PlainTextResponse:
        reasons = []
        if time.monotonic() - service.threads.alive_at > STUCK:
            reasons.append("the marking thread does not come round")
        try:
            service.ledger.counts()
        except Exception as error:
            reasons.append(f"the ledger cannot be read ({type(error).__name__})")
        return PlainTextResponse("\n".join(reasons or ["ready"]) + "\n", 503 if reasons else 200)

    @app.get("/metrics")
    def metrics_text() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def add_api(app: FastAPI, service: Service, links: Links) -> None:
    """Add what the plugin and scripts call."""
    ledger = service.ledger

    def found(study_uid: str) -> dict[str, Any]:
        row = ledger.row(study_uid)
        if row is None:
            raise HTTPException(404, "no such study in the ledger: it was never seen in the PACS")
        return status(row, links)

    @app.post("/wake", status_code=202)
    def wake(body: Wake) -> dict[str, str]:
        service.bell.ring(body.sweep)
        return {"message": "awake"}

    @app.get("/api/studies")
    def studies(
        state: State | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> dict[str, Any]:
        rows = ledger.rows(state, limit, offset)
        return {"counts": ledger.counts(), "studies": [status(row, links) for row in rows]}

    @app.get("/api/studies/{study_uid}")
    def study(study_uid: str) -> dict[str, Any]:
        return found(study_uid)

    @app.post("/api/studies/{study_uid}/sync")
    def sync(study_uid: str, body: Sync) -> dict[str, Any]:
        service.mark(study_uid)
        until = time.monotonic() + body.wait
        while time.monotonic() < until and found(study_uid)["state"] not in SETTLED:
            time.sleep(0.1)
        return found(study_uid)

    @app.post("/api/retry")
    def retry(body: Retry) -> dict[str, int]:
        number = ledger.retry(body.studies)
        service.bell.ring()
        return {"retried": number}


def add_pages(app: FastAPI, service: Service, links: Links) -> None:
    """Add the status page and its one button."""
    ledger = service.ledger
    templates = Jinja2Templates(directory=str(HERE.joinpath("templates")))

    @app.get("/", response_class=HTMLResponse)
    def page(request: Request, state: State | None = None, study: str = "") -> HTMLResponse:
        row = ledger.row(study.strip()) if study else None
        rows = ([row] if row else []) if study else ledger.rows(state, 50)
        sweeps = [triggers.last for triggers in service.triggers]
        downs = [triggers.down for triggers in service.triggers] + [service.worker.sink_breaker.reason]
        reasons = [reason for name in service.worker.sources for reason in brakes(ledger, name)]
        return templates.TemplateResponse(
            request,
            "status.html",
            {
                "counts": ledger.counts(),
                "words": WORDS,
                "rows": [status(row, links) for row in rows],
                "parked": [status(row, links) for row in ledger.rows("parked", 20)] if not (state or study) else [],
                "state": state,
                "study": study,
                "downs": list(filter(None, downs)),
                "brake": "; ".join(reasons),
                "listed": sum(found.listed for found in sweeps if found) if all(sweeps) else None,
                "lag": span(ledger.oldest_wait()),
                "now": moment(time.time()),
            },
        )

    @app.post("/page/retry")
    def retry(study: str = "") -> RedirectResponse:
        if study and ledger.retry([study]) == 0:
            service.mark(study)
        elif not study:
            ledger.retry()
        service.bell.ring()
        return RedirectResponse(f"/?{urlencode({'study': study})}" if study else "/", 303)
