"""A study of Orthanc read series by series and from its database: two readings that have to say the same."""

from collections import Counter
from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.reader import Reader
from mapper.dicom.study import Study
from mapper.errors import MapperError
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, study_to_fhir
from mapper.sources.orthanc import database
from mapper.sources.orthanc.database import kept_for
from mapper.sources.orthanc.source import Orthanc
from stack import Orthanc as Server
from tests.support.everything import ALL

READER = Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS)
KEPT = kept_for(READER.instance_keywords)
KEEPING: dict[str, Any] = {"ExtraMainDicomTags": {"Instance": KEPT}, "StableAge": 1}
"""Configuration of an Orthanc that keeps all that the tables read of instances."""


class BothWays:
    """One Orthanc, read both ways."""

    def __init__(self, server: Server, least: int = 2) -> None:
        self.how: Counter[str] = Counter()
        user, password = server.auth or (None, None)
        self.slow = Orthanc(server.url, READER, user, password)
        self.fast = Orthanc(server.url, READER, user, password, from_database=least, tell=self.told)

    def told(self, how: str) -> None:
        self.how[how] += 1

    def read(self, study_uid: str) -> tuple[list[Any], list[Any], Counter[str]]:
        """Return what a study is by metadata alone, with the database, and how each of its series was read then."""
        self.how = Counter()
        return shown(self.slow, study_uid), shown(self.fast, study_uid), self.how


def shown(source: Orthanc, study_uid: str) -> list[Any]:
    """Return all that a study is and makes, or how it fails."""
    try:
        reading = source.read(study_uid, [])
        mapped = study_to_fhir(reading.study, ALL)
    except MapperError as error:
        return [type(error).__name__, str(error)]
    return [reading.sighting.id, *told_of(reading.study), mapped.resources, mapped.problems, mapped.rank]


def told_of(study: Study) -> list[Any]:
    """Return what a study says: of instances what the tables read of them, decoded."""
    series = [
        (one.uid, one.item.raw, one.count, [(each.uid, each.where, of(each.item)) for each in one.instances])
        for one in study.series
    ]
    documents = [each.document.raw for one in study.series for each in one.instances if each.document is not None]
    return [study.uid, series, documents, study.problems, study.unlisted, study.identifiers]


def of(item: Item) -> dict[str, Any]:
    """Return the values of an instance by keyword; an attribute that is absent is left out."""
    return {keyword: values(item, keyword) for keyword in sorted(READER.instance_keywords) if keyword in item}


def values(item: Item, keyword: str) -> Any:
    try:
        return [one.raw if isinstance(one, Item) else one for one in item.positions(keyword)]
    except ValueError as error:
        return str(error)


FROM_DATABASE = database.DATABASE
