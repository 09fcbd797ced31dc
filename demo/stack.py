"""The demo's four services, whichever way they run."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from demo.compose import ComposeStack, engine_answers
from demo.environment import RUN
from stack.process import ROOT
from stack.stack import NativeStack

CHOSEN = RUN / "stack"


class Stack(Protocol):
    """Start, stop and follow Orthanc, the mapper, the FHIR server and its database."""

    kind: str
    token: str
    orthanc_auth: tuple[str, str]

    @property
    def orthanc_url(self) -> str: ...
    @property
    def fhir_url(self) -> str: ...
    @property
    def mapper_url(self) -> str: ...

    def up(self) -> None:
        """Start what does not run, and wait until everything answers; it stays when this program ends."""

    def down(self) -> None:
        """Stop everything and keep the data."""

    def clean(self) -> None:
        """Stop everything and remove the data."""

    def stop_one(self, name: str) -> None:
        """Stop one service, by its name in docker-compose.yml: an outage to look at."""

    def start_one(self, name: str) -> None:
        """Start it again, and wait until it answers."""

    def logs(self) -> None:
        """Follow what the services print, until interrupted."""

    def cli(self, arguments: Sequence[str]) -> int:
        """Run a command of orthanc-fhir with the mapper's settings; return its exit code."""

    def let_in(self, name: str, role: str) -> str:
        """Return a new named token, with which the running mapper lets somebody in; raises RuntimeError."""


def choose(name: str | None = None, remembered: Path = CHOSEN) -> Stack:
    """Return the stack of that name; without one the running demo's, else Docker where it answers, else native."""
    if not name and remembered.exists():
        name = remembered.read_text().strip()
    match name or ("docker" if engine_answers() else "native"):
        case "docker":
            if not engine_answers():
                subprocess.run([ROOT / "setup/docker.sh"], check=True)
            return ComposeStack(remembered)
        case "native":
            return NativeStack(remembered=remembered)
        case other:
            raise ValueError(f"STACK must be docker or native, not {other!r}")
