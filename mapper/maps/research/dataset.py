"""Everything that a dataset says beside its studies, as FHIR resources."""

from collections.abc import Iterator, Mapping

from mapper.maps.research.cells import Research
from mapper.maps.research.contributor import practitioner
from mapper.maps.research.group import groups
from mapper.maps.research.measurement import measurements
from mapper.maps.research.patient import own_patient
from mapper.maps.research.research_study import research_study
from mapper.maps.research.research_subject import research_subject
from mapper.maps.rule import Made
from mapper.records.sds.row import Sheet, Subject

POPULATION = "pop-"
"""How the id of a population begins: it is a Group, no Patient."""


def of_dataset(cx: Research, patients: Mapping[str, str]) -> Iterator[Made]:
    """Yield what a dataset says; `patients` is the id of a subject's Patient by its images, by the subject's id."""
    dataset, _ = cx.known
    for contributor in dataset.description.contributors:
        if (made := practitioner(cx, contributor)) is not None:
            yield made
    known = dict(patients)
    for subject in dataset.subjects:
        if subject.id not in known and not subject.id.startswith(POPULATION):
            own = own_patient(cx, subject)
            known[subject.id] = own["id"]
            yield own
    grouped = list(groups(cx, known))
    yield from grouped
    study = research_study(cx)
    if grouped:
        study["enrollment"] = [{"reference": f"Group/{one['id']}"} for one in grouped]
    yield study
    rows = {row.id: row for row in dataset.subjects}
    for subject in (rows.get(id) or without_row(id) for id in known):
        yield research_subject(cx, subject, known[subject.id])
    yield from measurements(cx, known)


def without_row(subject: str) -> Subject:
    """Return a subject that folders or manifests name and no sheet has."""
    return Subject(Sheet("", {}), 0, {"subject id": subject}, {})
