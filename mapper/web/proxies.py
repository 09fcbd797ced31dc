"""What a trusted reverse proxy may say of a request: who asks, from where, and under which path."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

from mapper.url import root_path
from mapper.web.headers import Headers
from mapper.web.visitor import Role, Visitor

Network = IPv4Network | IPv6Network
NAME = re.compile(rb"[!-~]{1,64}")
HOP = re.compile(r'"?(?:\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}|([0-9A-Fa-f:.]+))"?')
"""One of them as proxies write it: alone, or in brackets, or with a port behind it."""
HOPS = 32
"""Addresses of X-Forwarded-For that are looked at."""


class Untold(Exception):
    """A trusted proxy names somebody in words that are no name, or no role."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies that are trusted, and the headers in which they name who asks."""

    trusted: Sequence[Network] = ()
    user_header: bytes = b""
    role_header: bytes = b""
    role: Role = Role.READ
    root: str = ""
    """Path under which the application stands, where no proxy says another one."""

    def trusts(self, address: str) -> bool:
        """Tell whether an address is one of a trusted proxy."""
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in self.trusted)

    def visitor(self, scope: Scope, headers: Headers) -> Visitor | None:
        """Return whom a trusted proxy names, None for nobody; raises Untold for what is no name, or no role."""
        if not self.user_header or self.user_header not in headers or not self.trusts(peer(scope)):
            return None
        said = headers.only(self.user_header)
        if not NAME.fullmatch(said):
            raise Untold
        name = f"proxy:{said.decode()}"  # no token's name has a colon: nobody is taken for somebody else
        if not self.role_header:
            return Visitor(name, self.role)
        try:
            return Visitor(name, Role.named(headers.only(self.role_header).decode("latin-1")))
        except ValueError:
            raise Untold from None

    def forged(self, scope: Scope, headers: Headers) -> bool:
        """Tell whether somebody else than a trusted proxy names who asks."""
        ours = {self.user_header, self.role_header} - {b""}
        return not ours.isdisjoint(headers) and not self.trusts(peer(scope))

    def address(self, scope: Scope, headers: Headers) -> str:
        """Return from where a request comes: of what proxies say the last that no trusted one is."""
        address = peer(scope)
        said = b",".join(headers.get(b"x-forwarded-for", [])).decode("latin-1").split(",")[-HOPS:]
        while said and self.trusts(address):
            hop = HOP.fullmatch(said.pop().strip())
            try:
                address = str(ip_address((hop[1] or hop[2] or hop[3]) if hop else ""))
            except ValueError:
                break
        return address

    def is_https(self, scope: Scope, headers: Headers) -> bool:
        """Tell whether the browser speaks HTTPS: by what arrived here, or by the word of a trusted proxy."""
        told = self.trusts(peer(scope)) and headers.only(b"x-forwarded-proto").lower() == b"https"
        return scope.get("scheme") == "https" or told

    def place(self, scope: Scope, headers: Headers) -> None:
        """Say in the scope where the application begins: what stands before its paths is a proxy's."""
        root = self.root
        if self.trusts(peer(scope)) and b"x-forwarded-prefix" in headers:
            try:
                root = root_path(headers.only(b"x-forwarded-prefix").decode("ascii"))
            except ValueError:
                root = self.root
        if not root:
            return
        path = scope["path"]
        if path == root:
            path = f"{root}/"
        scope["root_path"] = root
        scope["path"] = path if path.startswith(f"{root}/") else f"{root}{path}"


def peer(scope: Scope) -> str:
    """Return the address of whoever opened the connection."""
    client = scope.get("client")
    return str(client[0]) if client else ""
