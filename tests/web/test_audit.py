"""The audit log: a JSON object a line, in files of bounded size and number that are their owner's alone."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mapper import log
from mapper.errors import SettingError
from mapper.web.audit import MB, Audit
from tests.support.situations import A

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, UTC)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_says_when_who_and_what(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit", now=lambda: NOON)
    audit.record("alice", "values", study_uid=A)
    audit.refused("", "wrong token", 3)
    audit.close()
    assert lines(tmp_path / "audit") == [
        {"when": "2026-05-04T12:00:00.123Z", "visitor": "alice", "what": "values", "study_uid": A},
        {
            "when": "2026-05-04T12:00:00.123Z",
            "visitor": "nobody",
            "what": "refused",
            "reason": "wrong token",
            "times": 3,
        },
    ]


@pytest.mark.parametrize("name", ['a"b', "a\nb", "a\u2028b", "a\x1b[1m", "a\\", "%s %d", "\udcff", "ä"])
def test_a_line_is_one_line_whatever_stands_in_it(tmp_path: Path, name: str) -> None:
    audit = Audit(tmp_path / "audit")
    audit.record(name, "logged in")
    audit.record(name, "logged out")
    audit.close()
    assert [line["visitor"] for line in lines(tmp_path / "audit")] == [name, name]
    assert (tmp_path / "audit").read_bytes().isascii()


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    for _ in range(2):
        audit = Audit(tmp_path / "audit")
        audit.record("alice", "logged in")
        audit.close()
    assert len(lines(tmp_path / "audit")) == 2


def test_size_and_number_are_bounded_and_the_newest_is_kept(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit", size=1, count=2)
    for number in range(50):
        audit.record("alice", "retried", studies=["1.2.3" * 20_000], number=number)
    audit.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["audit", "audit.1", "audit.2"]
    assert all(file.stat().st_size <= MB for file in files)
    kept = [line["number"] for file in reversed(files) for line in lines(file)]
    assert kept == list(range(50 - len(kept), 50))


def test_every_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        audit = Audit(tmp_path / "audit", size=1, count=2)
        for _ in range(30):
            audit.record("alice", "retried", studies=["1.2.3" * 20_000])
        audit.close()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("mode", "right"),
    {0o600: True, 0o640: True, 0o644: False, 0o660: False, 0o602: False, 0o604: False, 0o666: False}.items(),
    ids=oct,
)
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int, right: bool) -> None:
    path = tmp_path / "audit"
    path.touch()
    path.chmod(mode)
    if right:
        Audit(path).close()
        return
    with pytest.raises(SettingError, match=r"^audit_file: .* can be read or written by others: chmod 600 it$"):
        Audit(path)


@pytest.mark.parametrize("path", ["", "nothing/audit", "file/audit"])
def test_a_file_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match=r"^audit_file: .* cannot be written \("):
        Audit(tmp_path / path)


def test_a_disk_that_is_full_is_told_to_who_asks_for_a_line(tmp_path: Path) -> None:
    full = Path("/dev/full")
    audit = Audit(full)
    with pytest.raises(OSError, match="No space left"):
        audit.record("alice", "values", study_uid=A)


def test_without_a_file_the_log_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    audit = Audit()
    audit.record("alice", "values", study_uid=A)
    audit.refused("alice", "role", 1)
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["event"], line["visitor"], line["what"], line["study_uid"]) == ("audit", "alice", "values", A)
