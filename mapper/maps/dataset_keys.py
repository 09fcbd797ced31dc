"""Keys from which the ids of what a dataset says are made, and the systems of its own identifiers.

The dataset's UUID is part of each: whoever applies one dataset twice, or from another place, writes the same resources.
"""

from uuid import UUID

from mapper.fhir import systems

Key = tuple[str, ...]
SDS = "sds"


def research_study(dataset: UUID) -> Key:
    """Return the key of a dataset."""
    return "ResearchStudy", SDS, str(dataset)


def research_subject(dataset: UUID, subject: str) -> Key:
    """Return the key of a subject's part in a dataset."""
    return "ResearchSubject", SDS, str(dataset), subject


def group(dataset: UUID, *name: str) -> Key:
    """Return the key of a group of subjects: what they have in common, or the id of their pool or population."""
    return "Group", SDS, str(dataset), *name


def measurement(dataset: UUID, *name: str) -> Key:
    """Return the key of a measurement: its own UUID, or subject, code, and number among those of that code."""
    return "Observation", SDS, str(dataset), *name


def source(base: str, dataset: UUID) -> str:
    """Return what a dataset signs with where others write too, `<base>/sds/<UUID>`."""
    return systems.local(base, SDS, str(dataset))


def system(base: str, kind: str, dataset: UUID) -> str:
    """Return the identifier system of one kind of thing of a dataset, `<base>/sds/subject/<UUID>`."""
    return systems.local(base, f"{SDS}/{kind}", str(dataset))
