"""The stack in containers, by Docker Compose."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from demo.environment import ENV_FILE, RUN, Ports, kept
from demo.private import private_file
from stack.mapper import OPTIONS
from stack.ports import LOOPBACK, PortTaken, is_taken
from stack.process import ROOT

IMAGES = RUN / "images"
TOKENS_FILE, TOKENS = "ORTHANC_FHIR_TOKENS_FILE", "/var/lib/orthanc-fhir/tokens"
"""Where the mapper's container finds named tokens, once there are any."""
UP_SECONDS = 600


def project(checkout: Path = ROOT) -> str:
    """Return the name of a checkout's compose project: of its own, so that no other checkout's volumes are touched."""
    return f"orthanc-fhir-{hashlib.sha256(bytes(checkout.resolve())).hexdigest()[:8]}"


class ComposeStack:
    """Run docker-compose.yml, with docker-compose.build.yml over it where the images are built here."""

    kind = "docker"

    def __init__(
        self,
        remembered: Path,
        ports: Ports | None = None,
        env_file: Path = ENV_FILE,
        project_name: str | None = None,
    ) -> None:
        self.remembered = remembered
        self.ports = ports or Ports.from_environment()
        self.env_file = env_file
        self.project = project_name or project()
        self._without_secrets = not env_file.exists()
        self._kept = kept(env_file)
        self.token = self._kept["ORTHANC_FHIR_TOKEN"]
        self.orthanc_auth = (
            self._kept["ORTHANC_FHIR_ORTHANC_USER"],
            self._kept["ORTHANC_FHIR_ORTHANC_PASSWORD"],
        )

    @property
    def orthanc_url(self) -> str:
        """Return Orthanc's URL on this machine."""
        return f"http://{LOOPBACK}:{self.ports.orthanc}"

    @property
    def fhir_url(self) -> str:
        """Return the FHIR base on this machine."""
        return f"http://{LOOPBACK}:{self.ports.fhir}/fhir"

    @property
    def mapper_url(self) -> str:
        """Return the mapper's URL on this machine."""
        return f"http://{LOOPBACK}:{self.ports.mapper}"

    def up(self) -> None:
        """Get the images, start the services and wait until all are healthy."""
        volume = f"{self.project}_database"
        if self._without_secrets and _quiet("docker", "volume", "inspect", volume):
            raise RuntimeError(
                f"the volume {volume} of an earlier demo is there, but {self.env_file} with its password is gone: "
                "make clean STACK=docker removes its data"
            )
        self._check_ports()
        subprocess.run([ROOT / "setup/images.sh"], check=True)
        private_file(self.remembered).write_text(self.kind)
        print("starting the containers", flush=True)
        try:
            self._compose("up", "--detach", "--wait", "--wait-timeout", str(UP_SECONDS), "--remove-orphans")
        except subprocess.CalledProcessError:
            self._compose("ps", "--all")
            self._compose("logs", "--no-color", "--tail", "20")
            raise RuntimeError(
                "a service did not become healthy: its last lines are above, make logs has more"
            ) from None

    def down(self) -> None:
        """Stop and remove the containers; the volumes stay."""
        self._compose("down", "--remove-orphans")

    def clean(self) -> None:
        """Remove containers, volumes and secrets."""
        self._compose("down", "--volumes", "--remove-orphans")
        self.env_file.unlink(missing_ok=True)
        self.remembered.unlink(missing_ok=True)

    def stop_one(self, name: str) -> None:
        """Stop one service."""
        self._compose("stop", name)

    def start_one(self, name: str) -> None:
        """Start it again."""
        self._compose("up", "--detach", "--no-deps", "--wait", "--wait-timeout", str(UP_SECONDS), name)

    def logs(self) -> None:
        """Follow all services."""
        self._compose("logs", "--follow", "--tail", "50")

    def cli(self, arguments: Sequence[str]) -> int:
        """Run a command of orthanc-fhir in the mapper's container; return its exit code."""
        terminal = [] if sys.stdin.isatty() and sys.stdout.isatty() else ["--no-TTY"]
        command = self._command("exec", *terminal, "mapper", "orthanc-fhir", *arguments)
        return subprocess.run(command, cwd=ROOT, env=self._environment(), check=False).returncode

    def let_in(self, name: str, role: str) -> str:
        """Return a new named token, with which the running mapper lets somebody in; raises RuntimeError."""
        said = self._inside(["orthanc-fhir", "token", "--role", role, "--", name])
        token, line = said.splitlines()
        self._inside(["sh", "-c", f"umask 077; cat >> {TOKENS}"], f"{line}\n")
        if not self._kept.get(TOKENS_FILE):
            with self.env_file.open("a") as file:
                file.write(f"{TOKENS_FILE}={TOKENS}\n")
            self._kept[TOKENS_FILE] = TOKENS
            self._compose("up", "--detach", "--wait", "--wait-timeout", str(UP_SECONDS), "mapper")
        return token

    def _inside(self, words: Sequence[str], typed: str = "") -> str:
        command, environment = self._command("exec", "--no-TTY", "mapper", *words), self._environment()
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, input=typed
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout

    def _check_ports(self) -> None:
        running = self._command("ps", "--services", "--status", "running")
        services = subprocess.run(
            running, cwd=ROOT, env=self._environment(), check=True, stdout=subprocess.PIPE, text=True
        ).stdout.split()
        for name, port in vars(self.ports).items():
            service = name.partition("_")[0]
            if service not in services and is_taken(port):
                raise PortTaken(port, service, Ports.variable(name))

    def _compose(self, *arguments: str) -> None:
        subprocess.run(self._command(*arguments), cwd=ROOT, env=self._environment(), check=True)

    def _environment(self) -> dict[str, str]:
        shown = {"ORTHANC_FHIR_OPTIONS": OPTIONS}
        return {**shown, **os.environ, **{Ports.variable(name): str(port) for name, port in vars(self.ports).items()}}

    def _command(self, *arguments: str) -> list[str]:
        files = ["--file", "docker-compose.yml"]
        if IMAGES.exists() and IMAGES.read_text().strip() == "build":
            files += ["--file", "docker-compose.build.yml"]
        progress = "auto" if sys.stderr.isatty() else "quiet"
        known = ["--project-name", self.project, "--env-file", str(self.env_file), *files]
        return ["docker", "compose", "--progress", progress, *known, *arguments]


def engine_answers() -> bool:
    """Tell whether a container engine and compose v2 are there and answer."""
    return shutil.which("docker") is not None and _quiet("docker", "info") and _quiet("docker", "compose", "version")


def _quiet(*command: str) -> bool:
    try:
        done = subprocess.run(
            command, env=dict(os.environ), timeout=20, check=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
