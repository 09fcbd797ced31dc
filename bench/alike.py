"""The same studies by every way: from Orthanc and its DICOMweb, by threads, processes and Dask, to files and to FHIR.

uv run python -m bench.alike [STUDIES]

Fails where two ways differ in one byte of one resource, or where the report of a way finds anything amiss. An hour
on two cores with 2,000 studies.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.full_orthanc import listed
from bench.views import View, as_served, difference, of_folder, of_server
from stack import FhirServer, Orthanc
from stack.dask import DaskCluster
from stack.mapper import BASE, NAMESPACE
from stack.process import ROOT
from tests.support.stack import session, until
from tests.support.study import Sample, study

STUDIES, A_PATIENT, SCANNERS, UPLOADS = 2000, 8, 7, 4
PATIENCE = 3600.0
KINDS = ("orthanc", "dicomweb")
CREWS = ("threads", "processes", "Dask")
PLACES = ("files", "FHIR")
NAMED = 5
"""Differences that are named."""


@dataclass(frozen=True)
class Way:
    """From what kind of source, by whom, and where to."""

    kind: str
    crew: str
    place: str

    def __str__(self) -> str:
        return f"{self.kind}, {self.crew}, to {self.place}"


def sample(number: int) -> Sample:
    """Return a study of one to three instances; several share a patient or a scanner, and some have no date."""
    told = {"PatientSize": "1.70", "PatientWeight": "71.50"} if number % 3 else {}
    date = f"20{10 + number % 14}{1 + number % 12:02}{1 + number % 28:02}" if number % 50 else ""
    return study(
        series=1 + number % 2,
        instances=1 + (number % 2 == 0 and number % 3),
        PatientID=f"ALIKE-{number // A_PATIENT}",
        PatientName=f"Müller^Ägidius {number // A_PATIENT}",
        DeviceSerialNumber=f"SCANNER-{number % SCANNERS}",
        StudyDate=date,
        **told,
    )


def stored(orthanc: Orthanc, number: int) -> int:
    """Upload studies and wait until all are stable; returns how many instances they have."""
    http = session()

    def store(one: int) -> int:
        files = list(sample(one).files)
        for file in files:
            http.post(f"{orthanc.url}/instances", data=file, auth=orthanc.auth, timeout=60).raise_for_status()
        return len(files)

    with ThreadPoolExecutor(UPLOADS) as pool:
        instances = sum(pool.map(store, range(number)))
    until(lambda: all(one["IsStable"] for one in listed(orthanc, "studies")), PATIENCE)
    return instances


def settings(orthanc: Orthanc, kind: str, ledger: Path, fhir_url: str) -> dict[str, str]:
    """Return the environment of a command: the same ids by whatever way."""
    user, password = orthanc.auth
    there = {"name": "pacs", "kind": kind, "url": orthanc.url, "user": user, "password": password}
    return {
        "ORTHANC_FHIR_SOURCES": json.dumps([there | {"patient_system": f"{BASE}/patient"}]),
        "ORTHANC_FHIR_FHIR_URL": fhir_url,
        "ORTHANC_FHIR_BASE": BASE,
        "ORTHANC_FHIR_NAMESPACE": NAMESPACE,
        "ORTHANC_FHIR_LEDGER": f"sqlite:///{ledger}",
    }


def run(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Return what a backfill tells; raises CalledProcessError, with its words printed, where anything is amiss."""
    program = [str(Path(sys.executable).parent / "orthanc-fhir"), "backfill", "--json", *arguments]
    said = subprocess.run(
        program, env={**os.environ, **environment}, cwd="/", capture_output=True, text=True, timeout=PATIENCE
    )
    if said.returncode:
        print(said.stdout[-2000:], said.stderr[-2000:], sep="\n", file=sys.stderr)
    said.check_returncode()
    return dict(json.loads(said.stdout))


class Alike:
    """Goes every way, and keeps what each of them made."""

    def __init__(self, home: Path, orthanc: Orthanc, studies: int, console: Console) -> None:
        self._home, self._orthanc, self._studies, self._console = home, orthanc, studies, console
        self._first: dict[str, tuple[Way, View]] = {}
        self.differ = 0

    def go(self, way: Way) -> None:
        """Go one way, and compare what it made with what the first way to the same place made."""
        folder = self._home / str(way).replace(" ", "-")
        folder.mkdir()
        options = {"threads": [], "processes": ["--processes", "2"]}.get(way.crew)
        if options is not None:
            self._gone(way, folder, options)
            return
        with DaskCluster(folder) as cluster:
            self._gone(way, folder, ["--dask", cluster.address])

    def _gone(self, way: Way, folder: Path, options: list[str]) -> None:
        ledger = folder / "ledger.db"
        if way.place == "files":
            out = folder / "out"
            out.mkdir()
            environment = settings(self._orthanc, way.kind, ledger, "http://127.0.0.1:9/fhir")
            seconds = self._timed(environment, [*options, "--to", f"ndjson:{out}"])
            self._compare(way, of_folder(out), seconds)
            return
        with FhirServer(folder / "fhir") as fhir:
            environment = settings(self._orthanc, way.kind, ledger, fhir.url)
            seconds = self._timed(environment, options)
            self._compare(way, of_server(fhir.url), seconds)

    def _timed(self, environment: dict[str, str], options: list[str]) -> float:
        began = time.monotonic()
        run(environment, *options)
        seconds = time.monotonic() - began
        to = options[options.index("--to") :] if "--to" in options else []
        days = run(environment, "--report-only", *to)["days"]
        assert sum(day["fhir"] for day in days) == self._studies, "the report counts every study"
        return seconds

    def _compare(self, way: Way, view: View, seconds: float) -> None:
        first, known = self._first.setdefault(way.place, (way, view))
        differ = difference(known, view)
        if way.place == "FHIR" and first == way:
            differ = difference(as_served(self._first["files"][1]), view)
        digest = sha256(b"\n".join(view[key] for key in sorted(view))).hexdigest()[:16]
        self._console.print(
            f"{way!s:34} {self._studies / seconds:7.1f} {len(view):10} {digest:>18} "
            + (f"{len(differ)} DIFFER" if differ else "alike")
        )
        for key in differ[:NAMED]:
            self._console.print("   ", "/".join(key))
        self.differ += len(differ)


def main() -> int:
    """Go every way and print a line each; 1 where two differ."""
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else STUDIES
    console, home = Console(width=140, highlight=False), ROOT / ".run"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as name:
        folder = Path(name)
        with Orthanc(folder / "orthanc", overrides={"StableAge": 1}, plugin_script=None) as orthanc:
            instances = stored(orthanc, studies)
            console.print(f"{studies} studies, {instances} instances; load {os.getloadavg()[0]:.1f}")
            console.print(f"{'way':34} {'a second':>7} {'resources':>9} {'SHA-256':>18}")
            alike = Alike(folder, orthanc, studies, console)
            for place in PLACES:
                for kind in KINDS:
                    for crew in CREWS:
                        alike.go(Way(kind, crew, place))
        console.print(f"load {os.getloadavg()[0]:.1f}; " + (f"{alike.differ} DIFFER" if alike.differ else "all alike"))
    return 1 if alike.differ else 0


if __name__ == "__main__":
    sys.exit(main())
