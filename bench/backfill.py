"""How fast a backfill is: an Orthanc into files and into FHIR, beside bare programs in the same run; and its memory.

uv run python -m bench.backfill [STUDIES] [FLAT]

The bare reader fetches the metadata of each study and dumps them, over as many connections as a backfill has threads;
the bare loader posts the same Bundles, ready made. FLAT studies from nowhere then go into files: memory has to stay.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

from rich.console import Console
from rich.table import Table

from bench.full_orthanc import listed
from bench.many import DICOMWEB, Crew, Many, MapsEach, MapsOnce
from bench.target import verdict
from bench.throughput import WORKERS, asked, bundles, timed
from mapper.dicom.reader import Reader
from mapper.http.peer import Peer
from mapper.http.target import Target
from mapper.jobs import executors
from mapper.jobs.into_files import IntoFiles, Tally
from mapper.jobs.into_folder import into_folder
from mapper.jobs.reading import Recipe
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.site import Site
from mapper.settings import Settings
from mapper.sinks.ndjson.sink import Ndjson
from mapper.sources.orthanc.source import Orthanc as Source
from stack import FhirServer, Orthanc, Postgres
from stack.dask import DaskCluster
from stack.mapper import BASE, Mapper
from stack.process import ROOT
from tests.support.stack import session, until
from tests.support.study import new_name, study

STUDIES, FLAT, LOOKS, OF_PATIENT = 300, 20_000, 10, 10
GROWTH = 10
"""Target: MB by which the memory may grow from the first look to the last."""
CREWS: dict[str, list[str]] = {"threads (4)": [], "processes (2)": ["--processes", "2"], "Dask (2)": ["--dask"]}


def stored(server: Orthanc, number: int) -> None:
    """Upload studies of two instances, and wait until all are stable."""
    http, names = session(), [new_name() for _ in range(max(number // OF_PATIENT, 1))]
    files = (file for one in range(number) for file in study(PatientID=names[one % len(names)], instances=2).files)
    for file in files:
        http.post(f"{server.url}/instances", data=file, auth=server.auth, timeout=60).raise_for_status()
    until(lambda: all(one["IsStable"] for one in listed(server, "studies")), 600)


def bare_reader(server: Orthanc) -> None:
    """Fetch and dump the metadata of all studies: no mapping, no check."""
    http = session()
    uids = [one["MainDicomTags"]["StudyInstanceUID"] for one in listed(server, "studies")]  # type: ignore[index]

    def read(uid: str) -> None:
        json.dumps(http.get(f"{server.url}/dicom-web/studies/{uid}/metadata", auth=server.auth, timeout=60).json())

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(read, uids))


def backfill(environment: dict[str, str], *options: str) -> None:
    """Run the command, its start included."""
    program = [str(Path(sys.executable).parent / "orthanc-fhir"), "backfill", *options]
    subprocess.run(program, env={**os.environ, **environment}, cwd="/", check=True, capture_output=True)


def rates(home: Path, studies: int, console: Console) -> None:
    """Measure and print studies a second, ours beside the bare ones."""
    load = os.getloadavg()[0]
    table = Table(f"{studies} studies of 2 instances, load {load:.1f}", "studies a second", "beside bare", box=None)
    with (
        Orthanc(home / "orthanc", overrides={"StableAge": 1}, plugin_script=None) as server,
        Postgres(home / "pg") as database,
        FhirServer(home / "fhir", database=database) as fhir,
    ):
        stored(server, studies)
        environment = dict(Mapper(home / "mapper", orthanc=server, fhir=fhir).environment())

        def measured(name: str, do: Callable[[], object], beside: float = 0.0) -> float:
            rate = studies / timed(do)
            table.add_row(name, f"{rate:.1f}", f"{rate / beside:.2f}" if beside else "")
            return rate

        bare_reader(server)  # warms Orthanc up
        bare = measured("bare reader", partial(bare_reader, server))
        for name, options in CREWS.items():
            folder = home / f"files-{len(name)}"
            folder.mkdir()
            with DaskCluster(folder) if "--dask" in options else nullcontext() as cluster:
                given = [*options, cluster.address] if cluster else options
                do = partial(backfill, environment, "--to", f"ndjson:{folder}", *given)
                measured(f"into files by {name}", do, bare)
        user, password = server.auth
        source = Source(server.url, Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS), user, password)
        loader, headers = Peer(fhir.url, {}), {"Content-Type": "application/fhir+json"}
        for again in range(2):  # HAPI warms up
            made = [("POST", Target(""), body) for body in bundles(source, uuid4(), fhir.url)]
            load_them = partial(asked, loader, made, headers)
            loaded = measured("bare loader", load_them) if again else studies / timed(load_them)
        both = 1 / (1 / bare + 1 / loaded)
        table.add_row("bare reader, then bare loader", f"{both:.1f}", "")
        for name in list(CREWS)[:2]:
            own = {"NAMESPACE": str(uuid4()), "LEDGER": f"sqlite:///{home}/{name[:4]}.db"}
            ours = environment | {f"ORTHANC_FHIR_{setting}": value for setting, value in own.items()}
            measured(f"into FHIR by {name}", partial(backfill, ours, *CREWS[name]), both)
    database.clean()
    console.print(table)


def memory(crew: Crew, what: str, studies: int, console: Console) -> None:
    """Print the memory of this process while studies go into a folder, and whether it stayed."""
    table = Table(f"{studies} studies into files, {what}", "MB", "studies a second so far", box=None)
    held: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        sink, began = Ndjson(Path(folder)), time.monotonic()

        def look(tally: Tally) -> None:
            if tally.done >= (len(held) + 1) * studies // LOOKS:
                held.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
                rate = tally.done / (time.monotonic() - began)
                table.add_row(f"after {tally.done}", f"{held[-1]:.0f}", f"{rate:.0f}")

        recipe, into = Recipe(Settings(), "orthanc", UUID(int=1)), into_folder(sink, Site(base=BASE, dicomweb=DICOMWEB))
        IntoFiles(Many(studies), recipe, cast(executors.Crew, crew), into, "1", progress=look).run()
        sink.close()
    grown = held[-1] - held[0]
    table.add_row("grown", verdict(grown <= GROWTH, f"{grown:.0f}", f"at most {GROWTH} MB"))
    console.print(table)


def main() -> None:
    """Print all tables."""
    words = [int(word) for word in sys.argv[1:]]
    studies, flat = (*words, *(STUDIES, FLAT)[len(words) :])
    console, home = Console(width=140), ROOT / ".run"
    memory(MapsEach(), "each mapped and checked", flat, console)
    memory(MapsOnce(UUID(int=1)), "one of them mapped", flat, console)
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to enter it
        rates(folder, studies, console)


if __name__ == "__main__":
    main()
