"""Instances from Orthanc's database: the same study and the same problems as by metadata, or read by metadata."""

import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from pydicom import Dataset

from mapper.dicom.documents import KEY_OBJECTS
from mapper.errors import SourceChanged
from mapper.sources.orthanc import reasons as why
from mapper.sources.orthanc.api import Api
from mapper.sources.orthanc.dicomweb import DicomWeb
from samples.dataset import part10 as file_of
from samples.studies import studies
from stack import Orthanc, OrthancInFolder
from tests.field_reports.raw import element, part10
from tests.support.database_read import FROM_DATABASE, KEEPING, BothWays
from tests.support.everything import variants
from tests.support.examples import some
from tests.support.golden import CASES, STUDIES
from tests.support.odd import ODD_STUDIES, odd_study
from tests.support.stack import session, until

STUDY = "1.2.3"
OLDER_EVERY = 6
"""One study in so many goes to Orthanc 1.10.1, which has no such database: all is read by metadata."""


class Pacs:
    """An Orthanc that keeps what the tables read of instances, one study after the other in it."""

    def __init__(self, server: Orthanc) -> None:
        self.server, self.both = server, BothWays(server)
        self.http = session()
        self.http.auth = server.auth

    def ask(self, method: str, path: str, **others: Any) -> Any:
        answer = self.http.request(method, f"{self.server.url}{path}", timeout=60, **others)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def store(self, *files: bytes) -> int:
        """Upload files and return how many Orthanc took."""
        answers = [self.http.post(f"{self.server.url}/instances", data=one, timeout=60) for one in files]
        return sum(one.ok for one in answers)

    def empty(self) -> None:
        for one in self.ask("GET", "/studies"):
            self.ask("DELETE", f"/studies/{one}")

    def uids(self) -> set[str]:
        return {one["MainDicomTags"].get("StudyInstanceUID", "") for one in self.ask("GET", "/studies?expand")}

    def same(self, *files: bytes) -> Counter[str]:
        """Hold both readings of some files against each other; returns how their series were read."""
        self.empty()
        self.store(*files)
        how: Counter[str] = Counter()
        for uid in sorted(self.uids()):
            slow, fast, told = self.both.read(uid)
            assert fast == slow, (uid, told)
            how += told
        return how


@pytest.fixture
def pacs(orthanc_class: type[Orthanc], new_orthanc: Callable[..., Orthanc]) -> Pacs:
    return Pacs(new_orthanc(orthanc_class, plugin_script=None, overrides=KEEPING))


@pytest.fixture
def newer(new_orthanc: Callable[..., Orthanc]) -> Pacs:
    return Pacs(new_orthanc(OrthancInFolder, plugin_script=None, overrides=KEEPING))


