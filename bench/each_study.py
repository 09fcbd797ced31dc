"""How fast `convert --each-study` is, and how flat its memory: many small studies whose files are scattered.

uv run python -m bench.each_study
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mapper.convert import Converted, Make
from mapper.jobs.executors import crew_of
from mapper.jobs.of_files import OfFiles
from mapper.maps.site import Site
from mapper.sources.file_index import FileIndex
from mapper.sources.files import files_under
from samples.dataset import part10
from tests.support.part10 import instance

STUDIES = int(os.environ.get("BENCH_STUDIES", "10000"))
FILES = 2
"""Files of a study: each lies in a folder of its own."""
LOOKS = 10


def scatter(folder: Path) -> None:
    """Write the studies."""
    for number in range(STUDIES):
        for one in range(1, FILES + 1):
            place = folder / str(one) / str(number % 100)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.dcm").write_bytes(part10(instance(f"1.2.{number}", one, PatientID=f"P{number // 4}")))


def resident() -> Iterator[float]:
    """Yield the megabytes of this process, and of the largest of those that read for it (proc(5))."""
    children = " ".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split()
    yield megabytes("self")
    yield max(map(megabytes, children), default=0.0)


def megabytes(process: str) -> float:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def curve(folder: Path, processes: int) -> Table:
    """Return memory and rate after each tenth of both passes."""
    title = f"{STUDIES} studies of {FILES} files, {processes} processes"
    table = Table(title, "MB here", "MB of the largest reader", "a second so far", box=None)
    began, seen = time.monotonic(), ""
    next_look = 0

    def look(done: int, total: int, things: str) -> None:
        nonlocal began, seen, next_look
        if things != seen:
            began, seen, next_look = time.monotonic(), things, total // LOOKS
        if done >= next_look:
            next_look += total // LOOKS
            rate = done / max(time.monotonic() - began, 1e-9)
            table.add_row(f"{done} {things}", *(f"{one:.0f}" for one in resident()), f"{rate:.0f}")

    with closing(FileIndex()) as index, crew_of(1, processes) as crew:
        files = index.add(files_under([folder]))
        job = OfFiles(index, crew, Make(Site()), lambda skipped: None, progress=look)
        job.look(files)
        assert sum(isinstance(made, Converted) for _, made in job.studies()) == STUDIES
    return table


def main() -> None:
    """Print the curves."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        scatter(Path(folder))
        for processes in (1, 2):
            console.print(curve(Path(folder), processes))


if __name__ == "__main__":
    main()
