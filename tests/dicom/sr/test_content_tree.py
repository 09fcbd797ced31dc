"""Content trees: what is where, what is dropped and said, what is never a failure."""

from typing import Any

import pytest

from mapper.dicom.item import Item, tag_of
from mapper.dicom.sr.tree import RELATIONSHIPS, ROOT, content_tree
from samples.sr.content import CONTAINS, INFERRED, MOD, by_reference, coded, container, num, text
from tests.dicom.sr.trees import (
    CHILDREN,
    FINDING,
    GROUP,
    LENGTH,
    MASS,
    MILLIMETRE,
    REPORT,
    document,
    paths,
    raw,
    said,
    tree,
)
from tests.support.datasets import dataset

TEXT = dataset(**text(CONTAINS, FINDING, "one"))


def test_items_stand_where_the_document_has_them() -> None:
    found = tree(
        text(CONTAINS, FINDING, "one"),
        container(CONTAINS, GROUP, coded(MOD, FINDING, MASS), num(CONTAINS, LENGTH, "12.40", MILLIMETRE)),
        text(CONTAINS, FINDING, "two"),
    )
    assert paths(found) == ["1", "1.1", "1.2", "1.2.1", "1.2.2", "1.3"]
    assert [item.value_type for item in found] == ["CONTAINER", "TEXT", "CONTAINER", "CODE", "NUM", "TEXT"]
    assert [item.relationship for item in found] == [None, *[CONTAINS] * 2, MOD, *[CONTAINS] * 2]
    assert found.at(1, 2, 2) is found.root.children[1].children[1]
    assert found.at(1, 2, 2).positions == (1, 2, 2)  # type: ignore[union-attr]
    assert found.at(1, 4) is None
    assert found.problems == ()


def test_the_root_says_template_and_title() -> None:
    found = tree()
    assert found.root.template == "1500"
    assert found.root.means(("126000", "DCM"))
    assert found.root.parent is None


TEMPLATES = {  # the item of ContentTemplateSequence -> the template
    "of PS3.16": ({"MappingResource": "DCMR", "TemplateIdentifier": "1500"}, "1500"),
    "in small letters": ({"MappingResource": "dcmr", "TemplateIdentifier": "1500"}, "1500"),
    "of somebody else": ({"MappingResource": "99X", "TemplateIdentifier": "1500"}, None),
    "of another registry": ({"MappingResource": "UCUM", "TemplateIdentifier": "1500"}, None),
    "of nobody": ({"TemplateIdentifier": "1500"}, None),
    "of an empty resource": ({"MappingResource": None, "TemplateIdentifier": "1500"}, None),
    "without a number": ({"MappingResource": "DCMR"}, None),
}


@pytest.mark.parametrize(("said_of_it", "template"), TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_counts_where_ps3_16_is_its_source(said_of_it: dict[str, Any], template: str | None) -> None:
    made = dataset(**container("", REPORT), ContentTemplateSequence=[said_of_it])
    assert content_tree(Item(made)).root.template == template


def test_when_and_under_which_uid_something_was_observed() -> None:
    observed = {"ObservationDateTime": "20240517100200+0200", "ObservationUID": "1.2.3"}
    item = tree({**text(CONTAINS, FINDING, "one"), **observed}).root.children[0]
    assert (item.observed, item.observation_uid) == ("20240517100200+0200", "1.2.3")


def test_a_decoder_that_keeps_the_named_attributes_keeps_the_tree() -> None:
    whole = {**document(text(CONTAINS, FINDING, "one")), **dataset(PatientID="P1", ObservationUID="1.2.3")}
    kept = {tag: whole[tag] for tag in map(tag_of, ROOT) if tag in whole}
    found = content_tree(Item(kept))
    assert found.problems == ()
    assert paths(found) == ["1", "1.1"]
    assert (found.root.template, found.root.observation_uid) == ("1500", "1.2.3")


# what a data set says of its root -> the one problem
ROOTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a container": (dataset(ValueType="CONTAINER"), []),
    "in small letters": (dataset(ValueType="container"), []),
    "nothing": ({}, ["1 ValueType: not CONTAINER: read as one"]),
    "no value": (dataset(ValueType=None), ["1 ValueType: not CONTAINER: read as one"]),
    "another type": (dataset(ValueType="TEXT"), ["1 ValueType: not CONTAINER: read as one"]),
    "no text": (
        {tag_of("ValueType"): {"vr": "CS", "Value": [{}, False]}},
        ["1 ValueType: not a text", "1 ValueType: not CONTAINER: read as one"],
    ),
}


