"""`convert --each-study` over folders: whichever way, the same bytes; stopped and said again, it goes on."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pydicom.data
import pytest
from click.testing import Result
from typer.testing import CliRunner

from mapper.commands.cli import app
from mapper.convert import Converted, Make, each_study, read_folders
from mapper.jobs.of_files import OfFiles
from mapper.maps.site import Site
from mapper.sinks.ndjson.sink import Ndjson
from tests.support.part10 import instance, save

PROGRAM = str(Path(sys.executable).parent / "orthanc-fhir")
SHIPPED = Path(pydicom.data.__file__).parent
STUDIES = 40


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def convert(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["convert", "--each-study", *map(str, arguments)])


def in_one_pass(*paths: Path) -> tuple[bytes, list[str]]:
    """Return what all studies become when all is read into memory at once, a line each, and what is skipped."""
    skipped: list[str] = []
    found = list(each_study(read_folders(paths, skipped.append), Make(Site())))
    lines = [one.json if isinstance(one, Converted) else b"" for one in found]
    return b"".join(line + b"\n" for line in lines if line), skipped


def scatter(folder: Path, studies: int = STUDIES) -> None:
    """Write studies whose files lie all over the place, beside files that are none."""
    for number in range(studies):
        uid = f"1.2.{number}"
        patient = f"P{number % 7}"
        for one, place in enumerate(("a", f"b/{number % 5}", "c/d")):
            data = instance(uid, 3 - one, PatientID=patient, PatientBirthDate="19500231" if number % 2 else None)
            save(folder / place / f"{number}-{one}.dcm", data)
    save(folder / "a" / "stray.dcm", instance("1.3", StudyInstanceUID=""))
    (folder / "c" / "read.me").write_text("no DICOM")


MANY = 300
"""Studies of which a job is still at work when somebody who waits for the first ones has seen them."""
WAYS: dict[str, list[str]] = {"by itself": [], "here": ["--processes", "0"], "processes": ["--processes", "2"]}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_bytes_whichever_way(tmp_path: Path, way: str) -> None:
    scatter(tmp_path / "in")
    expected, skipped = in_one_pass(Path("in"))
    done = subprocess.run(
        [PROGRAM, "convert", "--each-study", "in", "--problems", "p", *WAYS[way]], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, expected), done.stderr
    assert sorted(line for line in done.stderr.decode().splitlines() if line.startswith("skipped")) == sorted(
        f"skipped {one}" for one in skipped
    )
    assert len(expected.splitlines()) == STUDIES


def test_of_all_that_pydicom_ships_the_same_bytes() -> None:
    expected, _ = in_one_pass(SHIPPED)
    done = subprocess.run([PROGRAM, "convert", "--each-study", SHIPPED], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, expected), done.stderr


def test_a_study_that_fits_no_fhir_is_left_out_by_processes_too(tmp_path: Path) -> None:
    scatter(tmp_path / "in", 3)
    save(tmp_path / "in" / "z.dcm", instance("1.2.1", 9, PatientID="SECRET"))
    results = [convert("in", *way) for way in WAYS.values()]
    assert {(one.exit_code, one.stdout, tuple(sorted(one.stderr.splitlines()))) for one in results} == {
        (1, results[0].stdout, tuple(sorted(results[0].stderr.splitlines())))
    }
    assert len(results[0].stdout.splitlines()) == 2
    assert "1 of 3 studies could not be converted" in results[0].stderr
    assert "SECRET" not in results[0].stderr


@pytest.mark.parametrize("way", ["by itself", "here"])
def test_a_study_whose_files_go_between_the_passes_is_left_out(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scatter(tmp_path / "in", 3)
    look = OfFiles.look

    def going(job: OfFiles, files: int) -> None:
        look(job, files)
        for path in (tmp_path / "in").glob("**/1-?.dcm"):
            path.unlink()

    monkeypatch.setattr(OfFiles, "look", going)
    found = convert("in", *WAYS[way])
    assert found.exit_code == 1
    assert len(found.stdout.splitlines()) == 2
    assert "study 1.2.1 is left out" in found.stderr
    assert "1 of 3 studies could not be converted" in found.stderr


@pytest.mark.parametrize("failure", [FileNotFoundError(2, "No such file"), OSError(5, "Input/output error")])
def test_what_a_file_says_is_not_said_of_standard_output(
    tmp_path: Path, failure: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    scatter(tmp_path / "in", 1)

    def broken(job: OfFiles) -> None:
        raise failure

    monkeypatch.setattr(OfFiles, "studies", broken)
    found = convert("in")
    assert found.exception is failure
    assert "standard output" not in found.stderr


def view(folder: str) -> dict[tuple[str, str], str]:
    sink = Ndjson(Path(folder))
    found = {(kind, one["id"]): json.dumps(one, default=str) for kind in sink.kinds() for one in sink.latest(kind)}
    sink.close()
    return found


def lines(folder: str) -> Counter[str]:
    """Count the lines of ImagingStudies: a patient's studies say different things of it, the newest last."""
    found = Path(folder).glob("ImagingStudy.*.ndjson")
    return Counter(line for path in found for line in path.read_text().splitlines())


