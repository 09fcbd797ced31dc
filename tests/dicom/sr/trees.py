"""Content trees for tests, written as samples.sr.content writes them."""

from typing import Any

from pydicom.sr.coding import Code

from mapper.dicom.item import Item, tag_of
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.tree import ContentTree, content_tree
from samples.sr.content import CONTAINS, container
from tests.support.datasets import dataset

REPORT = Code("126000", "DCM", "Imaging Measurement Report")
GROUP = Code("125007", "DCM", "Measurement Group")
FINDING = Code("121071", "DCM", "Finding")
LENGTH = Code("410668003", "SCT", "Length")
MILLIMETRE = Code("mm", "UCUM", "millimeter")
MASS = Code("4147007", "SCT", "Mass")
CHILDREN = tag_of("ContentSequence")


def document(*items: Any) -> dict[str, Any]:
    """Return the DICOM JSON of a report with these content items."""
    return dataset(**container("", REPORT, *items, template="1500"))


def tree(*items: Any) -> ContentTree:
    """Return the tree of a report with these content items."""
    return content_tree(Item(document(*items)))


def raw(*entries: Any) -> ContentTree:
    """Return the tree of a report whose ContentSequence holds what is not as it should be."""
    made = document()
    made[CHILDREN] = {"vr": "SQ", "Value": list(entries)}
    return content_tree(Item(made))


def only(*items: Any) -> ContentItem:
    """Return the one content item of a report that has one, and no problem."""
    found = tree(*items)
    assert found.problems == ()
    (item,) = found.root.children
    return item


def said(found: ContentTree) -> list[str]:
    """Return the problems of a tree as `place: reason`."""
    assert {problem.element for problem in found.problems} <= {"ContentSequence"}
    return [f"{problem.attribute}: {problem.reason}" for problem in found.problems]


def paths(found: ContentTree) -> list[str]:
    """Return the paths of all items in the order of the document."""
    return [item.path for item in found]


def nested(depth: int) -> Any:
    """Return containers inside each other, so many of them."""
    made = container(CONTAINS, GROUP)
    for _ in range(depth - 1):
        made = container(CONTAINS, GROUP, made)
    return made
