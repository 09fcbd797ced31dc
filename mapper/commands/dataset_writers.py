"""Where a dataset may go: standard output, the FHIR server, an Orthanc."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from uuid import UUID

from mapper.commands.dataset_outcome import InFhir, InOrthanc, Outcome
from mapper.commands.marking import mark
from mapper.commands.output import Record, written
from mapper.commands.progress import Progress
from mapper.configuration import WrongArgument
from mapper.errors import SettingError
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.check import check
from mapper.jobs.sds.apply import Applied, Named, apply
from mapper.jobs.sds.deposit import deposit
from mapper.jobs.sds.gone import gone, removed
from mapper.jobs.sds.measured import measured
from mapper.jobs.sds.plan import Part, parts
from mapper.jobs.sds.twin import known
from mapper.jobs.sds.writer import Writer
from mapper.maps.site import Site
from mapper.namespace import namespace_of
from mapper.records.sds.dataset import Dataset
from mapper.settings import OrthancSource, Settings
from mapper.sources.sds.measurements import dump_measurements
from mapper.wiring import api_of, fhir_server_of, site_of

MEASUREMENTS = "measurements"
"""The file of fhir-cda, printed."""


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
    given: bool = False
    """The UUID is a person's word."""
    correct: bool = False
    """What an earlier run wrote is to be brought in line where others may write too."""
    prune: bool = False
    """What FHIR has of the dataset and the dataset no longer says is to be removed."""

    @property
    def site(self) -> Site:
        """The site's choices for studies that lie in files: they are to be had at no endpoint."""
        site = site_of(self.settings, self.source, namespace_of(self.settings))
        return site.model_copy(update={"dicomweb": None, "document_url": None})

    @property
    def writer(self) -> Writer:
        """The dataset as it signs what it writes."""
        return Writer(self.site.base, self.uuid, self.correct)

    def parts(self) -> Iterator[Part]:
        """Yield the transactions of the dataset."""
        for part in parts(self.dataset, self.site, self.uuid):
            self.record(part.study_uid, part.problems)
            if part.resources:
                yield part
            else:
                self.left_out.append(part.study_uid)


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
    return InFhir(str(job.uuid), done, job.left_out)


def to_fhir(job: Job) -> Outcome:
    """Write to the FHIR server of the settings, and remove there what the dataset no longer says if that is asked."""
    sink = fhir_server_of(job.settings)
    try:
        sink.probe()
        done = in_sink(job, sink)
        if job.prune and not done.left_out:
            done.removed, done.referred = removed(sink, done.gone)
        return done
    finally:
        sink.close()


def to_folder(job: Job, folder: Path) -> Outcome:
    """Write into a folder of NDJSON files."""
    from mapper.jobs.into_folder import into_folder
    from mapper.sinks.ndjson.sink import Ndjson

    sink = Ndjson(folder)
    try:
        into_folder(sink, job.site).guard()
        return in_sink(job, sink)
    finally:
        sink.close()


def in_sink(job: Job, sink: Named) -> InFhir:
    """Write to a sink; raises SettingError where the dataset may stand there under another UUID."""
    before = known(job.dataset, job.uuid, job.site, sink)
    if before.twins and not job.given:
        raise SettingError(
            "FHIR holds a dataset of this folder's name, title or DOI under another UUID, and nothing was written: "
            f"{' or '.join(f'--dataset-uuid {uuid}' for uuid in before.twins)} goes on with it (from now on in every "
            f"run), --dataset-uuid {job.uuid} makes a second one"
        )
    if job.prune and (before.renamed or before.retitled):
        raise SettingError(
            "FHIR holds this dataset by another name of its folder or another title, and nothing was written or "
            "removed: write it without --prune first, and see that it is the same dataset"
        )
    applied = apply(job.parts(), sink, check, job.writer)
    return InFhir(str(job.uuid), applied, job.left_out, gone(sink, applied.said, job.writer), renamed=before.renamed)


def to_orthanc(job: Job) -> Outcome:
    """Send to the Orthanc of the source, and mark what changed where there is a ledger."""
    with Progress("instances") as progress:
        done = deposit(job.dataset, job.uuid, api_of(job.source, job.settings), progress.at)
    unsaid = [cell for part in parts(job.dataset, job.site, job.uuid) for cell in part.filled]
    return InOrthanc(str(job.uuid), done, mark(job.settings, job.source.name, done.changed), unsaid)


def to_measurements(job: Job) -> Outcome:
    """Write measurements.json as fhir-cda does."""
    found = measured(job.dataset, [one for part in job.parts() for one in part.resources])
    with written(job.out) as file:
        file.write(dump_measurements(found) + b"\n")
    return InFhir(str(job.uuid), Applied(), job.left_out)


WRITERS: Mapping[str, Callable[[Job], Outcome]] = {
    "fhir": to_fhir,
    "orthanc": to_orthanc,
    MEASUREMENTS: to_measurements,
    "-": to_lines,
}
"""Where a dataset may go -> what writes it there."""
STDOUT = frozenset({"-", MEASUREMENTS})
"""Those that write to standard output, and so say nothing else there."""