@pytest.mark.parametrize(("root", "problems"), ROOTS.values(), ids=ROOTS)
def test_a_root_is_a_container(root: dict[str, Any], problems: list[str]) -> None:
    found = content_tree(Item({**root, **dataset(ContentSequence=[text(CONTAINS, FINDING, "one")])}))
    assert said(found) == problems
    assert found.root.value_type == "CONTAINER"
    assert paths(found) == ["1", "1.1"]


# one entry of a ContentSequence that is no content item -> what is said of it
NO_ITEM: dict[str, tuple[Any, str]] = {
    "null": (None, "1.1: not a content item: left out with all below it"),
    "a text": ("TEXT", "1.1: not a content item: left out with all below it"),
    "a number": (7, "1.1: not a content item: left out with all below it"),
    "truth": (True, "1.1: not a content item: left out with all below it"),
    "a list": ([TEXT], "1.1: not a content item: left out with all below it"),
    "an empty item": ({}, "1.1 ValueType: not a known one: left out with all below it"),
    "no value type": (
        {tag: element for tag, element in TEXT.items() if tag != tag_of("ValueType")},
        "1.1 ValueType: not a known one: left out with all below it",
    ),
    "a value type without a value": (
        {**TEXT, **dataset(ValueType=None)},
        "1.1 ValueType: not a known one: left out with all below it",
    ),
    "a relationship for a value type": (
        {**TEXT, **dataset(ValueType="HAS CONCEPT MOD")},
        "1.1 ValueType: not a known one: left out with all below it",
    ),
    "a value type of its own": (
        {**TEXT, **dataset(ValueType="PERSON NAME", ContentSequence=[text(CONTAINS, FINDING, "below")])},
        "1.1 ValueType: not a known one: left out with all below it",
    ),
    "a value type and a reference": (
        {**TEXT, **dataset(ValueType="LINK", ReferencedContentItemIdentifier=[1, 2])},
        "1.1 ValueType: not a known one: left out with all below it",
    ),
}


@pytest.mark.parametrize(("entry", "problem"), NO_ITEM.values(), ids=NO_ITEM)
def test_what_is_no_content_item_is_dropped_and_its_place_stays_counted(entry: Any, problem: str) -> None:
    found = raw(entry, TEXT)
    assert said(found) == [problem]
    assert paths(found) == ["1", "1.2"]


