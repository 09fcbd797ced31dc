"""The headers of a request, byte for byte: none can be read in two ways."""

import base64
import binascii
from collections.abc import Iterable


class Headers(dict[bytes, list[bytes]]):
    """The headers of a request as bytes, by name; each with every value that was sent."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        super().__init__()
        for name, value in raw:
            self.setdefault(name.lower(), []).append(value)

    def only(self, name: bytes) -> bytes:
        """Return the value of a header that was sent once, else nothing."""
        values = self.get(name, [])
        return values[0] if len(values) == 1 else b""

    def cookie(self, name: str) -> str:
        """Return the cookie of this name (RFC 6265 section 4.2), nothing where several are sent: which one counts?"""
        found = set()
        for part in b";".join(self.get(b"cookie", [])).split(b";"):
            known, _, value = part.strip().partition(b"=")
            if known == name.encode():
                found.add(value)
        return found.pop().decode("latin-1") if len(found) == 1 else ""


def presented(headers: Headers) -> bytes:
    """Return the token that a request shows, or nothing."""
    scheme, _, value = headers.only(b"authorization").partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""
