"""The graphic sets of DICOM's texts, their terms and escape sequences (PS3.3 C.12.1.1.2, tables C.12-2 to C.12-5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

UNKNOWN = "\ufffd"
Decoder = Callable[[bytes], str]


def codec(name: str) -> Decoder:
    """Return the decoder of one of Python's codecs; what it does not know becomes U+FFFD."""
    return lambda raw: raw.decode(name, errors="replace")


def double(name: str, shift: bytes = b"") -> Decoder:
    """Return the decoder of a set of two bytes below 0x80 a character, by the codec that holds it above 0x80."""

    def decode(raw: bytes) -> str:
        pairs = (bytes(byte | 0x80 for byte in raw[at : at + 2]) for at in range(0, len(raw), 2))
        return b"".join(shift + pair for pair in pairs).decode(name, errors="replace")

    return lambda raw: " ".join(map(decode, raw.split(b" ")))


def roman(raw: bytes) -> str:
    """Return text of ISO-IR 14 (JIS X 0201 romaji); a backslash stays one, because it may divide values."""
    return codec("ascii")(raw).replace("~", "\u203e")


def katakana(raw: bytes) -> str:
    """Return text of ISO-IR 13 (JIS X 0201 katakana)."""
    return "".join(chr(byte - 0xA1 + 0xFF61) if 0xA1 <= byte <= 0xDF else UNKNOWN for byte in raw)


def undesignated(raw: bytes) -> str:
    """Return U+FFFD for every byte: nobody says which set it is of."""
    return UNKNOWN * len(raw)


@dataclass(frozen=True, slots=True)
class GraphicSet:
    """One set, the half of the bytes it is for, and the escape sequence (without ESC) that makes it active there."""

    half: Literal["low", "high"]
    escape: bytes
    decode: Decoder
    wide: bool = False
    """Two bytes a character in the place of ASCII: in it `^` or a backslash is half a character."""


ASCII = GraphicSet("low", b"(B", codec("ascii"))
LATIN_1 = GraphicSet("high", b"-A", codec("latin_1"))
NONE = GraphicSet("high", b"", undesignated)

SINGLE: dict[str, tuple[GraphicSet, ...]] = {
    "6": (ASCII,),
    "13": (GraphicSet("low", b"(J", roman), GraphicSet("high", b")I", katakana)),
    "100": (ASCII, LATIN_1),
    "101": (ASCII, GraphicSet("high", b"-B", codec("iso8859_2"))),
    "109": (ASCII, GraphicSet("high", b"-C", codec("iso8859_3"))),
    "110": (ASCII, GraphicSet("high", b"-D", codec("iso8859_4"))),
    "126": (ASCII, GraphicSet("high", b"-F", codec("iso8859_7"))),
    "127": (ASCII, GraphicSet("high", b"-G", codec("iso8859_6"))),
    "138": (ASCII, GraphicSet("high", b"-H", codec("iso8859_8"))),
    "144": (ASCII, GraphicSet("high", b"-L", codec("iso8859_5"))),
    "148": (ASCII, GraphicSet("high", b"-M", codec("iso8859_9"))),
    "166": (ASCII, GraphicSet("high", b"-T", codec("tis_620"))),
    "203": (ASCII, GraphicSet("high", b"-b", codec("iso8859_15"))),
}
"""By the number in their terms, `ISO_IR 100` and `ISO 2022 IR 100`: tables C.12-2 and C.12-3."""
MULTIPLE: dict[str, tuple[GraphicSet, ...]] = {
    "58": (GraphicSet("high", b"$)A", codec("gb2312")),),
    "87": (GraphicSet("low", b"$B", double("euc_jp"), wide=True),),
    "149": (GraphicSet("high", b"$)C", codec("euc_kr")),),
    "159": (GraphicSet("low", b"$(D", double("euc_jp", b"\x8f"), wide=True),),
}
"""Those of several bytes a character, `ISO 2022 IR 87`: table C.12-4."""
WHOLE: dict[str, Decoder] = {
    "ISO_IR 192": codec("utf_8"),
    "GB18030": codec("gb18030"),
    "GBK": codec("gbk"),
}
"""Those that know no escape sequences: table C.12-5."""
DEFAULT = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})
"""The default repertoire, ASCII; `ISO_IR 6` is no defined term, but means nothing else."""
ALONE = frozenset({*WHOLE, *(f"ISO_IR {number}" for number in SINGLE if number != "6")})
EXTENDED = frozenset(f"ISO 2022 IR {number}" for number in {*SINGLE, *MULTIPLE})
