"""One item of a content tree, and what can be asked of it: its children, those below, those above."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mapper.dicom.item import Item
from mapper.dicom.retired_codes import Concept
from mapper.dicom.sr.code import Code
from mapper.dicom.sr.reading import Positions
from mapper.dicom.sr.value import Value


@dataclass(slots=True, eq=False, repr=False)
class ContentItem:
    """A content item (PS3.3 C.17.3.2); an item by reference has a `target` instead of a type, a value and children."""

    positions: Positions
    """1-based positions from the root down, the root is (1,): what ReferencedContentItemIdentifier (0040,DB73) says."""
    value_type: str
    """ValueType, a key of value.READERS; empty in an item by reference."""
    item: Item
    """Its data set, for what is not read here."""
    parent: "ContentItem | None" = None
    relationship: str | None = None
    """RelationshipType to the parent; None at the root."""
    concept: Code | None = None
    value: Value = None
    template: str | None = None
    """TemplateIdentifier, `1500` for TID 1500: where PS3.16 is said to be its source, at the root and seldom lower."""
    observation_uid: str | None = None
    observed: str | None = None
    """ObservationDateTime as sent."""
    reference: Positions | None = None
    """ReferencedContentItemIdentifier of an item by reference."""
    target: "ContentItem | None" = None
    """What an item by reference stands for; None where that is no item, or a loop."""
    children: "list[ContentItem]" = field(default_factory=list)

    def __repr__(self) -> str:
        """Return place and type, never a value."""
        return f"<ContentItem {self.path} {self.value_type or 'by reference'}>"

    @property
    def path(self) -> str:
        """The positions with dots between them, `1.7.1.5`."""
        return ".".join(map(str, self.positions))

    def means(self, *concepts: Concept) -> bool:
        """Tell whether the concept name is one of these, retired codes included."""
        return self.concept is not None and self.concept.means(*concepts)

    def related(self, *relationships: str) -> "Iterator[ContentItem]":
        """Yield the children in these relationships (in any, without a word), references followed."""
        for child in self.children:
            found = child if child.reference is None else child.target
            if found is not None and (not relationships or child.relationship in relationships):
                yield found

    def having(self, *concepts: Concept) -> "list[ContentItem]":
        """Return the children whose concept name is one of these, references followed."""
        return [child for child in self.related() if child.means(*concepts)]

    def child(self, *concepts: Concept) -> "ContentItem | None":
        """Return the first child whose concept name is one of these, or None."""
        return next((child for child in self.related() if child.means(*concepts)), None)

    def descendants(self, *concepts: Concept) -> "Iterator[ContentItem]":
        """Yield all items below in the order of the document, or those with these concept names.

        References are yielded, not followed: so each item comes once.
        """
        waiting = self.children[::-1]
        while waiting:
            found = waiting.pop()
            if not concepts or found.means(*concepts):
                yield found
            waiting.extend(reversed(found.children))

    def ancestors(self, *concepts: Concept) -> "Iterator[ContentItem]":
        """Yield the items above, the nearest first, or those with these concept names."""
        above = self.parent
        while above is not None:
            if not concepts or above.means(*concepts):
                yield above
            above = above.parent
