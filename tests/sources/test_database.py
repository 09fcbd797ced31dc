"""Instances from Orthanc's database: what is asked of it, and what is refused though it answers."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import Raw

from mapper.configuration import load
from mapper.dicom.item import tag_of
from mapper.finding import Level
from mapper.http.peer import Bound
from mapper.settings import Settings
from mapper.sources.orthanc import reasons as why
from mapper.sources.orthanc.answers import Series, Statistics, Tags
from mapper.sources.orthanc.api import STATISTICS, Api
from mapper.sources.orthanc.checkup import kept
from mapper.sources.orthanc.client import OrthancClient
from mapper.sources.orthanc.database import ENCAPSULATED, signed, unfit
from mapper.sources.orthanc.instance_row import InstanceRow, Unfit, row_of
from mapper.wiring import orthanc_of
from tests.support.database_read import KEPT, READER
from tests.support.http_fake import Answer, HttpFake

STUDY, SERIES = "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d", "11111111-22222222-33333333-44444444-55555555"
IDS = [f"{number:08x}-22222222-33333333-44444444-55555555" for number in range(5)]
CT, KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.59"
PLAIN: dict[str, Any] = {
    "SOPInstanceUID": "1.2.9",
    "SOPClassUID": CT,
    "InstanceNumber": "007",
    "Modality": "CT",
    "PatientID": "P 1",
}
SIGNATURE = ";".join(map(signed, KEPT))
SYSTEM = Answer(
    200, {"Version": "1.12.7", "Capabilities": {"HasExtendedFind": True}, "MainDicomTags": {"Instance": SIGNATURE}}
)


def row(number: int, **tags: Any) -> InstanceRow:
    return InstanceRow(IDS[number], PLAIN | {"SOPInstanceUID": f"1.2.{number}"} | tags)


def series(*numbers: int) -> Series:
    return Series(SERIES, STUDY, Tags(), [Raw(json.dumps(IDS[number]).encode()) for number in numbers])


UNFIT: dict[str, tuple[Series, Sequence[InstanceRow], set[str], str]] = {
    "all are there": (series(1, 2), [row(2), row(1)], set(), ""),
    "another series has a sequence": (series(1, 2), [row(1), row(2)], {IDS[3]}, ""),
    "one of them has a sequence": (series(1, 2), [row(1), row(2)], {IDS[2]}, why.SEQUENCES),
    "one is not answered": (series(1, 2, 3), [row(1), row(2)], set(), why.OTHERS),
    "none is answered": (series(1, 2), [], set(), why.OTHERS),
    "one came meanwhile": (series(1, 2), [row(1), row(2), row(3)], set(), why.OTHERS),
    "one is another": (series(1, 2), [row(1), row(3)], set(), why.OTHERS),
    "one is answered twice": (series(1, 2), [row(1), row(1)], set(), why.OTHERS),
    "one instance": (series(1), [row(1)], set(), why.FEW),
    "a key object": (series(1, 2), [row(1), row(2, SOPClassUID=KEY_OBJECTS)], set(), why.IN_FULL),
    "an encapsulated model": (series(1, 2), [row(1), row(2, SOPClassUID=f"{ENCAPSULATED}3")], set(), why.IN_FULL),
}


@pytest.mark.parametrize(("listed", "rows", "sequences", "reason"), UNFIT.values(), ids=UNFIT)
def test_which_series_are_read_by_metadata(
    listed: Series, rows: Sequence[InstanceRow], sequences: set[str], reason: str
) -> None:
    assert unfit(listed, rows, sequences) == reason


def test_a_plain_row_is_what_dicomweb_sends() -> None:
    uid, elements = row_of(row(1, ContentLabel="", ImageType="A\\\\B", Rows="512"), READER.instance_keywords, {})
    assert uid == "1.2.1"
    assert elements[tag_of("InstanceNumber")] == {"vr": "IS", "Value": [7]}
    assert elements[tag_of("ContentLabel")] == {"vr": "CS"}
    assert elements[tag_of("ImageType")] == {"vr": "CS", "Value": ["A", None, "B"]}
    assert tag_of("ImageLaterality") not in elements
    assert tag_of("Rows") not in elements, "what the tables do not read of instances is not taken"


def test_what_repeats_is_the_same_object() -> None:
    known: dict[tuple[str, str], Any] = {}
    one, other = (row_of(row(number), READER.instance_keywords, known)[1] for number in (1, 2))
    assert one[tag_of("PatientID")] is other[tag_of("PatientID")]


REFUSED = {
    why.ABSENT: [{keyword: ""} for keyword in PLAIN],
    why.ODD: [{"InstanceNumber": "1.0"}, {"PatientID": "\u00e9"}, {"PatientID": " P"}, {"SOPClassUID": "1.2\\3"}],
    why.TEXTS: [{"SpecificCharacterSet": "ISO_IR 6"}, {"SpecificCharacterSet": "ISO_IR 100\\ISO_IR 144"}],
    why.SEQUENCES: [{"ConceptNameCodeSequence": []}],
}


@pytest.mark.parametrize(("reason", "tags"), [(reason, one) for reason, tags in REFUSED.items() for one in tags])
def test_a_row_that_is_not_plain_is_refused(reason: str, tags: dict[str, Any]) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        row_of(row(1, **tags), READER.instance_keywords, {})


def asking(http: HttpFake) -> Api:
    return Api(OrthancClient(http.url, (STATISTICS, Statistics), Bound(1, 5.0)))


def page(*numbers: int) -> Answer:
    return Answer(200, [{"ID": IDS[number], "Type": "Instance", "MainDicomTags": PLAIN} for number in numbers])


@pytest.mark.parametrize(
    ("pages", "expected", "found"),
    [
        ([page(1, 2, 3)], 3, [1, 2, 3]),
        ([page(1), page(2), page(3)], 3, [1, 2, 3]),  # a limit of Orthanc's cuts each page
        ([page(1), page(2), page()], 3, [1, 2]),  # one was stored when other attributes were kept
        ([page()], 3, []),
        ([page(1, 2, 3)], 2, [1, 2, 3]),
    ],
)
def test_pages_are_asked_for_until_there_are_as_many_as_listed(
    pages: list[Answer], expected: int, found: list[int]
) -> None:
    with HttpFake(SYSTEM, *pages) as http:
        rows = asking(http).instance_rows(STUDY, expected)
    assert [one.ID for one in rows] == [IDS[number] for number in found]


def test_sequences_are_asked_for_until_a_page_is_empty() -> None:
    with HttpFake(page(1), page(2), page()) as http:
        assert asking(http).instances_with_sequences(STUDY) == {IDS[1], IDS[2]}


@pytest.mark.parametrize(
    ("is_extended", "lacking", "level", "words"),
    [
        (True, [], "ok", "keeps all"),
        (True, ["ContentLabel"], "limit", "keeps no ContentLabel"),
        (False, ["ContentLabel"], "limit", "before 1.12.5"),
    ],
)
def test_doctor_says_whether_orthanc_keeps_what_is_read(
    is_extended: bool, lacking: list[str], level: Level, words: str
) -> None:
    (found,) = kept(is_extended, lacking)
    assert found.level == level
    assert words in found.text


@pytest.mark.parametrize(("chosen", "asked"), [({}, False), ({"instances_from_database": 2}, True)])
def test_the_setting_decides(chosen: dict[str, Any], asked: bool) -> None:
    settings = load(Settings, **chosen)
    source = orthanc_of(settings.all_sources[0], settings)
    assert (source._database is not None) == asked
