"""What every source of studies offers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mapper.dicom.study import Study
from mapper.finding import Finding

YOUNG = "young"
"""The last word of a fingerprint behind which another change may hide: it is looked at again."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One study in a listing: the source's own id of it, and a fingerprint that moves when it changes.

    `study_uid` is what the study is known by: its StudyInstanceUID, or the source's own id where that cannot stand
    in a URL. `stable` is False while instances still arrive: such a study is left alone for now. `young`: it moved so
    recently that another change may hide behind the same fingerprint.
    """

    id: str
    study_uid: str
    fingerprint: str
    stable: bool = True
    young: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One study as it was read, and the sighting that belongs to exactly this state of it."""

    study: Study
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened since a cursor: StudyInstanceUIDs, the new cursor, and whether to look at everything."""

    study_uids: tuple[str, ...]
    cursor: int
    sweep: bool = False
    more: bool = False


class Source(Protocol):
    """Where studies come from."""

    name: str

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        """Return one whole study.

        Raises StudyGone, BadUID, TwoPatients, NotOneStudy, BadMetadata, SourceChanged, SourceBusy or SourceDown.
        """

    def holds(self, study_uid: str) -> bool:
        """Tell whether the source holds a study that its sightings know by exactly this name.

        Raises SourceBusy or SourceDown.
        """

    def listing(self) -> Iterator[Sighting]:
        """Yield every study the source holds; raises SourceDown."""

    def recent(self, fingerprint: str) -> list[Sighting] | None:
        """Return the studies that moved since the newest known fingerprint, None where that cannot be asked."""

    def count(self) -> int:
        """Return the number of studies by the source's own count; raises SourceDown."""

    def changes(self, cursor: int | None) -> Changes:
        """Return what became stable since `cursor` (None: from now on); raises SourceDown."""

    def probe(self) -> None:
        """Ask whether studies can be read at all; raises SourceDown."""

    def check(self) -> Iterator[Finding]:
        """Yield what `doctor` should say of this source; raises SourceDown."""
