"""An Orthanc full of synthetic studies, and what it takes to bring all of them to a FHIR server."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from bench.processes import Others, Spent, peak_memory
from stack import FhirServer, Mapper, Orthanc
from tests.support.stack import session, until
from tests.support.study import study

SERIES, OF_SERIES, UPLOADS = 2, 10, 4
PATIENCE = 1800.0


@dataclass(frozen=True)
class Run:
    """What one way of bringing so many studies to FHIR took: seconds, and CPU seconds of a study by process."""

    studies: int
    seconds: float
    cpu: dict[str, float]
    memory: int = 0
    others: float = 0.0
    """The share of this machine's CPU that others had meanwhile."""

    @property
    def rate(self) -> float:
        """Studies a second."""
        return self.studies / self.seconds


@dataclass(frozen=True)
class FullOrthanc:
    """An Orthanc full of studies, and where its mapper keeps its files."""

    folder: Path
    orthanc: Orthanc
    studies: int

    def synced(
        self,
        fhir: FhirServer,
        workers: int,
        pids: dict[str, int | None],
        look: Callable[[int, int], None] = lambda done, pid: None,
        kind: type[Mapper] = Mapper,
    ) -> Run:
        """Bring all studies to FHIR by a new mapper with a new ledger and new ids; timed by the ledger's history.

        `look` is told now and then how many are done, and by which process.
        """
        namespace = str(uuid4())
        settings = {"ORTHANC_FHIR_WORKERS": str(workers), "ORTHANC_FHIR_NAMESPACE": namespace}
        folder = self.folder / f"mapper-{namespace}"
        mapper = kind(folder, orthanc=self.orthanc, fhir=fhir, token=uuid4().hex, settings=settings)
        try:
            mapper.start().wait_ready()
            until(lambda: self._done(folder / "ledger.db") >= 1, PATIENCE)
            named = {**pids, "mapper": mapper.pid}
            early, spent, others = self._done(folder / "ledger.db"), Spent(named), Others(named.values())

            def all_done() -> bool:
                done = self._done(folder / "ledger.db")
                look(done, mapper.pid or 0)
                return done >= self.studies

            until(all_done, PATIENCE)  # the mapper has started: its start is not counted
            cpu = {name: seconds / (self.studies - early) for name, seconds in spent.seconds().items()}
            with sqlite3.connect(folder / "ledger.db") as db:
                began, ended, number = db.execute("SELECT min(started), max(ended), count(*) FROM history").fetchone()
            return Run(number, ended - began, cpu, peak_memory(mapper.pid or 0), others.share())
        finally:
            mapper.clean()

    def _done(self, ledger: Path) -> int:
        with sqlite3.connect(ledger) as db:
            (number,) = db.execute("SELECT count(*) FROM study WHERE state = 'synced'").fetchone()
        return int(number)


def stored(orthanc: Orthanc, number: int, series: int = SERIES, of_series: int = OF_SERIES) -> None:
    """Upload synthetic studies."""
    http = session()

    def store(_: int) -> None:
        for file in study(series, of_series).files:
            http.post(f"{orthanc.url}/instances", data=file, auth=orthanc.auth, timeout=60).raise_for_status()

    with ThreadPoolExecutor(UPLOADS) as pool:
        list(pool.map(store, range(number)))
    stable = lambda: all(one["IsStable"] for one in listed(orthanc, "studies"))  # noqa: E731
    until(stable, PATIENCE)


def listed(orthanc: Orthanc, level: str) -> list[dict[str, object]]:
    """Return all there is of one level."""
    found: list[dict[str, object]] = session().get(f"{orthanc.url}/{level}?expand", auth=orthanc.auth).json()
    return found
