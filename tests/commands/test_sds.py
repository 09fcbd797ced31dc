"""`sds` on the command line: the check and its exit codes, for people and for programs."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mapper.commands.cli import app
from samples.sds import VERSIONS, write


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["sds", *map(str, arguments)])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_check_says_what_a_dataset_holds(tmp_path: Path, version: str) -> None:
    said = run("--check", write(tmp_path, "heart", version))
    assert (said.exit_code, said.stderr) == (0, "")
    lines = said.stdout.splitlines()
    assert lines[0] == f"heart: SDS {version}"
    assert "  DICOM: 2 studies, 2 series, 4 instances, of 2 subjects" in lines
    assert lines[-2:] == [
        "note: subjects.xlsx E3: a species other than man",
        "note: the dataset: names no DOI of its own",
    ]


def test_the_check_says_it_to_programs(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    (root / "primary/scan.nii.gz").write_text("no DICOM")
    (root / "samples.xlsx").unlink()
    said = run("--check", "--json", root)
    told = json.loads(said.stdout)
    assert said.exit_code == 1
    assert (told["name"], told["version"], told["well"]) == ("breast", "3.0.2", False)
    assert told["rows"]["subjects"] == 2
    assert (told["studies"], told["series"], told["instances"], told["measurements"]) == (2, 3, 6, 1)
    assert told["images"] == {"NIfTI": 1}
    assert told["levels"]["error"] == sum(one["level"] == "error" for one in told["findings"])
    assert {one["code"] for one in told["findings"]} >= {"unknown-entity", "image-no-dicom"}


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda root: (root / "dataset_description.xlsx").unlink(), 1),
        (lambda root: (root / "subjects.xlsx").write_text("no workbook"), 1),
        (lambda root: (root / "primary/notes.txt").write_text("left alone"), 0),
    ],
)
def test_the_exit_code_tells_a_pipeline_whether_something_is_wrong(tmp_path: Path, spoil, code: int) -> None:
    root = write(tmp_path, "breast")
    spoil(root)
    assert run("--check", root).exit_code == code


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    said = run("--check", tmp_path / "nowhere")
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr == f"orthanc-fhir: {tmp_path}/nowhere: no folder; name the folder of the dataset\n"


def test_no_name_of_a_file_does_anything_to_a_terminal(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    (root / "primary/a\x1b[2Jb.dcm").write_text("no DICOM")
    said = run("--check", root)
    assert "\x1b" not in said.stdout
    assert "not readable as DICOM" in said.stdout
