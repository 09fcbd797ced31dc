"""Limits of a content tree: depth, items, problems; and work that grows with the document, no faster."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from mapper.dicom.collector import Collector
from mapper.dicom.documents import LARGEST_CONTENT
from mapper.dicom.item import Item
from mapper.dicom.reader import Reader
from mapper.dicom.sr import tree as walker
from mapper.dicom.sr.reading import PROBLEMS_KEPT
from mapper.dicom.sr.tree import DEPTH, ITEMS, ROOT, ContentTree, content_tree
from samples.sr.content import CONTAINS, INFERRED, by_reference, container, num, text
from tests.dicom.sr.trees import CHILDREN, FINDING, GROUP, LENGTH, MILLIMETRE, document, nested, raw, said, tree
from tests.support.datasets import dataset

TEXT = dataset(**text(CONTAINS, FINDING, "one"))


@pytest.mark.parametrize(("levels", "kept"), [(DEPTH - 1, DEPTH), (DEPTH, DEPTH), (DEPTH + 1, DEPTH), (200, DEPTH)])
def test_what_is_deeper_than_the_limit_is_cut(levels: int, kept: int) -> None:
    found = tree(nested(levels - 1))
    assert len(found.items) == min(levels, kept)
    place = ".".join("1" * DEPTH)
    cut = [f"{place} CONTAINER ContentSequence: deeper than {DEPTH} levels: left out"]
    assert said(found) == (cut if levels > DEPTH else [])


def deep(levels: int) -> dict[str, Any]:
    """Return a document of so many levels without any recursion."""
    inner: dict[str, Any] = dict(TEXT)
    for _ in range(levels):
        inner = {**dataset(ValueType="CONTAINER"), CHILDREN: {"vr": "SQ", "Value": [inner]}}
    return inner


def test_a_document_deeper_than_any_stack() -> None:
    found = content_tree(Item(deep(10_000)))
    assert len(found.items) == DEPTH
    assert len(found.problems) == 1


def read(metadata: str) -> ContentTree:
    """Return the tree of the one document in an answer of WADO-RS metadata."""
    collector = Collector()
    Reader(ROOT, ()).read(metadata.encode(), collector)
    (series,) = collector.only_study().series
    return content_tree(series.item)


HEAD = dataset(StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.1", SOPInstanceUID="1.2.3.1.1")


def test_its_json_is_read_as_far_as_the_tree_goes() -> None:
    opened, closed = '"0040A730":{"vr":"SQ","Value":[{"0040A040":{"vr":"CS","Value":["CONTAINER"]},', "}]}"
    text_of = json.dumps([HEAD])[:-2] + "," + opened * 10_000 + '"00080005":{"vr":"CS"}' + closed * 10_000 + "}]"
    found = read(text_of)
    assert len(found.items) == DEPTH
    assert found.at(*[1] * DEPTH) is not None


def test_what_a_reader_left_out_for_its_size_is_said() -> None:
    found = read(json.dumps([{**HEAD, **document(text(CONTAINS, FINDING, "x" * (LARGEST_CONTENT + 1)))}]))
    assert said(found) == ["1 CONTAINER ContentSequence: too large: not read"]


def test_the_json_of_the_deepest_tree_is_read() -> None:
    data = json.dumps(document(nested(DEPTH - 1))).encode()
    found = content_tree(Item(msgspec.json.decode(data)))
    assert len(found.items) == DEPTH
    assert found.problems == ()


def test_a_document_with_ten_times_the_items_is_cut() -> None:
    found = raw(*[TEXT] * (10 * ITEMS))
    assert len(found.items) == ITEMS
    assert said(found) == [f"1 CONTAINER ContentSequence: more than {ITEMS} items: cut"]


@pytest.fixture
def few_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let five items be the limit."""
    monkeypatch.setattr(walker, "ITEMS", 5)


@pytest.mark.usefixtures("few_items")
@pytest.mark.parametrize(("entries", "kept"), [(3, 4), (4, 5), (5, 5), (100, 5)])
def test_the_limit_itself_is_not_too_much(entries: int, kept: int) -> None:
    found = raw(*[TEXT] * entries)
    assert len(found.items) == kept
    assert said(found) == (["1 CONTAINER ContentSequence: more than 5 items: cut"] if entries > 4 else [])


