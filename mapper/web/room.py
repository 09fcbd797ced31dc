"""Where clients wait, and how many files there are for them: a flood of connections takes none from the work."""

import errno
import resource
import socket
from typing import Any

from mapper.errors import SettingError

MOST, LEAST = 512, 16
"""Connections at one time where files are plenty, and where they are few."""
AT_ONCE = 16
"""Connections that are taken in before any of them is looked at; several such batches may be under way."""
KEPT = 64 + 6 * AT_ONCE
"""Files that are no client's: the ledger, Orthanc, the FHIR server, batches that come in."""
WAITING = 1024
"""Connections that wait in the kernel until they are taken in."""


def connections() -> int:
    """Raise the limit of open files as far as it goes, and return how many connections there is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):  # macOS: the hard limit may be more than the kernel gives
            hard = soft
    return MOST if hard == resource.RLIM_INFINITY else max(LEAST, min(MOST, hard - KEPT))


class Listener(socket.socket):
    """A socket whose queue in the kernel is long although few connections are taken in at a time.

    asyncio uses one number for both, and accepts that many before it closes any.
    """

    def listen(self, backlog: int = WAITING) -> None:
        """Listen with the long queue, whatever is asked for."""
        super().listen(WAITING)


def listeners(host: str, port: int) -> list[socket.socket]:
    """Return sockets that are bound to every address of a host; raises SettingError when one is taken or not ours."""
    bound: list[socket.socket] = []
    failed = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((one[0], one[4]) for one in found):
            at = bound[0].getsockname()[1] if bound else port  # port 0 is one port, whatever it becomes
            try:
                bound.append(listener(family, (address[0], at, *address[2:])))
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                failed = error  # a machine without IPv6 has a localhost of IPv6 all the same
    except OSError as error:
        failed = error
        while bound:
            bound.pop().close()
    if not bound:
        said = failed.strerror if failed else "it has no address"
        raise SettingError(f"port: cannot listen on {host}:{port} ({said}); choose another")
    return bound


def listener(family: socket.AddressFamily, address: Any) -> Listener:
    """Return one bound socket."""
    made = Listener(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
