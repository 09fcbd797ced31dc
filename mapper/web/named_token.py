"""A named token: a random text that says which line of the file is meant, and the line that knows it again by scrypt.

The first half (the selector) finds the line and is no secret by itself; of the second half the file holds a hash alone
(RFC 7914). So a wrong token costs nothing but a look, unless its first half is known.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from mapper.web.visitor import Role, Visitor

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
TOKEN = re.compile(rb"ofh-([0-9a-f]{12})-([A-Za-z0-9_-]{43})")
LOG2_N, R, P = 14, 8, 1
"""The cost of a hash: 16 MB and some 50 ms. The secret has 256 bits, so nothing is to be gained by guessing."""
DEAREST = 17, 16, 4
"""The largest cost that a line may ask for."""
HASH = re.compile(
    r"scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([0-9a-f]{12})\$([A-Za-z0-9+/=]{24})\$([A-Za-z0-9+/=]{44})"
)
RESERVED = frozenset({"token", "nobody"})
"""Names that the audit log has for somebody else."""
NO_NAME = (
    "a name is made of ASCII letters, digits and . _ @ -, begins with a letter or digit, has 64 characters at most, "
    "and is neither token nor nobody"
)
LINE = "NAME ROLE scrypt$..., as `orthanc-fhir token` prints it"


@dataclass(frozen=True, slots=True)
class NamedToken:
    """One line of the file."""

    visitor: Visitor
    selector: bytes
    cost: tuple[int, int, int]
    salt: bytes
    digest: bytes

    def fits(self, token: bytes) -> bool:
        """Tell whether this is the token; takes the time and memory of its cost."""
        parts = TOKEN.fullmatch(token)
        return bool(parts) and hmac.compare_digest(hashed(parts[2], self.salt, self.cost), self.digest)  # type: ignore[index]  # it matched

    @property
    def line(self) -> str:
        """The line for the file."""
        cost = "$".join(map(str, self.cost))
        hash_ = f"scrypt${cost}${self.selector.decode()}${text_of(self.salt)}${text_of(self.digest)}"
        return f"{self.visitor.name} {self.visitor.role.word} {hash_}"


def made(name: str, role: Role) -> tuple[str, NamedToken]:
    """Return a new random token and its line; raises ValueError for a name that cannot stand in the file."""
    if not is_name(name):
        raise ValueError(NO_NAME)
    selector, secret, salt = secrets.token_hex(6), secrets.token_urlsafe(32), secrets.token_bytes(16)
    cost = (LOG2_N, R, P)
    line = NamedToken(Visitor(name, role), selector.encode(), cost, salt, hashed(secret.encode(), salt, cost))
    return f"ofh-{selector}-{secret}", line


def read(text: str) -> NamedToken:
    """Return what a line of the file says; raises ValueError, without repeating it, when it says nothing."""
    words = text.split()
    parts = HASH.fullmatch(words[2]) if len(words) == 3 else None
    if not parts or not is_name(words[0]):
        raise ValueError(f"is not {LINE}")
    cost = int(parts[1]), int(parts[2]), int(parts[3])
    if not all(1 <= one <= most for one, most in zip(cost, DEAREST, strict=True)):
        raise ValueError("costs nothing or too much: scrypt has at most N 2^17, r 16 and p 4 here")
    visitor = Visitor(words[0], Role.named(words[1]))
    try:
        salt, digest = (base64.b64decode(one, validate=True) for one in parts.group(5, 6))
    except binascii.Error:
        raise ValueError(f"is not {LINE}") from None
    if (len(salt), len(digest)) != (16, 32):
        raise ValueError(f"is not {LINE}")
    return NamedToken(visitor, parts[4].encode(), cost, salt, digest)


def is_name(text: str) -> bool:
    """Tell whether somebody may have this name."""
    return NAME.fullmatch(text) is not None and text not in RESERVED


def selector_of(token: bytes) -> bytes:
    """Return the half of a token that finds its line, nothing where it is no such token."""
    parts = TOKEN.fullmatch(token)
    return parts[1] if parts else b""


def hashed(secret: bytes, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    """Return the hash of a secret (RFC 7914)."""
    n, r, p = 1 << cost[0], cost[1], cost[2]
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r + 1024 * r * p + (1 << 20), dklen=32)


def text_of(value: bytes) -> str:
    """Return bytes as text."""
    return base64.b64encode(value).decode()
