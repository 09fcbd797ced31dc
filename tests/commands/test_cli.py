"""The command line: help, exit codes, one clear line on stderr, and nothing but data on stdout."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from pydicom import dcmread
from typer.testing import CliRunner

from mapper.commands.cli import app
from mapper.commands.skips import NAMED
from mapper.configuration import load
from mapper.errors import BundleRejected
from mapper.fhir.check import faults
from mapper.ledger.ledger import Ledger
from mapper.maps.site import DEMO_BASE
from mapper.settings import Settings
from mapper.wiring import ledger_of
from tests.support.http_fake import Answer, HttpFake
from tests.support.part10 import instance, save

PROGRAM = str(Path(sys.executable).parent / "orthanc-fhir")
COMMANDS = (
    *("serve", "sync", "status", "studies", "retry", "convert", "explain", "table", "doctor", "settings", "plugin"),
    *("token", "push", "backfill", "sds"),
)
SHAPE = {
    *("study_uid", "source", "state", "message", "failure", "changed_at", "attempts", "next_attempt_at", "problems"),
    *("synced_at", "fhir_url", "remedy"),
}
"""What a study is told by."""
A, B, C = "1.2.1", "1.2.2", "1.2.3"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def orthanc_fhir(*arguments: str | Path) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(one) for one in arguments])


def one_line(text: str) -> bool:
    return len(text.strip().splitlines()) == 1


# -- help and usage ------------------------------------------------------------------------------


def test_every_command_is_known_and_no_other() -> None:
    names = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    assert set(COMMANDS) <= names
    assert names <= {*COMMANDS, "backfill"}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    result = orthanc_fhir(command, "--help")
    assert result.exit_code == 0
    assert f"{command}" in result.stdout
    words = result.stdout.partition("Options")[0]
    assert len(words.split()) > 8, "a sentence of what it does"
    for option in re.findall(r"^ +(--[a-z-]+)", result.stdout, re.MULTILINE):
        line = next(line for line in result.stdout.splitlines() if line.strip().startswith(option))
        assert len(line.split()) > 2, f"{option} says nothing"
    assert orthanc_fhir(command, "-h").stdout == result.stdout


def test_help_loads_nothing_that_a_command_alone_needs() -> None:
    """Every command starts at once: what it needs is imported when it is called."""
    heavy = ("sqlalchemy", "uvicorn", "fastapi", "fhir.resources", "prometheus_client", "pydantic_settings", "rich")
    code = "import sys, mapper.commands.cli; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "mapper.commands.cli" in loaded
    assert [name for name in heavy if name in loaded] == []


def test_a_conversion_loads_only_what_it_uses(tmp_path: Path) -> None:
    """Imports are nearly all of the time that one file takes."""
    unused = ("sqlalchemy", "fastapi", "prometheus_client", "pydantic_settings", "rich", "jinja2", "structlog")
    code = "import sys; from mapper.commands.cli import app; app(standalone_mode=False); "
    code += "print(*sys.modules, file=sys.stderr)"
    save(tmp_path / "a.dcm", instance(A))
    done = subprocess.run([sys.executable, "-c", code, "convert", "a.dcm"], capture_output=True, text=True, check=True)
    loaded = done.stderr.split()
    assert json.loads(done.stdout)["resourceType"] == "Bundle"
    assert "fhir.resources.R4B.imagingstudy" in loaded
    assert [name for name in unused if name in loaded] == []
    assert "fhir.resources.R4B.encounter" not in loaded, "only the models of what was made"


def test_without_a_command_it_lists_them() -> None:
    result = orthanc_fhir()
    for command in COMMANDS:
        assert command in result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_settings_file(command: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text("timezone = 'Mars/Olympus'\n")
    needed = {
        "convert": [tmp_path],
        "explain": [tmp_path],
        "sds": [tmp_path],
        "retry": ["--parked"],
        "plugin": ["--copy", "p"],
        "token": ["me", "--role", "read"],
        "push": [tmp_path],
    }.get(command, [])
    result = orthanc_fhir(command, *needed, "--config", tmp_path / "wrong.toml")
    assert result.exit_code == 1
    assert one_line(result.stderr)
    assert f"timezone ({tmp_path}/wrong.toml, line 1): " in result.stderr


USAGE: dict[str, list[str]] = {
    "no such command": ["explode"],
    "no such option": ["studies", "--colour"],
    "nothing to convert": ["convert"],
    "a path that is not there": ["convert", "/no/such/folder"],
    "a namespace that is none": ["convert", ".", "--namespace", "secret"],
    "nothing to retry": ["retry"],
    "both some and all": ["retry", A, "--parked"],
    "a state that is none": ["studies", "--state", "lost"],
    "names and a state": ["studies", A, "--state", "parked"],
    "a limit of none": ["studies", "--limit", "0"],
    "a token for nobody": ["token", "--role", "read"],
    "a token of no role": ["token", "me"],
    "a role that is none": ["token", "me", "--role", "admin"],
    "a port that is no number": ["serve", "--port", "http"],
    "a port that is none": ["serve", "--port", "99999"],
    "a time that is none": ["studies", "--since", "gestern"],
    "a time that is none, of failures": ["studies", "--failure", "any", "--since", "1.1.2024"],
    "a token for no name": ["token", "a b", "--role", "read"],
    "a study that is none": ["sync", "Doe^John"],
    "a study that is none, looked for": ["studies", "Doe^John"],
    "a settings file that is not there": ["status", "--config", "/no/such/file.toml"],
    "standard input beside files": ["convert", "-", "."],
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    result = orthanc_fhir(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


# -- convert -------------------------------------------------------------------------------------


def converted(*arguments: str | Path) -> tuple[Any, str]:
    """Convert one study; return the Bundle and what was said."""
    result = orthanc_fhir("convert", *arguments)
    assert result.exit_code == 0, result.stderr
    assert one_line(result.stdout)
    bundle = json.loads(result.stdout)
    assert faults(bundle) == []
    return bundle, result.stderr


def resource(bundle: Any, kind: str) -> Any:
    (found,) = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]
    return found


def test_a_folder_of_one_study_becomes_a_transaction(tmp_path: Path) -> None:
    for series, number in ((1, 1), (1, 2), (2, 1)):
        save(tmp_path / "in" / str(series) / f"{number}.dcm", instance(A, number, series))
    bundle, said = converted("in")
    assert said == ""
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    study = resource(bundle, "ImagingStudy")
    assert study["identifier"][0] == {"system": "urn:dicom:uid", "value": f"urn:oid:{A}"} | study["identifier"][0]
    assert (study["numberOfSeries"], study["numberOfInstances"]) == (2, 3)
    assert study["subject"]["reference"] == f"Patient/{resource(bundle, 'Patient')['id']}"
    for entry in bundle["entry"]:
        url = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        assert entry["request"] == {"method": "PUT", "url": url}
        assert entry["fullUrl"] == f"http://localhost:8080/fhir/{url}"


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = save(tmp_path / "a.dcm", instance(A)), save(tmp_path / "b.dcm", instance(A, 2))
    assert orthanc_fhir("convert", first, second).stdout == orthanc_fhir("convert", second, first).stdout


def test_what_is_no_dicom_is_skipped_with_a_warning(tmp_path: Path) -> None:
    save(tmp_path / "in" / "image.dcm", instance(A))
    (tmp_path / "in" / "notes.txt").write_text("hello")
    (tmp_path / "in" / "empty").touch()
    (tmp_path / "in" / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 100)
    os.mkfifo(tmp_path / "in" / "pipe")
    (tmp_path / "in" / "nowhere").symlink_to("/no/such/file")
    bundle, said = converted("in")
    assert resource(bundle, "ImagingStudy")["numberOfInstances"] == 1
    lines = said.splitlines()
    assert len(lines) == 5
    for name in ("notes.txt", "empty", "broken.dcm", "pipe", "nowhere"):
        assert sum(name in line for line in lines) == 1
    assert all("skipped" in line for line in lines)


def test_many_files_that_are_no_dicom_are_told_by_one_line_for_all(tmp_path: Path) -> None:
    save(tmp_path / "in" / "image.dcm", instance(A))
    for number in range(NAMED + 30):
        (tmp_path / "in" / f"{number}.txt").write_text("hello")
    for result in (orthanc_fhir("convert", "in"), orthanc_fhir("explain", "in")):
        lines = result.stderr.splitlines()
        assert len(lines) == NAMED + 1
        assert lines[-1] == f"skipped {NAMED + 30} files in all; the first {NAMED} are named above"


STREAMS: dict[str, Callable[[Path], bytes]] = {
    "a DICOM file": lambda path: path.read_bytes(),
    "metadata": lambda path: json.dumps([dcmread(path).to_json_dict()]).encode(),
    "metadata behind white space": lambda path: b"\n\t " + json.dumps([dcmread(path).to_json_dict()]).encode(),
}


@pytest.mark.parametrize("stream", STREAMS)
def test_one_study_comes_by_standard_input(tmp_path: Path, stream: str) -> None:
    path = save(tmp_path / "a.dcm", instance(A))
    result = CliRunner().invoke(app, ["convert", "-"], input=STREAMS[stream](path))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == orthanc_fhir("convert", path).stdout


NO_STREAMS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no study"),
    "a text": (b"SECRET", "no study"),
    "JSON of another kind": (b'[{"SECRET": 1}]', "no study"),
    "JSON that ends too early": (b'[{"0020000D": {"vr": "UI", "Value": ["1.2', "standard input"),
    "no studies": (b"[]", "no study"),
}


@pytest.mark.parametrize("stream", NO_STREAMS)
def test_what_comes_by_standard_input_and_is_no_study_is_said(stream: str) -> None:
    sent, said = NO_STREAMS[stream]
    result = CliRunner().invoke(app, ["convert", "-"], input=sent)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert "SECRET" not in result.stderr
    assert "Traceback" not in result.stderr


def test_standard_input_comes_alone(tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", instance(A))
    result = CliRunner().invoke(app, ["convert", "-", str(path)], input=path.read_bytes())
    assert (result.exit_code, result.stdout) == (2, "")
    assert one_line(result.stderr)


NOT_ONE: dict[str, list[str]] = {"no study": [], "two studies": [A, B], "three studies": [A, B, C]}


@pytest.mark.parametrize("studies", NOT_ONE.values(), ids=NOT_ONE)
def test_none_or_several_are_an_error(tmp_path: Path, studies: list[str]) -> None:
    (tmp_path / "in").mkdir()
    for study_uid in studies:
        save(tmp_path / "in" / f"{study_uid}.dcm", instance(study_uid))
    result = orthanc_fhir("convert", "in")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert one_line(result.stderr)
    assert ("no study" if not studies else f"{len(studies)} studies") in result.stderr
    assert ("--each-study" in result.stderr) == (len(studies) > 1)


@pytest.fixture
def closed_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder in which another one cannot be read: to root everything is open, so nobody looks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(folder / "a.dcm", instance(A))
        (folder / "closed").mkdir(mode=0o000)
        for path in (folder, folder / "a.dcm"):
            path.chmod(0o755)
        monkeypatch.chdir(folder)
        root = os.geteuid() == 0
        orthanc_fhir("convert", folder / "a.dcm")  # imports what nobody might not read
        if root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            monkeypatch.undo()


@pytest.fixture
def closed_file(closed_folder: Path) -> Path:
    """Give a folder with a file that may not be opened."""
    os.seteuid(os.getuid())
    (closed_folder / "closed").rmdir()
    save(closed_folder / "b.dcm", instance(A))
    (closed_folder / "b.dcm").chmod(0o000)
    if os.getuid() == 0:
        os.seteuid(65534)
    return closed_folder


@pytest.mark.parametrize("options", [[], ["--each-study"]], ids=str)
def test_a_folder_that_cannot_be_read_is_an_error(closed_folder: Path, options: list[str]) -> None:
    result = orthanc_fhir("convert", closed_folder, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr)
    assert "closed: the folder cannot be read" in result.stderr


@pytest.mark.parametrize("place", ["stdout", "problems"])
@pytest.mark.parametrize("options", [[], ["--each-study"]], ids=str)
def test_a_full_disk_is_one_line(tmp_path: Path, place: str, options: list[str]) -> None:
    """/dev/full refuses every write, as a full disk does; also what only leaves a buffer at the end."""
    path = save(tmp_path / "a.dcm", instance(A, PatientBirthDate="20240231"))
    with open("/dev/full" if place == "stdout" else "/dev/null", "wb") as out:
        problems = "/dev/full" if place == "problems" else "/dev/null"
        done = subprocess.run(
            [PROGRAM, "convert", str(path), "--problems", problems, *options],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert one_line(done.stderr), done.stderr
    assert "No space left" in done.stderr
    assert ("standard output" if place == "stdout" else "/dev/full") in done.stderr


@pytest.mark.parametrize("options", [[], ["--each-study"]], ids=str)
def test_a_file_that_may_not_be_opened_is_an_error(closed_file: Path, options: list[str]) -> None:
    result = orthanc_fhir("convert", closed_file, *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr)
    assert "b.dcm: the file cannot be read" in result.stderr


@pytest.mark.parametrize("words", [["table"], ["explain", "a.dcm"], ["doctor"]], ids=str)
def test_a_full_disk_is_one_line_of_any_command(words: list[str], tmp_path: Path) -> None:
    save(tmp_path / "a.dcm", instance(A))
    script = Path(sys.executable).with_name("orthanc-fhir")
    environment = {
        **os.environ,
        "ORTHANC_FHIR_ORTHANC_URL": "http://127.0.0.1:1",
        "ORTHANC_FHIR_FHIR_URL": "http://127.0.0.1:1/f",
    }
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [script, *words], stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=120, env=environment
        )
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert "standard output cannot be written" in done.stderr


@pytest.mark.parametrize(
    "text", ["a" * 300, "1" * 5000, "Jane Doe", "no/such/file", "../..x", "*", "a" * 70, "only-letters"]
)
def test_explain_of_neither_a_file_nor_a_uid_says_so(text: str) -> None:
    result = orthanc_fhir("explain", text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert one_line(result.stderr)
    assert "neither a file" in result.stderr
    assert text not in result.stderr


def test_each_study_is_one_bundle_a_line_in_order(tmp_path: Path) -> None:
    uids = ["1.2.10", "1.2.9", "1.2.1"]
    for study_uid in uids:
        save(tmp_path / "in" / f"{study_uid}.dcm", instance(study_uid))
    result = orthanc_fhir("convert", "in", "--each-study")
    assert result.exit_code == 0
    bundles = [json.loads(line) for line in result.stdout.splitlines()]
    found = [resource(one, "ImagingStudy")["identifier"][0]["value"].removeprefix("urn:oid:") for one in bundles]
    assert found == sorted(uids)


def test_each_study_of_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    result = orthanc_fhir("convert", "in", "--each-study")
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr)


def test_convert_writes_resources_into_files_and_the_same_again_adds_nothing(tmp_path: Path) -> None:
    for uid in (A, B):
        save(tmp_path / "in" / f"{uid}.dcm", instance(uid))
    for _ in range(2):
        result = orthanc_fhir("convert", "in", "--each-study", "--to", "ndjson:out")
        assert (result.exit_code, result.stdout) == (0, "")
    names = {path.name: len(path.read_bytes().splitlines()) for path in (tmp_path / "out").glob("*.ndjson")}
    assert names == {"ImagingStudy.000001.ndjson": 2, "Patient.000001.ndjson": 1}
    bundles = [json.loads(line) for line in orthanc_fhir("convert", "in", "--each-study").stdout.splitlines()]
    sent = {json.dumps(entry["resource"]) for bundle in bundles for entry in bundle["entry"]}
    kept = [json.loads(line) for path in (tmp_path / "out").glob("*.ndjson") for line in path.read_bytes().splitlines()]
    assert {json.dumps(one) for one in kept} == sent


@pytest.mark.parametrize("place", ["ndjson:", "ndjson: ", "ndjson", "fhir", "out", "http://localhost/fhir", ""])
def test_convert_says_where_it_can_write(tmp_path: Path, place: str) -> None:
    save(tmp_path / "in.dcm", instance(A))
    result = orthanc_fhir("convert", "in.dcm", "--to", place)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "ndjson:DIR" in result.stderr


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    save(tmp_path / "in.dcm", instance(A))
    result = orthanc_fhir("convert", "in.dcm", "--to", "ndjson:in.dcm/out")
    assert (result.exit_code, result.stdout, one_line(result.stderr)) == (1, "", True)


def test_each_study_goes_on_after_one_that_cannot_be_converted(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.dcm", instance(A, PatientID="P1"))
    save(tmp_path / "in" / "b.dcm", instance(A, 2, PatientID="SECRET"))
    save(tmp_path / "in" / "c.dcm", instance(B))
    result = orthanc_fhir("convert", "in", "--each-study")
    assert result.exit_code == 1
    assert [json.loads(line)["type"] for line in result.stdout.splitlines()] == ["transaction"]
    assert len(result.stderr.splitlines()) == 2
    assert A in result.stderr
    assert "1 of 2 studies" in result.stderr
    assert "SECRET" not in result.stderr


def test_one_study_under_two_patients_is_an_error_that_says_where(tmp_path: Path) -> None:
    save(tmp_path / "in" / "one.dcm", instance(A, PatientID="SECRET1"))
    save(tmp_path / "in" / "two.dcm", instance(A, 2, PatientID="SECRET2"))
    result = orthanc_fhir("convert", "in")
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr)
    for word in (A, "one.dcm", "two.dcm"):
        assert word in result.stderr
    assert "SECRET" not in result.stderr


def test_the_choices_change_what_they_say(tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", instance(A))
    plain, _ = converted(path)
    assert resource(plain, "ImagingStudy")["started"] == "2024-02-29"
    assert "endpoint" not in resource(plain, "ImagingStudy")
    assert resource(plain, "Patient")["identifier"][0]["system"] == f"{DEMO_BASE}/patient"
    chosen, _ = converted(
        path, "--timezone", "Europe/Berlin", "--base", "https://hosp.example/id/", "--server", "https://fhir.example/r4/",
        "--dicomweb", "https://pacs.example/dicom-web/", "--namespace", "7a3a3e8e-6f6a-4c8e-9b0e-0d6f5a3c1b2d",
    )  # fmt: skip
    study = resource(chosen, "ImagingStudy")
    assert study["started"] == "2024-02-29T08:30:15+01:00"
    assert study["meta"]["source"] == "https://pacs.example/dicom-web"
    assert resource(chosen, "Endpoint")["address"] == "https://pacs.example/dicom-web"
    assert resource(chosen, "Patient")["identifier"][0]["system"] == "https://hosp.example/id/patient"
    assert study["id"] != resource(plain, "ImagingStudy")["id"]
    assert all(entry["fullUrl"].startswith("https://fhir.example/r4/") for entry in chosen["entry"])


def test_a_wrong_choice_is_one_line(tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", instance(A))
    for arguments in (["--timezone", "Mars/Olympus"], ["--server", "fhir.example"]):
        result = orthanc_fhir("convert", path, *arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert one_line(result.stderr)


def test_problems_are_written_one_a_line_without_any_value(tmp_path: Path) -> None:
    bad = instance(A, PatientBirthDate="20240231", PatientSex="SECRET", PatientName="SECRET^NAME")
    path = save(tmp_path / "a.dcm", bad)
    converted(path, "--problems", "problems.ndjson")
    text = (tmp_path / "problems.ndjson").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert {frozenset(line) for line in lines} == {frozenset({"study_uid", "element", "attribute", "reason"})}
    assert {line["study_uid"] for line in lines} == {A}
    assert {"PatientSex"} <= {line["attribute"] for line in lines}
    assert any("PatientBirthDate" in line["attribute"] for line in lines)
    assert "SECRET" not in text
    assert "20240231" not in text


def test_problems_that_cannot_be_written_are_said_before_anything_is_printed(tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", instance(A))
    result = orthanc_fhir("convert", path, "--problems", "/no/such/folder/problems.ndjson")
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr)


HOSTILE_NAME = "\x1b]0;owned\x07\x9b31m\u202e.txt"


def test_no_control_character_of_a_file_name_or_a_value_reaches_the_terminal(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.dcm", instance(A, StudyDescription="safe\u202egnp", SpecificCharacterSet="ISO_IR 192"))
    (tmp_path / "in" / HOSTILE_NAME).write_text("hello")
    (tmp_path / "in" / os.fsdecode(b"\xff.txt")).write_text("hello")
    for result in (orthanc_fhir("convert", "in"), orthanc_fhir("explain", "in")):
        assert result.exit_code == 0, result.stderr
        for control in ("\x1b", "\x07", "\x9b", "\u202e"):
            assert control not in result.stderr
        assert r"\x1b]0;owned\x07\x9b31m\u202e.txt" in result.stderr
        assert r"\udcff.txt" in result.stderr
    assert "\u202e" not in result.stdout
    assert r"safe\u202egnp" in result.stdout


def test_the_services_own_settings_file_does_not_disturb(tmp_path: Path) -> None:
    (tmp_path / "orthanc-fhir.toml").write_text('orthanc_url = "http://orthanc:8042"\ntimezone = "Europe/Berlin"\n')
    bundle, _ = converted(save(tmp_path / "a.dcm", instance(A)))
    assert resource(bundle, "ImagingStudy")["started"].endswith("+01:00")


def test_contained_is_one_imaging_study(tmp_path: Path) -> None:
    result = orthanc_fhir("convert", save(tmp_path / "a.dcm", instance(A)), "--contained")
    assert result.exit_code == 0
    study = json.loads(result.stdout)
    assert study["resourceType"] == "ImagingStudy"
    assert {one["resourceType"] for one in study["contained"]} >= {"Patient"}


# -- the ledger by hand --------------------------------------------------------------------------


@pytest.fixture
def ledger(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Give a ledger with a study in each of three states, and name it in the environment."""
    monkeypatch.setenv("ORTHANC_FHIR_LEDGER", ledger_url)
    ledger = ledger_of(load(Settings))
    for study_uid in (A, B):
        ledger.studies.mark("orthanc", [study_uid])
    for claim in ledger.studies.claim(["orthanc"], limit=2):
        if claim.study_uid == A:
            ledger.studies.finish(claim)
        else:
            ledger.studies.finish(claim, "refused", str(BundleRejected("HTTP 422 (processing)")))
    ledger.studies.mark("orthanc", [C])
    yield ledger
    ledger.database.close()