def test_into_files_what_is_there_is_not_read_again_and_what_moved_is(tmp_path: Path) -> None:
    scatter(tmp_path / "in", 6)
    to = ["in", "--to", "ndjson:out", "--problems", "problems"]
    assert convert(*to).exit_code == 0
    before = lines("out")
    first = Path("problems").read_text()
    again = convert(*to)
    assert (again.exit_code, again.stdout, lines("out")) == (0, "", before)
    assert again.stderr.splitlines()[-1] == "0 studies read, 6 were there"
    assert first
    assert Path("problems").read_text() == "", "nothing was mapped"

    save(tmp_path / "in" / "new.dcm", instance("1.2.3", 7, PatientID="P3"))
    assert convert(*to).exit_code == 0
    (one,) = lines("out") - before
    assert json.loads(one)["numberOfInstances"] == 4
    assert convert("in", "--to", "ndjson:other", "--dicomweb", "http://localhost/dicom-web").exit_code == 0
    assert convert(*to, "--dicomweb", "http://localhost/dicom-web").exit_code == 0, "another site is other FHIR"
    assert view("out") == view("other")


@pytest.mark.parametrize(
    "other", [["--namespace", "11111111-2222-4333-8444-555555555555"], ["--base", "https://other.example.org"]]
)
def test_a_folder_made_under_other_ids_is_refused_in_one_line(tmp_path: Path, other: list[str]) -> None:
    scatter(tmp_path / "in", 3)
    assert convert("in", "--to", "ndjson:out").exit_code == 0
    before = view("out")
    found = convert("in", "--to", "ndjson:out", *other)
    assert (found.exit_code, found.stdout) == (1, "")
    said = found.stderr.splitlines()[-1]
    assert f"{other[0].removeprefix('--')}: differs from what out was made with" in said
    assert other[1] not in found.stderr
    assert view("out") == before


def test_a_backfill_never_takes_studies_of_files_for_gone(tmp_path: Path) -> None:
    scatter(tmp_path / "in", 3)
    assert convert("in", "--to", "ndjson:out").exit_code == 0
    sink = Ndjson(Path("out"))
    assert sink.vanished(9) == []
    assert sink.study_counts() == (0, 0, 0)
    assert sink.state("1.2.1")
    sink.close()


@pytest.mark.parametrize("to", ["-", "ndjson:out"])
def test_an_interrupt_ends_it_in_one_line_with_nothing_cut(tmp_path: Path, to: str) -> None:
    scatter(tmp_path / "in", MANY)
    expected, _ = in_one_pass(Path("in"))
    arguments = [PROGRAM, "convert", "--each-study", "in", "--to", to, "--processes", "1"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        if to == "-":
            begun = running.stdout.read(1)
        else:
            begun = b""
            while not any(path.read_bytes().count(b"\n") > 1 for path in Path("out").glob(".ImagingStudy.*.part")):
                assert running.poll() is None  # of one line alone nobody knows whether its study is whole
        running.send_signal(signal.SIGINT)
        out = begun + running.stdout.read()
        said = running.stderr.read().decode()
    assert running.returncode == 1, said
    assert said.splitlines()[-1].startswith("orthanc-fhir: stopped")
    assert "Traceback" not in said
    if to == "-":
        assert expected.startswith(out)
        assert out.endswith(b"\n")
        assert "begins anew" in said
        assert len(out) < len(expected)
        return
    kept = sum(lines("out").values())
    assert kept
    assert convert("in", "--to", to).exit_code == 0
    assert convert("in", "--to", "ndjson:whole").exit_code == 0
    assert view("out") == view("whole")
    assert lines("out") == Counter(dict.fromkeys(lines("out"), 1)), "nothing is twice"


def test_after_a_kill_it_goes_on_and_nothing_is_twice(tmp_path: Path) -> None:
    scatter(tmp_path / "in", MANY)
    to = ["--each-study", "in", "--to", "ndjson:out"]
    with subprocess.Popen([PROGRAM, "convert", *to], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        while not any(path.stat().st_size for path in Path("out").glob(".ImagingStudy.*.part")):
            assert running.poll() is None
        running.kill()
    assert convert(*to[1:]).exit_code == 0
    assert convert("in", "--to", "ndjson:whole").exit_code == 0
    assert view("out") == view("whole")
    assert lines("out") == Counter(dict.fromkeys(lines("out"), 1))


WRONG: dict[str, tuple[list[str], str]] = {
    "a single study by processes": (["in", "--processes", "2"], "--each-study"),
    "a single study by a cluster": (["in", "--dask", "tcp://127.0.0.1:1"], "--each-study"),
    "a single study to a server": (["in", "--to", "fhir"], "--each-study"),
    "both": (["in", "--each-study", "--processes", "2", "--dask", "tcp://127.0.0.1:1"], "not both"),
    "contained resources in files": (["in", "--each-study", "--contained", "--to", "ndjson:out"], "contained"),
    "contained resources to a server": (["in", "--each-study", "--contained", "--to", "fhir"], "contained"),
    "fewer than no processes": (["in", "--each-study", "--processes", "-1"], "--processes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_said_before_anything_is_read(tmp_path: Path, name: str) -> None:
    scatter(tmp_path / "in", 1)
    arguments, word = WRONG[name]
    result = CliRunner().invoke(app, ["convert", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert word in result.stderr
    assert os.listdir() == ["in"]


def test_a_server_that_does_not_answer_is_said_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scatter(tmp_path / "in", 1)
    monkeypatch.setenv("ORTHANC_FHIR_FHIR_URL", "http://127.0.0.1:1/fhir")
    result = convert("in", "--to", "fhir")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert os.listdir() == ["in"]
