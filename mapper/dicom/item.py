"""One DICOM data set, or one item of a sequence, in the DICOM JSON Model, read by keyword.

Source of the rules: PS3.18 Annex F (JSON), PS3.6 (keywords), PS3.5 section 6.2 (value representations).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mapper.dicom.characters import UNDECODABLE
from mapper.dicom.decoding import JSON_OBJECT, PARAGRAPHS, SCALAR, decode
from mapper.dicom.dictionary import attribute

EMPTY: tuple[Any, ...] = (None, "", {})
"""Values that say nothing, as they came."""
PLAIN_TEXT = frozenset({"LO", "SH", "UC"}) | PARAGRAPHS  # a backslash may have been meant as text


def tag_of(keyword: str) -> str:
    """Return the tag of a keyword as DICOM JSON writes it, `StudyInstanceUID` -> `0020000D`.

    Raises KeyError when PS3.6 has no such keyword.
    """
    return attribute(keyword).tag


def vr_of(keyword: str) -> str:
    """Return the value representation of a keyword in PS3.6 (the first where it lists several)."""
    return attribute(keyword).vr


def is_single(keyword: str) -> bool:
    """Tell whether PS3.6 allows one value only."""
    return attribute(keyword).is_single


def is_split_text(keyword: str) -> bool:
    """Tell whether several values are one text, which a backslash divided: PS3.6 allows one."""
    return is_single(keyword) and vr_of(keyword) in PLAIN_TEXT


class Item:
    """A data set or a sequence item: attributes are asked for by keyword, values come decoded.

    Text comes cleaned, numbers as Decimal, person names as `{"Alphabetic": ...}`, items as Item.
    An attribute that cannot be read as what PS3.6 says it is raises ValueError.
    """

    __slots__ = ("_elements",)

    def __init__(self, elements: Mapping[str, Any] | None = None) -> None:
        self._elements = elements or {}

    @property
    def raw(self) -> Mapping[str, Any]:
        """The attributes as they came, by tag."""
        return self._elements

    def element(self, keyword: str) -> Any:
        """Return the raw attribute, or None when the data set does not have it."""
        return self._elements.get(attribute(keyword).tag)

    def __contains__(self, keyword: str) -> bool:
        """Tell whether the attribute is there, with a value or without (PS3.5, Type 2)."""
        return self.element(keyword) is not None

    def positions(self, keyword: str) -> list[Any]:
        """Return every value at its position, None where a value is empty."""
        element = self.element(keyword)
        return [] if element is None else decode(attribute(keyword).vr, element, Item)

    def values(self, keyword: str) -> list[Any]:
        """Return every value that is not empty."""
        element = self.element(keyword)
        if element is None:
            return []
        return [value for value in decode(attribute(keyword).vr, element, Item) if value is not None]

    def __getitem__(self, keyword: str) -> Any:
        """Return the first value that is not empty, or None; a split text is put together again."""
        values = self.values(keyword)
        if not values:
            return None
        if len(values) > 1 and is_split_text(keyword):
            return "\\".join(values)
        return values[0]

    def is_repeated(self, keyword: str) -> bool:
        """Tell whether there are several values where PS3.6 allows one and they are no split text."""
        element = self.element(keyword)
        values = element.get("Value") if isinstance(element, JSON_OBJECT) else None
        if not isinstance(values, list) or len(values) < 2:  # as nearly always
            return False
        if not is_single(keyword) or vr_of(keyword) in PLAIN_TEXT:
            return False
        return sum(value not in EMPTY for value in values) > 1

    def canonical(self) -> str:
        """Return the raw attributes as one text, the same for the same content."""
        return json.dumps(self._elements, sort_keys=True, default=str)

    def values_of_all(self, keyword: str) -> list[Any]:
        """Return every value of every data set behind this one."""
        return self.values(keyword)

    def layer(self, keyword: str) -> "Item":
        """Return the one data set whose value of an attribute counts: what goes with it is read there too."""
        return self

    def kept(self, keywords: Iterable[str]) -> dict[int, Any] | None:
        """Return what rows that read these attributes made before, where many items share them; else None."""
        return None

    def is_settled(self, keyword: str) -> bool:
        """Tell whether one data set speaks for an attribute, whatever it is read with."""
        return False

    def is_undecodable(self) -> bool:
        """Tell whether any text in it holds what nobody could read."""
        return any(map(UNDECODABLE.search, strings(self._elements)))

    def disagrees(self, keyword: str) -> bool:
        """Tell whether several data sets stand behind this one and do not say the same."""
        return False


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif not isinstance(value, SCALAR) and isinstance(value, JSON_OBJECT):
        for one in value.values():
            yield from strings(one)
