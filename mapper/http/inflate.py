"""gzip taken apart in small steps (RFC 1952): however much it makes of little, no more than a piece is held."""

import zlib
from collections.abc import Iterable, Iterator

from mapper.http.no_answer import Broken
from mapper.nesting import PIECE

GZIP = 16 + zlib.MAX_WBITS


def inflated(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what was compressed, in pieces; raises zlib.error, or Broken where it ends too early."""
    member = None
    for part in parts:
        rest = part
        while rest:
            member = member or zlib.decompressobj(GZIP)
            yield from pieces_of(member, rest)
            rest = member.unused_data
            if member.eof:
                member = None
    if member is not None:
        raise Broken("broke off")


def pieces_of(member: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """Yield all that some more data make of one member of a gzip file."""
    while True:
        piece = member.decompress(data, PIECE)
        data = member.unconsumed_tail
        if piece:
            yield piece
        if len(piece) < PIECE and not data:
            return
