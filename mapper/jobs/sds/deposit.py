"""A dataset's DICOM goes into an Orthanc, which also keeps the dataset's identifiers of each study for the live path.

They are written with the first instance, before the study is stable, and looked for again after the last one:
overwriting the one instance of a study takes its metadata away.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from mapper.errors import AnswerTooLarge, SourceBusy
from mapper.fhir import systems
from mapper.http.target import Target
from mapper.jobs.sds.identified import identifiers
from mapper.records.sds.dataset import Dataset, DatasetStudy
from mapper.sources.orthanc.api import Api
from mapper.sources.orthanc.kept import kept_at, read, written

INSTANCES = Target("/instances")
UUID_LENGTH = 36


class Tags(Struct, frozen=True):
    """MainDicomTags of an instance, as far as anybody asks."""

    SOPInstanceUID: str = ""


class Held(Struct, frozen=True):
    """An instance of `/studies/{id}/instances`."""

    MainDicomTags: Tags = Tags()


class Stored(Struct):
    """What Orthanc says of an instance that it took."""

    ParentStudy: str


@dataclass
class Deposited:
    """What became of studies: instances sent, studies whose identifiers were written, and what Orthanc refused."""

    sent: int = 0
    there: int = 0
    kept: list[str] = field(default_factory=list)
    """StudyInstanceUIDs."""
    changed: list[str] = field(default_factory=list)
    """Those of studies that are to be synced: something was sent or written."""
    refused: dict[str, int] = field(default_factory=dict)
    """StudyInstanceUID -> instances."""
    replaced: list[str] = field(default_factory=list)
    """Identifiers of datasets that gave way: of this one by another name, or of this folder under another UUID."""


def deposit(
    dataset: Dataset, uuid: UUID, api: Api, progress: Callable[[int, int], None] = lambda done, total: None
) -> Deposited:
    """Send every instance that an Orthanc lacks, and have it keep the identifiers; raises SourceDown."""
    done = Deposited()
    total, at = sum(one.study.instances for one in dataset.studies), 0
    for study in dataset.studies:
        before = done.sent, len(done.kept)
        ids = list(dict.fromkeys(api.ids("Study", study.study.uid)))
        ours = identifiers(dataset, study, uuid)
        for id in ids:
            keep(api, id, ours, study.study.uid, done)
        for path in missing(api, ids, study, done):
            stored = send(api, path, study.study.uid, done)
            at += 1
            progress(at, total)
            if stored and stored not in ids:
                ids.append(stored)
                keep(api, stored, ours, study.study.uid, done)
        for id in ids:
            keep(api, id, ours, study.study.uid, done)
        if before != (done.sent, len(done.kept)):
            done.changed.append(study.study.uid)
    return done


def missing(api: Api, ids: Iterable[str], study: DatasetStudy, done: Deposited) -> Iterator[Path]:
    """Yield the files of the instances that Orthanc does not hold; an instance has one content for ever (PS3.5)."""
    held = {one.MainDicomTags.SOPInstanceUID for id in ids for one in instances(api, id)}
    for series in study.study.series:
        for instance in series.instances:
            if instance.uid in held:
                done.there += 1
            else:
                yield Path(instance.where)


def instances(api: Api, id: str) -> list[Held]:
    """Return the instances of a study; nothing where there are too many to be told: then all are sent."""
    try:
        return api.client.json("GET", Target("/studies/{study}/instances", id), list[Held]) or []
    except AnswerTooLarge:
        return []


def send(api: Api, path: Path, study_uid: str, done: Deposited) -> str | None:
    """Send one file; returns Orthanc's id of its study, None where it was refused."""
    try:
        stored = api.client.must("POST", INSTANCES, Stored, data=path.read_bytes())
    except (SourceBusy, OSError):
        done.refused[study_uid] = done.refused.get(study_uid, 0) + 1
        return None
    done.sent += 1
    return stored.ParentStudy


def keep(api: Api, id: str, ours: Iterable[tuple[str, str]], study_uid: str, done: Deposited) -> None:
    """Have Orthanc keep identifiers of a study beside those of other datasets; what is no list of them is replaced."""
    held = api.kept(id)
    try:
        before = read(held)
    except ValueError:
        before = ()
    others = [one for one in before if not is_replaced(one, ours)]
    wanted = written(sorted([*others, *ours]))  # in one order, whichever dataset came last
    if held == wanted:
        return
    with api.client.answer("PUT", kept_at(id), data=wanted.encode()):
        done.kept.append(study_uid)
    away = [value for system, value in before if (system, value) not in {*others, *ours}]
    done.replaced += [value for value in away if value not in done.replaced]


def is_replaced(one: tuple[str, str], ours: Iterable[tuple[str, str]]) -> bool:
    """Tell whether an identifier that is kept is one of ours, or names the same dataset by another UUID or name."""
    system, value = one
    for mine, new in ours:
        if one == (mine, new):
            return True
        if system == mine == systems.SPARC_DATASET:
            return value[:-UUID_LENGTH] == new[:-UUID_LENGTH] or value[-UUID_LENGTH:] == new[-UUID_LENGTH:]
    return False