# an attribute of a TEXT that is not as it should be -> what is said; the item stays
ODD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "blanks and small letters": (dataset(ValueType=" text ", RelationshipType="has  obs context"), []),
    "no relationship": (dataset(RelationshipType=None), []),
    "an unknown relationship": (
        dataset(RelationshipType="BELONGS TO"),
        ["1.1 TEXT RelationshipType: not a known one: ignored"],
    ),
    "no concept name": (dataset(ConceptNameCodeSequence=None), []),
    "an empty concept name": (dataset(ConceptNameCodeSequence=[{}]), []),
    "two concept names": (
        dataset(ConceptNameCodeSequence=[{"CodeValue": "1"}, {"CodeValue": "2"}]),
        ["1.1 TEXT ConceptNameCodeSequence: several items where one is allowed: the first is kept"],
    ),
    "a concept name that is a text": (
        {tag_of("ConceptNameCodeSequence"): {"vr": "SQ", "Value": ["121071"]}},
        ["1.1 TEXT ConceptNameCodeSequence: holds what is not a sequence item"],
    ),
    "a concept name that is no list": (
        {tag_of("ConceptNameCodeSequence"): {"vr": "SQ", "Value": "121071"}},
        ["1.1 TEXT ConceptNameCodeSequence: not a sequence of items"],
    ),
    "a concept name sent as bytes": (
        {tag_of("ConceptNameCodeSequence"): {"vr": "UN", "InlineBinary": "AAAA"}},
        ["1.1 TEXT ConceptNameCodeSequence: not a sequence of items"],
    ),
    "an attribute that is none": (
        {tag_of("ConceptNameCodeSequence"): "121071"},
        ["1.1 TEXT ConceptNameCodeSequence: not a sequence of items"],
    ),
    "a code that is no text": (
        dataset(ConceptNameCodeSequence=[{"CodeValue": [{"a": 1}]}]),
        ["1.1 TEXT CodeValue: not a text"],
    ),
    "a text that lies elsewhere": (
        {tag_of("TextValue"): {"vr": "UT", "BulkDataURI": "http://pacs.example/bulk"}},
        ["1.1 TEXT TextValue: not sent, only where its bytes can be fetched"],
    ),
    "no text": (dataset(TextValue=None), []),
    "children that are no list": (
        {CHILDREN: {"vr": "SQ", "Value": {"0": TEXT}}},
        ["1.1 TEXT ContentSequence: not a sequence of items"],
    ),
    "children sent elsewhere": (
        {CHILDREN: {"vr": "SQ", "BulkDataURI": "http://pacs.example/bulk"}},
        ["1.1 TEXT ContentSequence: not a sequence of items"],
    ),
    "children without a value": (dataset(ContentSequence=None), []),
    "a template that is no list": (
        {tag_of("ContentTemplateSequence"): {"vr": "SQ", "Value": 1500}},
        ["1.1 TEXT ContentTemplateSequence: not a sequence of items"],
    ),
    "an observation UID that is an object": (
        {tag_of("ObservationUID"): {"vr": "UI", "Value": [{"a": 1}]}},
        ["1.1 TEXT ObservationUID: not a text"],
    ),
}


@pytest.mark.parametrize(("attribute", "problems"), ODD.values(), ids=ODD)
def test_what_cannot_be_read_is_dropped_and_the_item_stays(attribute: dict[str, Any], problems: list[str]) -> None:
    found = raw({**TEXT, **attribute}, TEXT)
    assert said(found) == problems
    assert paths(found) == ["1", "1.1", "1.2"]
    assert found.root.children[0].relationship in {None, *RELATIONSHIPS}


def test_a_missing_value_is_said() -> None:
    found = raw({tag: element for tag, element in TEXT.items() if tag != tag_of("TextValue")})
    assert said(found) == ["1.1 TEXT TextValue: absent"]
    assert found.root.children[0].value is None


def test_nothing_that_stands_in_a_document_is_quoted() -> None:
    secret = "Example^Secret"
    odd = {
        tag_of(keyword): {"vr": "UN", "Value": [{secret: secret}, secret]}
        for keyword in (*ROOT, "RelationshipType", "TextValue", "MeasuredValueSequence", "ReferencedSOPSequence")
    }
    entries = [{**odd, **dataset(ValueType=kind)} for kind in ("TEXT", "NUM", "IMAGE", "CODE", secret)]
    found = raw(*entries, {secret: secret}, secret)
    assert found.problems
    assert secret not in repr([found.problems, *found])


def test_nothing_but_a_title_is_a_tree_too() -> None:
    found = content_tree(Item(dataset(ConceptNameCodeSequence=[{"CodeValue": REPORT.value}])))
    assert paths(found) == ["1"]
    assert found.root.children == []


# -- by reference -------------------------------------------------------------------------------------------------


def test_an_item_by_reference_stands_for_another_one() -> None:
    found = tree(text(CONTAINS, FINDING, "one"), container(CONTAINS, GROUP, by_reference(INFERRED, 1, 1)))
    link = found.root.children[1].children[0]
    assert (link.value_type, link.relationship, link.reference) == ("", INFERRED, (1, 1))
    assert link.target is found.at(1, 1)
    assert found.problems == ()


