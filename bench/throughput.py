"""How many studies a second go from Orthanc to FHIR, beside a bare reader and a bare loader, and who spends the CPU.

uv run python -m bench.throughput [STUDIES] [ROUNDS]

The bare reader fetches the same metadata and throws them away, the bare loader posts the same Bundles ready made; both
with as many connections as the mapper has workers, in the same run, by turns. Then the same studies go to a FHIR server
that keeps nothing and takes 400 ms for each answer: what bounds the mapper there is itself.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from rich.console import Console
from rich.table import Table

from bench.budget import Budget
from bench.full_orthanc import OF_SERIES, SERIES, FullOrthanc, Run, listed, stored
from bench.null_server import SLOW, NullFhir
from bench.profiled import Profiled
from bench.target import verdict
from mapper.dicom.reader import Reader
from mapper.fhir.bundle import dump, transaction
from mapper.http.peer import Bound, Peer, basic
from mapper.http.target import Target
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, study_to_fhir
from mapper.maps.site import Site
from mapper.sources.orthanc.source import Orthanc as Source
from stack import FhirServer, Orthanc, Postgres
from stack.mapper import BASE
from stack.ports import LOOPBACK
from stack.process import ROOT

STUDIES, ROUNDS = 300, 3
SECONDS = 150.0
"""After so many no further round is begun: one is enough, more say how much they differ."""
WORKERS, MANY = 4, 16
OF_EACH = 30
"""Studies for each worker, as far as there are so many: the start then weighs the same, however many work."""
BOUND = Bound(512, 120.0)
SHARE, CPU, BESIDE, LINEAR = 0.20, 12.0, 0.80, 0.90
"""Targets: our share of all CPU, its milliseconds a study, our rate beside the bare ones, that of many workers."""


def bundles(source: Source, namespace: UUID, base: str) -> list[bytes]:
    """Return the transactions of all studies of a source, ready made under ids of their own."""
    site = Site.model_construct(**{**Site(base=BASE).model_dump(), "namespace": namespace})
    mapped = (study_to_fhir(source.read(one.study_uid, [one.id]).study, site) for one in source.listing())
    return [dump(transaction(one.resources, base)) for one in mapped]


def asked(peer: Peer, calls: Iterable[tuple[str, Target, bytes | None]], headers: dict[str, str]) -> None:
    """Ask for everything over as many connections as there are workers."""

    def ask(call: tuple[str, Target, bytes | None]) -> None:
        method, target, body = call
        with peer.exchange(method, target, BOUND, body=body, headers=headers) as answer:
            answer.read()
            assert answer.status == 200, answer.status

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(ask, calls))


def timed(do: Callable[[], object]) -> float:
    """Return the seconds that something took."""
    began = time.monotonic()
    do()
    return time.monotonic() - began


def against_bare(full: FullOrthanc, fhir: FhirServer, database: Postgres, rounds: int, console: Console) -> None:
    """Measure ours and the bare ones by turns, and print both."""
    pids = {"Orthanc": full.orthanc.pid, "HAPI FHIR": fhir.pid, "PostgreSQL": database.pid}
    user, password = full.orthanc.auth
    reader, loader = Peer(full.orthanc.url, basic(user, password)), Peer(fhir.url, {})
    source = Source(full.orthanc.url, Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS), user, password)
    uids = {one["ID"]: one["MainDicomTags"]["StudyInstanceUID"] for one in listed(full.orthanc, "studies")}  # type: ignore[index]
    place = "/dicom-web/studies/{study}/series/{series}/metadata"
    reads = [
        ("GET", Target(place, uids[one["ParentStudy"]], one["MainDicomTags"]["SeriesInstanceUID"]), None)  # type: ignore[index]
        for one in listed(full.orthanc, "series")
    ]
    full.synced(fhir, WORKERS, pids)  # HAPI warms up
    ours: list[Run] = []
    alone: list[float] = []
    budget = Budget(SECONDS)
    while len(ours) < rounds and not (ours and budget.is_spent):
        made = [("POST", Target(""), body) for body in bundles(source, uuid4(), fhir.url)]
        seconds = timed(partial(asked, reader, reads, {"Accept": "application/dicom+json"}))
        seconds += timed(partial(asked, loader, made, {"Content-Type": "application/fhir+json"}))
        alone.append(full.studies / seconds)
        ours.append(full.synced(fhir, WORKERS, pids))
    what = (
        f"{full.studies} studies of {SERIES * OF_SERIES} instances, {WORKERS} workers, {len(ours)} of {rounds} rounds"
    )
    table = Table(what, "figure", box=None)
    rates = [run.rate for run in ours]
    ratio = statistics.median(rate / one for rate, one in zip(rates, alone, strict=True))
    table.add_row("studies a second", f"{statistics.median(rates):.1f}")
    table.add_row("a bare reader, then a bare loader", f"{statistics.median(alone):.1f}")
    others = statistics.median(run.others for run in ours)
    table.add_row("beside them", verdict(ratio >= BESIDE, f"{ratio:.2f}", f"at least {BESIDE}", others))
    spent = {name: statistics.median(run.cpu[name] for run in ours) for name in ours[0].cpu}
    total = sum(spent.values())
    for name, seconds in sorted(spent.items(), key=lambda one: -one[1]):
        each = f"{1000 * seconds:.1f} ms, {100 * seconds / total:.0f} %"
        table.add_row(f"CPU a study: {name}", each)
    share, own = spent["mapper"] / total, 1000 * spent["mapper"]
    table.add_row("our share of the CPU", verdict(share <= SHARE, f"{share:.0%}", f"at most {SHARE:.0%}"))
    table.add_row("our CPU a study", verdict(own <= CPU, f"{own:.1f} ms", f"at most {CPU:.0f} ms"))
    table.add_row("the mapper's peak memory", f"{max(run.memory for run in ours) / 1e6:.0f} MB")
    console.print(table)
    if share > SHARE or own > CPU:
        full.synced(fhir, 1, {}, kind=Profiled)
        console.print("\nWhat takes our CPU:", (full.folder / "profile.txt").read_text(), markup=False)


def against_nothing(full: FullOrthanc, console: Console) -> None:
    """Measure how the rate grows with the workers where the FHIR server is slow, and print it."""
    table = Table(f"a FHIR server that takes {SLOW} ms", "studies a second", "of linear", box=None)
    with NullFhir(full.folder / "null") as fhir:
        rates = {}
        for workers in (1, WORKERS, MANY):
            pids = {"Orthanc": full.orthanc.pid, "nothing": fhir.pid}
            few = FullOrthanc(full.folder, full.orthanc, min(full.studies, workers * OF_EACH))
            run = few.synced(fhir, workers, pids)  # type: ignore[arg-type]
            rates[workers] = run.rate
            linear = rates[workers] / (workers * rates[1])
            said = verdict(linear >= LINEAR, f"{linear:.2f}", f"at least {LINEAR}", run.others)
            table.add_row(f"{workers} workers", f"{rates[workers]:.1f}", said)
    console.print(table)


def main() -> None:
    """Measure and print."""
    words = [int(word) for word in sys.argv[1:]]
    studies, rounds = (*words, *(STUDIES, ROUNDS)[len(words) :])
    console, home = Console(width=140), ROOT / ".run"  # PostgreSQL's own user cannot enter every temporary folder
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with (
            Postgres(folder / "pg") as database,
            FhirServer(folder / "fhir", database=database) as fhir,
            Orthanc(folder / "orthanc", mapper_url=f"http://{LOOPBACK}:9", token=uuid4().hex) as orthanc,
        ):
            stored(orthanc, studies)
            full = FullOrthanc(folder, orthanc, studies)
            against_bare(full, fhir, database, rounds, console)
            console.print()
            against_nothing(full, console)
        database.clean()


if __name__ == "__main__":
    main()
