"""The audit file and the command line: what is done there stands there, and what does not is said."""

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mapper.commands.cli import app
from mapper.configuration import load
from mapper.ledger.ledger import Ledger
from mapper.settings import Settings
from mapper.web.audit import NOBODYS, Audit
from mapper.wiring import ledger_of
from samples.sds import write
from stack import free_port

A, B, UNSEEN = "1.2.3.4", "1.2.3.5", "Doe1"
ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def ledger(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Give a ledger with two parked studies, and no Orthanc."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORTHANC_FHIR_LEDGER", ledger_url)
    monkeypatch.setenv("ORTHANC_FHIR_AUDIT_FILE", str(tmp_path / "audit.jsonl"))
    monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", f"http://127.0.0.1:{free_port()}")
    ledger = ledger_of(load(Settings))
    ledger.studies.mark("orthanc", [A, B])
    for claim in ledger.studies.claim(["orthanc"], limit=2):
        ledger.studies.finish(claim, "refused", "no", "BundleRejected")
    yield ledger
    ledger.database.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the audit file as a service leaves it."""
    audit = Audit(tmp_path / "audit.jsonl")
    audit.record("alice", "logged in")
    audit.close()
    return tmp_path / "audit.jsonl"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


# command: what stands in the audit file
DONE: dict[str, tuple[list[str], list[tuple[str, object]]]] = {
    "retry one": (["retry", A], [("retried", [A])]),
    "retry one that is none": (["retry", A, UNSEEN], [("retried", [A, NOBODYS])]),
    "retry all": (["retry", "--parked"], [("retried", "all that are parked")]),
    "sync one": (["sync", B, "--wait", "0"], [("re-synced", [B])]),
    "sync one that nobody knows": (["sync", UNSEEN, "--wait", "0"], [("re-synced", [NOBODYS])]),
    "sync all": (["sync", "--all", "--wait", "0"], [("re-synced", "all")]),
    "sync": (["sync", "--wait", "0"], [("re-synced", "all that changed")]),
    "removals": (
        ["sync", "--accept-removals", "--wait", "0"],
        [("re-synced", "all that changed"), ("accepted removals", "all that vanished")],
    ),
    "a look": (["studies"], []),
    "what was typed wrong": (["retry", "Doe^John"], []),
}


@pytest.mark.parametrize(("command", "lines"), DONE.values(), ids=DONE)
def test_what_is_done_stands_in_the_audit_file(
    ledger: Ledger, file: Path, command: list[str], lines: list[tuple[str, object]]
) -> None:
    result = run(*command)
    assert "audit" not in result.stderr
    first, *told = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert first["visitor"] == "alice"
    assert [(one["what"], one["studies"]) for one in told] == lines
    assert {(one["visitor"], one["os_user"]) for one in told} <= {("command line", ME)}
    assert UNSEEN not in file.read_text(encoding="utf-8")


ALLOWED: dict[str, tuple[list[str], list[str]]] = {  # with and without what destroys -> what stands in the audit file
    "push": (["push", "{folder}"], []),
    "push over others": (["push", "{folder}", "--overwrite"], ["allowed to overwrite"]),
    "a dataset": (["sds", "{dataset}", "--to", "fhir"], []),
    "a dataset, what is gone removed": (["sds", "{dataset}", "--to", "fhir", "--prune"], ["allowed to remove"]),
}


@pytest.mark.parametrize(("command", "lines"), ALLOWED.values(), ids=ALLOWED)
def test_what_may_destroy_stands_in_the_audit_file_before_it_is_done(
    ledger: Ledger, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], lines: list[str]
) -> None:
    """Here there is nobody to do it to."""
    monkeypatch.setenv("ORTHANC_FHIR_FHIR_URL", f"http://127.0.0.1:{free_port()}")
    (tmp_path / "ndjson").mkdir()
    places = {"folder": tmp_path / "ndjson", "dataset": write(tmp_path, "breast")}
    result = run(*(word.format(**places) for word in command))
    assert result.exit_code == 1
    assert "does not answer" in result.stderr
    _, *told = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert [one["what"] for one in told] == lines


def missing(file: Path) -> None:
    file.unlink()


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def open_to_others(file: Path) -> None:
    file.chmod(0o666)


def full(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/full")


@pytest.mark.parametrize("spoil", [missing, a_folder, open_to_others, full])
def test_what_cannot_be_written_there_is_said_and_done_all_the_same(ledger: Ledger, file: Path, spoil: object) -> None:
    assert callable(spoil)
    spoil(file)
    result = run("retry", A)
    assert (result.exit_code, result.stdout) == (0, "1 back in line\n")
    (line,) = result.stderr.splitlines()
    assert line.startswith("not in the audit file: ")
    assert file.is_dir() is (spoil is a_folder), "it is made by the service alone"


def test_the_file_is_not_rotated_by_a_command(ledger: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_FHIR_AUDIT_SIZE", "1")
    with file.open("a", encoding="utf-8") as much:
        much.write("x" * 2_000_000)
    run("retry", A)
    assert [one.name for one in file.parent.glob("audit*")] == ["audit.jsonl"]


def test_without_an_audit_file_nothing_is_said(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORTHANC_FHIR_AUDIT_FILE")
    assert run("retry", A).stderr == ""


def test_a_retry_says_what_its_studies_wait_for(ledger: Ledger) -> None:
    ledger.sides.tell("sink", "the FHIR server does not answer")
    said = run("retry", "--parked").stdout
    assert said.startswith("2 back in line, not tried yet, as the FHIR server does not answer: they wait")
