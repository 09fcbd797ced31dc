"""Health, readiness and metrics. The probes need none of the threads that pages and API may use up."""

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from mapper.errors import LedgerFailed
from mapper.service import Service
from mapper.web.prometheus import Prometheus
from mapper.web.visitor import Role, needs

STUCK = 300.0
"""Seconds after which a marking thread that did not come round counts as dead."""
FRESH = 1.0
"""Seconds for which what the ledger said counts: however often one asks, it is read once a second at most."""
PATIENCE = 5.0
"""Seconds within which a ledger has to answer."""


class Readiness:
    """Reads the ledger in a thread of its own, one read at a time."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._thread = ThreadPoolExecutor(1, "readiness")
        self._read: Future[str] | None = None
        self._asked = 0.0

    async def reasons(self) -> list[str]:
        """Return why the service is not ready; nothing when it is."""
        said = []
        if time.monotonic() - self._service.threads.alive_at > STUCK:
            said.append("the marking thread does not come round")
        said.append(await self._ledger())
        return list(filter(None, said))

    async def _ledger(self) -> str:
        now = time.monotonic()
        if self._read is None or (self._read.done() and now - self._asked > FRESH):
            self._read, self._asked = self._thread.submit(self._look), now
        done, _ = await asyncio.wait([asyncio.wrap_future(self._read)], timeout=PATIENCE)
        return done.pop().result() if done else "the ledger does not answer"

    def _look(self) -> str:
        try:
            self._service.ledger.rows.counts()
        except LedgerFailed as failed:
            return f"the ledger cannot be read ({failed.kind})"
        except Exception as error:
            return f"the ledger cannot be read ({type(error).__name__})"
        return ""

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def add_probes(app: FastAPI, readiness: Readiness, metrics: Prometheus) -> None:
    """Add health, readiness and metrics."""

    @app.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok\n"

    @app.get("/readyz", response_class=PlainTextResponse)
    async def readyz() -> PlainTextResponse:
        reasons = await readiness.reasons()
        return PlainTextResponse("\n".join(reasons or ["ready"]) + "\n", 503 if reasons else 200)

    @app.get("/metrics", dependencies=[needs(Role.READ)])
    def metrics_text() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")
