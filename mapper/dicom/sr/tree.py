"""A data set of DICOM JSON -> the tree of its content items, in one pass, within limits, without an exception.

An item that has no known value type is dropped with all that hangs below it; of an item that has one, only what
cannot be read is dropped. Both are recorded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.sr.code import read_code
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.links import IDENTIFIER, resolve
from mapper.dicom.sr.reading import Positions, Problems, Reading
from mapper.dicom.sr.value import READERS
from mapper.errors import Problem

DEPTH = 64
"""Levels that are read, the root is the first."""

ITEMS = 100_000
"""Items that are read, dropped ones included."""

ROOT = (
    "ConceptNameCodeSequence",
    "ContentSequence",
    "ContentTemplateSequence",
    "ObservationDateTime",
    "ObservationUID",
    "ValueType",
)
"""The attributes of a document that are read here: what a decoder has to keep."""

DCMR = "DCMR"
"""MappingResource (0008,0105) of the templates of PS3.16: others number theirs as they like."""

RELATIONSHIPS = frozenset(
    {
        "CONTAINS",
        "HAS ACQ CONTEXT",
        "HAS CONCEPT MOD",
        "HAS OBS CONTEXT",
        "HAS PROPERTIES",
        "INFERRED FROM",
        "SELECTED FROM",
    }
)
"""PS3.3 table C.17.3-8."""


@dataclass(frozen=True, slots=True, repr=False)
class ContentTree:
    """The content items of one document; `problems` is what was dropped of it."""

    root: ContentItem
    problems: tuple[Problem, ...]
    items: Mapping[Positions, ContentItem]
    """Every item by its positions, in the order of the document."""

    def __iter__(self) -> Iterator[ContentItem]:
        """Yield every item in the order of the document, the root first."""
        return iter(self.items.values())

    def at(self, *positions: int) -> ContentItem | None:
        """Return the item at these positions, the root is `at(1)`; None where there is none."""
        return self.items.get(positions)


def content_tree(document: Item) -> ContentTree:
    """Return the content tree of a document's data set; one without any content is a root alone."""
    problems = Problems()
    root = read_root(document, problems)
    items = {root.positions: root}
    waiting = [(root, entries(root, problems))]
    seen = 1
    while waiting:
        parent, rest = waiting[-1]
        for position, entry in rest:
            seen += 1
            if seen > ITEMS:
                problems.add(parent.positions, parent.value_type, "ContentSequence", f"more than {ITEMS} items: cut")
                waiting.clear()
                break
            child = read_item(entry, (*parent.positions, position), parent, problems)
            if child is None:
                continue
            parent.children.append(child)
            items[child.positions] = child
            if "ContentSequence" in child.item:
                waiting.append((child, entries(child, problems)))
                break
        else:
            waiting.pop()
    resolve(items, problems)
    return ContentTree(root, problems.all(), items)


def entries(item: ContentItem, problems: Problems) -> Iterator[tuple[int, Any]]:
    """Yield what stands in the ContentSequence of an item, with its position: empty items count too."""
    reading = Reading(item.item, item.positions, item.value_type, problems)
    if item.reference is not None:
        reading.note("ContentSequence", "below a reference: left out")
    elif len(item.positions) >= DEPTH:
        reading.note("ContentSequence", f"deeper than {DEPTH} levels: left out")
    else:
        yield from enumerate(reading.entries("ContentSequence"), 1)


def read_root(document: Item, problems: Problems) -> ContentItem:
    """Return the root, which is a CONTAINER whatever the data set says (PS3.3 C.17.3)."""
    reading = Reading(document, (1,), "", problems)
    if defined_term(reading, "ValueType") != "CONTAINER":
        reading.note("ValueType", "not CONTAINER: read as one")
    reading.value_type = "CONTAINER"
    return completed(ContentItem((1,), "CONTAINER", document), reading)


def read_item(entry: Any, positions: Positions, parent: ContentItem, problems: Problems) -> ContentItem | None:
    """Return one item of a ContentSequence, or None where it is none: that is recorded."""
    if not isinstance(entry, Mapping):
        problems.add(positions, "", "", "not a content item: left out with all below it")
        return None
    reading = Reading(Item(entry), positions, "", problems)
    value_type = defined_term(reading, "ValueType")
    reference = None
    if value_type not in READERS:
        reference = reading.wholes(IDENTIFIER)
        if value_type or not reference:
            reading.note("ValueType", "not a known one: left out with all below it")
            return None
    reading.value_type = value_type
    relationship = defined_term(reading, "RelationshipType") or None
    if relationship is not None and relationship not in RELATIONSHIPS:
        reading.note("RelationshipType", "not a known one: ignored")
        relationship = None
    item = ContentItem(positions, value_type, reading.item, parent, relationship, reference=reference)
    return item if reference else completed(item, reading)


def completed(item: ContentItem, reading: Reading) -> ContentItem:
    """Read what every item by value has: concept name, value, template, observation."""
    item.concept = read_code(reading, "ConceptNameCodeSequence")
    item.value = READERS[item.value_type](reading)
    if "ContentTemplateSequence" in item.item:
        template = reading.only("ContentTemplateSequence")
        if template and str(template.one("MappingResource") or "").strip().upper() == DCMR:
            item.template = template.one("TemplateIdentifier")
    item.observation_uid = reading.one("ObservationUID")
    item.observed = reading.one("ObservationDateTime")
    return item


def defined_term(reading: Reading, keyword: str) -> str:
    """Return a defined term as PS3.3 spells it, empty where absent; case and blanks between words do not count."""
    return " ".join((reading.one(keyword) or "").upper().split())
