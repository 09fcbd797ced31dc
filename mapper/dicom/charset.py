"""Specific Character Set: the bytes of a text -> Unicode (PS3.3 C.12.1.1.2, PS3.5 section 6.1.2).

Python's codecs hold the graphic sets; what switches between them inside one text (ISO 2022) is here. pydicom 3.0
switches too, but keeps the escape sequences of ISO-IR 58, forgets the set of the bytes above 0x80 at `ESC ( B`, goes
on at `^` and `=`, and does not know ISO-IR 203.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mapper.dicom.decoding import JSON_OBJECT, PARAGRAPHS, SCALAR
from mapper.dicom.graphic_sets import (
    ALONE,
    ASCII,
    DEFAULT,
    EXTENDED,
    LATIN_1,
    MULTIPLE,
    NONE,
    SINGLE,
    UNKNOWN,
    WHOLE,
    Decoder,
    GraphicSet,
)
from mapper.dicom.item import tag_of

UTF_8 = "ISO_IR 192"
OWN = tag_of("SpecificCharacterSet")
SETS = SINGLE | MULTIPLE
ESCAPE = re.compile(rb"(\x1b[ -/]+[0-~])")
RUNS = re.compile(rb"[\x80-\xff]+|[\x00-\x1f]|[\x20-\x7f]+")
DELIMITERS = {"PN": re.compile(rb"[\\^=]"), **dict.fromkeys(sorted({*PARAGRAPHS, "UR"}), re.compile(rb"(?!)"))}
"""What makes the sets of value 1 active again, beside control characters (PS3.5 section 6.1.2.5.3)."""
BACKSLASH = re.compile(rb"\\")
SEPARATOR = re.compile(r"[^0-9A-Z]+")
MEANT = {
    **{SEPARATOR.sub(" ", term): term for term in ALONE | EXTENDED},
    **{f"ISO IR {number}": f"ISO 2022 IR {number}" for number in MULTIPLE},
    **dict.fromkeys(("UTF 8", "UTF8", "ISO 2022 IR 192"), UTF_8),
    "ISO 2022 GBK": "GBK",
    "ISO 2022 58": "ISO 2022 IR 58",
}
"""What a term of the field means, spelt with capitals and single blanks."""


@dataclass(frozen=True)
class Charset:
    """How the texts of one data set are written: what is active at the start, and what escape sequences make so."""

    start: Mapping[str, GraphicSet] = field(default_factory=dict)
    escapes: Mapping[bytes, GraphicSet] = field(default_factory=dict)
    whole: Decoder | None = None

    def values(self, raw: bytes, vr: str) -> list[str]:
        """Return the values of an attribute; what cannot be decoded becomes U+FFFD."""
        text = self.whole(raw) if self.whole else "".join(self._parts(raw, DELIMITERS.get(vr, BACKSLASH)))
        return [text] if vr in PARAGRAPHS or vr == "UR" else text.split("\\")

    def _parts(self, raw: bytes, delimiter: re.Pattern[bytes]) -> Iterator[str]:
        active = dict(self.start)
        for piece in ESCAPE.split(raw):
            if ESCAPE.fullmatch(piece):
                if found := self.escapes.get(piece[1:]):
                    active[found.half] = found
                else:
                    yield UNKNOWN
                continue
            for run in RUNS.findall(piece):
                if run[0] >= 0x80:
                    yield active["high"].decode(run)
                elif run[0] < 0x20:
                    yield run.decode()
                    active |= self.start
                elif active["low"].wide:
                    yield active["low"].decode(run)
                else:
                    begin = 0
                    for end in (found.end() for found in delimiter.finditer(run)):
                        yield active["low"].decode(run[begin:end])
                        active |= self.start
                        begin = end
                    yield active["low"].decode(run[begin:])


@lru_cache(maxsize=256)
def charset(terms: tuple[str, ...]) -> Charset:
    """Return the Charset that the values of SpecificCharacterSet name, however they are spelt.

    Bytes above 0x80 that no value accounts for are read as Latin-1 where ASCII is all that is named, as archives do;
    else as the only set of two bytes that is named, else they are U+FFFD.
    """
    found = [meant(term) for term in terms] or [""]
    if found[0] in WHOLE:
        return Charset(whole=WHOLE[found[0]])
    sets = [one for term in found if term is not None for one in SETS.get(number_of(term), ())]
    first = SETS.get(number_of(found[0]), ()) if found[0] is not None else ()
    start = {"low": ASCII, "high": NONE} | {one.half: one for one in first if not one.wide}
    if start["high"] is NONE:
        double = {one for one in sets if one.half == "high" and one not in SINGLE_SETS}
        start["high"] = LATIN_1 if set(found) <= DEFAULT else double.pop() if len(double) == 1 else NONE
    switching = len(found) > 1 or found[0] in EXTENDED
    return Charset(start, {one.escape: one for one in (ASCII, *(sets if switching else ()))})


SINGLE_SETS = frozenset(one for sets in SINGLE.values() for one in sets)


def meant(term: str) -> str | None:
    """Return the defined term that a term means, None when it means none."""
    return term if term in DEFAULT else MEANT.get(SEPARATOR.sub(" ", term.upper()).strip())


def number_of(term: str) -> str:
    """Return the number of a term, `ISO 2022 IR 87` -> `87`; that of ASCII for no term."""
    return term.rpartition(" ")[2] or "6"


def undefined(terms: Iterable[str]) -> str | None:
    """Return what is wrong with the values of SpecificCharacterSet, None where PS3.3 defines them as they stand."""
    several = list(terms)
    if set(several) - ALONE - EXTENDED - DEFAULT:
        return "names a character set that PS3.3 C.12.1.1.2 does not define: text may be wrong"
    if len(several) > 1 and set(several) - EXTENDED - DEFAULT:
        return "names a character set beside others that PS3.3 C.12.1.1.2 allows alone only: text may be wrong"
    return None


def doubt(terms: Sequence[str]) -> str | None:
    """Return why texts that came as DICOM JSON are not to be trusted: they should be UTF-8 by now (PS3.18 F.2)."""
    if reason := undefined(terms):
        return reason
    if len([term for term in terms if term]) > 1:
        return "names several character sets where PS3.18 F.2 wants UTF-8: text may have been decoded by one of them"
    return None


def named(elements: Any) -> Iterator[tuple[str, ...]]:
    """Yield the values of every SpecificCharacterSet in a data set of DICOM JSON and in the items of its sequences."""
    for tag, element in elements.items():
        values = element.get("Value") if isinstance(element, JSON_OBJECT) else None
        if not isinstance(values, list):
            continue
        if tag == OWN:
            yield tuple("" if value is None else str(value).strip() for value in values)
            continue
        for value in values:
            if not isinstance(value, SCALAR) and isinstance(value, JSON_OBJECT):
                yield from named(value)