def again(data: Dataset, number: int) -> Dataset:
    """Return the same instance once more in its series."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        twin = deepcopy(data)
        twin.SOPInstanceUID = f"{str(data.get('SOPInstanceUID', '1.2'))[:50]}.{number}"
        twin.InstanceNumber = number
    return twin


def several(datasets: list[Dataset]) -> Iterator[bytes]:
    """Yield files of some instances, and of each two more of its series; what pydicom cannot write is left out."""
    for number, data in enumerate(datasets):
        for one in (data, again(data, 1000 + 2 * number), again(data, 1001 + 2 * number)):
            with warnings.catch_warnings(), suppress(ValueError, TypeError, AttributeError, OverflowError, KeyError):
                warnings.simplefilter("ignore")
                yield file_of(one)


def from_json(metadata: list[Any]) -> list[Dataset]:
    """Return data sets of DICOM JSON; an attribute that pydicom does not take is left out."""
    found = []
    for one in metadata:
        data = Dataset()
        for tag, value in one.items():
            with warnings.catch_warnings(), suppress(Exception):  # pydicom raises many kinds
                warnings.simplefilter("ignore")
                data.add(next(iter(Dataset.from_json({tag: value}))))
        found.append(data)
    return found


def test_every_sample_study_is_the_same_both_ways(pacs: Pacs) -> None:
    how: Counter[str] = Counter()
    newer = isinstance(pacs.server, OrthancInFolder)
    for study in list(studies())[:: 1 if newer else OLDER_EVERY]:
        how += pacs.same(*map(file_of, study.datasets))
        how += pacs.same(*several(list(study.datasets)))
    assert (how[FROM_DATABASE] > 0) == newer, how
    assert (how[why.NOT_EXTENDED] > 0) != newer, how


def test_every_golden_odd_and_full_study_is_the_same_both_ways(pacs: Pacs) -> None:
    inputs = [json.loads((STUDIES / case / "input.json").read_text(encoding="utf-8")) for case in CASES]
    inputs += [json.loads(metadata) for _, metadata, _ in variants()]
    inputs += [json.loads(odd_study(number)) for number in range(ODD_STUDIES)]
    how: Counter[str] = Counter()
    newer = isinstance(pacs.server, OrthancInFolder)
    for metadata in inputs[:: 1 if newer else OLDER_EVERY]:
        how += pacs.same(*several(from_json(metadata)))
    assert (how[FROM_DATABASE] > 0) == newer, how
    assert not newer or set(how) >= {why.IN_FULL, why.ABSENT, why.SEQUENCES}, how


def typed(vr: str, value: bytes) -> Any:
    return vr, value


SHOWN, DEEP = b"\x1b$B$?$O", b"Title \xe9"
NEIGHBOURS: dict[str, dict[str, Any]] = {  # of an attribute that is read of each instance -> how the series is read
    "ContentDescription": {
        FROM_DATABASE: [None, b"", b"a", b"a b", b"a" * 256, b"a\\b", b"a\\", b"\\\\", b"a\0b", b"a  "],
        why.ODD: [b" a", b"a\tb\r\n", b"a\\ b", DEEP],
    },
    "DocumentTitle": {FROM_DATABASE: [b"a title"], why.ODD: [b"a\\b", b" a"]},
    "ContentLabel": {FROM_DATABASE: [b"LABEL", typed("UN", b"LABELS"), typed("US", b"\1\0"), typed("LO", b"label")]},
    "StructureSetLabel": {FROM_DATABASE: [b"PLAN 1", b"", None]},
    "ImageType": {FROM_DATABASE: [b"ORIGINAL\\PRIMARY", b"ORIGINAL\\\\X", b"original"], why.ODD: [DEEP]},
    "ImageLaterality": {FROM_DATABASE: [b"L", b"R", b"", b"x", None]},
    "IssuerOfPatientID": {FROM_DATABASE: [b"HOSP", b"OTHER", b"", None], why.ODD: [DEEP]},
    "InstanceNumber": {
        FROM_DATABASE: [b"0", b"-5", b"007", b"-007", b"999999999"],
        why.ODD: [b" 7", b"+3", b"1.5", b"abc", b"3\\4", b"4294967296", b"2147483648"],
        why.ABSENT: [None, b""],
    },
    "Modality": {
        FROM_DATABASE: [b"MR", b"ct", b"CT\\MR", typed("UN", b"MR")],
        why.ABSENT: [None, b"", typed("OB", b"MR")],
    },
    "SpecificCharacterSet": {
        FROM_DATABASE: [None, b"", b"ISO_IR 100", b"ISO_IR 192", b"ISO_IR 100 ", typed("UN", b"ISO_IR 100")],
        why.TEXTS: [b"ISO_IR 6", b"ISO_IR 999", b"ISO_IR 203", b"\\ISO 2022 IR 87", b"ISO_IR 100\\ISO_IR 144"],
    },
    "ConceptNameCodeSequence": {
        FROM_DATABASE: [None],
        why.SEQUENCES: [
            {"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": "a title"},
            typed("SQ", b""),
        ],
    },
    "IssuerOfPatientIDQualifiersSequence": {
        why.SEQUENCES: [{"UniversalEntityID": "1.2.3", "UniversalEntityIDType": "ISO"}],
    },
    "SOPClassUID": {
        FROM_DATABASE: [b"1.2.840.10008.5.1.4.1.1.4", b"1.2.3", b"1.2.840.10008.5.1.4.1.1.2 "],
        why.IN_FULL: [min(KEY_OBJECTS).encode(), b"1.2.840.10008.5.1.4.1.1.104.3"],
        why.ODD: [b"abc", b"1.2\\1.3"],
        why.ABSENT: [None],
    },
    "PatientID": {FROM_DATABASE: [b"P1 ", b"P1\0"]},
}
UNKEPT: dict[str, list[Any]] = {
    "ContentDescription": [b"a" * 257, typed("UT", b"b" * 400), typed("OB", b"bytes")],
    "ImageType": [b"ORIGINAL\\" * 40],
    "IssuerOfPatientID": [typed("OB", b"HOSP")],
}
"""What Orthanc's database does not keep though the attribute is in the file (mapper.sources.orthanc.database)."""


