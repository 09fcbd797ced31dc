"""How fast a backfill is: an Orthanc into files by threads and processes, beside a bare loader; and its memory.

uv run python -m bench.backfill
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid5

import orjson
import requests
from rich.console import Console
from rich.table import Table

from mapper.dicom.collector import Collector
from mapper.fhir.bundle import dump
from mapper.finding import Finding
from mapper.jobs.executors import Crew
from mapper.jobs.into_files import IntoFiles, Tally
from mapper.jobs.into_folder import into_folder
from mapper.jobs.reading import Read, Recipe
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.site import Site
from mapper.settings import Settings
from mapper.sinks.ndjson.sink import Ndjson
from mapper.sources.source import Feed, Reading, Sighting
from stack import Orthanc
from stack.process import ROOT
from tests.support.datasets import dataset
from tests.support.stack import until
from tests.support.study import new_name, study

STUDIES = int(os.environ.get("BENCH_STUDIES", "300"))
FLAT = int(os.environ.get("BENCH_FLAT", "20000"))
LOOKS = 10
WAYS: dict[str, list[str]] = {
    "threads (4)": [],
    "processes (2)": ["--processes", "2"],
}


def bare(server: Orthanc, ids: list[str]) -> float:
    """Return the studies a second of a loop that fetches each study's metadata and keeps them, one after the other."""
    http, began = requests.Session(), time.monotonic()
    http.trust_env, http.auth = False, server.auth
    for uid in ids:
        answer = http.get(f"{server.url}/dicom-web/studies/{uid}/metadata", timeout=60)
        json.dumps(answer.json())
    return len(ids) / (time.monotonic() - began)


def rates(home: Path) -> Table:
    """Return studies a second."""
    table = Table(f"{STUDIES} studies of 2 instances, Orthanc into NDJSON", "studies a second", box=None)
    with Orthanc(home / "orthanc", overrides={"StableAge": 1}, plugin_script=None) as server:
        http = requests.Session()
        http.trust_env, http.auth = False, server.auth
        names = [new_name() for _ in range(max(STUDIES // 10, 1))]
        for number in range(STUDIES):
            for file in study(PatientID=names[number % len(names)], instances=2).files:
                http.post(f"{server.url}/instances", data=file, timeout=60).raise_for_status()
        stable = lambda: all(one["IsStable"] for one in http.get(f"{server.url}/studies?expand").json())  # noqa: E731
        until(stable, 300)
        found = http.get(f"{server.url}/studies?expand", timeout=60).json()
        uids = [one["MainDicomTags"]["StudyInstanceUID"] for one in found]
        table.add_row("bare loader: metadata fetched and dumped, no mapping, no check", f"{bare(server, uids):.0f}")
        user, password = server.auth or ("", "")
        there = {"URL": server.url, "USER": user, "PASSWORD": password}
        environment = {**os.environ, **{f"ORTHANC_FHIR_ORTHANC_{name}": value for name, value in there.items()}}
        for name, options in WAYS.items():
            to = ["backfill", "--to", f"ndjson:{home}/{name[:4]}", *options]
            began = time.monotonic()
            program = str(Path(sys.executable).parent / "orthanc-fhir")
            subprocess.run([program, *to], env=environment, cwd="/", check=True, capture_output=True)
            table.add_row(f"backfill by {name}, start included", f"{STUDIES / (time.monotonic() - began):.0f}")
    server.clean()
    return table


class Many:
    """A source of as many studies as wanted, each made when it is read."""

    name, feed = "many", cast(Feed | None, None)

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        raise NotImplementedError

    def holds(self, study_uid: str) -> bool:
        return True

    def listing(self) -> Iterator[Sighting]:
        return (Sighting(f"1.2.{number}", f"1.2.{number}", "1") for number in range(FLAT))

    def count(self) -> int:
        return FLAT

    def probe(self) -> None:
        pass

    def check(self) -> Iterator[Finding]:
        return iter(())


def template(namespace: UUID) -> Mapped:
    """Return one study as it is mapped: the others are it, under UIDs and ids of their own."""
    collector, uid = Collector(), "1.2.826.0.1.7"
    for instance in range(1, 4):
        uids = {"SeriesInstanceUID": f"{uid}.1", "SOPInstanceUID": f"{uid}.1.{instance}"}
        frame = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Modality": "CT", "PatientID": "P1", "PatientSize": "1.70"}
        frame |= {"StudyDate": "20240517", "ManufacturerModelName": "X", "Manufacturer": "Y"}
        collector.add(dataset(StudyInstanceUID=uid, **uids, **frame))
    return study_to_fhir(collector.study(uid), Site(namespace=namespace, dicomweb="http://localhost:8042/dicom-web"))


class Here:
    """A crew that has mapped one study, and says of each that it is asked for that it is like it."""

    size = 1

    def __init__(self, namespace: UUID) -> None:
        mapped = template(namespace)
        self._mapped, self._text = mapped, dump(mapped.resources).decode()
        self._ids = {one["id"]: one["resourceType"] for one in mapped.resources}

    def submit(self, do: Callable[..., Any], recipe: Recipe, study_uid: str, known: list[str]) -> "Future[Any]":
        """Return the study that is asked for: four of each patient, one device and one endpoint for all."""
        number, text = int(study_uid.rpartition(".")[2]), self._text.replace("1.2.826.0.1.7", study_uid)
        for id, kind in self._ids.items():
            of = {"Patient": number // 4, "Device": 0, "Endpoint": 0}.get(kind, number)
            text = text.replace(id, str(uuid5(recipe.namespace, f"{id} {of}")))
        future: Future[Any] = Future()
        mapped = replace(self._mapped, resources=orjson.loads(text))
        future.set_result(Read(Sighting(study_uid, study_uid, "1"), mapped))
        return future

    def check(self) -> None:
        """Nothing is lost."""

    def result(self, future: "Future[Any]") -> Any:
        """Return what came of it."""
        return future.result()


def memory() -> Table:
    """Return the memory of this process while studies go into a folder."""
    table = Table(f"memory, {FLAT} studies (mapped once) into NDJSON", "MB", "studies a second so far", box=None)
    with tempfile.TemporaryDirectory() as folder:
        sink = Ndjson(Path(folder))
        began, next_look = time.monotonic(), FLAT // LOOKS
        site = Site(dicomweb="http://localhost:8042/dicom-web")

        def look(tally: Tally) -> None:
            nonlocal next_look
            if tally.done >= next_look:
                next_look += FLAT // LOOKS
                resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
                table.add_row(
                    f"after {tally.done}", f"{resident:.0f}", f"{tally.done / (time.monotonic() - began):.0f}"
                )

        recipe = Recipe(Settings(), "orthanc", UUID(int=1))
        job = IntoFiles(Many(), recipe, cast(Crew, Here(UUID(int=1))), into_folder(sink, site), "1", progress=look)
        job.run()
        sink.close()
    return table


def main() -> None:
    """Print both tables."""
    console = Console()
    console.print(memory())
    home = ROOT / ".run"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as folder:
        console.print(rates(Path(folder)))


if __name__ == "__main__":
    main()
