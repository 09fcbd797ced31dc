"""What is written names studies or is a secret: nobody but its owner can read it, whatever the umask."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from demo.private import private_file, private_folder
from mapper.commands.examination import files
from mapper.configuration import load
from mapper.ledger.database import Database
from mapper.settings import Settings
from samples.studies import write
from stack import free_port
from tests.support.http_fake import wait_until
from tests.support.part10 import instance, save

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).parent / "orthanc-fhir"


@pytest.fixture(autouse=True)
def open_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work as a shell does that lets everybody read, in a folder without settings."""
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o000)
    yield
    os.umask(before)


def readable(folder: Path) -> dict[str, str]:
    """Return what group or others may use under a folder, with its mode."""
    modes = {path.relative_to(folder): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}
    return {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077}


def orthanc_fhir(*words: str, **settings: object) -> list[str]:
    return ["env", *(f"ORTHANC_FHIR_{name.upper()}={value}" for name, value in settings.items()), str(PROGRAM), *words]


def test_serve_leaves_ledger_and_namespace_to_their_owner_alone(tmp_path: Path) -> None:
    folder, port = tmp_path / "site" / "deep", free_port()
    nowhere = f"http://127.0.0.1:{free_port()}"
    command = orthanc_fhir(
        "serve",
        ledger=f"sqlite:///{folder}/ledger.db",
        namespace_file=folder / "secret" / "namespace",
        orthanc_url=nowhere,
        fhir_url=f"{nowhere}/fhir",
        port=port,
    )
    with subprocess.Popen(command, umask=0o022, stdout=subprocess.DEVNULL) as serve:
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), 30)
            found = {path.name for path in folder.rglob("*")}
            assert found >= {"ledger.db", "ledger.db-wal", "ledger.db-shm", "secret", "namespace"}
            assert readable(tmp_path) == {}
        finally:
            serve.terminate()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


@pytest.mark.parametrize("mode", [None, 0o644, 0o666, 0o600, 0o640], ids=lambda mode: mode and oct(mode))
def test_the_file_of_problems_is_its_owners_alone(mode: int | None, tmp_path: Path) -> None:
    """A new one, and one that is there already."""
    sample = save(tmp_path / "in" / "one.dcm", instance("1.2.3"))
    if mode is not None:
        (tmp_path / "problems.ndjson").write_text("an older one")
        (tmp_path / "problems.ndjson").chmod(mode)
    done = subprocess.run(
        orthanc_fhir("convert", str(sample), "--problems", "problems.ndjson"),
        umask=0o022, stdout=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert stat.S_IMODE((tmp_path / "problems.ndjson").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["ledger.db", "a/b/ledger.db", "ledger"])
def test_a_ledger_that_a_library_opens_is_closed_to_others(tmp_path: Path, name: str) -> None:
    """Without the command line, and so without its umask."""
    database = Database(f"sqlite:///{tmp_path}/inside/{name}")
    database.create()
    with database.write():
        files = {path.name for path in (tmp_path / "inside").rglob("*") if path.is_file()}
        assert any(name.endswith("-wal") for name in files)
        open_files = {path: mode for path, mode in readable(tmp_path).items() if (tmp_path / path).is_file()}
        assert open_files == {}
    database.close()


def test_a_ledger_in_memory_makes_no_file(tmp_path: Path) -> None:
    for url in ("sqlite://", "sqlite:///:memory:"):
        Database(url).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "said"), [(0o600, 0), (0o640, 0), (0o644, 3), (0o602, 3), (0o601, 3)], ids=lambda value: f"{value:o}"
)
def test_doctor_says_which_files_everybody_can_use(tmp_path: Path, mode: int, said: int) -> None:
    ledger, namespace, settings = tmp_path / "ledger.db", tmp_path / "namespace", tmp_path / "orthanc-fhir.toml"
    for file in (ledger, namespace, settings):
        file.touch()
        file.chmod(mode)
    found = list(files(load(Settings, ledger=f"sqlite:///{ledger}", namespace_file=namespace)))
    assert len(found) == said
    for one, path in zip(found, (ledger, namespace, settings), strict=False):
        assert (one.level, one.remedy) == ("limit", f"chmod o= {path}")


@pytest.mark.parametrize("ledger", ["sqlite:////no/such/ledger.db", "postgresql+psycopg://me:secret@host/ledger"])
def test_doctor_does_not_look_for_files_that_are_not_there(ledger: str) -> None:
    assert list(files(load(Settings, ledger=ledger, namespace_file="/no/such/namespace"))) == []


# -- the demo ------------------------------------------------------------------------------------


def test_the_samples_are_their_owners_alone(tmp_path: Path) -> None:
    for _ in write(tmp_path / "samples"):
        pass
    assert len(list((tmp_path / "samples").rglob("*.dcm"))) > 50
    assert readable(tmp_path) == {}


def test_a_folder_of_somebody_elses_choice_stays_as_it_is(tmp_path: Path) -> None:
    chosen = tmp_path / "shared"
    chosen.mkdir(mode=0o755)
    next(iter(write(chosen)))
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o755
    assert set(readable(tmp_path)) == {"shared"}


@pytest.mark.parametrize(
    "before", [None, 0o644, 0o666, 0o600], ids=lambda value: "new" if value is None else f"{value:o}"
)
def test_a_file_is_closed_and_keeps_what_it_holds(tmp_path: Path, before: int | None) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_text("kept")
        path.chmod(before)
    assert private_file(path) == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == ("" if before is None else "kept")


@pytest.mark.parametrize(("passage", "mode"), [(False, 0o700), (True, 0o711)])
def test_a_folder_is_closed_or_can_be_passed_through(tmp_path: Path, passage: bool, mode: int) -> None:
    for _ in ("new", "there before"):
        assert stat.S_IMODE(private_folder(tmp_path / "a" / "b", passage=passage).stat().st_mode) == mode
        (tmp_path / "a" / "b").chmod(0o777)


# -- what git must not take ----------------------------------------------------------------------

SECRET_FILES = (
    ".env",
    "orthanc-fhir.toml",
    "orthanc-fhir-ledger.db",
    "orthanc-fhir-ledger.db-wal",
    "orthanc-fhir-ledger.db-shm",
    "orthanc-fhir-ledger.db-journal",
    "elsewhere/ledger.db",
    ".run/demo.env",
)


def test_git_takes_no_secret_and_no_ledger(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    ignored = subprocess.run(
        ["git", "check-ignore", *SECRET_FILES], cwd=tmp_path, check=False, capture_output=True, text=True
    ).stdout
    assert set(ignored.split()) == set(SECRET_FILES)


def test_git_takes_what_belongs_to_the_project(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    ours = ("orthanc.json", "docker-compose.yml", "pyproject.toml", "tests/ledgers/0.1.0.sqlite", "demo/environment.py")
    ignored = subprocess.run(["git", "check-ignore", *ours], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert ignored.stdout == ""
