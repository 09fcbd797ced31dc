"""The HTTP side of the mapper: probes, metrics, the API that plugin and scripts use, and the status page.

Pages and API read the ledger; all they may do is mark a study dirty and ring.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.resources import files

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from mapper.errors import LedgerFailed, MapperError, SourceBusy, SourceDown, StudyGone
from mapper.service import Service
from mapper.web.api import FIELDS, add_api
from mapper.web.body import Body
from mapper.web.description import RESPONSES, describe
from mapper.web.entrance import Entrance, entrance_of
from mapper.web.error_page import Answer, for_people, refused_page
from mapper.web.form import from_our_page
from mapper.web.guard import Guard
from mapper.web.login import add_login
from mapper.web.marker import Marker
from mapper.web.pages import add_pages
from mapper.web.probes import Readiness, add_probes
from mapper.web.prometheus import Prometheus
from mapper.web.questions import add_questions
from mapper.web.refusals import Refusals, problem, unseen
from mapper.web.view import View
from mapper.web.visitor import at_least
from mapper.words import Links

THREADS = 8
"""Threads that read and mark for pages and API: fewer than the ledger has connections."""
ERRORS_SAID = 3
HERE = files("mapper.web")


def app_of(
    service: Service, metrics: Prometheus, refusals: Refusals | None = None, entrance: Entrance | None = None
) -> ASGIApp:
    """Return the web application of a service behind its guard; it starts and stops the service's threads."""
    entrance = entrance or entrance_of(service.settings)
    refusals = refusals or Refusals(metrics.refused, audit=entrance.audit)
    page = refused_page(View(service.settings.timezone, service.ledger.clock))
    return Guard(Body(routes_of(service, metrics, entrance), refusals), entrance, refusals, page)


def routes_of(service: Service, metrics: Prometheus, entrance: Entrance | None = None) -> FastAPI:
    """Return the routes alone, which let in nobody by themselves."""
    entrance = entrance or entrance_of(service.settings)
    readiness = Readiness(service)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = THREADS
        service.start()
        yield
        service.stop()
        readiness.close()
        entrance.close()

    app = FastAPI(
        title="orthanc-fhir",
        version=version("orthanc-fhir"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,  # it would redirect to wherever the header Host says
        dependencies=[Depends(at_least), Depends(from_our_page), Depends(each_once)],
        responses=RESPONSES,
    )
    describe(app)
    view = View(service.settings.timezone, service.ledger.clock)
    for kind, answer in ANSWERS.items():
        app.add_exception_handler(kind, for_people(view, answer))
    app.mount("/static", StaticFiles(directory=str(HERE.joinpath("static"))), name="static")
    links = Links(service.settings.fhir_public_url, service.namespace)
    marker = Marker(service)
    metrics.watch(service.ledger, tuple(service.worker.sources))
    entrance.logouts.watch(service.ledger.ended)
    add_probes(app, readiness, metrics)
    add_questions(app, service, links)
    add_api(app, service, marker, links)
    add_login(app, entrance, view)
    add_pages(app, service, marker, links, view)
    return app


async def each_once(request: Request) -> None:
    """Refuse a query that says one thing twice: which of the two counts?"""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) != len(set(names)):
        raise HTTPException(422, "each parameter of a query may stand there once")


# -- failures: none repeats what was sent -----------------------------------------------------------


async def unstored(request: Request, error: Exception) -> Response:
    """Say that the ledger cannot be used: what is not stored is not acknowledged."""
    assert isinstance(error, LedgerFailed)
    return problem(503, f"the ledger cannot be used ({error.kind}): is its disk full or read-only?")


async def refused(request: Request, error: Exception) -> Response:
    """Say what HTTP itself has to say: no such path, no such method."""
    assert isinstance(error, AnyHTTPException)
    return problem(error.status_code, str(error.detail), error.headers)


async def invalid(request: Request, error: Exception) -> Response:
    """Say which field is wrong and what is allowed."""
    assert isinstance(error, RequestValidationError)
    said: dict[str, None] = {}
    for one in error.errors():
        known = [part for part in one["loc"] if part in FIELDS]
        said[f"{known[-1] if known else one['loc'][0]}: {one['msg'].removeprefix('Value error, ')}"] = None
    return problem(422, "; ".join(list(said)[:ERRORS_SAID]))


async def failed(request: Request, error: Exception) -> Response:
    """Say what a failure of the mapper means to whoever asked."""
    if isinstance(error, StudyGone):
        return unseen(str(error))
    return problem(503 if isinstance(error, SourceDown | SourceBusy) else 500, str(error))


async def broken(request: Request, error: Exception) -> Response:
    """Say that it is our own fault; the log says where."""
    return problem(500, "this went wrong here: see the mapper's log")


ANSWERS: dict[type[Exception], Answer] = {
    LedgerFailed: unstored,
    AnyHTTPException: refused,
    RequestValidationError: invalid,
    MapperError: failed,
    Exception: broken,
}
