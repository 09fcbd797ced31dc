"""Raw attributes of the DICOM JSON Model -> values: text cleaned, numbers as Decimal, names by their groups.

Source of the rules: PS3.18 Annex F (JSON), PS3.5 section 6.2 (value representations).
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from mapper.dicom.characters import clean

Element = Mapping[str, Any]
"""One attribute of the DICOM JSON Model: `vr` and one of `Value`, `InlineBinary`, `BulkDataURI`."""

TOO_LARGE: Element = {"vr": "UN"}
"""What stands for an attribute that was not read because of its size."""
PATIENT_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
PARAGRAPHS = frozenset({"LT", "ST", "UT"})  # leading blanks are significant in these
JSON_OBJECT = (dict, Mapping)  # what it is nearly always first: asking whether it is a Mapping takes longer
WRITTEN = (str, int, float, Decimal)
"""What a text or a number may come as; a bool, which is an int to Python, is neither."""
SCALAR = (str, int, float, Decimal, type(None))
"""What holds nothing else: asked first, as only the question whether something else is a Mapping takes long."""
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")


def decode(vr: str, element: Any, item: Callable[[Mapping[str, Any]], Any]) -> list[Any]:
    """Return the values of one raw attribute read as `vr`, that of PS3.6, whatever the file claims.

    `item` makes an item of a sequence.

    Raises ValueError when that is impossible.
    """
    if element is None:
        return []
    if element is TOO_LARGE:
        raise ValueError("larger than anything that FHIR could hold")
    if not isinstance(element, JSON_OBJECT):
        raise ValueError("not an attribute of the DICOM JSON Model")
    if "BulkDataURI" in element and vr not in BYTES:
        raise ValueError("not sent, only where its bytes can be fetched")
    if "InlineBinary" in element and vr not in BYTES:
        raw: Any = unpack(element["InlineBinary"], vr)
    else:
        raw = element.get("Value", [])
    if not isinstance(raw, list):
        raise ValueError("Value is not a list")
    read: Callable[[Any], Any] = partial(read_item, item) if vr == "SQ" else READERS.get(vr, read_text)
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
    if isinstance(value, bool) or not isinstance(value, WRITTEN):
        raise ValueError("not a text")
    return clean(str(value))


def read_paragraph(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, WRITTEN):
        raise ValueError("not a text")
    return clean(str(value), keep_left=True)


def read_number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, WRITTEN):
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


def read_item(item: Callable[[Mapping[str, Any]], Any], value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError("not a sequence item")
    return item(value) if value else None


def read_bytes(value: Any) -> None:
    """Return nothing: no rule reads bytes."""


READERS: dict[str, Callable[[Any], Any]] = {
    "PN": read_name,
    **dict.fromkeys(NUMBERS, read_number),
    **dict.fromkeys(PARAGRAPHS, read_paragraph),
    **dict.fromkeys(BYTES, read_bytes),
}
