"""Orthanc as Debian lays it out, with the plugin put in as docs/operations.md says: its commands are run."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from stack import Orthanc, OrthancInFolder
from stack.orthanc_in_folder import INSIDE
from stack.process import ROOT, NotReady
from tests.support.http_fake import Answer, HttpFake
from tests.support.mapper_fake import UNSEEN
from tests.support.plugged import call, untested, upload

TOKEN = "token-of-the-debian-tests"
UNIT = "etc/systemd/system/orthanc.service.d/fhir-sync.conf"


class Debian(Orthanc):
    """Reads a whole folder, as Debian's packages fill it."""

    packed = Path("/etc/orthanc")

    @property
    def place(self) -> Path:
        """The folder that stands for this machine's root."""
        return self.folder / "root"

    @property
    def seen(self) -> str:
        """The same folder as Orthanc itself calls it."""
        return self.inside(self.place)

    def prepare(self) -> None:
        """Write nothing: the files are Debian's own."""

    def lay_out(self) -> None:
        """Copy Debian's files; ports and folders alone are changed, so that several can run."""
        etc = self.place / "etc/orthanc"
        shutil.copytree(self.packed, etc)
        changed = {"HttpPort": str(self.port), "DicomServerEnabled": "false"}
        changed |= dict.fromkeys(("StorageDirectory", "IndexDirectory"), f'"{self.seen}/storage"')
        configured = (etc / "orthanc.json").read_text()
        for key, value in changed.items():
            configured, number = re.subn(rf'^(  "{key}" : )[^,]*,', rf"\g<1>{value},", configured, flags=re.MULTILINE)
            assert number == 1, key
        (etc / "orthanc.json").write_text(configured)

    def follow(self, name: str, mapper_url: str = "") -> None:
        """Run commands of the page, with this Orthanc's folders in place of the machine's."""
        commands = block(name)
        for there in ("/etc/", "/usr/local/"):
            commands = commands.replace(there, f"{self.place}{there}")
        (self.place / "usr/local/share").mkdir(parents=True, exist_ok=True)
        environment = {"ORTHANC_FHIR_TOKEN": TOKEN, "PATH": "/usr/bin:/bin"}
        subprocess.run(["sh", "-euc", commands], check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        for file in (self.place / "etc/orthanc").glob("*.json"):
            text = file.read_text().replace(f"{self.place}/", f"{self.seen}/")
            file.write_text(text.replace("http://127.0.0.1:8000", mapper_url))

    def command(self) -> Sequence[str]:
        """Start Orthanc with the folder, as Debian's unit does."""
        return [super().command()[0], f"{self.seen}/etc/orthanc"]

    def environment(self) -> Mapping[str, str]:
        """Return what the unit's drop-in gives it (systemd.exec(5), EnvironmentFile)."""
        if not (self.place / UNIT).exists():
            return {}
        (file,) = re.findall(r"^\[Service\]\nEnvironmentFile=(\S+)\n", (self.place / UNIT).read_text())
        return dict(line.split("=", 1) for line in Path(file).read_text().splitlines())


class DebianInFolder(Debian, OrthancInFolder):
    """Debian 13's, in its folder."""

    packed = INSIDE / "etc/orthanc"

    @property
    def place(self) -> Path:
        """The folder that stands for this machine's root: Orthanc sees nothing outside of its own."""
        return self._room

    @property
    def seen(self) -> str:
        """The same folder as Orthanc itself calls it."""
        return f"/{self.place.relative_to(INSIDE)}"

    def command(self) -> Sequence[str]:
        """Enter the folder and start Orthanc."""
        return ["/usr/sbin/chroot", str(INSIDE), "/usr/sbin/Orthanc", f"{self.seen}/etc/orthanc"]


def block(name: str) -> str:
    """Return the commands of the page behind this comment, without what only a machine of one's own has."""
    page = (ROOT / "docs/operations.md").read_text()
    (found,) = re.findall(rf"^```sh\n# {name}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return re.sub(r"^systemctl .*$", "", str(found).replace("sudo ", ""), flags=re.MULTILINE)


@pytest.fixture
def debian(orthanc_class: type[Orthanc], test_folder: Path) -> Iterator[Debian]:
    """Give an Orthanc that is laid out as Debian does, of each version at hand."""
    with ExitStack() as running:
        kind = DebianInFolder if orthanc_class is OrthancInFolder else Debian
        orthanc = kind(test_folder / "orthanc", overlay=None)
        running.callback(orthanc.clean)
        orthanc.lay_out()
        yield orthanc


def test_the_plugin_asks_with_the_token_of_its_environment(debian: Debian) -> None:
    with HttpFake(Answer(404, {"message": "never seen"}, {"Content-Type": UNSEEN})) as mapper:
        debian.follow("plugin", mapper.url)
        debian.follow("token")
        debian.start().wait_ready()
        study, _ = upload(debian)
        assert call(debian, "GET", f"/fhir-sync/studies/{study}").json()["state"] == "pending"
        debian.stop()
        (asked,) = mapper.asked
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_second_file_that_names_a_script_keeps_orthanc_from_starting(debian: Debian) -> None:
    """What the page warns of."""
    (debian.place / "etc/orthanc/mine.json").write_text('{ "PythonScript" : "/elsewhere.py" }')
    with pytest.raises(NotReady, match="PythonScript"):
        debian.start().wait_ready()


def test_systemd_finds_nothing_wrong_with_the_drop_in(debian: Debian) -> None:
    if shutil.which("systemd-analyze") is None:
        untested("systemd-analyze is not here: the drop-in is not verified")
    debian.follow("token")
    unit = Path("/lib/systemd/system/orthanc.service").read_text()
    units = debian.place / "etc/systemd/system"
    (units / "orthanc.service").write_text(re.sub(r"^PIDFile=.*\n|^Alias=.*\n", "", unit, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(units / "orthanc.service")], capture_output=True, text=True
    )
    assert "fhir-sync" not in done.stderr, done.stderr
    assert stat_mode(debian.place / "etc/orthanc-fhir.env") == 0o600


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
