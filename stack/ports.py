"""TCP ports of this machine's loopback interface."""

import random
import socket

LOOPBACK = "127.0.0.1"
QUIET = (20_000, 32_000)
"""Ports that are neither a service's own by custom nor given away by Linux."""


class PortTaken(RuntimeError):
    """Say which port is occupied and which variable chooses another one."""

    def __init__(self, port: int, who: str, variable: str) -> None:
        super().__init__(
            f"{who} cannot listen on {LOOPBACK}:{port}: another program holds that port. "
            f"Stop it, or choose another port: {variable}=<port>"
        )
        self.port = port


def free_port() -> int:
    """Return a port that nobody listens on right now, and that the kernel gives to no outgoing connection.

    Of the range that the kernel gives away (ip(7), ip_local_port_range) a port may be taken again before it is used.
    """
    while True:
        port = random.randrange(*QUIET)
        if not is_taken(port):
            return port


def is_taken(port: int) -> bool:
    """Tell whether somebody listens on this port, on loopback or on every address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False
