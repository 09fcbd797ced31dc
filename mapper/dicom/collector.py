"""Instances that arrive in any order -> studies, each in its canonical order."""

from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from mapper.dicom.characters import composed
from mapper.dicom.documents import LARGEST_TOGETHER
from mapper.dicom.doubts import BLANK_PATIENT_ID, IN_TWO_SERIES, each_once, of_texts
from mapper.dicom.item import Item
from mapper.dicom.series_collector import SeriesCollector
from mapper.dicom.study import Instance, Study
from mapper.errors import NotOneStudy, Problem, TwoPatients

TOO_MANY = Problem(
    "ImagingStudy.series.instance",
    "ContentSequence",
    f"the documents of the study hold more than {LARGEST_TOGETHER >> 20} MB: the largest are listed, not read",
)


class Collector:
    """Puts instances that arrive in any order together into studies."""

    def __init__(self) -> None:
        self._studies: dict[str, dict[str, SeriesCollector]] = {}
        self._problems: dict[str, list[Problem]] = {}
        self._patients: dict[str, dict[str | None, str]] = {}
        self._unlisted: dict[str, list[int]] = {}
        self.strays = 0
        """Instances without a StudyInstanceUID: they belong to nobody."""
        self._documents: dict[str, list[Any]] = {}
        """Size, series and UID of the documents of a study, the largest last."""
        self._before: dict[str, tuple[Any, str | None]] = {}
        """The raw attributes that identified the instance before, and what they were read as."""

    def add(
        self,
        elements: Mapping[str, Any],
        full: Callable[[], Mapping[str, Any]] | None = None,
        where: str = "",
        doubts: Iterable[Problem] = (),
        document: Mapping[str, Any] | None = None,
        size: int = 0,
    ) -> None:
        """Take one instance: `elements` are kept, `full` is called when it turns out to speak for its series.

        `doubts` is what was dropped of it already, `document` what the tables of documents name, where it is one, and
        `size` the bytes that it was read from: together they have a bound, whatever the order of arrival.
        """
        item = Item(elements)
        study_uid = self.identity(item, "StudyInstanceUID")
        if study_uid is None:
            self.strays += 1
            return
        all_series = self._studies.setdefault(study_uid, {})
        problems = self._problems.setdefault(study_uid, [])
        problems.extend(doubts)
        patient = self.identity(item, "PatientID")
        self._patients.setdefault(study_uid, {}).setdefault(composed(patient) if patient else None, where)
        series_uid, uid = self.identity(item, "SeriesInstanceUID"), identity(item, "SOPInstanceUID")
        if series_uid is None:
            problems.append(Problem("ImagingStudy.series.uid", "SeriesInstanceUID", "absent: the instance is left out"))
            return
        if uid is None:
            problems.append(
                Problem("ImagingStudy.series.instance.uid", "SOPInstanceUID", "absent: the instance is left out")
            )
            return
        series = all_series.setdefault(series_uid, SeriesCollector())
        key = (*by_number(item, "InstanceNumber"), uid, self.identity(item, "SOPClassUID") or "")
        in_full = Item(document) if document is not None else None
        instance = Instance(uid, Item(series.sharing(elements)), where, in_full)
        if not series.add(key, instance, full or (lambda: elements)):
            problems.append(
                Problem("ImagingStudy.series.instance", "SOPInstanceUID", "seen twice in one series: listed once")
            )
        if document is not None:
            self._bound(study_uid, size, series_uid, uid)

    def identity(self, item: Item, keyword: str) -> str | None:
        """Return a text that identifies, as `identity` does; of the very attribute of the instance before the same."""
        element = item.element(keyword)
        last = self._before.get(keyword)
        if last is None or last[0] is not element:
            last = self._before[keyword] = element, identity(item, keyword)
        return last[1]

    def _bound(self, study_uid: str, *document: Any) -> None:
        """Leave out the largest documents of a study that together have too many bytes."""
        together = self._documents.setdefault(study_uid, [])
        insort(together, document)
        while sum(size for size, *_ in together) > LARGEST_TOGETHER:
            _, series_uid, uid = together.pop()
            self._studies[study_uid][series_uid].leave_out(uid)
            self.doubt(study_uid, TOO_MANY)

    def count(self, study_uid: str, instances: int, problem: Problem) -> None:
        """Take a series of which nothing can be read but how many instances it has, and why."""
        self._unlisted.setdefault(study_uid, []).append(instances)
        self._problems.setdefault(study_uid, []).append(problem)

    def doubt(self, study_uid: str, problem: Problem) -> None:
        """Take what may be doubted of a study, once."""
        problems = self._problems.setdefault(study_uid, [])
        if problem not in problems:
            problems.append(problem)

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
        series.sort(key=lambda one: (*by_number(one.item, "SeriesNumber"), one.uid))
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


def identity(item: Item, keyword: str) -> str | None:
    """Return a text that identifies, or None where it is absent or unreadable."""
    try:
        value = item[keyword]
    except ValueError:
        return None
    return str(value) if value is not None else None


def by_number(item: Item, keyword: str) -> tuple[bool, Decimal]:
    """Return a sort key of a number, absent or unreadable last."""
    try:
        number = item[keyword]
    except ValueError:
        number = None
    return number is None, number if number is not None else Decimal(0)
