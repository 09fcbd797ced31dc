"""What one look at a study of Orthanc tells: what it is known by, and in which state it is."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from mapper.dicom.uid import is_askable
from mapper.errors import BadMetadata
from mapper.sources.fingerprint import fingerprint, grown, is_young, moved
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.kept import kept_in
from mapper.sources.source import Sighting

RIPE = timedelta(seconds=2)
"""LastUpdate has whole seconds: one as young as this may hide a second change, so it is read again later."""

JUST_NOW = timedelta(seconds=59)
"""For how long nothing that DICOMweb keeps of a series that moved is read, of a study that is new to us.

With Orthanc's own StableAge, a minute, a new study is read later than that.
"""
TIME = "%Y%m%dT%H%M%S"


def name_of(study: answers.Study) -> str:
    """Return what a study is known by: its StudyInstanceUID, or Orthanc's id where that cannot stand in a URL.

    A UID that looks like an id of Orthanc's would take the name of another study.
    """
    uid = study.MainDicomTags.StudyInstanceUID or ""
    return uid if is_askable(uid) and not answers.is_id(uid) else study.ID


def sighting(study: answers.Study, now: datetime, instances: int | None = None) -> Sighting:
    """Return the sighting of one expanded study of Orthanc's REST API."""
    state = [] if instances is None else [str(instances), digest(study.Series)]
    young = bool(study.moved) and now - parse_time(study.moved) < RIPE
    seen = Sighting(study.ID, name_of(study), fingerprint(study.moved, *state, young=young), study.IsStable)
    return remembering(seen, kept_in(study.Metadata))


def remembering(seen: Sighting, kept: str | None) -> Sighting:
    """Return the sighting of a study for which Orthanc keeps something: that is part of its state too."""
    if kept is None:
        return seen
    told = fingerprint(grown(seen.fingerprint), digest([kept]), young=seen.young)
    return Sighting(seen.id, seen.study_uid, told, seen.stable)


def state_of(seen: Sighting) -> tuple[str, str]:
    """Return what tells two states of a study apart: not that time passed, nor that it became stable."""
    return seen.id, grown(seen.fingerprint)


def moved_since(
    study: answers.Study, listed: Iterable[answers.Series], since: str | None, now: datetime
) -> list[answers.Series]:
    """Return the series of a study that moved after the state of a fingerprint, or perhaps did; all after an empty one.

    All did, too, where the study moved before that: the clock of Orthanc was set back. None: what moved just now.
    """
    if since is None:
        since = f"{now - JUST_NOW:{TIME}}"
    elif study.moved < moved(since):
        since = ""
    then = moved(since)
    return [one for one in listed if not since or one.LastUpdate > then or (one.LastUpdate == then and is_young(since))]


def digest(ids: list[str]) -> str:
    """Return a short name for a set of ids."""
    return sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def parse_time(text: str) -> datetime:
    """Return Orthanc's own UTC time `20240517T093105`; raises BadMetadata when it is none."""
    try:
        return datetime.strptime(text, TIME)
    except ValueError as error:
        raise BadMetadata("Orthanc's time is not readable") from error
