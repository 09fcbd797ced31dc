"""What the demo is told from outside (ports), and what it makes up once and keeps in .run/demo.env (secrets)."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from demo.private import private_file
from stack.mapper import BASE, NAMESPACE
from stack.orthanc import DEMO, USER
from stack.process import ROOT

RUN = ROOT / ".run"
ENV_FILE = RUN / "demo.env"
MADE: Mapping[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": lambda: secrets.token_urlsafe(24),
    "ORTHANC_FHIR_TOKEN": lambda: secrets.token_urlsafe(32),
    "ORTHANC_FHIR_ORTHANC_USER": lambda: USER,
    "ORTHANC_FHIR_ORTHANC_PASSWORD": lambda: secrets.token_urlsafe(24),
    "ORTHANC_FHIR_NAMESPACE": lambda: NAMESPACE,
    "ORTHANC_FHIR_BASE": lambda: BASE,
    "ORTHANC_SITE_JSON": lambda: f"./{DEMO.relative_to(ROOT)}",
}
KNOWN_TO_ALL = ("ORTHANC_FHIR_ORTHANC_PASSWORD=demo",)
"""What an earlier demo wrote: any page in a browser could have logged in with it."""


@dataclass(frozen=True)
class Ports:
    """The ports on this machine's loopback, each by its own variable."""

    orthanc: int = 8042
    orthanc_dicom: int = 4242
    fhir: int = 8080
    mapper: int = 8000

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read ORTHANC_PORT, ORTHANC_DICOM_PORT, FHIR_PORT and MAPPER_PORT."""
        chosen = {}
        for name in cls.__dataclass_fields__:
            variable = cls.variable(name)
            if text := environment.get(variable):
                if not text.isdecimal() or not 0 < int(text) < 65536:
                    raise ValueError(f"{variable} must be a port between 1 and 65535")
                chosen[name] = int(text)
        ports = cls(**chosen)
        names = {port: name for name, port in vars(ports).items()}
        for name, port in vars(ports).items():
            if names[port] != name:
                raise ValueError(f"{cls.variable(name)} and {cls.variable(names[port])} are both {port}: choose two")
        return ports

    @staticmethod
    def variable(name: str) -> str:
        """Return the variable that sets this port."""
        return f"{name.upper()}_PORT"


def kept(path: Path = ENV_FILE) -> dict[str, str]:
    """Return the variables of .run/demo.env, for its owner's eyes only.

    What is not there yet is made up and added; what is there stays, but for a password that everybody knows.
    """
    lines = path.read_text().splitlines() if path.exists() else []
    kept_lines = [line for line in lines if line not in KNOWN_TO_ALL]
    found = dict(line.split("=", 1) for line in kept_lines if "=" in line and not line.startswith("#"))
    added = {name: make() for name, make in MADE.items() if not found.get(name)}
    path.parent.mkdir(parents=True, exist_ok=True)
    private_file(path)
    if added:
        draft = private_file(path.with_name(f"{path.name}.new"))
        draft.write_text(
            "".join(f"{line}\n" for line in [*kept_lines, *(f"{name}={value}" for name, value in added.items())])
        )
        draft.replace(path)
    return {**found, **added}
