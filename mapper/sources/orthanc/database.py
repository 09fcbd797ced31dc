"""Instances read from Orthanc's database: what the tables read of each, and of each series one instance in full.

Orthanc keeps the attributes of an instance that ExtraMainDicomTags names, and notes with each which it kept
(MainDicomTagsSignature); from 1.12.5 on `/tools/find` answers them without opening a file. What it does not keep is
absent there as what was never sent is: a value longer than 256 characters, and text that a file calls bytes.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from typing import Any

from mapper.dicom.collector import Collector, by_number
from mapper.dicom.documents import is_document
from mapper.dicom.item import Item, tag_of
from mapper.dicom.reader import Mend, Reader
from mapper.sources.orthanc import answers
from mapper.sources.orthanc import reasons as why
from mapper.sources.orthanc.api import Api
from mapper.sources.orthanc.dicomweb import DicomWeb
from mapper.sources.orthanc.instance_row import InstanceRow, Unfit, row_of

HOLDING = frozenset({"StudyInstanceUID", "SeriesInstanceUID"})
"""What all instances of a series have in common: Orthanc files them by it."""
ALWAYS = frozenset({"InstanceNumber", "SOPInstanceUID"})
"""What every Orthanc keeps of an instance."""
ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
"""How the SOP classes of encapsulated documents begin (PS3.3 A.45): their titles may be too long to be kept."""
WORTH = 100
"""Instances from which on a study is read faster so (bench/reading.py)."""
DATABASE = "database"


def kept_for(keywords: Iterable[str]) -> list[str]:
    """Return what ExtraMainDicomTags has to name at the level Instance, where the tables read these of each instance.

    >>> kept_for({"StudyInstanceUID", "SOPInstanceUID", "PatientID", "ContentLabel"})
    ['ContentLabel', 'PatientID']
    """
    return sorted(set(keywords) - HOLDING - ALWAYS)


def signed(keyword: str) -> str:
    """Return a keyword's tag as MainDicomTagsSignature writes it.

    >>> signed("ContentLabel")
    '0070,0080'
    """
    tag = tag_of(keyword)
    return f"{tag[:4]},{tag[4:]}".lower()


class Database:
    """The instances of one Orthanc as its database has them; `tell` is told how each series was read, or why not so."""

    def __init__(self, api: Api, dicomweb: DicomWeb, reader: Reader, least: int, tell: Callable[[str], object]) -> None:
        """Remember whom to ask, of studies of at least how many instances, and whom to tell."""
        self._api, self._dicomweb, self._reader, self._least, self._tell = api, dicomweb, reader, least, tell

    @property
    def is_extended(self) -> bool:
        """Whether this Orthanc can be asked at all."""
        return self._api.tells_metadata

    @property
    def lacking(self) -> list[str]:
        """Which attributes this Orthanc does not keep of each instance that it takes in now."""
        kept = self._api.kept_of_instances.split(";")
        return [one for one in kept_for(self._reader.instance_keywords) if signed(one) not in kept]

    def rows(self, id: str, listed: Sequence[answers.Series]) -> dict[str, list[InstanceRow]]:
        """Return what the database has of a study's instances, by Orthanc's id of the series.

        A series that has to be read by metadata is not among them. Raises as OrthancClient.answer.
        """
        series_of = {instance: one.ID for one in listed for instance in one.ids}
        found: dict[str, list[InstanceRow]] = {}
        unasked = self._unasked(len(series_of))
        sequences: set[str] = set()
        if not unasked:
            sequences = self._api.instances_with_sequences(id)
            for row in self._api.instance_rows(id, len(series_of)):
                found.setdefault(series_of.get(row.ID, ""), []).append(row)
        fit = {}
        for series in listed:
            rows = found.get(series.ID, [])
            if reason := unasked or unfit(series, rows, sequences):
                self._tell(reason)
            else:
                fit[series.ID] = rows
        return fit

    def take(self, study_uid: str, series_uid: str, rows: list[InstanceRow], into: Collector, mend: Mend) -> bool:
        """Take the instances of a series; False when it has to be read by metadata. Raises as OrthancClient.answer."""
        keywords, known = self._reader.instance_keywords, dict[tuple[str, str], Any]()
        try:
            elements = dict(row_of(row, keywords, known) for row in rows)
            first = min(elements, key=lambda uid: (*by_number(Item(elements[uid]), "InstanceNumber"), uid))
            with self._dicomweb.instance(study_uid, series_uid, first) as incoming:
                if incoming is None:
                    raise Unfit(why.OTHERS)
                metadata = incoming.read()
            heads = self._reader.heads(metadata, mend)
            shared = {tag: one for head in heads for tag, one in head.items() if tag in map(tag_of, HOLDING)}
            one_each = len(heads) == 1 and len(elements) == len(rows)
            if not one_each or not alike(Item(elements[first] | shared), Item(heads[0]), keywords):
                raise Unfit(why.DIFFERENT)
        except Unfit as refused:
            self._tell(str(refused))
            return False
        self._tell(DATABASE)
        self._reader.read(metadata, into, mend)
        for uid, one in elements.items():
            if uid != first:
                into.add(one | shared)
        return True

    def _unasked(self, instances: int) -> str:
        """Return why the database need not be asked for a study, empty where it should be."""
        if not self.is_extended:
            return why.NOT_EXTENDED
        if self.lacking:
            return why.NOT_KEPT
        return why.FEW if instances < self._least else ""


def unfit(series: answers.Series, rows: Sequence[InstanceRow], sequences: Set[str]) -> str:
    """Return why a series has to be read by metadata, empty where it need not."""
    if len(series.Instances) < 2:
        return why.FEW
    if len(rows) != len(series.Instances) or {row.ID for row in rows} != series.ids:
        return why.OTHERS
    if any(is_document(row.sop_class) or row.sop_class.startswith(ENCAPSULATED) for row in rows):
        return why.IN_FULL
    return why.SEQUENCES if series.ids & sequences else ""


def alike(one: Item, other: Item, keywords: Iterable[str]) -> bool:
    """Tell whether two data sets say the same of every attribute, or have the same ones not."""
    try:
        return all(
            (keyword in one) == (keyword in other) and one.positions(keyword) == other.positions(keyword)
            for keyword in keywords
        )
    except ValueError:
        return False
