"""The stack in containers, by Docker Compose."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from demo.environment import ENV_FILE, RUN, Ports, kept
from demo.native.ports import LOOPBACK, PortTaken, is_taken
from demo.native.process import ROOT
from demo.private import private_file

IMAGES = RUN / "images"
VOLUME = "orthanc-fhir_database"
UP_SECONDS = 600


class ComposeStack:
    """Run docker-compose.yml, with docker-compose.build.yml over it where the images are built here."""

    kind = "docker"

    def __init__(self, remembered: Path) -> None:
        self.remembered = remembered
        self.ports = Ports.from_environment()
        self._without_secrets = not ENV_FILE.exists()
        self._kept = kept()
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
        if self._without_secrets and _quiet("docker", "volume", "inspect", VOLUME):
            raise RuntimeError(
                f"the volume {VOLUME} of an earlier demo is there, but {ENV_FILE} with its password is gone: "
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
        ENV_FILE.unlink(missing_ok=True)
        self.remembered.unlink(missing_ok=True)

    def logs(self) -> None:
        """Follow all services."""
        self._compose("logs", "--follow", "--tail", "50")

    def cli(self, arguments: Sequence[str]) -> int:
        """Run a command of orthanc-fhir in the mapper's container; return its exit code."""
        terminal = [] if sys.stdin.isatty() and sys.stdout.isatty() else ["--no-TTY"]
        command = self._command("exec", *terminal, "mapper", "orthanc-fhir", *arguments)
        return subprocess.run(command, cwd=ROOT, check=False).returncode

    def _check_ports(self) -> None:
        running = self._command("ps", "--services", "--status", "running")
        services = subprocess.run(running, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        for name, port in vars(self.ports).items():
            service = name.partition("_")[0]
            if service not in services and is_taken(port):
                raise PortTaken(port, service, Ports.variable(name))

    def _compose(self, *arguments: str) -> None:
        subprocess.run(self._command(*arguments), cwd=ROOT, check=True)

    def _command(self, *arguments: str) -> list[str]:
        files = ["--file", "docker-compose.yml"]
        if IMAGES.exists() and IMAGES.read_text().strip() == "build":
            files += ["--file", "docker-compose.build.yml"]
        progress = "auto" if sys.stderr.isatty() else "quiet"
        return ["docker", "compose", "--progress", progress, "--env-file", str(ENV_FILE), *files, *arguments]


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
