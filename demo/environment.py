"""What the demo is told from outside (ports), and what it makes up once and keeps in .run/demo.env (secrets)."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from demo.native.mapper import BASE, NAMESPACE
from demo.native.orthanc import DEMO
from demo.native.process import ROOT

RUN = ROOT / ".run"
ENV_FILE = RUN / "demo.env"


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
    """Return the variables of .run/demo.env; the file is made at the first call, for its owner's eyes only."""
    if not path.exists():
        user, password = next(iter(json.loads(DEMO.read_text())["RegisteredUsers"].items()))
        made = {
            "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
            "ORTHANC_FHIR_TOKEN": secrets.token_urlsafe(32),
            "ORTHANC_FHIR_ORTHANC_USER": user,
            "ORTHANC_FHIR_ORTHANC_PASSWORD": password,
            "ORTHANC_FHIR_NAMESPACE": NAMESPACE,
            "ORTHANC_FHIR_BASE": BASE,
            "ORTHANC_SITE_JSON": f"./{DEMO.relative_to(ROOT)}",
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in made.items()))
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
