"""Study, Series, Instance: what a source hands to the maps, in one canonical order.

Series stand by (SeriesNumber, SeriesInstanceUID), instances by (InstanceNumber, SOPInstanceUID), absent
numbers last. A series speaks through its first instance, a study through the first series that has a value.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mapper.dicom.characters import composed
from mapper.dicom.doubts import BLANK_PATIENT_ID, IN_TWO_SERIES, each_once, of_texts
from mapper.dicom.item import Item, Layers
from mapper.errors import NotOneStudy, Problem, TwoPatients

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


@dataclass(frozen=True, slots=True)
class Series:
    """One series: `item` is its first instance with every attribute that the tables name."""

    uid: str
    item: Item
    instances: tuple[Instance, ...]
    unlisted: int = 0
    """How many more instances it has than are listed here: a source may know their number alone."""

    @property
    def count(self) -> int:
        """The number of instances."""
        return len(self.instances) + self.unlisted


@dataclass(frozen=True, slots=True)
class Study:
    """One study; `problems` is what was dropped or doubted while it was put together."""

    uid: str
    series: tuple[Series, ...]
    problems: tuple[Problem, ...] = ()
    unlisted: tuple[int, ...] = ()
    """The number of instances of each series that is there and cannot be read: counted, and that is all."""
    patient: Item | None = None
    """The data set that says who the patient is; without one the first series with a PatientID does."""

    @property
    def item(self) -> Item:
        """The study's own attributes: the first value over its series."""
        settled = dict.fromkeys(PATIENT, self.patient) if self.patient is not None else {}
        return Layers((series.item for series in self.series), settled)

    @property
    def instances(self) -> int:
        """The number of instances."""
        return sum(series.count for series in self.series) + sum(self.unlisted)


