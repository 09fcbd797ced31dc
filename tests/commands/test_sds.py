"""`sds` on the command line: the check and its exit codes, for people and for programs."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mapper.commands.cli import app
from mapper.commands.dataset_outcome import InFhir, cells
from mapper.jobs.sds.apply import Applied, Differing
from mapper.records.sds.finding import Where
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
    assert (said.exit_code, said.stdout) == (2, "")
    assert said.stderr == f"orthanc-fhir: {tmp_path}/nowhere: no folder; name the folder of the dataset\n"


def test_no_name_of_a_file_does_anything_to_a_terminal(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    (root / "primary/a\x1b[2Jb.dcm").write_text("no DICOM")
    said = run("--check", root)
    assert "\x1b" not in said.stdout
    assert "not readable as DICOM" in said.stdout


# -- writing --------------------------------------------------------------------------------------------------------

WRONG = {  # arguments behind the folder -> exit code, what is said
    "nowhere to go": (["--to", "the moon"], 2, "--to: one of fhir, orthanc, measurements, -, ndjson:DIR"),
    "check and write": (["--check", "--to", "-"], 2, "--check writes nothing"),
    "prune nowhere": (["--prune"], 2, "--prune goes with --to fhir"),
    "prune files": (["--prune", "--to", "ndjson:x"], 2, "--prune goes with --to fhir"),
    "no such source": (["--to", "-", "--source", "north"], 2, "--source: there is no source of this name"),
    "no UUID": (["--to", "-", "--dataset-uuid", "1"], 2, "Input should be a valid UUID"),
}


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_said_and_nothing_is_written(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    done = run(write(tmp_path, "breast"), *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_of_several_sources_one_is_named(tmp_path: Path) -> None:
    config = tmp_path / "several.toml"
    config.write_text(
        "".join(
            f'[[sources]]\nname = "{name}"\nurl = "http://{name}"\npatient_system = "https://example.org/{name}"\n'
            for name in ("north", "south")
        )
    )
    root = write(tmp_path, "breast")
    assert "say whose patients these are" in run(root, "--to", "-", "--config", config).stderr
    for name in ("north", "south"):
        said = run(root, "--to", "-", "--config", config, "--source", name)
        patients = [one for bundle in bundles(said) for one in bundle if one["resourceType"] == "Patient"]
        assert {one["identifier"][0]["system"] for one in patients} == {f"https://example.org/{name}"}


def test_a_folder_that_is_no_dataset_is_not_written(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    (root / "dataset_description.xlsx").unlink()
    said = run(root, "--to", "-")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "no dataset_description lies here" in said.stderr


def bundles(said: Result) -> list[list[dict[str, Any]]]:
    assert said.exit_code == 0, said.stderr
    return [[entry["resource"] for entry in json.loads(line)["entry"]] for line in said.stdout.splitlines()]


def test_standard_output_has_the_studies_and_then_the_dataset(tmp_path: Path) -> None:
    said = run(write(tmp_path, "heart"), "--to", "-")
    kinds = [[one["resourceType"] for one in bundle] for bundle in bundles(said)]
    assert [one.count("ImagingStudy") for one in kinds] == [1, 1, 0]
    assert "ResearchStudy" in kinds[-1]
    assert "note: subjects.xlsx E3: a species other than man" in said.stderr.splitlines()


def test_two_runs_say_the_same_bytes(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    assert run(root, "--to", "-").stdout_bytes == run(root, "--to", "-").stdout_bytes


def test_problems_are_kept_in_a_file_of_their_owner_alone(tmp_path: Path) -> None:
    root = write(tmp_path, "breast", form="csv")
    sheet = root / "subjects.csv"
    sheet.write_text(sheet.read_text().replace("1978-03-15", "SECRET"))
    kept = tmp_path / "problems.ndjson"
    assert run(root, "--to", "-", "--problems", kept).exit_code == 0
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [(one["element"], one["attribute"]) for one in lines] == [("Patient.birthDate", "subjects: date of birth")]
    assert "SECRET" not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_folder_of_ndjson_holds_the_dataset_and_a_second_run_adds_nothing(tmp_path: Path) -> None:
    root, folder = write(tmp_path, "breast", form="csv"), tmp_path / "files"
    first = run(root, "--to", f"ndjson:{folder}", "--json")
    assert first.exit_code == 0, first.output
    made = json.loads(first.stdout)["written"]["made"]
    lines = [json.loads(line) for path in folder.rglob("*.ndjson") for line in path.read_text().splitlines()]
    assert len(lines) == made == 10
    again = json.loads(run(root, "--to", f"ndjson:{folder}", "--json").stdout)["written"]
    assert (again["made"], again["changed"], again["same"], again["differ"]) == (0, 0, 10, [])
    sheet = root / "dataset_description.csv"
    sheet.write_text(sheet.read_text().replace("Two subjects", "Both subjects"))
    changed = json.loads(run(root, "--to", f"ndjson:{folder}", "--json").stdout)["written"]
    assert (changed["made"], changed["changed"], changed["differ"]) == (0, 1, [])


def test_a_second_dataset_is_not_made_in_silence(tmp_path: Path) -> None:
    root, folder = write(tmp_path, "heart", form="csv"), tmp_path / "files"
    to = ("--to", f"ndjson:{folder}", "--json")
    one = json.loads(run(root, *to).stdout)["written"]["dataset_uuid"]
    sheet = root / "dataset_description.csv"
    sheet.write_text(sheet.read_text().replace("MR images", "images"))
    lines = sum(len(path.read_text().splitlines()) for path in folder.rglob("*.ndjson"))
    refused = run(root, *to)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"--dataset-uuid {one} goes on with it" in refused.stderr
    assert lines == sum(len(path.read_text().splitlines()) for path in folder.rglob("*.ndjson"))
    again = json.loads(run(root, *to, "--dataset-uuid", one).stdout)["written"]
    assert (again["made"], again["changed"], again["differ"], again["gone"]) == (0, 1, [], [])


def test_what_is_gone_from_a_dataset_is_told_in_files_too(tmp_path: Path) -> None:
    root, folder = write(tmp_path, "heart", form="csv"), tmp_path / "files"
    run(root, "--to", f"ndjson:{folder}")
    sheet = root / "subjects.csv"
    sheet.write_text(sheet.read_text().replace("Sus scrofa domesticus", "Sus scrofa"))
    said = run(root, "--to", f"ndjson:{folder}")
    line = "in FHIR and no longer in the dataset: 1 Group; --prune removes them (--to fhir)"
    assert (said.exit_code, said.stdout.splitlines()[-1]) == (0, line)


PLACES = [Where("subjects.csv", 2, 2), Where("subjects.csv", 2, 3)]
TOLD = {  # type, what differs -> beginning and end of the line, exit code well
    "by cell": (
        "Patient",
        Differing(("gender",), "others", PLACES, "1.2"),
        "subjects.csv B2, C2: Patient/x in FHIR says otherwise (gender) and is left alone, as it was not written by a",
        "correct them there",
        False,
    ),
    "by study": (
        "ImagingStudy",
        Differing(("identifier",), "others", (), "1.2"),
        "study 1.2: ",
        "headers count",
        False,
    ),
    "another dataset's": ("Patient", Differing(("gender",), "dataset", PLACES), "subjects.csv B2, C2: ", "same", False),
    "of the dataset": ("Practitioner", Differing(("name",), "dataset"), "the dataset: ", "other dataset does", True),
    "of any type": ("Device", Differing(("version",), "others", (), "1.2"), "study 1.2: ", "archive's count", False),
}


@pytest.mark.parametrize(("kind", "one", "begins", "ends", "well"), TOLD.values(), ids=TOLD)
def test_what_is_left_alone_is_told_by_its_place_and_with_the_way_on(
    kind: str, one: Differing, begins: str, ends: str, well: bool
) -> None:
    outcome = InFhir("u", Applied(differ={(kind, "x"): one}), [])
    _, line = outcome.lines()
    assert line.startswith(begins)
    assert line.endswith(ends)
    assert outcome.well is well


def test_of_many_cells_the_first_are_named() -> None:
    assert cells([Where("subjects.csv", row, 2) for row in range(2, 27)]).endswith("B10, B11 (and 15 more)")
    assert cells([Where("a.csv", 2, 1), Where("b.csv", 2, 1)]) == "a.csv A2; b.csv A2"
