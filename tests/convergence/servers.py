"""The real servers of a run: PostgreSQL and HAPI stay for all batches, Orthanc and the mappers are new in each."""

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import psycopg
import requests
from sqlalchemy.engine import make_url

from stack import FhirServer, Mapper, Orthanc, OrthancInFolder, Postgres, free_port
from stack.mapper import OPTIONS
from stack.orthanc_in_folder import INSIDE
from stack.process import ROOT
from tests.convergence.launcher_names import ORDER
from tests.convergence.proxy import OF_ORTHANC, Proxy
from tests.support.database_read import KEEPING
from tests.support.stack import TOKEN, session

TIMEOUT = 6.0
"""Seconds the mapper waits for an answer: shorter than the proxy's slowest."""


class Launched(Mapper):
    """The mapper with short times, that dies or halts at a named point when told."""

    def command(self) -> Sequence[str]:
        """Return the launcher instead of the console script."""
        return [sys.executable, "-m", "tests.convergence.launcher", "serve"]

    def environment(self) -> dict[str, str]:
        """Return the mapper's settings and the launcher's."""
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        return {**super().environment(), ORDER: str(self.order), "PYTHONPATH": path}

    @property
    def order(self) -> Path:
        """Return the file that the launcher obeys."""
        return self.folder / "order"

    def api(self, method: str, path: str, **others: Any) -> Any:
        """Ask the mapper; raises requests.RequestException when it does not answer well."""
        http = session()
        http.headers["Authorization"] = f"Bearer {TOKEN}"
        answer = http.request(method, self.url + path, timeout=10, **others)
        answer.raise_for_status()
        return answer.json()

    def press(self, study_uid: str) -> str:
        """Press the button of a study, and say how that went."""
        try:
            return str(self.api("POST", f"/api/studies/{study_uid}/sync", json={})["state"])
        except requests.RequestException as error:
            return type(error).__name__


class Servers:
    """PostgreSQL and HAPI on it; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = Postgres(folder / "postgres")
        self.fhir = FhirServer(folder / "fhir", database=self.postgres, jdbc_timeout=3)
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.callback(self.postgres.clean)
            starting.enter_context(self.postgres)
            starting.enter_context(self.fhir)
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()


class Batch:
    """One Orthanc, one or two mappers on one ledger, and a proxy before each server; a context manager."""

    def __init__(self, servers: Servers, seed: int, *, newer: bool, from_database: bool, replicas: int) -> None:
        self.servers, self.newer = servers, newer
        folder, port = servers.folder / f"batch-{seed}", free_port()
        self.before_fhir = Proxy(servers.fhir.url, str(seed), "FHIR server")
        kind = OrthancInFolder if newer else Orthanc
        overrides = KEEPING if from_database else {"StableAge": 1}
        self.orthanc = kind(folder / "orthanc", overrides=overrides, mapper_url=f"http://127.0.0.1:{port}", token=TOKEN)
        self.before_orthanc = Proxy(self.orthanc.url, str(seed), "Orthanc", OF_ORTHANC)
        self.database = f"ledger{seed}" if replicas > 1 else ""
        ledger = servers.postgres.create_database(self.database) if self.database else None
        settings = {
            "ORTHANC_FHIR_FHIR_URL": self.before_fhir.url,
            "ORTHANC_FHIR_ORTHANC_URL": self.before_orthanc.url,
            "ORTHANC_FHIR_OPTIONS": OPTIONS,
            "ORTHANC_FHIR_TIMEOUT": str(TIMEOUT),
            **({"ORTHANC_FHIR_INSTANCES_FROM_DATABASE": "2"} if from_database else {}),
        }
        self.mappers = [
            Launched(
                folder / f"mapper-{number}",
                port if number == 0 else 0,
                orthanc=self.orthanc,
                fhir=servers.fhir,
                token=TOKEN,
                ledger=ledger,
                settings=settings,
            )
            for number in range(replicas)
        ]
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            for proxy in (self.before_fhir, self.before_orthanc):
                starting.enter_context(proxy)
            starting.callback(self.orthanc.clean)
            starting.callback(self.orthanc.kill)
            self.orthanc.start().wait_ready()
            for mapper in self.mappers:
                starting.callback(mapper.kill)
                mapper.start()
            for mapper in self.mappers:
                mapper.wait_ready()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def break_answers(self, writes: float, reads: float) -> None:
        """Have so many of the requests go wrong, of those to Orthanc as many as of FHIR's reads."""
        self.before_fhir.writes, self.before_fhir.reads = writes, reads
        self.before_orthanc.writes = self.before_orthanc.reads = reads

    def empty_database(self) -> None:
        """Remove everything from the ledger's database."""
        url = make_url(self.servers.postgres.sqlalchemy_url(self.database))
        with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as db:
            db.execute("DROP SCHEMA public CASCADE")
            db.execute("CREATE SCHEMA public")

    def storages(self) -> list[Path]:
        """Return the folders in which Orthanc keeps its data."""
        room = INSIDE / "srv" / str(self.orthanc.port) if self.newer else self.orthanc.folder
        return [room / "storage"]

    def start_all(self) -> None:
        """Start whatever does not run, and wait until it does."""
        for server in (self.servers.postgres, self.servers.fhir, self.orthanc, *self.mappers):
            server.start().wait_ready()
