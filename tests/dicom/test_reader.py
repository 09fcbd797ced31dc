"""WADO-RS metadata -> studies: what is read, in which order it stands, and what is refused."""

import json
import subprocess
import sys
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from mapper import NotOneStudy, bundle_from_metadata
from mapper.dicom.collector import Collector
from mapper.dicom.picker import LARGEST_LOOSE
from mapper.dicom.reader import CUT, Reader
from mapper.dicom.study import Study
from mapper.errors import BadMetadata, Problem, TwoPatients
from tests.support.datasets import dataset

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


@pytest.mark.parametrize(("depth", "cut"), [(1, False), (64, False), (65, True), (200, True), (5_000, True)])
@pytest.mark.parametrize("read", [True, False], ids=["an attribute that is read", "one that is not"])
def test_items_in_items_are_read_as_far_as_64(depth: int, cut: bool, read: bool) -> None:
    """It stops at the limit, the study is pushed all the same."""
    name = '{"00100010":{"vr":"PN","Value":[{"Alphabetic":"x"}]}}'
    deep = '{"vr":"SQ","Value":[{"00081140":' * (depth - 1) + '{"vr":"SQ","Value":[' + name + "]}" + "}]}" * (depth - 1)
    sets = json.dumps([one(StudyDescription="Head"), one(number=2)])
    text = sets.replace('"0020000D"', f'"00081032":{deep},"0020000D"').encode()
    collector = Collector()
    Reader(["StudyDescription", *(["ProcedureCodeSequence"] if read else [])], ()).read(text, collector)
    study = collector.only_study()
    assert (study.instances, study.item["StudyDescription"]) == (2, "Head")
    assert [problem.reason for problem in study.problems] == [CUT.reason] * (2 if cut else 0)
    item, seen, last = study.item["ProcedureCodeSequence"], 0, None
    while item is not None:
        item, seen, last = item["ReferencedImageSequence"], seen + 1, item
    assert seen == (min(depth, 65) if read else 0)
    assert not read or (last["PatientName"] is None) == cut, "the 65th item is there, with nothing in it"


SMALL_STACK = """
import json, threading
from mapper.dicom.data_sets import DEEPEST
from mapper import bundle_from_metadata
threading.stack_size(256 * 1024)
said = []
def nested(depth, tag):
    value = "[" * depth + "]" * depth
    uids = {"0020000D": "1.2", "0020000E": "1.3", "00080018": "1.4", "00080016": "1.5"}
    named = {name: {"vr": "UI", "Value": [uid]} for name, uid in uids.items()}
    text = json.dumps([{**named, tag: {"vr": "SQ", "Value": 7}}] * 2)
    return text.replace("7}", value + "}").encode()
def run():
    for depth in (DEEPEST - 2, DEEPEST, 1_000, 100_000):
        for tag in ("00081032", "00080008", "00091001", "7FE00010"):
            said.append(len(bundle_from_metadata(nested(depth, tag))) > 100)
thread = threading.Thread(target=run)
thread.start()
thread.join()
print(all(said), len(said))
"""


def test_deep_items_on_the_small_stack_of_a_thread() -> None:
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", SMALL_STACK], capture_output=True, text=True, cwd=root, check=False)
    assert (ran.returncode, ran.stdout) == (0, "True 16\n"), ran.stderr


def test_what_is_read_may_arrive_in_any_pieces() -> None:
    text = json.dumps(INSTANCES, indent=1).encode()
    whole = collect(INSTANCES).only_study()
    for size in (1, 7, 100, len(text)):
        collector = Collector()
        pieces = (text[start : start + size] for start in range(0, len(text), size))
        Reader(("SeriesNumber", "StudyDescription"), ()).read(pieces, collector)
        assert shape(collector.only_study()) == shape(whole)


SIZES: dict[str, tuple[str, bool]] = {  # what StudyDescription holds in JSON, and whether it is read
    "a text": ('["Head"]', True),
    "a text as long as FHIR allows": (f'["{"a" * 1_000_000}"]', True),
    "a text that is longer": (f'["{"a" * 1_100_000}"]', False),
    "very many values": (f"[{'null,' * 300_000}null]", False),
    "very many items": (f"[{'{},' * 400_000}{{}}]", False),
    "a text and a number that is none": ('["Head", NaN]', True),
}


