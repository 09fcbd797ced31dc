"""HAPI FHIR R4, by the launcher in docker/fhir."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from stack.postgres import Postgres
from stack.process import ROOT, Process, answers

JAR = ROOT / "docker/fhir/target/fhir.jar"


class FhirServer(Process):
    """Run HAPI on PostgreSQL, or in memory when no database is given."""

    name: ClassVar[str] = "fhir"
    port_variable: ClassVar[str] = "FHIR_PORT"
    patience: ClassVar[float] = 180

    def __init__(
        self,
        folder: Path | str,
        port: int = 0,
        *,
        database: Postgres | None = None,
        retry_on_conflict: bool = True,
        strict_parser: bool = True,
        validate_requests: bool = False,
        jdbc_timeout: float = 30,
        allowed_hosts: Sequence[str] = (),
        memory: str = "1200m",
    ) -> None:
        super().__init__(folder, port)
        self.database = database
        self.allowed_hosts = allowed_hosts
        self.memory = memory
        self.flags = {
            "FHIR_RETRY_ON_CONFLICT": retry_on_conflict,
            "FHIR_STRICT_PARSER": strict_parser,
            "FHIR_VALIDATE_REQUESTS": validate_requests,
        }
        self.jdbc_timeout = jdbc_timeout

    @property
    def url(self) -> str:
        """Return the FHIR base."""
        return super().url + "/fhir"

    def command(self) -> Sequence[str]:
        """Return Java, tuned to start fast rather than to run for years."""
        if not JAR.exists() or (java := shutil.which("java")) is None:
            raise FileNotFoundError(f"{JAR} or Java is missing: run setup/native.sh")
        return [
            java, f"-Xmx{self.memory}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
            "-jar", str(JAR),
        ]  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        """Return the launcher's settings."""
        settings = {name: str(value).lower() for name, value in self.flags.items()}
        settings |= {"FHIR_PORT": str(self.port), "FHIR_JDBC_TIMEOUT_MS": str(int(self.jdbc_timeout * 1000))}
        settings |= {"FHIR_ALLOWED_HOSTS": " ".join(self.allowed_hosts)}
        if self.database is not None:
            settings |= {
                "FHIR_JDBC_URL": self.database.jdbc_url(),
                "FHIR_JDBC_USER": self.database.role,
                "FHIR_JDBC_PASSWORD": self.database.password,
            }
        return settings

    def ready(self) -> bool:
        """Search: it touches the database, which /metadata does not."""
        return answers(f"{self.url}/Patient?_summary=count")
