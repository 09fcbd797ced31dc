"""What holds for every document: no failure, no loop, nothing beyond the limits, nothing quoted, nothing lost."""

import copy
from typing import Any

from hypothesis import given

from mapper.dicom.item import Item
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.reading import PROBLEMS_KEPT
from mapper.dicom.sr.tree import DEPTH, ITEMS, RELATIONSHIPS, content_tree
from mapper.dicom.sr.value import READERS
from tests.dicom.sr.rows import rows
from tests.dicom.sr.strategies import DOCUMENTS, ODD_DOCUMENTS, SECRET
from tests.support.datasets import dataset
from tests.support.examples import times

Attributes = dict[str, Any]


def ways(item: ContentItem) -> list[ContentItem]:
    """Return where one gets from an item: to its children, and to what it stands for."""
    return [*item.children, *([item.target] if item.target else [])]


def is_loopless(root: ContentItem) -> bool:
    """Tell whether every walk down ends."""
    open_, done = set(), set()

    def ends(item: ContentItem) -> bool:
        if id(item) in done:
            return True
        if id(item) in open_:
            return False
        open_.add(id(item))
        good = all(ends(found) for found in ways(item))
        done.add(id(item))
        return good

    return ends(root)


@times(5)
@given(ODD_DOCUMENTS)
def test_any_document_becomes_a_tree(data: Any) -> None:
    before = copy.deepcopy(data)
    found = content_tree(Item(data if isinstance(data, dict) else {}))
    assert repr(data) == repr(before)
    items = list(found)
    assert items[0] is found.root
    assert [item.positions for item in items] == sorted(item.positions for item in items)
    assert len(items) <= ITEMS
    assert len(found.problems) <= PROBLEMS_KEPT + 1
    for item in items:
        assert len(item.positions) <= DEPTH
        assert item.value_type in READERS or (item.reference and not item.children and item.value is None)
        assert item.relationship in {None, *RELATIONSHIPS}
        assert found.at(*item.positions) is item
        if item is not found.root:
            assert item.parent is not None
            assert item in item.parent.children
            assert item.positions[:-1] == item.parent.positions
        assert item.target is None or item.target in items
    assert [item.path for item in items[1:]] == [item.path for item in found.root.descendants()]
    assert is_loopless(found.root)


@given(ODD_DOCUMENTS)
def test_no_problem_quotes_the_document(data: Any) -> None:
    found = content_tree(Item(data if isinstance(data, dict) else {}))
    assert SECRET not in repr(found.problems)
    assert SECRET not in repr(list(found))


@given(ODD_DOCUMENTS)
def test_reading_twice_is_reading_once(data: Any) -> None:
    once, again = (content_tree(Item(data if isinstance(data, dict) else {})) for _ in range(2))
    assert rows(once) == rows(again)
    assert once.problems == again.problems


def written(items: list[Attributes], place: str = "1") -> list[tuple[str, str, str]]:
    """Return path, value type and relationship of what a document was made of."""
    found = []
    for position, item in enumerate(items, 1):
        path = f"{place}.{position}"
        found.append((path, item.get("ValueType", ""), item["RelationshipType"]))
        found += written(item.get("ContentSequence", []), path)
    return found


@given(DOCUMENTS)
def test_nothing_of_a_good_document_is_lost(document: Attributes) -> None:
    found = content_tree(Item(dataset(**document)))
    assert found.problems == ()
    assert [(item.path, item.value_type, item.relationship) for item in found][1:] == written(
        document["ContentSequence"]
    )
    assert all(item.value is not None for item in found if item.value_type not in ("CONTAINER", ""))
    assert all(item.target is not None for item in found if item.reference)