@pytest.mark.usefixtures("few_items")
def test_dropped_items_count_too() -> None:
    found = raw(*[None] * 10, TEXT)
    assert len(found.items) == 1


@pytest.mark.usefixtures("few_items")
def test_what_is_cut_in_one_place_ends_the_reading() -> None:
    group = container(CONTAINS, GROUP, *[text(CONTAINS, FINDING, "one")] * 4)
    found = tree(group, group, group)
    assert [item.path for item in found] == ["1", "1.1", "1.1.1", "1.1.2", "1.1.3"]
    assert said(found) == ["1.1 CONTAINER ContentSequence: more than 5 items: cut"]


def test_problems_are_counted_out() -> None:
    found = raw(*[None] * (PROBLEMS_KEPT + 50))
    assert len(found.problems) == PROBLEMS_KEPT + 1
    assert said(found)[-1] == f"1: more than {PROBLEMS_KEPT} problems: the others are not listed"


def test_exactly_as_many_problems_are_all_of_them() -> None:
    assert len(raw(*[None] * PROBLEMS_KEPT).problems) == PROBLEMS_KEPT


# -- work ---------------------------------------------------------------------------------------------------------


class Counted(Mapping[str, Any]):
    """A data set that counts how often it, and what is in it, is asked."""

    asked = 0

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = {tag: counted(element) for tag, element in data.items()}

    def __getitem__(self, key: str) -> Any:
        type(self).asked += 1
        return self._data[key]

    def get(self, key: str, default: Any = None) -> Any:
        type(self).asked += 1
        return self._data.get(key, default)

    def __iter__(self) -> Iterator[str]:
        type(self).asked += len(self._data)
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)


def counted(element: Any) -> Any:
    """Return an attribute whose sequence items count."""
    if isinstance(element, Mapping) and isinstance(element.get("Value"), list):
        values = [Counted(value) if isinstance(value, Mapping) else value for value in element["Value"]]
        return {**element, "Value": values}
    return element


def groups(count: int) -> list[Any]:
    """Return groups of five items, each referring to the one before."""
    return [
        container(
            CONTAINS,
            GROUP,
            text(CONTAINS, FINDING, "one"),
            num(CONTAINS, LENGTH, "12.40", MILLIMETRE, num(CONTAINS, LENGTH, "1", MILLIMETRE)),
            by_reference(INFERRED, 1, max(number - 1, 1), 2),
        )
        for number in range(1, count + 1)
    ]


def work(count: int) -> tuple[int, int]:
    """Return the number of items and of questions that reading them takes."""
    data = Counted(document(*groups(count)))
    Counted.asked = 0
    found = content_tree(Item(data))
    return len(found.items), Counted.asked


def test_twice_the_items_are_twice_the_work() -> None:
    (items, asked), (more_items, more_asked) = work(500), work(1_000)
    assert (items, more_items) == (2_501, 5_001)
    assert more_asked <= 2 * asked
    assert asked < 120 * items


def test_a_report_of_three_megabytes() -> None:
    data = json.dumps(document(*groups(1_000), text(CONTAINS, FINDING, "x" * 1_500_000))).encode()
    assert len(data) > 3_000_000
    found = content_tree(Item(msgspec.json.decode(data)))
    assert len(found.items) == 5_002
    assert found.problems == ()


def test_references_that_fan_out_are_resolved_once_each() -> None:
    """Fifty levels, each with two references to the next: followed blindly that would be 2**50 ways."""
    levels = [
        container(CONTAINS, GROUP, by_reference(INFERRED, 1, level + 1), by_reference(INFERRED, 1, level + 1))
        for level in range(1, 50)
    ]
    found = tree(*levels, text(CONTAINS, FINDING, "end"))
    assert found.problems == ()
    assert len(list(found.root.descendants())) == 50 + 2 * 49
    assert sum(item.target is not None for item in found) == 2 * 49
