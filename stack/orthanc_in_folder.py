"""Orthanc of Debian 13 inside a folder that is entered by chroot: a newer Orthanc for the tests, without containers."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from demo.private import private_folder
from stack.orthanc import Orthanc
from stack.process import ROOT

INSIDE = ROOT / ".run/orthanc-trixie"


class OrthancInFolder(Orthanc):
    """Run Orthanc 1.12.7 with the root folder that setup/orthanc-trixie.sh made; only root may."""

    name: ClassVar[str] = "orthanc-trixie"

    @property
    def _room(self) -> Path:
        """Return this instance's folder within the root folder: Orthanc sees nothing outside of that."""
        return INSIDE / "srv" / str(self.port)

    def inside(self, path: Path) -> str:
        """Return what Orthanc itself calls this path of our folder."""
        return "/" + str((self._room / path.relative_to(self.folder)).relative_to(INSIDE))

    def prepare(self) -> None:
        """Copy configuration and plugin to where Orthanc can read them."""
        super().prepare()
        private_folder(self._room)
        shutil.copy2(self.folder / "orthanc.json", self._room)
        if self.plugin_script is not None:
            shutil.copytree(
                self.plugin_script.parent, self._room / "python", dirs_exist_ok=True, symlinks=True,
                ignore=shutil.ignore_patterns("__pycache__"),
            )  # fmt: skip

    def command(self) -> Sequence[str]:
        """Enter the folder and become Orthanc."""
        if not (INSIDE / "usr/sbin/Orthanc").exists():
            raise FileNotFoundError(f"{INSIDE} is missing: run setup/orthanc-trixie.sh")
        configuration = self.inside(self.folder / "orthanc.json")
        return ["/usr/sbin/chroot", str(INSIDE), "/usr/sbin/Orthanc", configuration]

    def environment(self) -> Mapping[str, str]:
        """Return what orthanc.json takes from the environment, the plugin by its name inside."""
        script = "" if self.plugin_script is None else f"/srv/{self.port}/python/{self.plugin_script.name}"
        return {**super().environment(), "ORTHANC_FHIR_PLUGIN": script}

    def clean(self) -> None:
        """Stop Orthanc and remove all its data, also within the root folder."""
        super().clean()
        shutil.rmtree(self._room, ignore_errors=True)
