"""One process delivers from a SQLite ledger; when it dies, however, the next one may."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mapper.commands.server import run
from mapper.configuration import load
from mapper.errors import SettingError
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