def test_studies_are_listed_for_people_and_for_programs(ledger: Ledger) -> None:
    table = orthanc_fhir("studies")
    assert table.exit_code == 0
    for word in (A, B, C, "synced", "parked", "HTTP 422 (processing)"):
        assert word in table.stdout
    lines = [json.loads(line) for line in orthanc_fhir("studies", "--json").stdout.splitlines()]
    assert {line["study_uid"]: line["state"] for line in lines} == {A: "synced", B: "parked", C: "pending"}
    assert all(set(line) == SHAPE for line in lines)
    parked = orthanc_fhir("studies", "--state", "parked", "--json").stdout
    assert json.loads(parked)["study_uid"] == B
    assert len(orthanc_fhir("studies", "--limit", "2", "--json").stdout.splitlines()) == 2


ASKED: dict[str, tuple[list[str], list[str], str]] = {  # arguments -> what is shown, and which was never seen
    "one": ([B], [B], ""),
    "two, as they were named": ([C, A], [C, A], ""),
    "one that was never seen": (["9.9.9"], [], "argument 1: never seen"),
    "what has the shape of a UID": ([A, "Mueller-1970"], [A], "argument 2: never seen"),
}


@pytest.mark.parametrize(("words", "shown", "unseen"), ASKED.values(), ids=ASKED)
def test_studies_are_shown_by_name(ledger: Ledger, words: list[str], shown: list[str], unseen: str) -> None:
    result = orthanc_fhir("studies", *words, "--json")
    assert [json.loads(line)["study_uid"] for line in result.stdout.splitlines()] == shown
    assert (result.exit_code, unseen in result.stderr) == (int(bool(unseen)), True)
    assert not unseen or words[-1] not in result.stderr
    assert all(uid in orthanc_fhir("studies", *words).stdout for uid in shown)


