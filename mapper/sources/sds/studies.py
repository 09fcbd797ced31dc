"""The DICOM files of a dataset, put together by their headers, never by their folders."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from mapper.dicom.collector import Collector
from mapper.dicom.study import Study
from mapper.errors import NotOneStudy, TwoPatients
from mapper.records.sds.finding import WHOLE, Findings, Where
from mapper.sources.files import CHUNK, Skipped, collect
from mapper.sources.sds.kinds import image_format, may_be_dicom
from mapper.sources.sds.tree import Tree

Progress = Callable[[int, int], None]
NEEDED = ("PatientID", "PatientSex", "PatientAge", "PatientBirthDate", "PatientSpeciesDescription", "Laterality")
"""What is compared with the sheets, whatever else is read."""
REASONS = {
    "a DICOMDIR": "dicomdir",
    "a DICOM file without StudyInstanceUID": "no-study-uid",
    "not a file": "no-file",
}
"""How the reason of a skipped file begins -> the finding."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of each file: attributes of series, instances and documents, by a pool or here; who is told."""

    keywords: Iterable[str]
    instance_keywords: Iterable[str]
    document_keywords: Iterable[str]
    pool: Executor | None
    progress: Progress


def collected(tree: Tree, wanted: Wanted, findings: Findings) -> tuple[Collector, dict[str, int]]:
    """Return the studies of the dataset's files, and its images that are no DICOM, counted."""
    images: Counter[str] = Counter()
    candidates: list[str] = []
    for file in tree.files:
        if may_be_dicom(tree.path(file)):
            candidates.append(file)
        elif kind := image_format(file):
            images[kind] += 1
    collector = Collector()
    paths = [tree.path(file) for file in candidates]
    keywords = {*wanted.keywords, *NEEDED}
    done = 0
    for so_far, skipped in collect(paths, keywords, wanted.instance_keywords, wanted.pool, wanted.document_keywords):
        collector = so_far
        chunk = candidates[done : done + CHUNK]
        for one in skipped:
            code, file = told(one, tree, chunk)
            findings.add(code, Where(file))
        done += len(chunk)
        wanted.progress(done, len(candidates))
    if not collector.study_uids:
        findings.add("no-dicom", WHOLE)
    if collector.strays:
        findings.add("no-study-uid", Where(f"{collector.strays} files"))
    return collector, dict(sorted(images.items()))


def told(skipped: Skipped, tree: Tree, chunk: Iterable[str]) -> tuple[str, str]:
    """Return the finding of a skipped file, and which it is."""
    file = next((file for file in chunk if skipped.startswith(f"{tree.path(file)}: ")), "")
    reason = skipped.removeprefix(f"{tree.path(file)}: ")
    return next((code for begin, code in REASONS.items() if reason.startswith(begin)), "not-dicom"), file


def studies(collector: Collector, findings: Findings) -> Iterator[Study]:
    """Yield each study in the order of StudyInstanceUID; one that cannot be one is a finding."""
    for study_uid in collector.study_uids:
        try:
            yield collector.study(study_uid)
        except TwoPatients:
            findings.add("two-patients", Where(f"study {study_uid}"))
        except NotOneStudy:
            findings.add("no-instances", Where(f"study {study_uid}"))
