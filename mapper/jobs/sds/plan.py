"""A dataset -> the transactions that say it in FHIR: one a study, the newest first, then what it says beside them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from mapper.dicom.study import Study
from mapper.errors import NotOneStudy, Problem
from mapper.fhir.bundle import as_entries
from mapper.fhir.resource import Key, key_of
from mapper.jobs.sds.identified import identified
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.research.cells import Research
from mapper.maps.research.dataset import of_dataset
from mapper.maps.research.patient import fill
from mapper.maps.rule import Made
from mapper.maps.site import Site
from mapper.records.sds.dataset import Dataset, DatasetStudy

NOTHING = Problem("ImagingStudy", "", "no series of the study can be expressed in FHIR: the study is left out")


@dataclass(frozen=True, slots=True)
class Part:
    """One transaction, of a study or (without a UID) of the dataset itself; what was dropped or doubted of it."""

    study_uid: str
    resources: list[Made]
    problems: list[Problem] = field(default_factory=list)


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
    for study, found in mapped:
        cx = Research(site, study.study, dataset=dataset, uuid=uuid)
        for patient in (one for one in found.resources if one["resourceType"] == "Patient"):
            if study.subject:
                patients.setdefault(study.subject, patient["id"])
            if subject := dataset.lineage.subjects.get(study.subject or ""):
                fill(cx, patient, subject)
        new = [one for one in found.resources if key_of(one) not in said]
        said.update(map(key_of, new))
        yield Part(study.study.uid, new, [*found.problems, *cx.problems])
    cx = Research(site, Study("", ()), dataset=dataset, uuid=uuid)
    own = {key_of(one): one for one in of_dataset(cx, patients)}
    yield Part("", as_entries(one for key, one in own.items() if key not in said), list(cx.problems))
