"""The mapper of this checkout."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from stack.fhir_server import FhirServer
from stack.orthanc import Orthanc
from stack.ports import LOOPBACK
from stack.process import Process, answers

NAMESPACE = "f4a53013-cf6d-555d-b303-6b5f08af8967"
BASE = "https://example.org/orthanc-fhir"
OPTIONS = '["key_objects","segments"]'
"""What the demo shows of what is off by default."""


class Mapper(Process):
    """Run `orthanc-fhir serve` between an Orthanc and a FHIR server."""

    name: ClassVar[str] = "mapper"
    port_variable: ClassVar[str] = "MAPPER_PORT"

    def __init__(
        self,
        folder: Path | str,
        port: int = 0,
        *,
        orthanc: Orthanc,
        fhir: FhirServer,
        token: str = "",
        ledger: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, port)
        self.orthanc = orthanc
        self.fhir = fhir
        self.token = token
        self.ledger = ledger or f"sqlite:///{self.folder / 'ledger.db'}"
        self.settings = dict(settings or {})

    def command(self) -> Sequence[str]:
        """Return the console script that lies beside this Python."""
        return [str(Path(sys.executable).parent / "orthanc-fhir"), "serve"]

    def environment(self) -> Mapping[str, str]:
        """Return the mapper's settings; those given to the constructor win."""
        user, password = self.orthanc.auth
        return {
            "ORTHANC_FHIR_ORTHANC_URL": self.orthanc.url,
            "ORTHANC_FHIR_ORTHANC_USER": user,
            "ORTHANC_FHIR_ORTHANC_PASSWORD": password,
            "ORTHANC_FHIR_ORTHANC_PUBLIC_URL": self.orthanc.url,
            "ORTHANC_FHIR_FHIR_URL": self.fhir.url,
            "ORTHANC_FHIR_FHIR_PUBLIC_URL": self.fhir.url,
            "ORTHANC_FHIR_TOKEN": self.token,
            "ORTHANC_FHIR_LEDGER": self.ledger,
            "ORTHANC_FHIR_NAMESPACE": NAMESPACE,
            "ORTHANC_FHIR_BASE": BASE,
            "ORTHANC_FHIR_HOST": LOOPBACK,
            "ORTHANC_FHIR_PORT": str(self.port),
            **self.settings,
        }

    def ready(self) -> bool:
        """Ask whether it lives; whether its neighbours do is /readyz's business."""
        return answers(f"{self.url}/healthz")
