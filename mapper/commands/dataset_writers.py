"""Where a dataset may go: standard output, the FHIR server, an Orthanc; and what became of it there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID

from mapper.commands.marking import mark
from mapper.commands.output import Record, written
from mapper.commands.progress import Progress
from mapper.configuration import WrongArgument
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.check import check
from mapper.jobs.sds.apply import Applied, apply
from mapper.jobs.sds.deposit import Deposited, deposit
from mapper.jobs.sds.measured import measured
from mapper.jobs.sds.plan import Part, parts
from mapper.maps.site import Site
from mapper.namespace import namespace_of
from mapper.records.sds.dataset import Dataset
from mapper.settings import OrthancSource, Settings
from mapper.sources.sds.measurements import dump_measurements
from mapper.wiring import api_of, fhir_server_of, site_of


class Outcome(Protocol):
    """What became of a dataset."""

    @property
    def well(self) -> bool:
        """Whether all of it went where it should."""

    def lines(self) -> Iterator[str]:
        """Yield it as people read it."""

    def json(self) -> dict[str, Any]:
        """Return it for programs."""


@dataclass
class Job:
    """A dataset on its way; `record` is told of problems, `out` is standard output."""

    dataset: Dataset
    uuid: UUID
    settings: Settings
    source: OrthancSource
    record: Record
    out: IO[bytes]
    left_out: list[str] = field(default_factory=list)
    """StudyInstanceUIDs of studies that cannot be expressed in FHIR."""

    @property
    def site(self) -> Site:
        """The site's choices for studies that lie in files: they are to be had at no endpoint."""
        site = site_of(self.settings, self.source, namespace_of(self.settings))
        return site.model_copy(update={"dicomweb": None, "document_url": None})

    def parts(self) -> Iterator[Part]:
        """Yield the transactions of the dataset."""
        for part in parts(self.dataset, self.site, self.uuid):
            self.record(part.study_uid, part.problems)
            if part.resources:
                yield part
            else:
                self.left_out.append(part.study_uid)


@dataclass(frozen=True, slots=True)
class InFhir:
    """What became of a dataset in FHIR."""

    job: Job
    applied: Applied

    @property
    def well(self) -> bool:
        """Tell whether every study could be expressed."""
        return not self.job.left_out

    def lines(self) -> Iterator[str]:
        """Yield numbers, what is there and says otherwise, and what was left out."""
        done = self.applied
        yield f"dataset {self.job.uuid}: {done.made} resources made, {done.changed} changed, {done.same} as they were"
        for (kind, id), elements in sorted(done.differ.items()):
            yield f"{kind}/{id} is there already and left alone; the dataset says otherwise: {', '.join(elements)}"
        yield from (f"study {uid} left out: nothing of it can be expressed in FHIR" for uid in self.job.left_out)

    def json(self) -> dict[str, Any]:
        """Return the same for programs."""
        done = self.applied
        differ = [{"resource": "/".join(key), "elements": elements} for key, elements in sorted(done.differ.items())]
        counted = {"made": done.made, "changed": done.changed, "same": done.same}
        return {"dataset_uuid": str(self.job.uuid), **counted, "differ": differ, "left_out": self.job.left_out}


@dataclass(frozen=True, slots=True)
class InOrthanc:
    """What became of a dataset in Orthanc."""

    job: Job
    done: Deposited
    marked: bool

    @property
    def well(self) -> bool:
        """Tell whether Orthanc took every instance."""
        return not self.done.refused

    def lines(self) -> Iterator[str]:
        """Yield numbers, and what was refused."""
        done = self.done
        yield (
            f"dataset {self.job.uuid}: {done.sent} instances sent, {done.there} were there, identifiers written of "
            f"{len(done.kept)} studies"
        )
        if done.changed:
            how = "marked: a running `serve` syncs them" if self.marked else "no ledger here: `serve` finds them itself"
            yield f"{len(done.changed)} studies changed, {how}"
        yield from (f"study {uid}: Orthanc refused {number} instances" for uid, number in done.refused.items())

    def json(self) -> dict[str, Any]:
        """Return the same for programs."""
        done = self.done
        counted = {"sent": done.sent, "there": done.there, "kept": done.kept, "changed": done.changed}
        return {"dataset_uuid": str(self.job.uuid), **counted, "refused": done.refused, "marked": self.marked}


def source_of(settings: Settings, name: str) -> OrthancSource:
    """Return the source of this name, the only one where none is named; raises WrongArgument."""
    known = {one.name: one for one in settings.all_sources}
    if name and name not in known:
        raise WrongArgument("--source: there is no source of this name in `sources`")
    if not name and len(known) > 1:
        raise WrongArgument("--source: there are several sources: say whose patients these are")
    return known[name] if name else next(iter(known.values()))


def to_lines(job: Job) -> Outcome:
    """Write one transaction Bundle a line."""
    done = Applied()
    with written(job.out) as file:
        for part in job.parts():
            check(part.resources)
            file.write(dump(transaction(part.resources, job.settings.fhir_public_url)) + b"\n")
            done.made += len(part.resources)
    return InFhir(job, done)


def to_fhir(job: Job) -> Outcome:
    """Write to the FHIR server of the settings."""
    sink = fhir_server_of(job.settings)
    try:
        sink.probe()
        return InFhir(job, apply(job.parts(), sink, check))
    finally:
        sink.close()


def to_folder(job: Job, folder: Path) -> Outcome:
    """Write into a folder of NDJSON files."""
    from mapper.sinks.ndjson.sink import Ndjson

    sink = Ndjson(folder)
    try:
        return InFhir(job, apply(job.parts(), sink, check))
    finally:
        sink.close()


def to_orthanc(job: Job) -> Outcome:
    """Send to the Orthanc of the source, and mark what changed where there is a ledger."""
    with Progress("instances") as progress:
        done = deposit(job.dataset, job.uuid, api_of(job.source, job.settings), progress.at)
    return InOrthanc(job, done, mark(job.settings, job.source.name, done.changed))


def to_measurements(job: Job) -> Outcome:
    """Write measurements.json as fhir-cda does."""
    found = measured(job.dataset, [one for part in job.parts() for one in part.resources])
    with written(job.out) as file:
        file.write(dump_measurements(found) + b"\n")
    return InFhir(job, Applied())


WRITERS: Mapping[str, Callable[[Job], Outcome]] = {
    "fhir": to_fhir,
    "orthanc": to_orthanc,
    "measurements": to_measurements,
    "-": to_lines,
}
"""Where a dataset may go -> what writes it there."""
STDOUT = frozenset({"-", "measurements"})
"""Those that write to standard output, and so say nothing else there."""
