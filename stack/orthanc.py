"""Orthanc as Debian packs it."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from demo.private import kept_password, private_file
from stack.process import ROOT, Process, answers

CONFIGURATION = ROOT / "orthanc.json"
DEMO = ROOT / "demo/orthanc.demo.json"
PLUGIN = ROOT / "orthanc_plugin/fhir_sync.py"
USER = "demo"
PLUGINS = ("libOrthancDicomWeb.so", "libOrthancPython.so")


class Orthanc(Process):
    """Run Orthanc with orthanc.json, an overlay over it (the demo's unless told) and overrides over both.

    It has one user, whose password is made up once a folder when none is given.
    """

    name: ClassVar[str] = "orthanc"
    port_variable: ClassVar[str] = "ORTHANC_PORT"
    plugin_folder: ClassVar[str] = "/usr/share/orthanc/plugins"

    def __init__(
        self,
        folder: Path | str,
        port: int = 0,
        *,
        overlay: Path | None = DEMO,
        overrides: Mapping[str, Any] | None = None,
        plugins: Sequence[str] = PLUGINS,
        plugin_script: Path | None = PLUGIN,
        mapper_url: str = "",
        mapper_public_url: str = "",
        token: str = "",
        user: str = USER,
        password: str | None = None,
    ) -> None:
        super().__init__(folder, port)
        self._user = user
        self._password = password
        self.overlay = overlay
        self.overrides = dict(overrides or {})
        self.plugins = plugins
        self.plugin_script = plugin_script
        self.mapper_url = mapper_url
        self.mapper_public_url = mapper_public_url
        self.token = token

    @property
    def auth(self) -> tuple[str, str]:
        """Return user and password."""
        if self._password is None:
            self._password = kept_password(self.folder / "password")
        return self._user, self._password

    def configuration(self) -> dict[str, Any]:
        """Merge orthanc.json, overlay, overrides and this machine's paths, the later over the earlier."""
        merged: dict[str, Any] = json.loads(CONFIGURATION.read_text())
        if self.overlay is not None:
            merge(merged, json.loads(self.overlay.read_text()))
        merge(merged, {"RegisteredUsers": dict([self.auth])})
        merge(merged, self.overrides)
        storage = self.inside(self.folder / "storage")
        merge(
            merged,
            {
                "HttpPort": self.port,
                "StorageDirectory": storage,
                "IndexDirectory": storage,
                "Plugins": [f"{self.plugin_folder}/{plugin}" for plugin in self.plugins],
            },
        )
        if self.plugin_script is None or "libOrthancPython.so" not in self.plugins:
            merged.pop("PythonScript", None)
        return merged

    def inside(self, path: Path) -> str:
        """Return what Orthanc itself calls this path."""
        return str(path)

    def prepare(self) -> None:
        """Write the one configuration file, which may name users and so is nobody else's to read."""
        private_file(self.folder / "orthanc.json").write_text(json.dumps(self.configuration(), indent=2))

    def command(self) -> Sequence[str]:
        """Return Orthanc with that file alone: nothing of /etc/orthanc is read."""
        program = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        if program is None:
            raise FileNotFoundError("Orthanc is not installed: run setup/native.sh")
        return [program, str(self.folder / "orthanc.json")]

    def environment(self) -> Mapping[str, str]:
        """Return what orthanc.json takes from the environment."""
        return {
            "ORTHANC_FHIR_PLUGIN": str(self.plugin_script or ""),
            "ORTHANC_FHIR_MAPPER_URL": self.mapper_url,
            "ORTHANC_FHIR_MAPPER_PUBLIC_URL": self.mapper_public_url,
            "ORTHANC_FHIR_TOKEN": self.token,
        }

    def ready(self) -> bool:
        """Ask for the system page."""
        return answers(f"{self.url}/system", self.auth)

    def clean(self) -> None:
        """End Orthanc and remove its folder with all its data; at once, as stop() takes it two and a half seconds."""
        self.kill()
        super().clean()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()  # for the same reason; its index takes no harm
        super().__exit__(kind, error, trace)


def merge(into: dict[str, Any], over: Mapping[str, Any]) -> None:
    """Lay one configuration over another, section by section."""
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
