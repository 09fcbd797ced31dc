"""How many wrong tokens are looked at, from one address and over all; whoever was right is not held up."""

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

Key = TypeVar("Key")
EACH, EACH_EVERY = 10, 6.0
"""Wrong tokens from one address at once, and the seconds in which one more is free."""
ALL, ALL_EVERY = 100, 0.6
"""The same over all addresses, of those whose check costs something, for each line of the file that they mean."""
MOST = 4096
"""Addresses, and right tokens, that are remembered."""


class Allowance:
    """So many at once, and one more every so many seconds; one number is all that it remembers."""

    __slots__ = ("_used",)

    def __init__(self) -> None:
        self._used = 0.0

    def wait(self, now: float, most: int, every: float) -> float:
        """Return the seconds until one more is free; 0 for now."""
        return max(0.0, self._used - now - (most - 1) * every)

    def use(self, now: float, every: float) -> None:
        """Use one."""
        self._used = max(self._used, now) + every


class Attempts:
    """Remembers who was wrong how often, and what was right from where; bounded in memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._clock, self._most = clock, most
        self._each: OrderedDict[str, Allowance] = OrderedDict()
        self._dear: OrderedDict[bytes, Allowance] = OrderedDict()
        self._right: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def wait(self, address: str, digest: bytes) -> float:
        """Return the seconds until a token from this address is looked at; 0 where it was right from there before."""
        where = network(address)
        if where not in self._each or (where, digest) in self._right:
            return 0.0
        return self._each[where].wait(self._clock(), EACH, EACH_EVERY)

    def wait_for(self, selector: bytes) -> float:
        """Return the seconds until a check that costs something is made for a line, whoever asks."""
        return self._dear[selector].wait(self._clock(), ALL, ALL_EVERY) if selector in self._dear else 0.0

    def wrong(self, address: str, selector: bytes = b"") -> None:
        """Note a wrong token; `selector`: of the line whose check cost something."""
        self._use(self._each, network(address), EACH_EVERY)
        if selector:
            self._use(self._dear, selector, ALL_EVERY)

    def _use(self, among: OrderedDict[Key, Allowance], key: Key, every: float) -> None:
        among.setdefault(key, Allowance()).use(self._clock(), every)
        among.move_to_end(key)
        if len(among) > self._most:
            among.popitem(last=False)

    def right(self, address: str, digest: bytes) -> None:
        """Note that a token, by its digest, was right from this address."""
        self._right[network(address), digest] = None
        self._right.move_to_end((network(address), digest))
        if len(self._right) > self._most:
            self._right.popitem(last=False)


def network(address: str) -> str:
    """Return what counts as one address: of IPv6 the network of 64 bits, as one client has all of it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or int(found) >> 64)
    return str(found)