class _Series:
    """A series while its instances arrive in any order."""

    def __init__(self) -> None:
        self.instances: dict[str, tuple[Any, Instance]] = {}
        self.last: Mapping[str, Any] = {}
        self.first: tuple[Any, Callable[[], Mapping[str, Any]]] | None = None

    def add(self, key: Any, instance: Instance, full: Callable[[], Mapping[str, Any]]) -> bool:
        """Take one instance; False when its SOPInstanceUID is there already."""
        known = self.instances.get(instance.uid)
        if known is None or precedes(key, instance.item, known[0], known[1].item):
            self.instances[instance.uid] = (key, instance)
        ahead = self.first is None or key < self.first[0]
        if self.first is not None and key == self.first[0]:
            ahead = precedes(key, Item(full()), key, Item(self.first[1]()))
        if ahead:
            self.first = (key, full)
        return known is None

    def sharing(self, elements: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the same elements, those that repeat the instance before by reference: it halves a large study."""
        before = self.last
        self.last = {tag: before[tag] if same(before.get(tag), one) else one for tag, one in elements.items()}
        return self.last

    def settle(self) -> None:
        """Read the first instance in full now: what it is read from may go."""
        if self.first is not None:
            elements = self.first[1]()
            self.first = (self.first[0], lambda: elements)

    def finished(self, uid: str) -> Series:
        assert self.first is not None
        ordered = sorted(self.instances.values(), key=lambda pair: pair[0])
        return Series(uid, Item(self.first[1]()), tuple(instance for _, instance in ordered))


class Collector:
    """Puts instances that arrive in any order together into studies."""

    def __init__(self) -> None:
        self._studies: dict[str, dict[str, _Series]] = {}
        self._problems: dict[str, list[Problem]] = {}
        self._patients: dict[str, dict[str | None, str]] = {}
        self._unlisted: dict[str, list[int]] = {}
        self.strays = 0
        """Instances without a StudyInstanceUID: they belong to nobody."""

    def add(
        self,
        elements: Mapping[str, Any],
        full: Callable[[], Mapping[str, Any]] | None = None,
        where: str = "",
        doubts: Iterable[Problem] = (),
    ) -> None:
        """Take one instance: `elements` are kept, `full` is called when it turns out to speak for its series.

        `doubts` is what was dropped of it already.
        """
        item = Item(elements)
        study_uid = identity(item, "StudyInstanceUID")
        if study_uid is None:
            self.strays += 1
            return
        all_series = self._studies.setdefault(study_uid, {})
        problems = self._problems.setdefault(study_uid, [])
        problems.extend(doubts)
        patient = identity(item, "PatientID")
        self._patients.setdefault(study_uid, {}).setdefault(composed(patient) if patient else None, where)
        series_uid, uid = identity(item, "SeriesInstanceUID"), identity(item, "SOPInstanceUID")
        if series_uid is None:
            problems.append(Problem("ImagingStudy.series.uid", "SeriesInstanceUID", "absent: the instance is left out"))
            return
        if uid is None:
            problems.append(
                Problem("ImagingStudy.series.instance.uid", "SOPInstanceUID", "absent: the instance is left out")
            )
            return
        series = all_series.setdefault(series_uid, _Series())
        key = (*rank(item, "InstanceNumber"), uid, identity(item, "SOPClassUID") or "")
        instance = Instance(uid, Item(series.sharing(elements)), where)
        if not series.add(key, instance, full or (lambda: elements)):
            problems.append(
                Problem("ImagingStudy.series.instance", "SOPInstanceUID", "seen twice in one series: listed once")
            )

    def count(self, study_uid: str, instances: int, problem: Problem) -> None:
        """Take a series of which nothing can be read but how many instances it has, and why."""
        self._unlisted.setdefault(study_uid, []).append(instances)
        self._problems.setdefault(study_uid, []).append(problem)

    def settle(self) -> None:
        """Read in full what speaks for each series so far; call it before the bytes behind it go."""
        for all_series in self._studies.values():
            for series in all_series.values():
                series.settle()

    @property
    def study_uids(self) -> list[str]:
        """Every StudyInstanceUID seen, sorted."""
        return sorted(self._studies)

    def study(self, study_uid: str) -> Study:
        """Return one study.

        Raises TwoPatients when its instances name two PatientIDs, NotOneStudy when nothing of it is left.
        """
        patients = self._patients.get(study_uid, {})
        named = {patient: where for patient, where in patients.items() if patient is not None}
        if len(named) > 1:
            places = ", ".join(sorted(filter(None, named.values()))) or "the same answer"
            raise TwoPatients(f"study {study_uid} stands under {len(named)} PatientIDs: see {places}")
        series = [found.finished(uid) for uid, found in self._studies.get(study_uid, {}).items()]
        if not series:
            raise NotOneStudy(f"study {study_uid} has no instance with the UIDs that DICOM demands")
        series.sort(key=lambda one: (*rank(one.item, "SeriesNumber"), one.uid))
        problems = [*self._problems.get(study_uid, ()), *dict.fromkeys(of_texts(series))]
        if len(patients) > len(named) > 0:
            problems.append(BLANK_PATIENT_ID)
        once = each_once(series)
        if once != series:
            problems.append(IN_TWO_SERIES)
        unlisted = tuple(self._unlisted.get(study_uid, ()))
        return Study(study_uid, tuple(once), tuple(sorted(problems, key=str)), unlisted)

    def only_study(self) -> Study:
        """Return the study when there is exactly one; raises NotOneStudy otherwise."""
        if len(self._studies) != 1:
            found = f"{len(self._studies)} studies" if self._studies else "no study"
            raise NotOneStudy(f"the input holds {found}, exactly one is needed")
        return self.study(self.study_uids[0])


def precedes(key: Any, item: Item, other_key: Any, other: Item) -> bool:
    """Tell which of two instances speaks; of two that claim to be the same the content decides, not the arrival."""
    return bool(key < other_key or (key == other_key and item.canonical() < other.canonical()))


def identity(item: Item, keyword: str) -> str | None:
    """Return a text that identifies, or None where it is absent or unreadable."""
    try:
        value = item[keyword]
    except ValueError:
        return None
    return str(value) if value is not None else None


def same(one: Any, other: Any) -> bool:
    """Tell whether two raw attributes are the same to the letter: 1, 1.0 and true are equal, but not the same."""
    return one == other and repr(one) == repr(other)


def rank(item: Item, keyword: str) -> tuple[bool, Decimal]:
    """Return a sort key of a number, absent or unreadable last."""
    try:
        number = item[keyword]
    except ValueError:
        number = None
    return number is None, number if number is not None else Decimal(0)