@pytest.mark.parametrize(("value", "read"), SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("more", ["", "a" * 1_200_000], ids=["alone", "beside another large one"])
def test_an_attribute_that_is_larger_than_a_text_of_fhir_is_not_read(value: str, read: bool, more: str) -> None:
    sets = [one(StudyDescription="here", StudyComments=more, PatientSex="O"), one(number=2)]
    text = json.dumps(sets).replace('["here"]', value)
    collector = Collector()
    Reader(["StudyDescription", "PatientSex"], ()).read(text.encode(), collector)
    item = collector.only_study().item
    assert item["PatientSex"] == "O"
    if read:
        assert item["StudyDescription"].lower().startswith(("head", "aaa"))
    else:
        with pytest.raises(ValueError, match="larger"):
            item["StudyDescription"]


def test_a_data_set_that_is_very_large_is_read_strictly_or_not_at_all() -> None:
    """What strict readers refuse is made into objects as a whole: many times its size."""
    sets = json.dumps([one(StudyComments="a" * (LARGEST_LOOSE + 1), StudyDescription=7)])
    assert len(sets) > LARGEST_LOOSE
    collector = Collector()
    Reader(["StudyDescription"], ()).read(sets.encode(), collector)
    assert collector.only_study().item["StudyDescription"] == "7"
    with pytest.raises(BadMetadata):
        Reader(["StudyDescription"], ()).read(sets.replace("[7]", "[NaN]").encode(), Collector())


def test_a_series_that_cannot_be_read_is_counted_and_recorded() -> None:
    collector = collect([one(), one(number=2)])
    why = Problem("ImagingStudy.series.uid", "SeriesInstanceUID", "why")
    collector.count("1.2", 5, why)
    collector.count("1.2", 0, why)
    study = collector.only_study()
    assert (len(study.series), study.unlisted, study.instances) == (1, (5, 0), 7)
    assert why in study.problems
    alone = Collector()
    alone.count("1.2", 5, why)
    with pytest.raises(NotOneStudy, match=r"1\.2"):
        alone.study("1.2")


def test_the_library_takes_bytes_and_gives_bytes() -> None:
    bundle = json.loads(bundle_from_metadata(json.dumps([one(), one(number=2)]).encode()))
    assert bundle["type"] == "transaction"
    assert {entry["resource"]["resourceType"] for entry in bundle["entry"]} >= {"Patient", "ImagingStudy"}
    for several in ([], [one(), one(study="1.3")]):
        with pytest.raises(NotOneStudy):
            bundle_from_metadata(json.dumps(several).encode())


ALIKE: dict[str, tuple[Any, Any]] = {  # of two instances
    "the same": ("a", "a"),
    "another": ("a", "b"),
    "one and one point nought": (1, 1.0),
    "one and true": (1, True),
    "true and one": (True, 1),
    "a number and its text": (1, "1"),
    "nothing and a text": (None, ""),
    "an item and the same": ({"00080100": {"vr": "SH", "Value": ["a"]}}, {"00080100": {"vr": "SH", "Value": ["a"]}}),
    "an item and another": ({"00080100": {"vr": "SH", "Value": [1]}}, {"00080100": {"vr": "SH", "Value": [True]}}),
    "a lone surrogate and the same": ("\ud800", "\ud800"),
}


@pytest.mark.parametrize(("first", "second"), ALIKE.values(), ids=ALIKE)
def test_what_repeats_is_read_once_and_what_only_seems_to_is_not(first: Any, second: Any) -> None:
    tag = "00080080"
    both = [{**one(number=n), tag: {"vr": "LO", "Value": [value]}} for n, value in enumerate((first, second), 1)]
    collector = Collector()
    Reader((), ("InstitutionName",)).read(json.dumps(both).encode(), collector)
    (series,) = collector.only_study().series
    kept = [instance.item.raw[tag] for instance in series.instances]
    sent = [Decimal(str(value)) if isinstance(value, float) else value for value in (first, second)]
    assert [repr(element["Value"][0]) for element in kept] == list(map(repr, sent))
    assert (kept[0] is kept[1]) is (repr(first) == repr(second))
