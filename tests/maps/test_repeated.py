"""What repeats from instance to instance is made once: by rows that read nothing else, with the same result."""

from typing import Any

import orjson
import pytest

from mapper.dicom.collector import Collector
from mapper.dicom.item import Item, tag_of
from mapper.dicom.reader import Reader
from mapper.dicom.study import Study
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, engine, study_to_fhir
from mapper.maps.rule import Rule
from mapper.maps.silence import Silences
from mapper.maps.site import Site
from mapper.maps.tables.imaging_study import INSTANCE
from mapper.maps.values.context import Context
from tests.support.datasets import dataset
from tests.support.everything import ALL

CT = "1.2.840.10008.5.1.4.1.1.2"
FIRST: dict[str, Any] = {
    "StudyInstanceUID": "1.2",
    "SeriesInstanceUID": "1.2.1",
    "SOPClassUID": CT,
    "PatientID": "P1",
    "ContentLabel": "LABEL",
    "ImageType": ["ORIGINAL", "PRIMARY"],
}
SERIES: dict[str, list[dict[str, Any]]] = {  # what each instance has beside the first
    "all alike": [{}, {}, {}],
    "one differs and the next is as the first": [{}, {"ContentLabel": "OTHER"}, {}],
    "one lacks it": [{}, {"ContentLabel": None}, {}],
    "the first lacks it": [{"ContentLabel": None}, {}, {}],
    "another attribute speaks": [{}, {"ContentDescription": "words"}, {}],
    "a required one lacks": [{}, {"SOPClassUID": None}, {}],
    "a required one is no UID": [{}, {"SOPClassUID": "1.2/3"}, {}],
    "all of them too long": [{"ContentLabel": "LABEL OF MORE THAN 16"}] * 3,
    "one number as three types": [{"InstanceNumber": 1}, {"InstanceNumber": "1"}, {"InstanceNumber": 1.0}],
    "no numbers": [{"InstanceNumber": "X"}, {"InstanceNumber": -1}, {"InstanceNumber": True}],
}


def study(several: list[dict[str, Any]]) -> Study:
    """Return a study of one series, read as a PACS sends it."""
    sets = [dataset(**{**FIRST, "SOPInstanceUID": f"1.2.1.{n}", **own}) for n, own in enumerate(several, 1)]
    collector = Collector()
    Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read(orjson.dumps(sets), collector)
    return collector.only_study()


@pytest.mark.parametrize("site", [Site(), ALL], ids=["plain", "all options"])
@pytest.mark.parametrize("several", SERIES.values(), ids=SERIES)
def test_what_repeats_makes_what_it_makes_alone(several: list[dict[str, Any]], site: Site) -> None:
    once = study_to_fhir(study(several), site)
    each = study_to_fhir(study(several), site, Silences())  # whoever wants to know why is told of every instance
    assert once.resources == each.resources
    assert once.problems == each.problems


class Asked(Item):
    """A data set that remembers what it was asked for."""

    __slots__ = ("asked",)

    def __init__(self, elements: dict[str, Any]) -> None:
        super().__init__(elements)
        self.asked: set[str] = set()

    def element(self, keyword: str) -> Any:
        self.asked.add(keyword)
        return super().element(keyword)


VALUES: dict[str, dict[str, Any]] = {
    "SOPInstanceUID": {"SOPInstanceUID": "1.2.3"},
    "SOPClassUID": {"SOPClassUID": CT},
    "InstanceNumber": {"InstanceNumber": 7},
    "DocumentTitle": {"DocumentTitle": "Letter"},
    "ConceptNameCodeSequence": {
        "ConceptNameCodeSequence": {"CodeValue": "1", "CodingSchemeDesignator": "X", "CodeMeaning": "words"}
    },
    "ContentDescription": {"ContentDescription": "words"},
    "ContentLabel": {"ContentLabel": "LABEL"},
    "StructureSetLabel": {"StructureSetLabel": "LABEL"},
    "ImageType": {"ImageType": ["ORIGINAL", "PRIMARY"]},
}


@pytest.mark.parametrize("row", INSTANCE, ids=lambda row: row.dicom)
def test_a_row_of_instances_reads_nothing_but_its_attributes(row: Rule) -> None:
    (keyword,) = row.keywords
    unreadable = {tag_of(keyword): {"vr": "OB", "Value": [False]}}
    for elements in (dataset(**VALUES[keyword]), {}, unreadable):
        item = Asked(elements)
        engine.make(row, Context(ALL, study([{}]), item), item)
        assert item.asked <= set(row.keywords)


@pytest.mark.parametrize("row", [row for row in INSTANCE if not row.required], ids=lambda row: row.dicom)
def test_a_row_of_instances_makes_and_says_nothing_where_its_attributes_are_absent(row: Rule) -> None:
    cx = Context(ALL, study([{}]))
    assert engine.is_nothing(engine.make(row, cx, Item()))
    assert not cx.problems
