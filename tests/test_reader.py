"""WADO-RS metadata -> studies: what is read, in which order it stands, and what is refused."""

import json
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from datasets import dataset

from mapper import NotOneStudy, bundle_from_metadata
from mapper.dicom.reader import Reader
from mapper.dicom.study import Collector, Study
from mapper.errors import BadMetadata, TwoPatients

CT = "1.2.840.10008.5.1.4.1.1.2"


def one(study: str = "1.2", series: str = "1", number: Any = 1, **attributes: Any) -> dict[str, Any]:
    """Return the metadata of one instance."""
    return dataset(
        **{
            "StudyInstanceUID": study,
            "SeriesInstanceUID": f"{study}.{series}",
            "SOPInstanceUID": f"{study}.{series}.{number}",
            "SOPClassUID": CT,
            "InstanceNumber": number,
            "PatientID": "P1",
            **attributes,
        }
    )


def without(element: dict[str, Any], keyword: str) -> dict[str, Any]:
    return {tag: value for tag, value in element.items() if tag not in dataset(**{keyword: None})}


def collect(*metadata: list[Any], keywords: tuple[str, ...] = ("SeriesNumber", "StudyDescription")) -> Collector:
    collector, reader = Collector(), Reader(keywords, ())
    for answer in metadata:
        reader.read(json.dumps(answer).encode(), collector)
    return collector


def shape(study: Study) -> list[tuple[str, list[str]]]:
    return [(series.uid, [instance.uid for instance in series.instances]) for series in study.series]


def test_only_what_is_asked_for_is_read() -> None:
    collector = collect([one(StudyDescription="Head", PatientComments="long")], keywords=("StudyDescription",))
    series = collector.only_study().series[0]
    assert series.item["StudyDescription"] == "Head"
    assert "PatientComments" not in series.item
    assert "StudyDescription" not in series.instances[0].item
    assert series.instances[0].item["SOPClassUID"] == CT


def test_numbers_keep_their_digits() -> None:
    raw = json.dumps([one(PatientSize="here")]).replace('"here"', "1.80").encode()
    collector = Collector()
    Reader(["PatientSize"], ()).read(raw, collector)
    size = collector.only_study().item["PatientSize"]
    assert str(size) == "1.80"
    assert isinstance(size, Decimal)


INSTANCES = [
    one(series="1", number=2, SeriesNumber=5),
    one(series="1", number=1, SeriesNumber=5),
    one(series="2", number=1, SeriesNumber=2),
    one(series="3", number=1),
]


@pytest.mark.parametrize("order", list(permutations(INSTANCES)), ids=lambda _: "")
def test_the_order_of_arrival_does_not_count(order: tuple[Any, ...]) -> None:
    expected = [("1.2.2", ["1.2.2.1"]), ("1.2.1", ["1.2.1.1", "1.2.1.2"]), ("1.2.3", ["1.2.3.1"])]
    assert shape(collect(list(order)).only_study()) == expected
    assert shape(collect(*([each] for each in order)).only_study()) == expected, "one answer a series"


def test_numbers_are_ordered_as_numbers_and_the_absent_come_last() -> None:
    found = collect([one(number=number) for number in (10, 9, None, "x", 1)]).only_study()
    assert [instance.uid for instance in found.series[0].instances] == [
        "1.2.1.1",
        "1.2.1.9",
        "1.2.1.10",
        "1.2.1.None",
        "1.2.1.x",
    ]


def test_a_series_speaks_through_its_first_instance() -> None:
    found = collect([one(number=2, StudyDescription="second"), one(number=1, StudyDescription="first")]).only_study()
    assert found.series[0].item["StudyDescription"] == "first"


def test_an_instance_that_is_there_twice_is_listed_once() -> None:
    study = collect([one(), one()], [one()]).only_study()
    assert study.instances == 1
    assert [problem.attribute for problem in study.problems].count("SOPInstanceUID") >= 1


@pytest.mark.parametrize("keyword", ["SeriesInstanceUID", "SOPInstanceUID"])
def test_an_instance_without_its_uids_is_left_out_and_recorded(keyword: str) -> None:
    study = collect([one(), without(one(number=2), keyword)]).only_study()
    assert study.instances == 1
    assert keyword in [problem.attribute for problem in study.problems]


def test_an_instance_without_a_study_belongs_to_nobody() -> None:
    collector = collect([one(), without(one(number=2), "StudyInstanceUID")])
    assert collector.strays == 1
    assert collector.only_study().instances == 1


def test_two_patients_are_refused_without_their_ids() -> None:
    collector = collect([one(PatientID="SECRET1"), one(number=2, PatientID="SECRET2")])
    with pytest.raises(TwoPatients) as failed:
        collector.only_study()
    assert "1.2" in str(failed.value)
    assert "SECRET" not in str(failed.value)


@pytest.mark.parametrize("patients", [["A", "A "], ["A", {"odd": 1}]], ids=str)
def test_one_patient_is_one(patients: list[Any]) -> None:
    sets = [one(number=number) for number in (1, 2)]
    for each, patient in zip(sets, patients, strict=True):
        each["00100020"] = {"vr": "LO", "Value": [patient]}
    assert collect(sets).only_study().instances == 2


@pytest.mark.parametrize("answers", [[], [[]], [[one()], [one(study="1.3")]]], ids=["nothing", "an empty list", "two"])
def test_none_or_several_are_not_one(answers: list[Any]) -> None:
    with pytest.raises(NotOneStudy):
        collect(*answers).only_study()


def test_a_study_of_nothing_but_broken_instances_is_none() -> None:
    with pytest.raises(NotOneStudy):
        collect([without(one(), "SOPInstanceUID")]).only_study()


BAD: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"<html>SECRET</html>",
    "an object": b'{"0020000D": {}}',
    "a number": b"7",
    "a list of numbers": b"[1, 2]",
    "a list of lists": b"[[]]",
    "a list of null": b"[null]",
    "cut off": b'[{"0020000D": {"vr": "UI", "Value": ["1.2',
    "endless nesting": b"[" * 100_000,
    "nesting in an attribute": b'[{"0020000D":' + b"[" * 100_000,
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
def test_what_is_no_metadata_is_refused(raw: bytes) -> None:
    with pytest.raises(BadMetadata) as failed:
        Reader(["StudyDescription"], ()).read(raw, Collector())
    assert "SECRET" not in str(failed.value)
    with pytest.raises(ValueError, match=r"."):
        bundle_from_metadata(raw)


def test_the_library_takes_bytes_and_gives_bytes() -> None:
    bundle = json.loads(bundle_from_metadata(json.dumps([one(), one(number=2)]).encode()))
    assert bundle["type"] == "transaction"
    assert {entry["resource"]["resourceType"] for entry in bundle["entry"]} >= {"Patient", "ImagingStudy"}
    for several in ([], [one(), one(study="1.3")]):
        with pytest.raises(NotOneStudy):
            bundle_from_metadata(json.dumps(several).encode())
