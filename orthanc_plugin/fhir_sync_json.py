# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON from outside, bounded before it is parsed.

Orthanc's HTTP threads have 100 kB of stack. json.loads overflows them at some hundred levels, long before Python's own
limit, and takes Orthanc down with it: no exception could be caught. What passes is I-JSON (RFC 7493).
"""

import json
import math
import re
from typing import Any

REQUEST, ANSWER = 64 << 10, 4 << 20  # bytes
DEPTH = 32  # levels of arrays and objects
DIGITS = 310  # characters of a number; no double has more before its point

SQUARE = bytes.maketrans(b"{}", b"[]")
NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
SURROGATE = re.compile(rb"\\u[Dd][89A-Fa-f]")


class NotJson(ValueError):
    """What came is not JSON within these bounds; the message says why, never what it is."""


class TooLarge(NotJson):
    """What came is larger than allowed."""


def parsed(text: bytes, most: int) -> Any:
    """Give the value of a JSON text of so many bytes at most.

    Raise TooLarge, or NotJson for whatever RFC 7493 refuses: text that is not UTF-8, a byte order mark, half a
    surrogate pair, a name that is there twice, a number that is none (NaN) or larger than a double.
    """
    if len(text) > most:
        raise TooLarge(f"more than {most} bytes")
    if not is_flat(text, DEPTH):
        raise NotJson(f"not JSON of {DEPTH} levels at most")
    try:
        value = json.loads(
            text.decode("utf-8"), parse_int=whole, parse_float=real, parse_constant=real, object_pairs_hook=named
        )
        if SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # halves of a pair cannot be encoded
    except ValueError as error:
        raise NotJson(f"not I-JSON ({type(error).__name__})") from None  # the error holds the whole text
    return value


def is_flat(text: bytes, levels: int) -> bool:
    """Tell whether arrays and objects close, and nest no deeper than so many levels.

    No loop over bytes: what escapes is cut out, then strings, then all but brackets; then each round removes the
    innermost pairs. A text that is no JSON may pass, but the parser never gets deeper in it than in what is seen here.
    """
    outside = text.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    brackets = b"".join(outside).translate(SQUARE, NO_BRACKETS)
    for _ in range(levels):
        brackets = brackets.replace(b"[]", b"")
    return not brackets


def whole(number: str) -> int:
    real(number)
    return int(number)


def real(number: str) -> float:
    value = float(number) if len(number) <= DIGITS else math.nan
    if not math.isfinite(value):
        raise ValueError
    return value


def named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value
