"""Characters that no text of ours may hold, whatever a data set does."""

import re
import unicodedata

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
NONCHARACTERS = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)) + "]"
)
"""Code points that are no characters (Unicode 23.7), of which XML cannot hold some."""
ESCAPE_SEQUENCE = re.compile("\x1b[ -/]+[0-~]")
"""What is left where a text changed its character set and nobody followed (PS3.5 section 6.1.2.5)."""
SURROGATES = re.compile("[\ud800-\udfff]")
UNDECODABLE = re.compile(f"\ufffd|{SURROGATES.pattern}|{ESCAPE_SEQUENCE.pattern}")


def clean(text: str, *, keep_left: bool = False) -> str | None:
    """Return text without controls, noncharacters and padding, or None when nothing is left.

    A lone surrogate and an escape sequence become U+FFFD: there was something that nobody could read.

    >>> clean(" CT\\x00 Abdomen ")
    'CT Abdomen'
    """
    if not (text.isascii() and text.isprintable()):
        text = readable(text)
    return (text.rstrip() if keep_left and text.strip() else text.strip()) or None


def readable(text: str) -> str:
    """Return text with only what may stand in it."""
    text = ESCAPE_SEQUENCE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return SURROGATES.sub("\ufffd", NONCHARACTERS.sub("", CONTROLS.sub("", text)))


def composed(text: str) -> str:
    """Return a text as it is compared with others (Unicode's normal form C); what is written stays as it stands."""
    return unicodedata.normalize("NFC", text)
