"""What a mapping asks of a tree: children by concept, all below, all above; references are followed once."""

from pydicom.sr.coding import Code

from mapper.dicom.sr.tree import ContentTree
from samples.sr.content import (
    CONTAINS,
    CONTEXT,
    INFERRED,
    MOD,
    PROPERTY,
    by_reference,
    coded,
    container,
    num,
    text,
    uidref,
)
from tests.dicom.sr.trees import FINDING, GROUP, LENGTH, MASS, MILLIMETRE, nested, tree

LUNG = Code("39607008", "SCT", "Lung")
SITE, SITE_ONCE = ("363698007", "SCT"), Code("G-C0E3", "SRT", "Finding Site")
SIDE = Code("272741003", "SCT", "Laterality")
TRACKING = Code("112040", "DCM", "Tracking Unique Identifier")


def report() -> ContentTree:
    """Return two groups: the second is inferred from the first one's length, which is given by reference."""
    return tree(
        container(
            CONTAINS,
            GROUP,
            uidref(CONTEXT, TRACKING, "1.2.3"),
            coded(MOD, SITE_ONCE, LUNG, coded(MOD, SIDE, MASS)),
            num(CONTAINS, LENGTH, "1", MILLIMETRE, num(PROPERTY, LENGTH, "2", MILLIMETRE)),
            num(CONTAINS, LENGTH, "3", MILLIMETRE),
        ),
        container(CONTAINS, GROUP, text(CONTAINS, FINDING, "so"), by_reference(INFERRED, 1, 1, 3)),
    )


def test_children_by_their_concept_names() -> None:
    first, second = report().root.children
    assert [item.path for item in first.having(("410668003", "SCT"))] == ["1.1.3", "1.1.4"]
    assert [item.path for item in first.having(("G-A22A", "SRT"), ("112040", "DCM"))] == ["1.1.1", "1.1.3", "1.1.4"]
    assert first.having(("410668003", "LN")) == []
    assert [item.path for item in second.having(("410668003", "SCT"))] == ["1.1.3"]  # by reference


def test_the_first_child_of_a_concept() -> None:
    first, _ = report().root.children
    site = first.child(SITE)
    assert site is not None
    assert site.path == "1.1.2"
    assert site.child(("272741003", "SCT")) is site.children[0]
    assert first.child(("272741003", "SCT")) is None  # a grandchild is no child


def test_children_by_their_relationship() -> None:
    first, second = report().root.children
    assert [item.path for item in first.related(MOD, CONTEXT)] == ["1.1.1", "1.1.2"]
    assert [item.path for item in second.related(INFERRED)] == ["1.1.3"]
    assert [item.path for item in second.related()] == ["1.2.1", "1.1.3"]


def test_everything_below_comes_once_in_the_order_of_the_document() -> None:
    found = report()
    assert [item.path for item in found.root.descendants()] == [item.path for item in found][1:]
    assert [item.path for item in found.root.descendants(("410668003", "SCT"))] == ["1.1.3", "1.1.3.1", "1.1.4"]
    assert [item.path for item in found.root.children[1].descendants()] == ["1.2.1", "1.2.2"]


def test_everything_above_from_the_nearest_on() -> None:
    found = report()
    inner = found.at(1, 1, 3, 1)
    assert inner is not None
    assert [item.path for item in inner.ancestors()] == ["1.1.3", "1.1", "1"]
    assert [item.path for item in inner.ancestors(("125007", "DCM"))] == ["1.1"]
    assert list(found.root.ancestors()) == []


def test_a_reference_without_a_target_is_nobody_s_child() -> None:
    found = tree(by_reference(INFERRED, 1, 9))
    assert list(found.root.related()) == []
    assert len(found.root.children) == 1


def test_deep_trees_are_walked_without_recursion() -> None:
    found = tree(nested(63))
    assert len(list(found.root.descendants())) == 63
    *_, last = found
    assert len(list(last.ancestors())) == 63
