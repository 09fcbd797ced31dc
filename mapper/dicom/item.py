"""One DICOM data set, or one item of a sequence, in the DICOM JSON Model, read by keyword.

Source of the rules: PS3.18 Annex F (JSON), PS3.5 section 6.2 (value representations).
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword

from mapper.dicom.characters import UNDECODABLE, clean

Element = Mapping[str, Any]
"""One attribute of the DICOM JSON Model: `vr` and one of `Value`, `InlineBinary`, `BulkDataURI`."""

TOO_LARGE: Element = {"vr": "UN"}
"""What stands for an attribute that was not read because of its size."""
PATIENT_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
EMPTY: tuple[Any, ...] = (None, "", {})
PARAGRAPHS = frozenset({"LT", "ST", "UT"})  # leading blanks are significant in these
PLAIN_TEXT = frozenset({"LO", "SH", "UC"}) | PARAGRAPHS  # a backslash may have been meant as text
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")


@cache
def tag_of(keyword: str) -> str:
    """Return the tag of a keyword as DICOM JSON writes it, `StudyInstanceUID` -> `0020000D`.

    Raises KeyError when PS3.6 has no such keyword.
    """
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return f"{tag:08X}"


@cache
def vr_of(keyword: str) -> str:
    """Return the value representation of a keyword in PS3.6 (the first where it lists several)."""
    return dictionary_VR(tag_of(keyword)).split(" or ")[0]


@cache
def is_single(keyword: str) -> bool:
    """Tell whether PS3.6 allows one value only."""
    return dictionary_VM(tag_of(keyword)) == "1"


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
        return self._elements.get(tag_of(keyword))

    def __contains__(self, keyword: str) -> bool:
        """Tell whether the attribute is there, with a value or without (PS3.5, Type 2)."""
        return self.element(keyword) is not None

    def positions(self, keyword: str) -> list[Any]:
        """Return every value at its position, None where a value is empty."""
        return decode(keyword, self.element(keyword))

    def values(self, keyword: str) -> list[Any]:
        """Return every value that is not empty."""
        return [value for value in self.positions(keyword) if value is not None]

    def __getitem__(self, keyword: str) -> Any:
        """Return the first value that is not empty, or None; a split text is put together again."""
        values = self.values(keyword)
        if len(values) > 1 and vr_of(keyword) in PLAIN_TEXT and is_single(keyword):
            return "\\".join(values)
        return values[0] if values else None

    def is_repeated(self, keyword: str) -> bool:
        """Tell whether there are several values where PS3.6 allows one and they are no split text."""
        if not is_single(keyword) or vr_of(keyword) in PLAIN_TEXT:
            return False
        element = self.element(keyword)
        values = element.get("Value") if isinstance(element, Mapping) else None
        return isinstance(values, list) and sum(value not in EMPTY for value in values) > 1

    def canonical(self) -> str:
        """Return the raw attributes as one text, the same for the same content."""
        return json.dumps(self._elements, sort_keys=True, default=str)

    def values_of_all(self, keyword: str) -> list[Any]:
        """Return every value of every data set behind this one."""
        return self.values(keyword)

    def speaker(self, keyword: str) -> "Item":
        """Return the one data set whose value of an attribute counts: what goes with it is read there too."""
        return self

    @property
    def kept(self) -> dict[int, Any] | None:
        """What rows made of this data set before, where many items share it; None where nothing is kept."""
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


class Layers(Item):
    """Several data sets read as one: the first that has a value speaks (a study through its series).

    `settled` names the data set that speaks for an attribute instead, whatever the others have.
    """

    __slots__ = ("_items", "_settled")

    def __init__(self, items: Iterable[Item], settled: Mapping[str, Item] | None = None) -> None:
        super().__init__()
        self._items = tuple(items)
        self._settled = settled or {}

    def element(self, keyword: str) -> Any:
        return self.speaker(keyword).element(keyword)

    def values_of_all(self, keyword: str) -> list[Any]:
        return [value for item in self._items for value in item.values(keyword)]

    def speaker(self, keyword: str) -> Item:
        """Return the first data set with a value, else the first that has the attribute at all."""
        if keyword in self._settled:
            return self._settled[keyword]
        having = [item for item in self._items if keyword in item]
        with_value = (item for item in having if has_value(item.element(keyword)))
        return next(with_value, next(iter(having), Item()))

    def is_settled(self, keyword: str) -> bool:
        return keyword in self._settled

    def disagrees(self, keyword: str) -> bool:
        if keyword in self._settled:
            return False  # whoever settled it looked
        found: Any = None
        for item in self._items:
            element = item.element(keyword)
            if not has_value(element):
                continue
            if found is not None and element.get("Value") != found.get("Value"):
                return True
            found = element
        return False


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from strings(one)


def has_value(element: Any) -> bool:
    """Tell whether a raw attribute holds anything but empty values."""
    if not isinstance(element, Mapping):
        return False
    values = element.get("Value")
    if isinstance(values, list):
        return any(value not in EMPTY for value in values)
    return values is not None or "InlineBinary" in element or "BulkDataURI" in element


def decode(keyword: str, element: Any) -> list[Any]:
    """Return the values of one raw attribute as PS3.6 says to read it, whatever `vr` the file claims.

    Raises ValueError when that is impossible.
    """
    if element is None:
        return []
    if element is TOO_LARGE:
        raise ValueError("larger than anything that FHIR could hold")
    if not isinstance(element, Mapping):
        raise ValueError("not an attribute of the DICOM JSON Model")
    vr = vr_of(keyword)
    if "BulkDataURI" in element and vr not in BYTES:
        raise ValueError("not sent, only where its bytes can be fetched")
    if "InlineBinary" in element and vr not in BYTES:
        raw: Any = unpack(element["InlineBinary"], vr)
    else:
        raw = element.get("Value", [])
    if not isinstance(raw, list):
        raise ValueError("Value is not a list")
    read: Callable[[Any], Any] = READERS.get(vr, read_text)
    return [None if value is None else read(value) for value in raw]


def unpack(inline: Any, vr: str) -> list[Any]:
    """Return the text values of an attribute that was sent as bytes (a file that says UN)."""
    if vr == "SQ" or vr in NUMBERS - {"DS", "IS"}:
        raise ValueError("bytes where PS3.6 has no text")
    try:
        text = base64.b64decode(inline, validate=True).decode("utf-8", errors="replace")
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError("InlineBinary is not base64") from error
    return [text] if vr in PARAGRAPHS else list(text.split("\\"))


def read_text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("not a text")
    return clean(str(value))


def read_paragraph(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("not a text")
    return clean(str(value), keep_left=True)


def read_number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("not a number")
    text = clean(str(value))
    if text is None:
        return None
    if not NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return Decimal(text)


def read_name(value: Any) -> dict[str, str] | None:
    if isinstance(value, str):
        value = dict(zip(PATIENT_NAME_GROUPS, value.split("="), strict=False))
    if not isinstance(value, Mapping):
        raise ValueError("not a person name")
    if value and not any(group in value for group in PATIENT_NAME_GROUPS):
        raise ValueError("not a person name")
    name = {}
    for group in PATIENT_NAME_GROUPS:
        if value.get(group) is None:
            continue
        if not isinstance(value[group], str):
            raise ValueError("not a person name")
        if text := clean(value[group]):
            name[group] = text
    return name or None


def read_item(value: Any) -> Item | None:
    if not isinstance(value, Mapping):
        raise ValueError("not a sequence item")
    return Item(value) if value else None


def read_bytes(value: Any) -> None:
    """Return nothing: no rule reads bytes."""


READERS: dict[str, Callable[[Any], Any]] = {
    "PN": read_name,
    "SQ": read_item,
    **dict.fromkeys(NUMBERS, read_number),
    **dict.fromkeys(PARAGRAPHS, read_paragraph),
    **dict.fromkeys(BYTES, read_bytes),
}
