"""The concept names of one document: which items have which children, asked thousands of times, looked at once."""

from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.reading import Positions
from mapper.dicom.sr.retired import current
from mapper.maps.values.concepts import FINDING_SITE

Pair = tuple[str, str]
"""A code and its CodingSchemeDesignator."""


class ConceptNames:
    """The children of the items of one document by their concept names, each item looked at once.

    A report of thousands of measurements asks for what stands above them thousands of times.
    """

    def __init__(self, places: frozenset[Positions] = frozenset()) -> None:
        """Begin with nothing looked at; items at `places` are their own Finding Site, by their concept name."""
        self.places = places
        self._children: dict[Positions, dict[Pair, list[ContentItem]]] = {}
        self._anywhere: dict[tuple[Pair, ...], list[ContentItem]] = {}
        self._holders: dict[tuple[Positions, tuple[Pair, ...]], ContentItem | None] = {}
        self._firsts: dict[tuple[Positions, tuple[Pair, ...], tuple[str, ...]], list[ContentItem]] = {}

    def children(self, item: ContentItem, concepts: tuple[Pair, ...]) -> list[ContentItem]:
        """Return the children with one of these concept names, references followed, in their order."""
        known = self._children.get(item.positions)
        if known is None:
            known = self._children[item.positions] = {}
            for child in item.related():
                for pair in names_of(child):
                    known.setdefault(pair, []).append(child)
            if item.positions in self.places:
                known.setdefault(FINDING_SITE.pair, []).append(item)
        found = [child for pair in dict.fromkeys(current(*one) for one in concepts) for child in known.get(pair, ())]
        return found if len(concepts) == 1 else sorted(dict.fromkeys(found), key=lambda one: one.positions)

    def firsts(
        self, item: ContentItem, concepts: tuple[Pair, ...], relationships: tuple[str, ...]
    ) -> list[ContentItem]:
        """Return of each of these concept names the first child in one of these relationships."""
        key = item.positions, concepts, relationships
        if key not in self._firsts:
            found: dict[Pair, ContentItem] = {}
            for one in self.children(item, concepts):
                if one.relationship in relationships and one.concept is not None:
                    found.setdefault(one.concept.concept, one)
            self._firsts[key] = list(found.values())
        return self._firsts[key]

    def anywhere(self, root: ContentItem, concepts: tuple[Pair, ...]) -> list[ContentItem]:
        """Return the items of the whole document with one of these concept names, in its order."""
        if concepts not in self._anywhere:
            self._anywhere[concepts] = list(root.descendants(*concepts))
        return self._anywhere[concepts]

    def holder(self, item: ContentItem, concepts: tuple[Pair, ...]) -> ContentItem | None:
        """Return the item, else the nearest above, that has a child with one of these concept names."""
        passed = []
        found: ContentItem | None = None
        here: ContentItem | None = item
        while here is not None:
            if (here.positions, concepts) in self._holders:
                found = self._holders[here.positions, concepts]
                break
            passed.append(here)
            if self.children(here, concepts):
                found = here
                break
            here = here.parent
        for one in passed:
            self._holders[one.positions, concepts] = found
        return found


def names_of(item: ContentItem) -> dict[Pair, None]:
    """Return the concepts that an item's name means, retired ones by their successors."""
    concept = item.concept
    return dict.fromkeys(one.concept for one in (concept, *concept.equivalents)) if concept else {}
