"""Documents are read in full, all else as before: from metadata and from files, within bounds, digit by digit."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import UID

from mapper.dicom import documents
from mapper.dicom.collector import TOO_MANY, Collector
from mapper.dicom.documents import IN_FULL, LARGEST_CONTENT, LARGEST_TOGETHER
from mapper.dicom.item import tag_of
from mapper.dicom.reader import Reader
from mapper.dicom.sr.tree import content_tree
from mapper.dicom.study import Study
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.sources.files import collect, files_under
from samples.dataset import part10
from samples.sr.catalogue import DOCUMENTS, MAKERS, OBJECTS
from tests.support.reported import BASIC_TEXT, instance
from tests.support.tables import rows

PREFIX = "1.2.840.10008.5.1.4.1.1."


def read(*instances: dict[str, Any], text: str | None = None) -> Study:
    collector = Collector()
    answer = (text or json.dumps(instances)).encode()
    Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read(answer, collector)
    return collector.only_study()


def titled(text: str = "a", **more: Any) -> dict[str, Any]:
    return {"ValueType": "CONTAINER", "ContentSequence": [{"ValueType": "TEXT", "TextValue": text}], **more}


@rows(
    "sop_class, in_full",
    """
    88.11    yes   # Basic Text
    88.22    yes   # Enhanced
    88.33    yes   # Comprehensive
    88.34    yes   # Comprehensive 3D
    88.35    yes   # Extensible
    88.67    yes   # X-ray dose
    88.68    yes   # radiopharmaceutical dose
    104.1    yes   # PDF
    104.2    yes   # CDA
    104.3    no    # STL: a surface, no document for people
    88.40    no    # procedure log
    88.50    yes   # mammography CAD
    88.59    yes   # key objects
    88.65    yes   # chest CAD
    88.69    yes   # colon CAD
    88.73    no    # patient dose: listed only
    88.76    no    # enhanced X-ray dose: listed only
    66.4     yes   # segmentation
    66.7     yes   # label map segmentation
    66.5     no    # surface segmentation
    11.1     no    # presentation state: its title is all
    30       no    # parametric map
    481.3    no    # structure set
    2        no    # CT
    """,
)
def test_which_instances_are_read_in_full(sop_class: str, in_full: str) -> None:
    (series,) = read(instance(titled(), sop_class)).series
    (found,) = series.instances
    assert (found.document is not None) == (in_full == "yes")
    assert "ContentSequence" not in found.item
    assert "ContentSequence" not in series.item
    assert found.whole is (found.document or found.item)


def test_every_sop_class_has_a_name_in_ps3_6() -> None:
    assert all(UID(uid).name != uid and uid.startswith(PREFIX) for uid in IN_FULL - {documents.LABEL_MAP})
    assert f"{PREFIX}66.7" == documents.LABEL_MAP  # PS3.6 table A-1; pydicom does not have it yet
    reports = documents.REPORTS | documents.DOSES | documents.CADS | documents.ENCAPSULATED
    assert reports | documents.KEY_OBJECTS | documents.SEGMENTATIONS == IN_FULL


def test_a_reader_that_is_asked_for_no_document_reads_none() -> None:
    collector = Collector()
    Reader(KEYWORDS, INSTANCE_KEYWORDS).read(json.dumps([instance(titled())]).encode(), collector)
    assert collector.only_study().series[0].instances[0].document is None


@rows(
    "megabytes, is_read",
    """
    1     yes
    3     yes
    15    yes
    17    no
    32    no
    """,
)
def test_a_large_report_is_read_and_a_huge_one_is_not(megabytes: str, is_read: str) -> None:
    many = [{"ValueType": "TEXT", "TextValue": "x" * 10_000} for _ in range(int(megabytes) * 100)]
    found = read(instance({"ValueType": "CONTAINER", "ContentSequence": many})).series[0].instances[0].document
    assert found is not None
    tree = content_tree(found)
    assert (len(tree.root.children) == len(many)) == (is_read == "yes")
    assert bool(tree.problems) == (is_read == "no")
    assert (int(megabytes) << 20 > LARGEST_CONTENT) == (is_read == "no")


def test_the_documents_of_a_study_together_have_a_bound() -> None:
    each = instance({"ValueType": "CONTAINER", "ContentSequence": [{"ValueType": "TEXT", "TextValue": "x" * 900_000}]})
    many = []
    for number in range(LARGEST_TOGETHER // 900_000 + 2):
        many.append(each | {tag_of("SOPInstanceUID"): {"vr": "UI", "Value": [f"1.2.{number}"]}})
    study = read(*many)
    read_in_full = [one for one in study.series[0].instances if one.document is not None]
    assert 0 < len(read_in_full) < len(many) == study.instances
    assert study.problems.count(TOO_MANY) == 1


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_which_documents_are_left_out_does_not_depend_on_their_order(
    monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...]
) -> None:
    def of(number: int) -> dict[str, Any]:
        said = [{"ValueType": "TEXT", "TextValue": "x" * 1_000 * (2 + number)}]
        made = instance({"ValueType": "CONTAINER", "ContentSequence": said})
        return made | {tag_of("SOPInstanceUID"): {"vr": "UI", "Value": [f"1.2.{number}"]}}

    monkeypatch.setattr("mapper.dicom.collector.LARGEST_TOGETHER", 10_000)
    study = read(*(of(number) for number in order))
    kept = {one.uid for one in study.series[0].instances if one.document is not None}
    assert kept == {"1.2.0", "1.2.1"}, "the smallest that have room together"
    assert study.problems.count(TOO_MANY) == 1
    assert study.instances == 4


def segmented(frames: int, **more: Any) -> dict[str, Any]:
    """Return a segmentation of one segment with so many frames."""
    frame = {"FrameAnatomySequence": [{"FrameLaterality": "L"}], "FrameContentSequence": [{"FrameComments": "x" * 900}]}
    segments = [{"SegmentNumber": 1, "SegmentLabel": "liver"}]
    return instance({"SegmentSequence": segments, "PerFrameFunctionalGroupsSequence": [frame] * frames}, "66.4", **more)


def test_of_a_segmentation_neither_frames_nor_their_size_count() -> None:
    collector = Collector()
    many = [segmented(900, SOPInstanceUID=f"1.2.{number}") for number in range(LARGEST_TOGETHER // 900_000 + 2)]
    text = json.dumps(many).encode()
    assert len(text) > LARGEST_TOGETHER
    Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read(text, collector)
    study = collector.only_study()
    assert TOO_MANY not in study.problems
    for found in study.series[0].instances:
        assert found.document is not None
        assert found.document["SegmentSequence"]["SegmentLabel"] == "liver"
        assert "PerFrameFunctionalGroupsSequence" not in found.document


NUMBERS: tuple[tuple[str, str], ...] = (  # as JSON has it, as it is read
    ('"12.40"', "12.40"),
    ("12.40", "12.40"),
    ("12.4", "12.4"),
    ('"0.00000000000012"', "1.2E-13"),
    ('"-00.10"', "-0.10"),
    ('"123456789.123456"', "123456789.123456"),
)


@pytest.mark.parametrize(("sent", "expected"), NUMBERS, ids=[sent for sent, _ in NUMBERS])
def test_a_number_keeps_every_digit_that_was_sent(sent: str, expected: str) -> None:
    root = {"ValueType": "CONTAINER", "ContentSequence": [number("@@")]}
    study = read(text=json.dumps([instance(root)]).replace('"@@"', sent))
    document = study.series[0].instances[0].document
    assert document is not None
    (found,) = content_tree(document).root.children
    assert str(found.value.value) == expected  # type: ignore[union-attr]


def number(value: str) -> dict[str, Any]:
    return {"ValueType": "NUM", "MeasuredValueSequence": [{"NumericValue": value}]}


def test_two_of_one_uid_are_told_apart_by_their_content_not_by_arrival() -> None:
    one, other = (instance(titled(text), BASIC_TEXT) for text in ("first", "second"))
    texts = set()
    for order in ((one, other), (other, one)):
        (found,) = read(*order).series[0].instances
        assert found.document is not None
        texts.add(content_tree(found.document).root.children[0].value)
    assert len(texts) == 1


# -- files --------------------------------------------------------------------------------------------------------


def folder(path: Path, *names: str) -> Study:
    for name in names:
        (path / f"{name}.dcm").write_bytes(part10({**MAKERS, **DOCUMENTS, **OBJECTS}[name]()))
    (collector, skipped), *_ = list(
        collect(files_under([path]), KEYWORDS, INSTANCE_KEYWORDS, document_keywords=DOCUMENT_KEYWORDS)
    )
    assert not skipped
    return collector.only_study()


def test_a_file_gives_the_numbers_as_they_stand_in_it(tmp_path: Path) -> None:
    (found,) = folder(tmp_path, "measurements").series[0].instances
    assert found.document is not None
    (axis,) = content_tree(found.document).root.descendants(("103339001", "SCT"))
    assert str(axis.value.value) == "12.40"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_bytes_of_an_encapsulated_document_are_not_read(name: str, tmp_path: Path) -> None:
    (found,) = folder(tmp_path, name).series[0].instances
    assert found.document is not None
    assert tag_of("EncapsulatedDocument") not in found.document.raw
    assert found.document["DocumentTitle"]


def test_a_file_that_is_too_large_keeps_its_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapper.sources.files.LARGEST_CONTENT", 1000)
    (found,) = folder(tmp_path, "text-report").series[0].instances
    assert found.document is not None
    assert found.document["CompletionFlag"] == "COMPLETE"
    tree = content_tree(found.document)
    assert tree.root.children == []
    assert tree.problems


def test_a_segmentation_that_is_large_by_its_pixels_keeps_its_segments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapper.sources.files.LARGEST_CONTENT", 1000)
    for name in ("monai-segmentation", "monai-label-map"):
        (tmp_path / name).mkdir()
        (found,) = folder(tmp_path / name, name).series[0].instances
        assert found.document is not None
        assert [one["SegmentLabel"] for one in found.document.values("SegmentSequence")][-1] == "left kidney"
        for left_out in ("ContentSequence", "PixelData", "PerFrameFunctionalGroupsSequence"):
            assert left_out not in found.document
