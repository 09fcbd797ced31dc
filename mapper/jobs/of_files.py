"""Studies of files in folders, by a crew, in two passes: whose is each file, then study by study.

A study's files may lie anywhere, so no study is whole before all files are known. What is kept of each until then is
its path, on disk (mapper.sources.file_index); the files of a study are read when its turn comes. So memory is bounded
by a few studies, and each file is opened twice.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from mapper.bug import unexpected
from mapper.convert import Converted, Make, each_study
from mapper.dicom.collector import Collector, identity
from mapper.dicom.item import Item
from mapper.errors import MapperError, SettingError, SourceBusy, Unreadable
from mapper.jobs.executors import Crew
from mapper.jobs.in_order import in_order
from mapper.jobs.reading import portable
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.sources.file_index import FileIndex, StudyFiles
from mapper.sources.files import CHUNK, NO_FILE, Denied, Skipped, collect, read_file

STUDY = ("StudyInstanceUID", "SpecificCharacterSet")
"""What the first pass reads."""
KILLED = "the process that read these files was killed, each time anew: is there memory enough?"

NOTHING_LEFT = "none of its files can be read in full, or they went meanwhile"


@dataclass(frozen=True, slots=True)
class Whose:
    """Of which study a file is (None: a DICOM file that names none), its size and time; or why it is none of ours."""

    study_uid: str | None = None
    moved: str = ""
    why_not: str = ""


def whose(chunk: list[tuple[int, str]]) -> list[Whose]:
    """Return of which study each file is, by number and path; raises Unreadable when one may not be opened."""
    return [_whose(path) for _, path in chunk]


def _whose(path: str) -> Whose:
    try:
        elements = read_file(path, STUDY)
    except Exception as bug:
        return Whose(why_not=unexpected(bug))
    if isinstance(elements, Denied):
        raise Unreadable(f"{path}: the file cannot be read ({elements})")
    if isinstance(elements, str):
        return Whose(why_not=elements)
    try:
        there = os.stat(path)
    except FileNotFoundError:  # it went meanwhile
        return Whose(why_not=NO_FILE)
    return Whose(identity(Item(elements), "StudyInstanceUID"), f"{there.st_size} {there.st_mtime_ns}")


@dataclass(frozen=True, slots=True)
class Order:
    """One study that is to be made of files."""

    study: StudyFiles
    make: Make


@dataclass(frozen=True, slots=True)
class Done:
    """What a study's files became, or why nothing; and files that are left out."""

    made: Converted | None = None
    failure: str = ""
    skipped: list[str] = field(default_factory=list)


def done(order: Order) -> Done:
    """Return what the files of a study become; raises Unreadable when a file may not be opened."""
    skipped: list[str] = []
    try:
        return _done(order, skipped)
    except MapperError:
        raise
    except Exception as bug:
        return Done(failure=f"study {order.study.study_uid} is left out: {unexpected(bug)}", skipped=skipped)


def _done(order: Order, skipped: list[str]) -> Done:
    collector = Collector()
    for collected, left_out in collect(order.study.paths, KEYWORDS, INSTANCE_KEYWORDS, None, DOCUMENT_KEYWORDS):
        collector = collected
        skipped += left_out
    for found in each_study(collector, order.make):
        if not isinstance(found, Converted):
            return Done(failure=str(found), skipped=skipped)
        if found.mapped:
            mapped = replace(found.mapped, resources=[portable(one) for one in found.mapped.resources])
            found = replace(found, mapped=mapped)
        return Done(found, skipped=skipped)
    return Done(failure=f"study {order.study.study_uid} is left out: {NOTHING_LEFT}", skipped=skipped)


@dataclass
class OfFiles:
    """Makes something of every study of the files of an index."""

    index: FileIndex
    crew: Crew
    make: Make
    skip: Callable[[Skipped], object]
    """Told of each file that is left out, and why."""
    already: Callable[[StudyFiles], bool] = lambda study: False
    """Whether a study needs nothing more."""
    progress: Callable[[int, int, str], object] = lambda done, total, things: None
    """Told how many files, then how many studies are done."""
    there: int = field(default=0, init=False)
    """Studies that needed nothing more."""

    def look(self, files: int) -> None:
        """Find out of which study each file is; raises Unreadable, and SettingError where workers do not see a file."""
        strays = looked_at = 0
        for chunk, found in in_order(self.crew, whose, self.index.chunks(CHUNK)):
            if isinstance(found, SourceBusy):
                raise Unreadable(f"{chunk[0][1]} to {chunk[-1][1]}: {KILLED}")
            if isinstance(found, MapperError):
                raise found
            for (number, path), one in zip(chunk, found, strict=True):
                if one.why_not:
                    self._left_out(f"{path}: {one.why_not}")
                elif one.study_uid is None:
                    strays += 1
                else:
                    self.index.say(number, one.study_uid, one.moved)
            looked_at += len(chunk)
            self.progress(looked_at, files, "files")
        if strays:
            self.skip(Skipped(f"{strays} DICOM files without a StudyInstanceUID are left out"))

    def _left_out(self, skipped: str) -> None:
        path = skipped.removesuffix(f": {NO_FILE}")
        if path != skipped and os.path.isfile(path):
            raise SettingError(f"--dask: a worker does not see {path}: workers need the folders at the same place")
        self.skip(Skipped(skipped))

    def studies(self) -> Iterator[tuple[StudyFiles, Converted | str]]:
        """Yield what every study that needs it became, or why it cannot, in the order of StudyInstanceUID.

        Raises as `look`.
        """
        total = self.index.count()
        for number, (order, found) in enumerate(in_order(self.crew, done, self._orders()), 1):
            if isinstance(found, SourceBusy):
                yield order.study, f"study {order.study.study_uid} is left out: {KILLED}"
            elif isinstance(found, MapperError):
                raise found
            else:
                for one in found.skipped:
                    self._left_out(one)
                yield order.study, found.made or found.failure
            self.progress(number + self.there, total, "studies")

    def _orders(self) -> Iterator[Order]:
        for study in self.index.studies():
            if self.already(study):
                self.there += 1
            else:
                yield Order(study, self.make)
