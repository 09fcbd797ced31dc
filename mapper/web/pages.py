"""The status page and its one button."""

import time
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from mapper.dicom.uid import is_askable
from mapper.ledger.state import State
from mapper.service import Service
from mapper.sync.reconcile import ELSEWHERE
from mapper.sync.sweep import brakes
from mapper.web.about import page as about
from mapper.web.api import StudyUID
from mapper.web.audit import record
from mapper.web.mapping import page as mapping
from mapper.web.marker import Marker
from mapper.web.problems import page as problems
from mapper.web.rendering import templates_of
from mapper.web.settings import page as settings
from mapper.web.status import WORDS, Links, moment, span, status
from mapper.web.studies import page as studies
from mapper.web.study import page as one_study
from mapper.web.study.ways import Ways
from mapper.web.view import View
from mapper.web.visitor import Role, needs

SHOWN, PARKED_SHOWN = 50, 20


def add_pages(app: FastAPI, service: Service, marker: Marker, links: Links, view: View) -> None:
    """Add the status page and its one button."""
    ledger = service.ledger
    templates = templates_of()
    place = service.place
    about.add(app, view, place)
    mapping.add(app, view, service.settings.options)
    ways = Ways(service.settings, links)
    studies.add(app, service, view, ways)
    one_study.add(app, service, marker, view, ways)
    problems.add(app, service, view)
    settings.add(app, view, service.settings, service.namespace, place)

    @app.get("/", response_class=HTMLResponse, dependencies=[needs(Role.READ)])
    def page(request: Request, state: State | None = None, study: str = "") -> HTMLResponse:
        study = study.strip()
        asked, study = bool(study), study if is_askable(study) else ""  # what is no UID is not repeated
        row = ledger.rows.find(study) if study else None
        rows = ([row] if row else []) if asked else ledger.rows.page(state, SHOWN)
        sweeps = [triggers.last for triggers in service.triggers]
        breakers = [*service.worker.breakers.values(), service.worker.sink_breaker]
        downs = [triggers.down for triggers in service.triggers] + [breaker.reason for breaker in breakers]
        reasons = [reason for name in service.worker.sources for reason in brakes(ledger, name)]
        elsewhere = [ledger.meta.get(f"{ELSEWHERE}:{name}") for name in service.worker.sources]
        parked = [] if state or asked else ledger.rows.page("parked", PARKED_SHOWN)
        shown = study if row else ""  # a name may have the shape of a UID
        return templates.TemplateResponse(
            request,
            "status.html",
            {
                "counts": ledger.rows.counts(),
                "words": WORDS,
                "rows": [status(row, links) for row in rows],
                "parked": [status(row, links) for row in parked],
                "state": state,
                "asked": asked,
                "study": shown,
                "unknown": bool(study and not row),
                "downs": list(dict.fromkeys(filter(None, downs))),
                "elsewhere": list(filter(None, elsewhere)),
                "brake": "; ".join(reasons),
                "listed": sum(found.listed for found in sweeps if found) if all(sweeps) else None,
                "lag": span(ledger.rows.oldest_wait()),
                "now": moment(time.time()),
            },
        )

    @app.post("/page/retry", dependencies=[needs(Role.OPERATE)])
    async def retry(request: Request, study: StudyUID | None = None) -> RedirectResponse:
        record(request, "retried", studies=[study] if study else "all that are parked")
        if study is None:
            await to_thread.run_sync(ledger.studies.retry)
        elif await to_thread.run_sync(ledger.studies.retry, [study]) == 0:
            await marker.mark(study)
        service.bell.ring()
        root = request.scope.get("root_path", "")
        return RedirectResponse(f"{root}/?{urlencode({'study': study})}" if study else f"{root}/", 303)