def test_no_control_character_of_the_ledger_reaches_the_terminal(ledger: Ledger) -> None:
    hostile = "\x1b[2J\x9b31m\u202e"
    ledger.studies.mark("orthanc", [f"1{hostile}"])
    for claim in ledger.studies.claim(["orthanc"], limit=9):
        ledger.studies.finish(claim, "refused", f"no: {hostile}")
    for result in (orthanc_fhir("studies"), orthanc_fhir("studies", "--json")):
        assert result.exit_code == 0
        assert not {"\x1b", "\x9b", "\u202e"} & {*result.stdout}
    assert f"no: {hostile}" in [json.loads(line)["message"] for line in result.stdout.splitlines()]


def test_a_long_uid_stays_whole_where_programs_read(ledger: Ledger) -> None:
    long = "1.2." + "3" * 60
    ledger.studies.mark("orthanc", [long])
    assert any(long in line.split() for line in orthanc_fhir("studies").stdout.splitlines())


def test_retry_puts_parked_studies_back_in_line(ledger: Ledger) -> None:
    assert orthanc_fhir("retry", A).exit_code == 1
    assert orthanc_fhir("retry", "9.9.9").exit_code == 1
    result = orthanc_fhir("retry", A, B, "9.9.9")
    assert (result.exit_code, result.stdout.strip()) == (1, "1 back in line")
    assert one_line(result.stderr)
    assert result.stderr.strip().endswith(f"not parked: {A}; argument 3: never seen in the PACS")
    for claim in ledger.studies.claim(["orthanc"]):
        assert claim.study_uid == B
        ledger.studies.finish(claim, "refused", "no")
    result = orthanc_fhir("retry", B)
    assert (result.exit_code, result.stdout.strip()) == (0, "1 back in line")
    result = orthanc_fhir("retry", "--parked")
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr)
    for claim in ledger.studies.claim(["orthanc"], limit=9):
        ledger.studies.finish(claim, "refused", "no")
    assert orthanc_fhir("retry", "--parked").stdout.strip() == "2 back in line"


