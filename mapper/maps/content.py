"""A content item read as a data set, and rows that read content items (PS3.3 C.17.3)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from mapper.dicom.item import Item
from mapper.dicom.sr.content_item import ContentItem
from mapper.maps.concept_names import ConceptNames, Pair
from mapper.maps.part_item import PartItem
from mapper.maps.rule import Rule
from mapper.maps.values.concepts import Concept

OF_CONTENT = frozenset(
    {
        "ConceptCodeSequence",
        "ConceptNameCodeSequence",
        "ContentSequence",
        "Date",
        "DateTime",
        "MeasuredValueSequence",
        "NumericValueQualifierCodeSequence",
        "ObservationDateTime",
        "ObservationUID",
        "PersonName",
        "TextValue",
        "Time",
        "UID",
    }
)
"""Attributes of the content item itself (PS3.3 tables C.17-5, C.17-6, C.18); the root's stand in the document."""
Concepts = Concept | tuple[Concept, ...]
Reach = Literal["item", "above", "document"]
"""Whose children count: the item's, those of the nearest one above that has some, those of all items."""


class Within(PartItem):
    """A content item with its document and its study: each answers for its own attributes."""

    __slots__ = ("content", "report")

    def __init__(self, content: ContentItem, report: Any, document: Item, study: Item) -> None:
        """Take an item, the report that it is of (mapper.maps.report), that one's data set and the study's."""
        super().__init__(content.item, OF_CONTENT, document, study)
        self.content, self.report = content, report

    def at(self, content: ContentItem) -> "Within":
        """Return another content item of the same document."""
        return Within(content, self.report, self.document, self.study)

    def kept(self, keywords: Iterable[str]) -> dict[int, Any]:
        """Return what rows made that read no content item: the same for all items of a document."""
        kept: dict[int, Any] = self.report.kept
        return kept

    def find(self, concepts: tuple[Concepts, ...], reach: Reach = "item") -> list[list[ContentItem]]:
        """Return the children with each of these concept names, as far as the reach of a row goes."""
        names: ConceptNames = self.report.names
        if reach == "document":
            return [names.anywhere(self.report.tree.root, pairs(one)) for one in concepts]
        holder = names.holder(self.content, pairs(concepts[0])) if reach == "above" else None
        return [names.children(holder or self.content, pairs(one)) for one in concepts]


def pairs(concepts: Concepts) -> tuple[Pair, ...]:
    """Return one concept, or what means the same in other words, as content items are asked."""
    return tuple(one.pair for one in (concepts if isinstance(concepts, tuple) else (concepts,)))


@dataclass(frozen=True, slots=True)
class Place:
    """A content item as an explanation names it, `1.7.1.5 NUM Long Axis (103339001, SCT)`."""

    where: str
    """Positions and value type."""
    name: str
    """The concept name."""

    def __str__(self) -> str:
        return f"{self.where} {self.name}".strip()


@dataclass(frozen=True)
class ContentRule(Rule):
    """A row that reads a content item: its own attributes, and its children with these concept names.

    The converter is given the values of `dicom` first, then the children, a list a concept. With `reach` above they
    are those of the nearest item that has the first of them.
    """

    concepts: tuple[Concepts, ...] = ()
    reach: Reach = "item"
    places: tuple[Place, ...] = ()
    """Where what was made stands."""

    def read(self, item: Item, note: Callable[[str], None]) -> Iterator[Any]:
        """Yield the values of the attributes, then the content items; see Rule.read."""
        yield from super().read(item, note)
        if self.concepts:
            assert isinstance(item, Within)
            yield from item.find(self.concepts, self.reach)

    @property
    def names(self) -> tuple[str, ...]:
        """The concept names that are asked for, in words."""
        return tuple(" or ".join(map(str, one if isinstance(one, tuple) else (one,))) for one in self.concepts)

    @property
    def asked(self) -> tuple[str, ...]:
        """What is looked for, in words: keywords and concept names."""
        return (*self.keywords, *self.names)

    @property
    def request(self) -> str:
        """The same in one text."""
        return ", ".join(self.asked) or "the content item"

    @property
    def origin(self) -> str:
        """The content items behind it by their places, and the attributes."""
        return self._origin(map(str, self.places))

    @property
    def bare_origin(self) -> str:
        """The same without concept names, which are values of the report."""
        return self._origin(one.where for one in self.places)

    def _origin(self, places: Iterable[str]) -> str:
        attributes = super().origin if self.keywords else ""
        return ": ".join(filter(None, ["; ".join(places) or ", ".join(self.names), attributes])) or super().origin

    def attribute_of(self, item: Item) -> str:
        """Return place, value type and keywords: no value, not even a code; what the document says has no place in it."""
        if self.keywords and not self.concepts and OF_CONTENT.isdisjoint(self.keywords):
            return super().attribute_of(item)
        places = (place(one).where for one in self.items(item))
        return " ".join([*places, *self.keywords])

    def seen(self, item: Item) -> "ContentRule":
        """Return this row with the places that it read."""
        return replace(self, places=tuple(map(place, self.items(item))))

    def items(self, item: Item) -> list[ContentItem]:
        """Return the content items that this row reads: the one at hand for its own attributes, and children."""
        assert isinstance(item, Within)
        own = [item.content] if OF_CONTENT.intersection(self.keywords) or not self.concepts else []
        found = item.find(self.concepts, self.reach) if self.concepts else []
        return [*own, *(one for several in found for one in several)]


def place(item: ContentItem) -> Place:
    """Return where a content item stands and what it is."""
    concept = item.concept
    named = f"{concept.meaning or ''} ({concept.value or ''}, {concept.scheme or ''})" if concept else ""
    return Place(f"{item.path} {item.value_type}".strip(), named.strip())
