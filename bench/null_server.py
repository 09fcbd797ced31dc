"""The FHIR server that keeps nothing (bench/null_fhir.py), as a process of its own."""

import sys
from collections.abc import Sequence
from pathlib import Path

from stack import Process
from stack.process import ROOT, answers

SLOW = 400
"""Milliseconds that it takes for each answer."""


class NullFhir(Process):
    """Run bench/null_fhir.py."""

    name = "null-fhir"
    port_variable = "FHIR_PORT"

    def __init__(self, folder: Path | str, port: int = 0, milliseconds: int = SLOW) -> None:
        super().__init__(folder, port)
        self._milliseconds = milliseconds

    @property
    def url(self) -> str:
        """Return the FHIR base."""
        return super().url + "/fhir"

    def command(self) -> Sequence[str]:
        """Return Python and the program."""
        return [sys.executable, str(ROOT / "bench/null_fhir.py"), str(self.port), str(self._milliseconds)]

    def ready(self) -> bool:
        """Ask for anything."""
        return answers(f"{self.url}/metadata")
