"""How deep a text of JSON nests, told by its bytes before a parser goes down into it.

Parsers recurse in C. On the small stack of a thread a deep text ends the process long before Python's own limit is
reached, and nobody can catch that.
"""

import re
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

PIECE = 1 << 16
ROUNDS = 16
"""How often pairs of brackets are taken out before the depth is counted bracket by bracket."""
OTHERS = bytes(set(range(256)) - set(b'"[]{}'))
ONE_KIND = bytes.maketrans(b"{}", b"[]")
TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


class Shape(NamedTuple):
    """What the quotes and brackets of a piece of JSON text say."""

    brackets: bytes
    """Those outside of strings, all of one kind."""
    highest: int
    """No more than these are open at one time, beside those before the piece."""
    within: bool
    """Whether the piece ends in a string."""
    alone: bool
    """Whether the last bracket, and none before it, closes the first; False where that takes too long to tell."""


@lru_cache(maxsize=32)  # texts that differ by their values alone, as the instances of a series, have one shape
def shape_of(marks: bytes, within: bool) -> Shape:
    """Return the shape of a piece by its quotes and brackets; `within` tells whether it begins in a string."""
    parts = marks.replace(b'""', b"").split(b'"')  # whose quotes they are does not matter: none opens
    brackets = b"".join(parts[within::2]).translate(ONE_KIND)
    rest, rounds = unpaired(brackets)
    alone = brackets.startswith(b"[") and brackets.endswith(b"]") and not unpaired(brackets[1:-1])[0]
    return Shape(brackets, rounds + rest.count(b"["), within ^ (len(parts) % 2 == 0), alone)


def unpaired(brackets: bytes) -> tuple[bytes, int]:
    """Return what is left of brackets when pairs are taken out, and how many rounds that took."""
    rounds = 0
    while rounds < ROUNDS and b"[]" in brackets:
        brackets, rounds = brackets.replace(b"[]", b""), rounds + 1
    return brackets, rounds


class Nesting:
    """Follows the brackets of a JSON text (RFC 8259) that arrives in pieces; what stands in strings does not count."""

    __slots__ = ("_begun", "_escaped", "_limit", "_within", "alone", "depth", "too_deep")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._within = self._escaped = self._begun = False
        self.alone = False
        """Whether all came in one piece, and its first bracket is closed by its last, by none before it."""
        self.depth = 0
        """How many brackets are open now."""
        self.too_deep = False
        """Whether more than `limit` were open at one time."""

    @property
    def outside(self) -> bool:
        """Tell whether the text so far ends outside of any bracket and any string."""
        return self.depth == 0 and not self._within

    def feed(self, text: bytes | bytearray) -> None:
        """Take the next piece of the text."""
        if len(text) <= PIECE:
            self._follow(text)
        else:
            for start in range(0, len(text), PIECE):
                self._follow(text[start : start + PIECE])

    def _follow(self, text: bytes | bytearray) -> None:
        if self._escaped:
            text, self._escaped = text[1:], False
        if b"\\" in text:
            text = text.replace(b"\\\\", b"")
            self._escaped = text.endswith(b"\\")
            text = text.replace(b'\\"', b"")
        shape = shape_of(bytes(text.translate(None, OTHERS)), self._within)
        if not self.too_deep and self.depth + shape.highest > self._limit:
            steps = (1 if bracket == ord("[") else -1 for bracket in shape.brackets)
            self.too_deep = max(accumulate(steps, initial=self.depth)) > self._limit
        self.depth += 2 * shape.brackets.count(b"[") - len(shape.brackets)
        self._within = shape.within
        self.alone = shape.alone and not (self._begun or shape.within)
        self._begun = True


def too_deep(text: bytes, limit: int) -> bool:
    """Tell whether more than `limit` brackets of a JSON text are open at one time."""
    nesting = Nesting(limit)
    nesting.feed(text)
    return nesting.too_deep


def cut(text: bytes, limit: int) -> bytes:
    """Return a JSON text with null in the place of all that nests deeper than `limit` brackets."""
    kept, depth, start = [], 0, 0
    for token in TOKEN.finditer(text):
        mark = text[token.start()]
        if mark in b"[{":
            depth += 1
            if depth == limit + 1:
                kept += [text[start : token.start()], b"null"]
        elif mark in b"]}":
            if depth == limit + 1:
                start = token.end()
            depth -= 1
    if depth <= limit:
        kept.append(text[start:])
    return b"".join(kept)