def image(number: int, keyword: str, value: Any, **others: Any) -> bytes:
    """Return one of several images of a series, of which an attribute has a value as some file may have it."""
    uids = {"SOPInstanceUID": f"{STUDY}.1.{number}", "InstanceNumber": number, **others}
    if not isinstance(value, tuple):
        return part10(**{**uids, keyword: value})
    plain = part10(**{**uids, keyword: None})
    vr, text = value
    return placed(plain, element(keyword, text, vr))


def placed(file: bytes, attribute: bytes) -> bytes:
    """Return a file with one more attribute, in the order of tags."""
    start = 132 + 12 + int.from_bytes(file[140:144], "little")
    place, end = start, len(file)

    def tag(at: int) -> tuple[int, int]:
        return int.from_bytes(file[at : at + 2], "little"), int.from_bytes(file[at + 2 : at + 4], "little")

    new = int.from_bytes(attribute[:2], "little"), int.from_bytes(attribute[2:4], "little")
    while place < end and tag(place) < new:
        place += 8 + int.from_bytes(file[place + 6 : place + 8], "little")
    return file[:place] + attribute + file[place:]


@pytest.mark.parametrize("keyword", NEIGHBOURS)
def test_whatever_an_attribute_of_instances_holds_both_ways_say_the_same(newer: Pacs, keyword: str) -> None:
    """It stands in the first instance of a series, or in one behind it, of which no metadata are read."""
    for expected, values in NEIGHBOURS[keyword].items():
        for value in values:
            for place in (1, 3):
                files = [image(number, "ContentLabel", None) for number in (1, 2, 3, 4) if number != place]
                how = newer.same(*files, image(place, keyword, value))
                assert set(how) == {expected}, (value, place, how)


def test_what_the_database_does_not_keep_is_the_one_difference(newer: Pacs) -> None:
    for keyword, values in UNKEPT.items():
        for value in values:
            newer.empty()
            newer.store(*(image(number, "ContentLabel", None) for number in (1, 2)), image(3, keyword, value))
            slow, fast, how = newer.both.read(STUDY)
            assert set(how) == {FROM_DATABASE}
            assert slow != fast, (keyword, value)
            newer.empty()
            newer.store(*(image(number, "ContentLabel", None) for number in (2, 3)), image(1, keyword, value))
            slow, fast, how = newer.both.read(STUDY)
            assert (fast, set(how)) == (slow, {why.DIFFERENT})


CHOICES = [(keyword, value) for keyword, kinds in NEIGHBOURS.items() for values in kinds.values() for value in values]


def generated(chance: Random) -> list[bytes]:
    """Return the files of a study whose instances hold anything from the table, most of them nothing odd."""
    files = []
    for number in range(1, chance.randint(8, 40)):
        keyword, value = chance.choice(CHOICES) if chance.random() < 0.1 else ("ContentLabel", None)
        series = chance.randint(1, 4)
        files.append(image(number, keyword, value, SeriesInstanceUID=f"{STUDY}.{series}", SeriesNumber=series))
    chance.shuffle(files)
    return files


@pytest.mark.parametrize("turn", range(3))
def test_generated_studies_are_the_same_both_ways(newer: Pacs, turn: int) -> None:
    how: Counter[str] = Counter()
    for seed in some(range(120), turn):
        how += newer.same(*generated(Random(seed)))
    assert how[FROM_DATABASE] > 0
    assert len(how) > 3, how


