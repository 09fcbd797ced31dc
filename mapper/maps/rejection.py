"""What rejection notes take out of a study: key object selections that say that instances should not be used.

A note acts on its own study only, for as long as the archive holds it. Source: IHE RAD TF-2 4.66 (Imaging Object Change
Management), PS3.16 CID 7010. Data Retention Policy Expired (113039) says nothing against the instances: no effect.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mapper.dicom.collector import identity
from mapper.dicom.documents import KEY_OBJECTS
from mapper.dicom.sr.reference import Reference
from mapper.dicom.study import Instance, Study
from mapper.errors import Problem
from mapper.maps.report import Report
from mapper.maps.values.concepts import INCORRECT_WORKLIST, REJECTED_QUALITY, REJECTED_SAFETY, Concept

REJECTING = (REJECTED_QUALITY, REJECTED_SAFETY, INCORRECT_WORKLIST)
"""Titles that take instances out of use."""
IN_ERROR = (REJECTED_SAFETY, INCORRECT_WORKLIST)
"""Those that, said of a whole study, mean that there should be no such study."""
ELSEWHERE = Problem(
    "ImagingStudy.series.instance",
    "CurrentRequestedProcedureEvidenceSequence",
    "a rejection note names instances of another study: it acts on its own study only",
)


SPEAKS = Problem(
    "ImagingStudy.series",
    "CurrentRequestedProcedureEvidenceSequence",
    "a rejection note names the first instance of a series: the series is told by it all the same",
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """What the rejection notes of a study say together."""

    study: Study
    """The study without what they reject; a series of which nothing is left is none."""
    in_error: bool = False
    """Whether nothing is left beside key objects, and a note says that the study should not exist."""
    problems: tuple[Problem, ...] = ()
    rejected: frozenset[str] = frozenset()
    """UIDs of the instances that are left out, and of the series of which nothing is left."""
    words: str = ""
    """How many instances are left out and why, empty where none is."""


@dataclass(frozen=True, slots=True)
class Note:
    """One rejection note: its title, its own UID, and the instances that it names in its study and elsewhere."""

    title: Concept
    uid: str
    rejected: frozenset[str]
    elsewhere: bool


def rejection(study: Study) -> Rejection:
    """Return a study as its rejection notes leave it; one without any is the same."""
    notes = list(notes_of(study))
    problems = [ELSEWHERE] if any(one.elsewhere for one in notes) else []
    rejected = frozenset().union(*(one.rejected for one in notes)).difference(one.uid for one in notes)
    in_error = is_in_error(study, notes)
    held = frozenset(one.uid for series in study.series for one in series.instances if one.uid in rejected)
    if not held:
        return Rejection(study, in_error, tuple(problems))
    lessened = (
        replace(one, instances=tuple(each for each in one.instances if each.uid not in held)) for one in study.series
    )
    left = replace(study, series=tuple(one for one in lessened if one.count))
    gone = {one.uid for one in study.series} - {one.uid for one in left.series}
    if any(one.instances and one.instances[0].uid in held for one in study.series if one.uid not in gone):
        problems.append(SPEAKS)
    titles = [one for one in REJECTING if any(one is note.title and note.rejected & held for note in notes)]
    words = f"{len(held)} rejected: {', '.join(map(str, titles))}"
    return Rejection(left, in_error, tuple(problems), held | gone, words)


def is_in_error(study: Study, notes: list[Note]) -> bool:
    """Tell whether notes that say that there should be no such study name all that it holds beside key objects."""
    named = frozenset().union(*(one.rejected for one in notes if one.title in IN_ERROR))
    if not named or study.unlisted or any(series.unlisted for series in study.series):
        return False
    instances = (one for series in study.series for one in series.instances)
    return all(one.uid in named for one in instances if not is_key_object(one))


def notes_of(study: Study) -> Iterator[Note]:
    """Yield the rejection notes of a study."""
    for instance in (one for series in study.series for one in series.instances):
        if instance.document is None or not is_key_object(instance):
            continue
        report = Report(instance)
        title = next((one for one in REJECTING if report.tree.root.means(one.pair)), None)
        if title:
            own = {one.instance for one in report.evidence if one.study == study.uid}
            other = {one.instance for one in report.evidence} - own
            told = {one.value.sop_instance_uid for one in report.references if isinstance(one.value, Reference)}
            yield Note(title, instance.uid, frozenset(own | (told - other)) - {""}, bool(other))


def is_key_object(instance: Instance) -> bool:
    """Tell whether an instance is a key object selection: a note rejects what was acquired, never its own reason."""
    return identity(instance.item, "SOPClassUID") in KEY_OBJECTS
