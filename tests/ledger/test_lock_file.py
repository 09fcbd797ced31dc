"""One process delivers from a SQLite ledger; when it dies, however, the next one may."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EINVAL, EIO, ENOLCK, ENOSYS, EOPNOTSUPP, errorcode
from pathlib import Path

import pytest

from mapper.commands.server import run
from mapper.configuration import load
from mapper.errors import SettingError
from mapper.ledger import lock_file
from mapper.ledger.lock_file import LockFile
from mapper.service import service_of
from mapper.settings import Settings

HOLD = """
import sys
from pathlib import Path
from mapper.ledger.lock_file import LockFile
lock = LockFile(Path(sys.argv[1]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(ledger: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that delivers from a ledger."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(ledger)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "True\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_one_process_has_it_until_it_ends(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    mine = LockFile(ledger)
    with holder(ledger) as process:
        assert not mine.take()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert mine.take()
        assert mine.take(), "it is ours already"
    mine.give()
    with holder(ledger):
        assert not mine.take()


NAMES = ["site/ledger.db", "site/../site/ledger.db", "link.db", "folder/ledger.db", "far.db", "relative.db"]


@pytest.mark.parametrize("mine", NAMES)
@pytest.mark.parametrize("theirs", NAMES)
@pytest.mark.parametrize("made", [True, False], ids=["there", "not there yet"])
def test_whatever_it_is_called_by_one_ledger_has_one_lock(
    mine: str, theirs: str, made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = tmp_path / "site" / "ledger.db"
    ledger.parent.mkdir()
    if made:
        ledger.touch()
    (tmp_path / "link.db").symlink_to(ledger)
    (tmp_path / "folder").symlink_to(ledger.parent)
    (tmp_path / "far.db").symlink_to(tmp_path / "link.db")
    (tmp_path / "relative.db").symlink_to("site/ledger.db")
    first, second = LockFile(Path(theirs)), LockFile(tmp_path / mine)
    assert first.take()
    assert not second.take()
    first.give()
    assert second.take()
    second.give()
    assert [path.name for path in ledger.parent.iterdir() if path != ledger] == ["ledger.db-deliverer"]


@pytest.mark.parametrize("error", [ENOLCK, EOPNOTSUPP, ENOSYS, EIO, EACCES, EINVAL], ids=errorcode.get)
def test_a_lock_that_cannot_be_had_is_no_rival(error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(error, os.strerror(error))

    before = set(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(lock_file.fcntl, "flock", refuse)
    with pytest.raises(SettingError, match=f"^ledger: .*{re.escape(os.strerror(error))}"):
        LockFile(tmp_path / "ledger.db").take()
    assert set(os.listdir("/proc/self/fd")) == before, "nothing is left open"


def test_two_files_are_two_ledgers(tmp_path: Path) -> None:
    one, other = LockFile(tmp_path / "a.db"), LockFile(tmp_path / "b.db")
    assert one.take()
    assert other.take()
    one.give()
    other.give()


def test_a_database_without_a_file_has_no_lock() -> None:
    assert LockFile().take()


def test_a_folder_that_takes_no_file_is_a_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^ledger: "):
        LockFile(tmp_path / "no" / "such" / "ledger.db").take()


def test_a_second_serve_is_refused_in_one_line(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    settings = load(Settings, ledger=f"sqlite:///{ledger}", port=0)
    with holder(ledger), pytest.raises(SettingError, match=r"^ledger: .*SQLite allows one.*PostgreSQL") as failed:
        run(settings)
    assert "\n" not in str(failed.value)


def test_beside_a_deliverer_others_may_mark(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    with holder(ledger):
        service = service_of(load(Settings, ledger=f"sqlite:///{ledger}"))
        assert not service.deliver()
        service.ledger.studies.mark("orthanc", ["1.2.3"])
        assert service.ledger.rows.counts()["pending"] == 1
        service.ledger.database.close()
