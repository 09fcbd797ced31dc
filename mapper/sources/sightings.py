"""What one look at a study of Orthanc tells: what it is known by, and in which state it is."""

from datetime import datetime, timedelta
from hashlib import sha256

from mapper.dicom.uid import is_askable
from mapper.errors import BadMetadata
from mapper.sources import rest
from mapper.sources.source import YOUNG, Sighting

RIPE = timedelta(seconds=2)
"""LastUpdate has whole seconds: one as young as this may hide a second change, so it is read again later."""


def name_of(study: rest.Study) -> str:
    """Return what a study is known by: its StudyInstanceUID, or Orthanc's id where that cannot stand in a URL.

    A UID that looks like an id of Orthanc's would take the name of another study.
    """
    uid = study.MainDicomTags.StudyInstanceUID or ""
    return uid if is_askable(uid) and not rest.is_id(uid) else study.ID


def sighting(study: rest.Study, now: datetime, instances: int | None = None) -> Sighting:
    """Return the sighting of one expanded study of Orthanc's REST API."""
    parts = [study.LastUpdate]
    if instances is not None:
        parts += [str(instances), digest(study.Series)]
    young = bool(study.LastUpdate) and now - parse_time(study.LastUpdate) < RIPE
    if young:
        parts.append(YOUNG)
    return Sighting(study.ID, name_of(study), "/".join(parts), study.IsStable, young)


def state_of(seen: Sighting) -> tuple[str, str]:
    """Return what tells two states of a study apart: not that time passed, nor that it became stable."""
    return seen.id, seen.fingerprint.removesuffix(f"/{YOUNG}")


def digest(ids: list[str]) -> str:
    """Return a short name for a set of ids."""
    return sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def parse_time(text: str) -> datetime:
    """Return Orthanc's own UTC time `20240517T093105`; raises BadMetadata when it is none."""
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S")
    except ValueError as error:
        raise BadMetadata("Orthanc's time is not readable") from error