# entries of a document beside its first, a text -> what is said of references that lead nowhere
LINKS: dict[str, tuple[list[Any], list[str]]] = {
    "nowhere": (
        [by_reference(INFERRED, 1, 9)],
        ["1.2 ReferencedContentItemIdentifier: names no content item"],
    ),
    "nothing": (
        [{"ReferencedContentItemIdentifier": [0]}],
        ["1.2 ReferencedContentItemIdentifier: names no content item"],
    ),
    "the root": (
        [by_reference(INFERRED, 1)],
        ["1.2 ReferencedContentItemIdentifier: names an item above itself: a loop"],
    ),
    "itself": (
        [by_reference(INFERRED, 1, 2)],
        ["1.2 ReferencedContentItemIdentifier: names an item that is itself a reference"],
    ),
    "its parent": (
        [container(CONTAINS, GROUP, by_reference(INFERRED, 1, 2))],
        ["1.2.1 ReferencedContentItemIdentifier: names an item above itself: a loop"],
    ),
    "another reference": (
        [by_reference(INFERRED, 1, 1), by_reference(INFERRED, 1, 2)],
        ["1.3 ReferencedContentItemIdentifier: names an item that is itself a reference"],
    ),
    "each other": (
        [
            container(CONTAINS, GROUP, by_reference(INFERRED, 1, 3)),
            container(CONTAINS, GROUP, by_reference(INFERRED, 1, 2)),
        ],
        [
            "1.2.1 ReferencedContentItemIdentifier: leads into a loop",
            "1.3.1 ReferencedContentItemIdentifier: leads into a loop",
        ],
    ),
    "into each other": (
        [
            container(CONTAINS, GROUP, container(CONTAINS, GROUP, by_reference(INFERRED, 1, 3, 1))),
            container(CONTAINS, GROUP, container(CONTAINS, GROUP, by_reference(INFERRED, 1, 2))),
        ],
        [
            "1.2.1.1 ReferencedContentItemIdentifier: leads into a loop",
            "1.3.1.1 ReferencedContentItemIdentifier: leads into a loop",
        ],
    ),
    "into what was dropped": (
        [{"ValueType": "ODD"}, by_reference(INFERRED, 1, 2)],
        [
            "1.2 ValueType: not a known one: left out with all below it",
            "1.3 ReferencedContentItemIdentifier: names no content item",
        ],
    ),
    "by half a number": (
        [{"ReferencedContentItemIdentifier": [1, "1.5"]}],
        [
            "1.2 ReferencedContentItemIdentifier: not whole numbers of 32 bits",
            "1.2 ValueType: not a known one: left out with all below it",
        ],
    ),
    "by a number that no memory holds": (
        [{"ReferencedContentItemIdentifier": [1, "1E+9999"]}],
        [
            "1.2 ReferencedContentItemIdentifier: not whole numbers of 32 bits",
            "1.2 ValueType: not a known one: left out with all below it",
        ],
    ),
    "with children of its own": (
        [{**by_reference(INFERRED, 1, 1), "ContentSequence": [text(CONTAINS, FINDING, "below")]}],
        ["1.2 ContentSequence: below a reference: left out"],
    ),
}


@pytest.mark.parametrize(("entries", "problems"), LINKS.values(), ids=LINKS)
def test_a_reference_that_leads_nowhere_is_said(entries: list[Any], problems: list[str]) -> None:
    found = tree(text(CONTAINS, FINDING, "one"), *entries)
    assert said(found) == problems


def test_only_references_into_a_loop_are_cut() -> None:
    found = tree(
        text(CONTAINS, FINDING, "one"),
        container(CONTAINS, GROUP, by_reference(INFERRED, 1, 3), by_reference(INFERRED, 1, 1)),
        container(CONTAINS, GROUP, by_reference(INFERRED, 1, 2), by_reference(INFERRED, 1, 1)),
    )
    targets = {item.path: item.target.path if item.target else None for item in found if item.reference}
    assert targets == {"1.2.1": None, "1.2.2": "1.1", "1.3.1": None, "1.3.2": "1.1"}
