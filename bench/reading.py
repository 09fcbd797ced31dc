"""What reading a study of an Orthanc costs by metadata of every instance, and from its database: interleaved rounds.

uv run python -m bench.reading [INSTANCES...]

Orthanc 1.12.7 keeps what docs/database.md names. Both ways give the same study (tests/live/test_database.py).
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.processes import Spent
from bench.readme import tell
from mapper.http import peer
from mapper.sources.orthanc.source import Orthanc
from stack import OrthancInFolder
from tests.support.database_read import KEEPING, READER
from tests.support.large import files, header
from tests.support.stack import session, until

INSTANCES = {"ready": (20, 500, 5_000), "none": (20, 500)}
"""Sizes by DICOMweb's cache: without one, Orthanc takes minutes to make the metadata of 5,000 a few times."""
ROUNDS, SERIES = 5, 5
SLOW, FAST = "metadata", "database"
CACHES = {"ready": KEEPING, "none": KEEPING | {"DicomWeb": {"Enable": True, "EnableMetadataCache": False}}}
"""Whether DICOMweb keeps the metadata of a series ready, as it does unless told, from the time when that is stable."""
WHAT = ("requests", "MB", "seconds", "CPU of the mapper", "CPU of Orthanc")


class Counted(peer.Incoming):
    """An answer whose bytes are counted, as they are when inflated."""

    answers, size = 0, 0

    def parts(self) -> Iterator[bytes]:
        Counted.answers += 1
        for part in super().parts():
            Counted.size += len(part)
            yield part


@contextmanager
def counting() -> Iterator[None]:
    """Count all answers."""
    plain = peer.Incoming
    peer.Incoming = Counted  # type: ignore[misc]
    try:
        yield
    finally:
        peer.Incoming = plain  # type: ignore[misc]


def read(source: Orthanc, study_uid: str, pid: int | None) -> dict[str, float]:
    """Read a study and return what it took."""
    Counted.answers = Counted.size = 0
    orthanc, began, spent = Spent({"orthanc": pid}), time.monotonic(), time.process_time()
    source.read(study_uid, [])
    took = time.monotonic() - began, time.process_time() - spent, orthanc.seconds()["orthanc"]
    return dict(zip(WHAT, (Counted.answers, Counted.size / 1e6, *took), strict=True))


def measure(server: OrthancInFolder, instances: int) -> dict[str, dict[str, float]]:
    """Store a study and read it both ways in turn; return the medians."""
    sample, http = header(), session()
    http.auth = server.auth
    for file in files(sample, SERIES, instances // SERIES):
        http.post(f"{server.url}/instances", data=file, timeout=60).raise_for_status()
    query = {"Level": "Study", "Query": {"StudyInstanceUID": sample.uid}, "Expand": True}
    until(lambda: http.post(f"{server.url}/tools/find", json=query, timeout=60).json()[0]["IsStable"] or None, 60)
    user, password = server.auth
    sources = {
        SLOW: Orthanc(server.url, READER, user, password),
        FAST: Orthanc(server.url, READER, user, password, from_database=2),
    }
    rounds: dict[str, list[dict[str, float]]] = {SLOW: [], FAST: []}
    for turn in range(ROUNDS + 1):
        for name, source in sources.items():
            took = read(source, sample.uid, server.pid)
            if turn:  # the first makes the cache of DICOMweb, and asks what Orthanc is
                rounds[name].append(took)
    return {
        name: {what: statistics.median(one[what] for one in took) for what in WHAT} for name, took in rounds.items()
    }


def main() -> None:
    """Print the table."""
    table = Table("cache", "instances", *(f"{what}: {SLOW} / {FAST}" for what in WHAT), box=None)
    for cache, overrides in CACHES.items():
        with tempfile.TemporaryDirectory() as folder, counting():
            with OrthancInFolder(Path(folder), plugin_script=None, overrides=overrides) as server:
                for instances in map(int, sys.argv[1:] or INSTANCES[cache]):
                    took = measure(server, instances)
                    pairs = [(took[SLOW][what], took[FAST][what]) for what in WHAT]
                    table.add_row(cache, f"{instances:,}", *(f"{slow:.3g} / {fast:.3g}" for slow, fast in pairs))
                    _, size, seconds, mapper, orthanc = [slow / max(fast, 1e-3) for slow, fast in pairs]
            server.clean()
        tell(
            f"{SERIES} x {instances // SERIES:,} instances read from Orthanc's database, DICOMweb's cache {cache}",
            f"{100 / size:.0f} % of the bytes of metadata, {seconds:.1f} times as fast; {mapper:.1f} times less CPU of "
            f"the mapper, {orthanc:.1f} times of Orthanc",
        )
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