NO_UIDS = ("Doe^John", "doe", "1.2/../3", "%2e%2e", "..", " 1.2.1", "1.2.1\n", "", "1" * 65, "\x1b[31m1", "١.٢")


@pytest.mark.parametrize("command", ["sync", "retry"])
@pytest.mark.parametrize("text", NO_UIDS, ids=repr)
def test_what_is_typed_and_is_no_uid_becomes_no_data_and_is_not_repeated(
    ledger: Ledger, command: str, text: str
) -> None:
    before = ledger.rows.page()
    result = orthanc_fhir(command, B, text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert one_line(result.stderr)
    assert result.stderr == "orthanc-fhir: STUDY_UID: argument 2 is no StudyInstanceUID such as 1.2.840.99.1\n"
    assert ledger.rows.page() == before


def test_a_study_that_no_source_holds_becomes_no_data(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ledger.rows.page()
    with HttpFake(Answer(200, [])) as orthanc:
        monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", orthanc.url)
        result = orthanc_fhir("sync", A, "9.9.9")
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr)
    assert "9.9.9" not in result.stderr, "what was typed is not repeated: a name may have the shape of a UID"
    assert ledger.rows.page() == before


@pytest.mark.parametrize("command", [["studies"], ["retry", "--parked"], ["sync"], ["serve", "--port", "0"]], ids=str)
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PORT", "99999"),
        ("NAMESPACE", "7a3a3e8e-6f6a-4c8e-9b0e-0d6f5a3c1b2d"),
        ("BASE", "https://other.example"),
        ("LEDGER", "postgresql+psycopg://me:hunter2@127.0.0.1:1/ledger"),
        ("LEDGER", "sqlite:////proc/no/ledger.db"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    ledger: Ledger, command: list[str], setting: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ORTHANC_FHIR_{setting}", value)
    if setting == "PORT" and command[0] == "serve":
        return  # the flag wins
    result = orthanc_fhir(*command)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert one_line(result.stderr)
    assert setting.lower() in result.stderr
    assert "hunter2" not in result.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("arguments", [[], ["9.9.9"]], ids=["what changed", "a study"])
def test_sync_without_an_orthanc_is_one_line(
    ledger: Ledger, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", url)
    result = orthanc_fhir("sync", *arguments)
    assert result.exit_code == 1
    assert ledger.rows.find("9.9.9") is None
    assert one_line(result.stderr)
    assert url in result.stderr


def test_serve_beyond_loopback_wants_a_token(ledger: Ledger) -> None:
    result = orthanc_fhir("serve", "--host", "0.0.0.0")
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr)
    assert "ORTHANC_FHIR_TOKEN" in result.stderr


@pytest.mark.parametrize("token", ["hunter2", "hunter2hunter2hünter2"], ids=["short", "not ASCII"])
def test_a_token_that_can_be_guessed_is_refused_beyond_loopback_and_not_repeated(
    ledger: Ledger, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORTHANC_FHIR_TOKEN", token)
    monkeypatch.setenv("ORTHANC_FHIR_HOST", "0.0.0.0")
    served, examined = orthanc_fhir("serve"), orthanc_fhir("doctor")
    assert (served.exit_code, served.stdout) == (1, "")
    assert one_line(served.stderr)
    assert examined.exit_code == 1
    for said in (served.stderr, examined.stdout):
        assert "ORTHANC_FHIR_TOKEN" in said
        assert "hunter2" not in said


def test_doctor_says_what_is_wrong_and_what_to_do(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ORTHANC", "FHIR"):
        monkeypatch.setenv(f"ORTHANC_FHIR_{name}_URL", f"http://127.0.0.1:{free_port()}")
    result = orthanc_fhir("doctor")
    assert result.exit_code == 1
    levels = [line.split()[0] for line in result.stdout.splitlines()]
    assert levels.count("problem") == 2
    assert "ok" in levels
    assert "1 synced" in result.stdout
    assert "namespace" in result.stdout
    assert str(load(Settings).namespace) not in result.stdout, "a fingerprint only"


def test_doctor_says_the_same_to_programs(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ORTHANC", "FHIR"):
        monkeypatch.setenv(f"ORTHANC_FHIR_{name}_URL", f"http://127.0.0.1:{free_port()}")
    told, said = orthanc_fhir("doctor", "--json"), orthanc_fhir("doctor")
    found = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.exit_code == said.exit_code == 1
    assert all(one.keys() == {"level", "text", "remedy"} for one in found)
    assert [one["level"] for one in found] == [line.split()[0] for line in said.stdout.splitlines()]
    assert any(one["remedy"] for one in found)


# -- as a program --------------------------------------------------------------------------------


def program(*arguments: str | Path, **given: Any) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORTHANC_FHIR_")}
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, env=clean, **given
    )


def test_the_program_converts(tmp_path: Path) -> None:
    result = program("convert", save(tmp_path / "a.dcm", instance(A)))
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["type"] == "transaction"


def test_the_program_says_one_line_when_there_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    result = program("convert", tmp_path / "in")
    assert (result.returncode, result.stdout) == (1, "")
    assert one_line(result.stderr)
    assert program("convert").returncode == 2


@pytest.mark.filterwarnings("ignore:Invalid value:UserWarning")  # of the writer: that is what these files are for
def test_many_files_are_read_by_several_processes_in_silence(tmp_path: Path) -> None:
    for number in range(1, 301):
        save(tmp_path / "in" / f"{number}.dcm", instance(A, number, StudyTime="SECRET", PatientBirthDate="SECRET"))
    result = program("convert", tmp_path / "in")
    assert (result.returncode, result.stderr) == (0, "")
    assert resource(json.loads(result.stdout), "ImagingStudy")["numberOfInstances"] == 300


def test_who_reads_only_the_beginning_hears_no_complaint(tmp_path: Path) -> None:
    for number in range(1, 60):
        save(tmp_path / "in" / f"{number}.dcm", instance(f"1.2.{number}", StudyDescription="x" * 64))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORTHANC_FHIR_")}
    with subprocess.Popen(
        [PROGRAM, "convert", str(tmp_path / "in"), "--each-study"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        said = running.stderr.read()
    assert b"Traceback" not in said
    assert b"Exception" not in said


def test_the_table_is_printed() -> None:
    result = orthanc_fhir("table")
    assert result.exit_code == 0
    assert "ImagingStudy.series.modality" in result.stdout
    assert "StudyInstanceUID" in result.stdout


# -- nothing is made quietly ---------------------------------------------------------------------


@pytest.mark.parametrize("command", [["studies"], ["retry", "--parked"], ["retry", A], ["sync"], ["sync", A]], ids=str)
def test_a_folder_without_settings_gets_no_empty_ledger(command: list[str], tmp_path: Path) -> None:
    result = orthanc_fhir(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert one_line(result.stderr)
    assert f"there is none yet at {tmp_path}/orthanc-fhir-ledger.db" in result.stderr
    assert "--config" in result.stderr
    assert os.listdir(tmp_path) == []


def test_a_ledger_that_is_named_is_made_by_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_FHIR_LEDGER", f"sqlite:///{tmp_path}/mine.db")
    monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", f"http://127.0.0.1:{free_port()}")
    assert orthanc_fhir("sync").exit_code == 1
    assert (tmp_path / "mine.db").exists()
