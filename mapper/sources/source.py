"""What every source of studies offers, and what some offer beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mapper.dicom.study import Study
from mapper.finding import Finding
from mapper.sources.fingerprint import is_young


@dataclass(frozen=True, slots=True)
class Sighting:
    """One study in a listing: the source's own id of it, and a fingerprint that moves when it changes.

    `study_uid` is what the study is known by: its StudyInstanceUID, or the source's own id where that cannot stand
    in a URL. `fingerprint` is as `mapper.sources.fingerprint` says: texts that sort by when the studies moved.
    `stable` is False while instances still arrive: such a study is left alone for now.
    """

    id: str
    study_uid: str
    fingerprint: str
    stable: bool = True

    @property
    def young(self) -> bool:
        """Whether it moved so recently that another change may hide behind the same fingerprint."""
        return is_young(self.fingerprint)


@dataclass(frozen=True, slots=True)
class Reading:
    """One study as it was read, and the sighting that belongs to exactly this state of it."""

    study: Study
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened since a cursor: names of studies as sightings have them, the new cursor, and what to do next."""

    study_uids: tuple[str, ...]
    cursor: int
    sweep: bool = False
    """Whether everything has to be looked at: the cursor belongs to a log that is no more."""
    more: bool = False
    """Whether there is more after the new cursor already."""


class Feed(Protocol):
    """How a source tells what happened, where it does: it makes things quick, the listing alone makes them right."""

    def changes(self, cursor: int | None) -> Changes:
        """Return what became stable since `cursor` (None: from now on); raises SourceDown or SourceBusy."""

    def recent(self, fingerprint: str) -> list[Sighting] | None:
        """Return what moved when the study of a fingerprint did, or later, the newest first; None: it cannot tell.

        Nothing can be told of an empty fingerprint. Raises SourceDown or SourceBusy.
        """


class Catalogue(Protocol):
    """What people may ask of a source that has one as its `catalogue`; it asks at that moment and keeps nothing."""

    @property
    def about(self) -> str:
        """What the source is, with its version; empty as long as it was not asked."""

    def find(self, keyword: str, value: str) -> list[str]:
        """Return by which names studies are known that have this value of a DICOM keyword; raises as `count`."""

    def headers(self, study_uid: str) -> dict[str, dict[str, str]]:
        """Return what the source shows of a study by its own id, each by DICOM keyword; raises as `count`.

        Nothing where it has none, and more than one where it stands under several patients.
        """

    def plugins(self) -> frozenset[str]:
        """Return the names of its plugins, as far as that is a thing of its; raises as `count`."""


@runtime_checkable
class Rereadable(Protocol):
    """What a source offers beside that keeps what it once answered, and may go on to answer it for a while."""

    def read_again(self, study_uid: str, known_ids: list[str], since: str) -> Reading:
        """Return a study as `read` does, and nothing that was kept of what moved after the state of a fingerprint.

        After an empty one all of it has moved.
        """


class Source(Protocol):
    """Where studies come from. Whoever has no feed is listed again and again: `feed` is None then."""

    name: str
    feed: Feed | None

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        """Return one whole study; `known_ids` are the source's ids under which its sightings had it.

        Raises StudyGone, BadUID, TwoPatients, NotOneStudy, BadMetadata, SourceChanged, SourceBusy or SourceDown.
        """

    def holds(self, study_uid: str) -> bool:
        """Tell whether the source holds a study that its sightings know by exactly this name.

        Raises SourceBusy or SourceDown.
        """

    def listing(self) -> Iterator[Sighting]:
        """Yield every study the source holds, each id once; raises SourceDown or SourceBusy."""

    def count(self) -> int:
        """Return the number of studies by the source's own count; raises SourceDown or SourceBusy.

        The sweep holds the listing against it: where they disagree, nothing counts as gone.
        """

    def probe(self) -> None:
        """Ask whether studies can be read at all; raises SourceDown or SourceBusy."""

    def check(self) -> Iterator[Finding]:
        """Yield what `doctor` should say of this source; raises SourceDown or SourceBusy."""


def read_since(source: Source, study_uid: str, known_ids: list[str], since: str | None) -> Reading:
    """Return a study past what its source kept of what moved after a state; None: the study is new to us.

    Raises as Source.read.
    """
    if since is None or not isinstance(source, Rereadable):
        return source.read(study_uid, known_ids)
    return source.read_again(study_uid, known_ids, since)
