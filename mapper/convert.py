"""Files or metadata of one study -> transaction Bundle, without any server."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from mapper.bug import unexpected
from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.dicom.study import Study
from mapper.errors import BundleRejected, MapperError, NotOneStudy, Problem, TwoPatients
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.check import check
from mapper.fhir.contained import containing
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, Mapped, study_to_fhir
from mapper.maps.site import Site

if TYPE_CHECKING:
    from concurrent.futures import Executor, ProcessPoolExecutor

    from mapper.sources.files import Skipped

T = TypeVar("T")
WORTH_A_POOL = 256
"""Files from which on several processes read faster than one."""


Failure = BundleRejected | NotOneStudy | TwoPatients
"""Why one study fits no FHIR."""


@dataclass(frozen=True, slots=True)
class Converted:
    """One study as JSON bytes (a transaction Bundle or one ImagingStudy), and what was dropped or doubted."""

    study_uid: str
    json: bytes
    problems: list[Problem]
    mapped: Mapped | None = None
    """Its resources, where they are wanted instead of JSON."""


def convert(study: Study, site: Site, contained: bool = False) -> Converted:
    """Return one study as a transaction Bundle, or as one ImagingStudy that contains what it refers to.

    Raises NotOneStudy when nothing of it fits FHIR, BundleRejected when our own check refuses the result.
    """
    if contained:
        mapped = study_to_fhir(study, site)
        check([made := containing(mapped.resources)])
    else:
        mapped = checked(study, site)
        made = transaction(mapped.resources, site.fhir_public_url)
    return Converted(study.uid, dump(made), mapped.problems)


@dataclass(frozen=True, slots=True)
class Make:
    """What is made of a study for a site: a Bundle, one ImagingStudy, or its resources; a process can be sent it."""

    site: Site
    form: Literal["bundle", "contained", "resources"] = "bundle"

    def __call__(self, study: Study) -> Converted:
        """Return what one study becomes; raises as `convert`."""
        if self.form == "resources":
            mapped = checked(study, self.site)
            return Converted(study.uid, b"", mapped.problems, mapped)
        return convert(study, self.site, self.form == "contained")


@cache
def reader() -> Reader:
    """Return what reads metadata for the tables: it is made once."""
    return Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS)


def checked(study: Study, site: Site) -> Mapped:
    """Return the resources of one study that may be sent; raises as `convert`."""
    mapped = study_to_fhir(study, site)
    check(mapped.resources)
    return mapped


def bundle_from_metadata(metadata: bytes, site: Site | None = None) -> bytes:
    """Return the transaction Bundle of one study's WADO-RS metadata (a JSON list of data sets).

    Raises NotOneStudy (a ValueError) when it holds no study or several, BadMetadata when it is not DICOM JSON,
    BundleRejected when our own check refuses the result.
    """
    collector = Collector()
    reader().read(metadata, collector)
    return convert(collector.only_study(), site or Site()).json


def read_folders(
    paths: Iterable[Path],
    skip: "Callable[[Skipped], None]",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Collector:
    """Read every DICOM file under the paths; `skip` is told of each other file, `progress` of files done.

    Raises Unreadable when a folder cannot be read.
    """
    from mapper.sources.files import CHUNK, Skipped, collect, files_under

    files = list(files_under(paths))
    collector = Collector()
    done = 0
    with pool_for(len(files)) as pool:
        for collected, skipped in collect(files, KEYWORDS, INSTANCE_KEYWORDS, pool, DOCUMENT_KEYWORDS):
            collector = collected
            for one in skipped:
                skip(one)
            done = min(done + CHUNK, len(files))
            progress(done, len(files))
    if collector.strays:
        skip(Skipped(f"{collector.strays} DICOM files without a StudyInstanceUID are left out"))
    return collector


def pool_for(files: int) -> "ProcessPoolExecutor | nullcontext[Executor | None]":
    """Return a pool of processes where it pays, else nothing."""
    workers = os.cpu_count() or 1
    if files < WORTH_A_POOL or workers < 2:
        return nullcontext(None)
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def each_study(collector: Collector, make: Callable[[Study], T]) -> Iterator[T | Failure]:
    """Yield what is made of every study, in the order of StudyInstanceUID; one that fits no FHIR as its failure.

    One at which something fails that nobody expects is a failure too, and the others go on.
    """
    for study_uid in collector.study_uids:
        try:
            yield make(collector.study(study_uid))
        except (BundleRejected, NotOneStudy, TwoPatients) as failure:
            yield failure
        except MapperError:
            raise
        except Exception as bug:
            yield BundleRejected(f"study {study_uid} is left out: {unexpected(bug)}")