def changes(pacs: Pacs) -> dict[str, Callable[[], object]]:
    """Return what may happen to a study while it is read."""

    def instance(number: int) -> Any:
        hits = pacs.ask("POST", "/tools/lookup", data=f"{STUDY}.1.{number}")
        return next(f"/instances/{hit['ID']}" for hit in hits if hit["Type"] == "Instance")

    return {
        "an instance comes": lambda: pacs.store(image(9, "ContentLabel", b"NEW")),
        "an instance becomes another": lambda: pacs.store(image(3, "ContentLabel", b"NEW")),
        "the first instance goes": lambda: pacs.ask("DELETE", instance(1)),
        "another instance goes": lambda: pacs.ask("DELETE", instance(3)),
    }


@pytest.mark.parametrize(
    "what", ["an instance comes", "an instance becomes another", "the first instance goes", "another instance goes"]
)
@pytest.mark.parametrize("step", ["instance_rows", "instance"])
def test_a_change_while_it_is_read_is_seen(newer: Pacs, monkeypatch: pytest.MonkeyPatch, step: str, what: str) -> None:
    """Right before the database is asked, and between that and the metadata of the first instance."""
    newer.store(*plain(4))
    until(lambda: None if newer.both.slow.read(STUDY, []).sighting.young else True)
    kind = Api if step == "instance_rows" else DicomWeb
    plainly = getattr(kind, step)

    def changed(*arguments: Any) -> Any:
        changes(newer)[what]()
        return plainly(*arguments)

    monkeypatch.setattr(kind, step, changed)
    with pytest.raises(SourceChanged):
        newer.both.fast.read(STUDY, [])


def plain(instances: int, series: int = 1) -> list[bytes]:
    """Return the files of some images."""
    return [
        part10(
            SeriesInstanceUID=f"{STUDY}.{place}",
            SOPInstanceUID=f"{STUDY}.{place}.{number}",
            InstanceNumber=number,
            SeriesNumber=place,
        )
        for place in range(1, series + 1)
        for number in range(1, instances + 1)
    ]


@pytest.mark.parametrize("limit", ["LimitFindInstances", "LimitFindResults"])
def test_a_limit_on_answers_cuts_nothing(new_orthanc: Callable[..., Orthanc], limit: str) -> None:
    """Orthanc cuts a page without a word: further pages are asked for, and the number is held against the series'."""
    pacs = Pacs(new_orthanc(OrthancInFolder, plugin_script=None, overrides={**KEEPING, limit: 3}))
    assert pacs.same(*plain(4, 2)) == Counter({FROM_DATABASE: 2})


def test_what_was_stored_before_is_read_by_metadata_until_it_is_reconstructed(
    new_orthanc: Callable[..., Orthanc],
) -> None:
    server = new_orthanc(OrthancInFolder, plugin_script=None, overrides={"StableAge": 1})
    pacs = Pacs(server)
    assert pacs.same(*plain(4)) == Counter({why.NOT_KEPT: 1})
    server.overrides.update(KEEPING)
    server.restart()
    slow, fast, how = pacs.both.read(STUDY)
    assert (fast, how) == (slow, Counter({why.NOT_KEPT: 1})), "it is asked once what Orthanc keeps"
    pacs.both = BothWays(server)
    pacs.store(*plain(4, 2)[4:])
    slow, fast, how = pacs.both.read(STUDY)
    assert (fast, how) == (slow, Counter({why.OTHERS: 1, FROM_DATABASE: 1}))
    (study,) = pacs.ask("GET", "/studies")
    pacs.ask("POST", f"/studies/{study}/reconstruct", json={})
    slow, fast, how = pacs.both.read(STUDY)
    assert (fast, how) == (slow, Counter({FROM_DATABASE: 2}))


def test_few_instances_are_read_by_metadata(newer: Pacs) -> None:
    newer.both = BothWays(newer.server, 5)
    assert newer.same(*plain(4)) == Counter({why.FEW: 1})
    assert newer.same(*plain(5)) == Counter({FROM_DATABASE: 1})
    assert newer.same(*plain(1, 5)) == Counter({why.FEW: 5}), "one instance a series is read whole anyway"
