"""Reading a content item without ever failing: what cannot be read is recorded and counts as absent."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mapper.dicom.decoding import TOO_LARGE
from mapper.dicom.item import Item
from mapper.errors import Problem

ELEMENT = "ContentSequence"
"""What a problem of a content tree is a problem of, unless told otherwise; `attribute` says where in it."""

PROBLEMS_KEPT = 200
LARGEST = 4_294_967_295  # PS3.5 table 6.2-1, UL

Positions = tuple[int, ...]


class Problems:
    """What was dropped of one content tree: the first PROBLEMS_KEPT, and a word that there was more."""

    def __init__(self, element: str = ELEMENT) -> None:
        self._element = element
        self._found: dict[Problem, None] = {}
        self._more = False

    def add(self, positions: Positions, value_type: str, keyword: str, reason: str) -> None:
        """Record a problem of one attribute of the item at these positions."""
        if len(self._found) == PROBLEMS_KEPT:
            self._more = True
            return
        place = ".".join(map(str, positions))
        self._found.setdefault(Problem(self._element, " ".join(filter(None, (place, value_type, keyword))), reason))

    def all(self) -> tuple[Problem, ...]:
        """Return them in the order of the document."""
        more = Problem(self._element, "1", f"more than {PROBLEMS_KEPT} problems: the others are not listed")
        return (*self._found, more) if self._more else tuple(self._found)


class Reading:
    """One content item, or an item of a sequence in it, while it is read."""

    __slots__ = ("_problems", "item", "positions", "value_type")

    def __init__(self, item: Item, positions: Positions, value_type: str, problems: Problems) -> None:
        self.item = item
        self.positions = positions
        self.value_type = value_type
        self._problems = problems

    def note(self, keyword: str, reason: str) -> None:
        """Record a problem of one attribute; the reason quotes nothing."""
        self._problems.add(self.positions, self.value_type, keyword, reason)

    def one(self, keyword: str) -> Any:
        """Return the first value of an attribute, or None."""
        if keyword not in self.item:
            return None
        try:
            return self.item[keyword]
        except ValueError as error:
            self.note(keyword, str(error))
            return None

    def all(self, keyword: str) -> list[Any]:
        """Return every value of an attribute; none at all when one of them cannot be read."""
        if keyword not in self.item:
            return []
        try:
            return self.item.values(keyword)
        except ValueError as error:
            self.note(keyword, str(error))
            return []

    def wholes(self, keyword: str) -> tuple[int, ...]:
        """Return every value of an attribute as whole numbers; none at all when one of them is not (IS, US, UL)."""
        found = self.all(keyword)
        if all(is_whole(number) for number in found):
            return tuple(int(number) for number in found)
        self.note(keyword, "not whole numbers of 32 bits")
        return ()

    def entries(self, keyword: str) -> list[Any]:
        """Return the raw items of a sequence, each at its position, whatever they are."""
        element = self.item.element(keyword)
        if element is None:
            return []
        if element is TOO_LARGE:
            self.note(keyword, "too large: not read")
            return []
        raw = element.get("Value", []) if isinstance(element, Mapping) else None
        elsewhere = isinstance(element, Mapping) and not element.keys().isdisjoint(("BulkDataURI", "InlineBinary"))
        if not isinstance(raw, list) or elsewhere:
            self.note(keyword, "not a sequence of items")
            return []
        return raw

    def items(self, keyword: str) -> "list[Reading]":
        """Return the items of a sequence; what is none, or empty, is left out."""
        found = []
        for entry in self.entries(keyword):
            if isinstance(entry, Mapping):
                if entry:
                    found.append(Reading(Item(entry), self.positions, self.value_type, self._problems))
            elif entry is not None:
                self.note(keyword, "holds what is not a sequence item")
        return found

    def only(self, keyword: str) -> "Reading | None":
        """Return the one item that DICOM allows here, or None; of several the first, recorded."""
        found = self.items(keyword)
        if len(found) > 1:
            self.note(keyword, "several items where one is allowed: the first is kept")
        return found[0] if found else None


def is_whole(number: Decimal) -> bool:
    """Tell whether a number is whole and not larger than DICOM's integers; the range first: 1E+9999 is a Decimal."""
    return abs(number) <= LARGEST and number == number.to_integral_value()
