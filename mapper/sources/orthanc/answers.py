"""What Orthanc's REST API answers, in Orthanc's words; an answer of another shape is none of Orthanc's."""

import re
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from mapper.http.body import decoded
from mapper.http.no_answer import NoAnswer

SHAPE = r"[0-9a-f]{8}(-[0-9a-f]{8}){4}"
"""Orthanc's own ids: the SHA-1 of DICOM's."""
Id = Annotated[str, Meta(pattern=rf"\A{SHAPE}\Z")]


def is_id(text: str) -> bool:
    """Tell whether a text has the shape of Orthanc's own ids."""
    return re.fullmatch(SHAPE, text) is not None


class Missing(Struct):
    """Orthanc's own 404, where it says anything (HttpDescribeErrors)."""

    HttpStatus: Literal[404]
    OrthancStatus: int


def is_missing(body: bytes) -> bool:
    """Tell whether this is what Orthanc itself says of what it does not have."""
    try:
        return decoded(body, Missing) is not None
    except NoAnswer:
        return False


class Tags(Struct):
    """MainDicomTags, as far as anybody asks."""

    StudyInstanceUID: str | None = None
    SeriesInstanceUID: str | None = None


class Study(Struct):
    """A study of `/studies?expand` and `/studies/{id}`."""

    ID: Id
    MainDicomTags: Tags
    LastUpdate: str = ""
    IsStable: bool = True
    Series: list[Id] = []
    Metadata: dict[str, str] = {}
    """Where the answer was asked to have them; LastUpdate is one of them then."""

    @property
    def moved(self) -> str:
        """LastUpdate, wherever it stands."""
        return self.LastUpdate or self.Metadata.get("LastUpdate", "")


class Series(Struct):
    """A series of `/series?expand` and `/studies/{id}/series?expand`."""

    ID: Id
    ParentStudy: Id
    MainDicomTags: Tags
    Instances: list[Raw] = []
    LastUpdate: str = ""

    @property
    def ids(self) -> frozenset[str]:
        """Orthanc's ids of its instances."""
        return frozenset(bytes(id).decode(errors="replace").strip('"') for id in self.Instances)


class Plugin(Struct):
    """A plugin of `/plugins/{id}`."""

    Version: str


class Hit(Struct):
    """What `/tools/lookup` found."""

    ID: Id
    Type: str


class Change(Struct):
    """One line of `/changes`."""

    ID: Id
    ChangeType: str


class Changes(Struct):
    """`/changes`."""

    Last: int
    Done: bool = True
    Changes: list[Change] = []


class Statistics(Struct):
    """`/statistics`."""

    CountStudies: int


class StudyStatistics(Struct):
    """`/studies/{id}/statistics`."""

    CountInstances: int


class Features(Struct):
    """What an Orthanc can do with its database."""

    HasExtendedFind: bool = False


class System(Struct):
    """`/system`."""

    Version: str
    Capabilities: Features | None = None
    MainDicomTags: dict[str, str] = {}
    """Which attributes the database keeps, by level: `0020,0013;0070,0080`; from 1.11.0."""


class OneSeries(Struct):
    """`/series/{id}`."""

    MainDicomTags: Tags
    Instances: list[Id] = []


class Told(Struct):
    """What our plugin in Orthanc tells of a study: `/fhir-sync/studies/{id}`."""

    state: str
    message: str | None = None


class InstanceTags(Struct):
    """`/instances/{id}/simplified-tags`, as far as anybody asks."""

    SOPClassUID: str | None = None
