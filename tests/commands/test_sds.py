"""`sds` on the command line: the check and its exit codes, for people and for programs."""

import json
import subprocess
import sys
from collections.abc import Callable
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
    notes = [line.partition("; ")[0] for line in lines if line.startswith("note: ")]
    assert "note: subjects.xlsx E3: a species other than man" in notes
    assert "note: subjects.xlsx: filled and not in FHIR: age, laboratory internal id" in notes
    assert "note: the dataset: names no DOI of its own" in notes
    assert all("; " in line for line in lines if line.startswith("note: "))


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
    assert all(one["remedy"] for one in told["findings"])
    (unlisted,) = (one for one in told["findings"] if one["code"] == "not-listed")
    assert unlisted["listed"] == ["primary/scan.nii.gz"]


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
    "no folder": (["--to", "ndjson:"], 2, "--to: one of fhir"),
    "a folder without a name": (["--to", "ndjson: "], 2, "--to: one of fhir"),
    "no colon": (["--to", "ndjson"], 2, "--to: one of fhir"),
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
    assert "no dataset_description lies here: name the folder in which it lies" in said.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_in_the_folder_above_the_datasets_are_named(tmp_path: Path, version: str) -> None:
    write(tmp_path, "breast", version)
    write(tmp_path, "heart", version)
    said, done = run(tmp_path), run(tmp_path, "--to", "-")
    assert (said.exit_code, done.exit_code, done.stdout) == (1, 1, "")
    named = "no dataset_description lies here; name the folder in which it lies: breast, heart"
    assert f"error: the dataset: {named}" in said.stdout.splitlines()
    assert "another structure" not in said.stdout
    assert "no dataset_description lies here: name one of these: breast, heart" in done.stderr


# -- exit codes -----------------------------------------------------------------------------------------------------


def csv(root: Path, sheet: str, old: str, new: str) -> None:
    path = root / sheet
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def measured(root: Path, *replaced: str) -> None:
    csv(root, "measurements.json", *replaced)


SPOILT = {  # what is done to the dataset -> exit code
    "nothing": (lambda root: None, 0),
    "a note": (lambda root: csv(root, "subjects.csv", "SYN-0002", "SYN-0003"), 0),
    "a text without a code": (lambda root: csv(root, "samples.csv", ",breast,right", ",brest,right"), 0),
    "a date": (lambda root: csv(root, "subjects.csv", "1978-03-15", "15/03/1978"), 1),
    "a sex": (lambda root: csv(root, "subjects.csv", ",female,", ",fem,"), 1),
    "a side": (lambda root: csv(root, "samples.csv", "breast,right", "breast,RIGHT side"), 1),
    "a measurement": (lambda root: measured(root, "0.15", '"big"'), 1),
    "its subject": (lambda root: measured(root, '"name": "sub-1"', '"name": "sub-7"'), 1),
    "an unknown subject": (lambda root: csv(root, "samples.csv", "sam-3,sub-2", "sam-3,sub-9"), 1),
    "a file that is no DICOM": (lambda root: (root / "primary/sub-1/x.dcm").write_text("x"), 1),
    "an ORCID iD": (lambda root: csv(root, "dataset_description.csv", "-1825-0097", "-1825-0098"), 1),
}


@pytest.mark.parametrize("way", ["--check", "-", "ndjson", "measurements"])
@pytest.mark.parametrize(("spoil", "code"), SPOILT.values(), ids=SPOILT)
def test_the_exit_code_says_that_something_is_wrong_or_left_out_wherever_it_goes(
    tmp_path: Path, spoil: Callable[[Path], object], code: int, way: str
) -> None:
    root = write(tmp_path, "breast", form="csv")
    spoil(root)
    to = [way] if way == "--check" else ["--to", f"ndjson:{tmp_path}/out" if way == "ndjson" else way]
    done = run(root, *to)
    assert done.exit_code == code, done.output
    assert done.stdout


# -- measurements.json ----------------------------------------------------------------------------------------------


def program(root: Path, out: Path, mode: str) -> subprocess.CompletedProcess[str]:
    """Run the command with standard output in a file, as a shell does it."""
    command = [sys.executable, "-m", "mapper.commands.cli", "sds", str(root), "--to", "measurements"]
    with out.open(mode) as file:
        return subprocess.run(command, stdout=file, stderr=subprocess.PIPE, text=True, check=False, timeout=120)


@pytest.mark.parametrize("mode", ["w", "a"])
@pytest.mark.parametrize("name", ["measurements.json", "link.json"])
def test_measurements_are_not_written_onto_themselves(tmp_path: Path, mode: str, name: str) -> None:
    root = write(tmp_path, "breast", form="csv")
    (root / "link.json").symlink_to("measurements.json")
    done = program(root, root / name, mode)
    assert done.returncode == 2
    assert "standard output is" in done.stderr
    assert (root / "measurements.json").stat().st_size == (0 if mode == "w" else len(measurements_of(tmp_path)))


def measurements_of(folder: Path) -> bytes:
    return (write(folder / "again", "breast", form="csv") / "measurements.json").read_bytes()


def test_measurements_are_written_into_another_file(tmp_path: Path) -> None:
    root = write(tmp_path, "breast", form="csv")
    done = program(root, root / "new.json", "w")
    assert done.returncode == 0, done.stderr
    assert json.loads((root / "new.json").read_text()) == json.loads((root / "measurements.json").read_text())


@pytest.mark.parametrize("content", ["", "[]", "{", '{"dataset": 1}', "\x00"])
def test_measurements_that_cannot_be_read_are_not_replaced(tmp_path: Path, content: str) -> None:
    root = write(tmp_path, "breast", form="csv")
    (root / "measurements.json").write_text(content)
    done = run(root, "--to", "measurements")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "cannot be read, so what it holds would be lost" in done.stderr


def bundles(said: Result) -> list[list[dict[str, Any]]]:
    assert said.exit_code == 0, said.stderr
    return [[entry["resource"] for entry in json.loads(line)["entry"]] for line in said.stdout.splitlines()]


def test_standard_output_has_the_studies_and_then_the_dataset(tmp_path: Path) -> None:
    said = run(write(tmp_path, "heart"), "--to", "-")
    kinds = [[one["resourceType"] for one in bundle] for bundle in bundles(said)]
    assert [one.count("ImagingStudy") for one in kinds] == [1, 1, 0]
    assert "ResearchStudy" in kinds[-1]
    assert "note: subjects.xlsx E3: a species other than man; " in said.stderr


def test_two_runs_say_the_same_bytes(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    assert run(root, "--to", "-").stdout_bytes == run(root, "--to", "-").stdout_bytes


def test_problems_are_kept_in_a_file_of_their_owner_alone(tmp_path: Path) -> None:
    root = write(tmp_path, "breast", form="csv")
    sheet = root / "subjects.csv"
    sheet.write_text(sheet.read_text().replace("1978-03-15", "SECRET"))
    kept = tmp_path / "problems.ndjson"
    with (root / "samples.csv").open("a") as samples:
        samples.write("sam-9,sub-1,,,,SECRET\n")
    assert run(root, "--to", "-", "--problems", kept).exit_code == 1
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [(one["element"], one["attribute"], one["reason"]) for one in lines] == [
        ("Patient.birthDate", "subjects.csv G2: date of birth", "not a date such as 1978-03-15"),
        ("", "samples.csv F5", "none of left, right and both: left out"),
    ]
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
