"""Why a study of Orthanc is not read."""

from collections.abc import Sequence

from mapper.errors import BadUID, StudyGone
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.sighting import name_of


def unreadable(name: str, study: answers.Study | None) -> BadUID | StudyGone:
    """Return why there is nothing to read of a study that is known by Orthanc's id, or by no name of ours.

    `study` is what Orthanc has by this name as an id.
    """
    if not answers.is_id(name):
        return StudyGone("Orthanc knows no study by this name: it is no UID")
    if study is None or name_of(study) != name:
        why = "is no longer in Orthanc" if study is None else "is known by its StudyInstanceUID"
        return StudyGone(f"Orthanc's study {name} {why}")
    return BadUID(
        f"the StudyInstanceUID of Orthanc's study {name} is none: no URL can be made of it; correct it in Orthanc"
    )


def gone(study_uid: str, known_ids: Sequence[str]) -> StudyGone:
    """Return that Orthanc has no such study, and that it once had where we know under which ids."""
    return StudyGone(f"study {study_uid} is no longer in Orthanc" if known_ids else f"Orthanc has no study {study_uid}")
