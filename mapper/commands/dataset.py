"""A dataset that a command is given: read with progress, checked, and written to where it should go."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from mapper.commands.output import Record, written
from mapper.commands.progress import Progress
from mapper.convert import pool_for
from mapper.errors import SettingError
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.check import check as fhir_check
from mapper.jobs.sds.apply import Applied, apply
from mapper.jobs.sds.plan import Part, parts
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.site import Site
from mapper.namespace import namespace_of
from mapper.records.sds.check import check
from mapper.records.sds.dataset import Dataset
from mapper.records.sds.finding import Finding
from mapper.records.sds.identity import dataset_uuid
from mapper.records.sds.profile import Profile, profile
from mapper.settings import OrthancSource, Settings
from mapper.sources.sds.reader import read_dataset
from mapper.wiring import fhir_server_of, site_of


@dataclass(frozen=True, slots=True)
class Checked:
    """A dataset, what was found of it, and its numbers."""

    dataset: Dataset
    findings: tuple[Finding, ...]
    profile: Profile

    def lines(self) -> Iterator[str]:
        """Yield the profile and the findings as people read them, the gravest first."""
        yield from self.profile.lines()
        yield from (f"{one.level}: {one}" for one in self.findings)

    def json(self) -> dict[str, Any]:
        """Return the same for programs."""
        told = [
            {"level": one.level, "code": one.code, "where": str(one.where), "reason": one.reason, "more": one.more}
            for one in self.findings
        ]
        return {**asdict(self.profile), "well": self.profile.well, "findings": told}


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a dataset: numbers, what the sink holds otherwise, studies that could not be written."""

    uuid: UUID
    applied: Applied
    left_out: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Tell whether every study was written."""
        return not self.left_out

    def lines(self) -> Iterator[str]:
        """Yield the same as people read it."""
        done = self.applied
        yield f"dataset {self.uuid}: {done.made} resources made, {done.changed} changed, {done.same} as they were"
        for (kind, id), elements in sorted(done.differ.items()):
            yield f"{kind}/{id} is there already and left alone; the dataset says otherwise: {', '.join(elements)}"
        yield from (f"study {uid} left out: nothing of it can be expressed in FHIR" for uid in self.left_out)

    def json(self) -> dict[str, Any]:
        """Return the same for programs."""
        done = self.applied
        differ = [{"resource": "/".join(key), "elements": elements} for key, elements in sorted(done.differ.items())]
        counted = {"made": done.made, "changed": done.changed, "same": done.same}
        return {"dataset_uuid": str(self.uuid), **counted, "differ": differ, "left_out": self.left_out}


def checked(path: Path) -> Checked:
    """Read and check a dataset; raises Unreadable and SettingError as the reader does."""
    with Progress("files") as progress, pool_for(sum(1 for _ in path.rglob("*"))) as pool:
        dataset = read_dataset(
            path, KEYWORDS, INSTANCE_KEYWORDS, document_keywords=DOCUMENT_KEYWORDS, pool=pool, progress=progress.at
        )
    findings = check(dataset)
    return Checked(dataset, findings, profile(dataset, findings))


def source_of(settings: Settings, name: str) -> OrthancSource:
    """Return the source of this name, the only one where none is named; raises SettingError."""
    known = {one.name: one for one in settings.all_sources}
    if name and name not in known:
        raise SettingError("--source: there is no source of this name in `sources`")
    if not name and len(known) > 1:
        raise SettingError("--source: there are several sources: say whose patients these are")
    return known[name] if name else next(iter(known.values()))


def site_of_files(settings: Settings, source: OrthancSource) -> Site:
    """Return a site's choices for studies that lie in files: they are to be had at no endpoint."""
    site = site_of(settings, source, namespace_of(settings))
    return site.model_copy(update={"dicomweb": None, "document_url": None})


def written_to(
    where: str, found: Checked, settings: Settings, source: str, given: UUID | None, record: Record, out: IO[bytes]
) -> Written:
    """Write a dataset; `record` is told of problems, `out` is standard output.

    Raises SettingError for a folder that is no dataset, and what its sink raises.
    """
    if not found.dataset.description.file:
        raise SettingError(f"{found.dataset.name}: no dataset_description lies here: name the folder in which it lies")
    uuid = dataset_uuid(found.dataset, given)
    left_out: list[str] = []

    def told(site: Site) -> Iterator[Part]:
        for part in parts(found.dataset, site, uuid):
            record(part.study_uid, part.problems)
            if part.study_uid and not part.resources:
                left_out.append(part.study_uid)
            else:
                yield part

    applied = WRITERS[where](told, settings, source_of(settings, source), out)
    return Written(uuid, applied, left_out)


Told = Callable[[Site], Iterator[Part]]


def to_lines(told: Told, settings: Settings, source: OrthancSource, out: IO[bytes]) -> Applied:
    """Write one transaction Bundle a line."""
    done = Applied()
    with written(out) as file:
        for part in told(site_of_files(settings, source)):
            fhir_check(part.resources)
            file.write(dump(transaction(part.resources, settings.fhir_public_url)) + b"\n")
            done.made += len(part.resources)
    return done


def to_fhir(told: Told, settings: Settings, source: OrthancSource, out: IO[bytes]) -> Applied:
    """Write to the FHIR server of the settings."""
    sink = fhir_server_of(settings)
    try:
        sink.probe()
        return apply(told(site_of_files(settings, source)), sink, fhir_check)
    finally:
        sink.close()


WRITERS: dict[str, Callable[[Told, Settings, OrthancSource, IO[bytes]], Applied]] = {"fhir": to_fhir, "-": to_lines}
"""Where a dataset may go -> what writes it there."""
