"""ResearchSubject <- a row of subjects: that this Patient is that subject of the dataset (FHIR R4 ResearchSubject)."""

from dataclasses import dataclass
from typing import Any

from mapper.maps import dataset_keys, engine
from mapper.maps.research.cells import Research, cell, of_row
from mapper.maps.rule import MUST, Made
from mapper.maps.values.text import text
from mapper.records.sds.row import Subject


@dataclass
class OfSubject(Research):
    """What a converter may know of a subject beside its values; `patient` is the id of its Patient."""

    subject: str = ""
    patient: str = ""


def subject_id(cx: OfSubject) -> str:
    """The dataset's UUID and the subject's id in it -> id."""
    return cx.id(*dataset_keys.research_subject(cx.known[1], cx.subject))


def identifier(cx: OfSubject, value: Any) -> list[dict[str, str]]:
    """Cell `subject id` -> Identifier, unique within the dataset."""
    return [{"system": dataset_keys.system(cx.site.base, "subject", cx.known[1]), "value": cx.subject}]


def status(cx: OfSubject) -> str:
    """A dataset does not say that a subject left its study: on-study (docs/decisions/0015-datasets.md)."""
    return "on-study"


def study(cx: OfSubject) -> dict[str, str]:
    """The dataset -> Reference to its ResearchStudy."""
    return {"reference": f"ResearchStudy/{cx.id(*dataset_keys.research_study(cx.known[1]))}"}


def individual(cx: OfSubject) -> dict[str, str]:
    """The Patient of the subject's images, else the subject's own -> Reference."""
    return {"reference": f"Patient/{cx.patient}"}


# fmt: off
RULES = (
    #    FHIR element                  cells of subjects             by
    cell("ResearchSubject.id",          "",                           subject_id, MUST),
    cell("ResearchSubject.identifier",  "subject id",                 identifier),
    cell("ResearchSubject.status",      "",                           status, MUST),
    cell("ResearchSubject.study",       "",                           study, MUST),
    cell("ResearchSubject.individual",  "",                           individual, MUST),
    cell("ResearchSubject.assignedArm", "subject experimental group", text),
)
# fmt: on


def research_subject(cx: Research, subject: Subject, patient: str) -> Made:
    """Return the ResearchSubject of a subject whose Patient has this id."""
    of_subject = OfSubject(
        cx.site, cx.study, problems=cx.problems, dataset=cx.dataset, uuid=cx.uuid, subject=subject.id, patient=patient
    )
    return engine.resource(RULES, of_subject, of_row(subject), "ResearchSubject")
