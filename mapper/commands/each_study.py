"""`convert --each-study`: every study of a folder, by processes or a cluster, in bounded memory."""

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from mapper.commands.outlet import Outlet
from mapper.commands.output import Record
from mapper.commands.progress import Progress
from mapper.commands.skips import Skips
from mapper.commands.tally import Tally
from mapper.convert import WORTH_A_POOL, Converted
from mapper.jobs.executors import crew_of
from mapper.jobs.of_files import OfFiles
from mapper.sources.file_index import FileIndex
from mapper.sources.files import files_under


def each_study(
    paths: Sequence[Path],
    processes: int | None,
    dask: str | None,
    out: Outlet,
    record: Record,
    progress: Progress,
    tally: Tally,
) -> None:
    """Write what every study becomes, and count in `tally`; raises Unreadable, SettingError, and as Outlet.put."""
    skipped = Skips(progress.say)
    with closing(FileIndex()) as index:
        files = index.add(files_under(map(absolute, paths) if dask else paths))
        with crew_of(1, processes_for(files) if processes is None else processes, dask) as crew:
            job = OfFiles(index, crew, out.make, skipped.one, out.already, progress.at)
            job.look(files)
            for study, made in job.studies():
                if isinstance(made, Converted):
                    out.put(made, study)
                    record(made.study_uid, made.problems)
                    tally.converted += 1
                else:
                    progress.say(made)
                    tally.left_out += 1
            tally.there = job.there
    skipped.all()


def absolute(path: Path) -> Path:
    """Return a path as workers of a cluster find it, who stand elsewhere."""
    return path.absolute()


def processes_for(files: int) -> int:
    """Return how many processes are worth their start."""
    workers = os.cpu_count() or 1
    return workers if files >= WORTH_A_POOL and workers > 1 else 0
