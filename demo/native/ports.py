"""TCP ports of this machine's loopback interface."""

import socket

LOOPBACK = "127.0.0.1"


class PortTaken(RuntimeError):
    """Say which port is occupied and which variable chooses another one."""

    def __init__(self, port: int, who: str, variable: str) -> None:
        super().__init__(
            f"{who} cannot listen on {LOOPBACK}:{port}: another program holds that port. "
            f"Stop it, or choose another port: {variable}=<port>"
        )
        self.port = port


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
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
