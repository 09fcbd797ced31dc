"""The stack as plain processes."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from demo.environment import ENV_FILE, RUN, Ports, kept
from demo.private import private_file, private_folder
from stack.fhir_server import JAR, FhirServer
from stack.mapper import OPTIONS, Mapper
from stack.orthanc import Orthanc
from stack.postgres import Postgres
from stack.process import ROOT, NotReady, answers


class NativeStack:
    """Run Orthanc and PostgreSQL from Debian's packages, HAPI by our launcher and the mapper of this checkout."""

    kind = "native"

    def __init__(
        self,
        folder: Path = RUN / "native",
        ports: Ports | None = None,
        remembered: Path = RUN / "stack",
        env_file: Path = ENV_FILE,
    ) -> None:
        ports = ports or Ports.from_environment()
        self.folder = folder
        self.remembered = remembered
        self.env_file = env_file
        secrets = kept(env_file)
        self.token = secrets["ORTHANC_FHIR_TOKEN"]
        self.database = Postgres(folder / "postgres", password=secrets["POSTGRES_PASSWORD"])
        self.database.port = self.database.recorded_port() or self.database.port  # a free one, nobody else asks
        self.fhir = FhirServer(folder / "fhir", ports.fhir, database=self.database, strict_parser=False)
        self.orthanc = Orthanc(
            folder / "orthanc",
            ports.orthanc,
            token=self.token,
            mapper_url=f"http://127.0.0.1:{ports.mapper}",
            mapper_public_url=f"http://127.0.0.1:{ports.mapper}",
            user=secrets["ORTHANC_FHIR_ORTHANC_USER"],
            password=secrets["ORTHANC_FHIR_ORTHANC_PASSWORD"],
        )
        self.tokens = folder / "mapper" / "tokens"
        settings = {
            "ORTHANC_FHIR_OPTIONS": OPTIONS,
            "ORTHANC_FHIR_TOKENS_FILE": str(self.tokens),
            "ORTHANC_FHIR_SESSION_KEY_FILE": str(folder / "mapper" / "session-key"),
        }
        self.mapper = Mapper(
            folder / "mapper", ports.mapper, orthanc=self.orthanc, fhir=self.fhir, token=self.token, settings=settings
        )
        self.orthanc_auth = self.orthanc.auth

    @property
    def orthanc_url(self) -> str:
        """Return Orthanc's URL."""
        return self.orthanc.url

    @property
    def fhir_url(self) -> str:
        """Return the FHIR base."""
        return self.fhir.url

    @property
    def mapper_url(self) -> str:
        """Return the mapper's URL."""
        return self.mapper.url

    def up(self) -> None:
        """Start everything; the database and the FHIR server stay as they are when they already run."""
        for server in self._servers():
            server.check_port()
        subprocess.run([ROOT / "setup/native.sh"], check=True)
        private_folder(self.folder, passage=True)
        private_file(self.remembered).write_text(self.kind)
        self.mapper.stop()  # these two start in a second, and so run what the checkout holds now
        self.orthanc.stop()
        if not self.database.is_alive() or self._older_than_jar():
            self.fhir.stop()
        print("starting PostgreSQL, Orthanc, the FHIR server and the mapper", flush=True)
        self.database.start().wait_ready()
        self.fhir.start()
        self.orthanc.start().wait_ready()
        self.fhir.wait_ready()
        private_folder(self.tokens.parent)
        private_file(self.tokens)
        self.mapper.start().wait_ready()
        if not answers(f"{self.mapper.url}/readyz"):
            raise NotReady(f"the mapper runs but is not ready; the end of its log:\n{self.mapper.log_tail()}")

    def down(self) -> None:
        """Stop everything and keep the data."""
        for server in self._servers():
            server.stop()

    def clean(self) -> None:
        """Stop everything and remove data, logs and secrets."""
        for server in self._servers():
            server.clean()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.env_file.unlink(missing_ok=True)
        self.remembered.unlink(missing_ok=True)

    def stop_one(self, name: str) -> None:
        """Stop one server."""
        self._server(name).stop()

    def start_one(self, name: str) -> None:
        """Start it again."""
        self._server(name).start().wait_ready()

    def logs(self) -> None:
        """Follow the four logs."""
        logs = [str(server.log) for server in reversed(self._servers()) if server.log.exists()]
        if not logs:
            print("nothing was started yet: make demo")
            return
        subprocess.run(["tail", "-n", "20", "-F", *logs], check=False)

    def cli(self, arguments: Sequence[str]) -> int:
        """Run a command of orthanc-fhir with the mapper's settings; return its exit code."""
        program, _ = self.mapper.command()
        environment = {**os.environ, **self.mapper.environment()}
        return subprocess.run([program, *arguments], env=environment, check=False).returncode

    def let_in(self, name: str, role: str) -> str:
        """Return a new named token, with which the running mapper lets somebody in; raises RuntimeError."""
        if not self.tokens.exists():
            raise RuntimeError("the demo does not run: make demo")
        program, _ = self.mapper.command()
        environment = {**os.environ, **self.mapper.environment()}
        command = [program, "token", "--role", role, "--", name]
        said = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        if said.returncode:
            raise RuntimeError(said.stderr.strip())
        token, line = said.stdout.splitlines()
        with self.tokens.open("a") as file:
            file.write(f"{line}\n")
        return token

    def _servers(self) -> list[Mapper | Orthanc | FhirServer | Postgres]:
        """Return the servers in the order in which they stop."""
        return [self.mapper, self.orthanc, self.fhir, self.database]

    def _server(self, name: str) -> Mapper | Orthanc | FhirServer | Postgres:
        """Return a server by its name; raises RuntimeError where nothing was started yet."""
        if not self.remembered.exists():
            raise RuntimeError("the demo does not run: make demo")
        named: dict[str, Mapper | Orthanc | FhirServer | Postgres] = {}
        named |= {"mapper": self.mapper, "orthanc": self.orthanc, "fhir": self.fhir, "database": self.database}
        return named[name]

    def _older_than_jar(self) -> bool:
        started = self.fhir.pid_file
        return started.exists() and JAR.exists() and started.stat().st_mtime < JAR.stat().st_mtime
