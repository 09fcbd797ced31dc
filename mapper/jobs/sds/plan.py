"""A dataset -> the transactions that say it in FHIR: one a study, the newest first, then what it says beside them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from mapper.dicom.study import Study
from mapper.errors import NotOneStudy, Problem
from mapper.fhir.bundle import as_entries
from mapper.fhir.resource import Key, key_of
from mapper.jobs.sds.identified import identified
from mapper.jobs.sds.writer import Writer
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.research.cells import Research
from mapper.maps.research.dataset import of_dataset
from mapper.maps.research.patient import fill
from mapper.maps.rule import Made
from mapper.maps.site import Site
from mapper.records.sds.dataset import Dataset, DatasetStudy
from mapper.records.sds.finding import Where
from mapper.records.sds.row import Subject

NOTHING = Problem("ImagingStudy", "", "no series of the study can be expressed in FHIR: the study is left out")


@dataclass(frozen=True, slots=True)
class Part:
    """One transaction, of a study or (without a UID) of the dataset itself; what was dropped or doubted of it."""

    study_uid: str
    resources: list[Made]
    problems: list[Problem] = field(default_factory=list)
    rows: Mapping[Key, Subject] = field(default_factory=dict)
    """The row of the subject that a Patient is."""
    filled: Sequence[Where] = ()
    """Cells that say of a Patient what no header of its images says."""


def parts(dataset: Dataset, site: Site, uuid: UUID) -> Iterator[Part]:
    """Yield the transactions of a dataset; of what several studies share the newest study speaks, as ever."""
    mapped: list[tuple[DatasetStudy, Mapped]] = []
    for study in dataset.studies:
        try:
            mapped.append((study, study_to_fhir(identified(dataset, study, uuid), site)))
        except NotOneStudy:
            yield Part(study.study.uid, [], [NOTHING])
    mapped.sort(key=lambda one: (one[1].rank, one[0].study.uid), reverse=True)
    patients: dict[str, str] = {}
    said: set[Key] = set()
    writer = Writer(site.base, uuid)
    for study, found in mapped:
        cx = Research(site, study.study, dataset=dataset, uuid=uuid)
        rows: dict[Key, Subject] = {}
        filled: list[Where] = []
        for patient in (one for one in found.resources if one["resourceType"] == "Patient"):
            if study.subject:
                patients.setdefault(study.subject, patient["id"])
            if subject := dataset.lineage.subjects.get(study.subject or ""):
                filled += fill(cx, patient, subject)
                rows[key_of(patient)] = subject
        new = [one for one in found.resources if key_of(one) not in said]
        spoken = not said.isdisjoint(rows)  # a newer study of this patient has said so
        said.update(map(key_of, new))
        signed(new, writer)
        yield Part(study.study.uid, new, [*found.problems, *cx.problems], rows, () if spoken else filled)
    cx = Research(site, Study("", ()), dataset=dataset, uuid=uuid)
    own = {key_of(one): one for one in of_dataset(cx, patients)}
    beside = as_entries(one for key, one in own.items() if key not in said)
    signed(beside, writer)
    of_own = {key_of(one): row for one in beside if (row := dataset.lineage.subjects.get(subject_of(one)))}
    yield Part("", beside, list(cx.problems), of_own)


def signed(resources: Iterable[Made], writer: Writer) -> None:
    """Sign what others write too."""
    for one in resources:
        writer.sign(one)


def subject_of(resource: Made) -> str:
    """Return whose Patient without images it is, empty for all else."""
    return str(resource["identifier"][0]["value"]) if resource["resourceType"] == "Patient" else ""
