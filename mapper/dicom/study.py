"""Study, Series, Instance: what a source hands to the maps, in one canonical order.

Series stand by (SeriesNumber, SeriesInstanceUID), instances by (InstanceNumber, SOPInstanceUID), absent
numbers last. A series speaks through its first instance, a study through the first series that has a value.
"""

from dataclasses import dataclass
from functools import cached_property

from mapper.dicom.item import Item
from mapper.dicom.layers import Layers
from mapper.errors import Problem

IDENTITY = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "SOPClassUID",
    "InstanceNumber",
    "PatientID",
    "SpecificCharacterSet",
)
"""What must be known of every instance, whatever the tables name."""
ONLY = {"PerFrameFunctionalGroupsSequence": ("FrameAnatomySequence",)}
"""Sequences that may have thousands of items, and what is read of these: there, though empty, where it is absent."""
PATIENT = ("PatientID", "IssuerOfPatientID", "IssuerOfPatientIDQualifiersSequence")
"""Who the patient is: of a whole study one data set says it."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One SOP instance, with the attributes that the tables read of every instance."""

    uid: str
    item: Item
    where: str = ""
    """A file's path or a place in a listing: for messages to the person who gave it."""
    document: Item | None = None
    """What the tables of documents name, where it is one (mapper.dicom.documents)."""

    @property
    def whole(self) -> Item:
        """All that was read of it."""
        return self.item if self.document is None else self.document


@dataclass(frozen=True, slots=True)
class Series:
    """One series: `item` is its first instance with every attribute that the tables name."""

    uid: str
    item: Item
    instances: tuple[Instance, ...]
    unlisted: int = 0
    """How many more instances it has than are listed here: a source may know their number alone."""
    places: tuple[str, ...] = ()
    """Words for where it was taken, of whoever handed it over, the nearest first: the header counts more."""
    sides: tuple[str, ...] = ()
    """L, R or B, likewise."""

    @property
    def count(self) -> int:
        """The number of instances."""
        return len(self.instances) + self.unlisted


@dataclass(frozen=True)
class Study:
    """One study; `problems` is what was dropped or doubted while it was put together."""

    uid: str
    series: tuple[Series, ...]
    problems: tuple[Problem, ...] = ()
    unlisted: tuple[int, ...] = ()
    """The number of instances of each series that is there and cannot be read: counted, and that is all."""
    patient: Item | None = None
    """The data set that says who the patient is; without one the first series with a PatientID does."""
    identifiers: tuple[tuple[str, str], ...] = ()
    """Systems and values of further identifiers that somebody keeps for it beside its DICOM."""

    @cached_property
    def item(self) -> Item:
        """The study's own attributes: the first value over its series."""
        settled = dict.fromkeys(PATIENT, self.patient) if self.patient is not None else {}
        return Layers((series.item for series in self.series), settled)

    @property
    def instances(self) -> int:
        """The number of instances."""
        return sum(series.count for series in self.series) + sum(self.unlisted)
