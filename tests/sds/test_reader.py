"""Whole datasets: the samples in every layout and form, progress, and that nothing of a cell or a header is told."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.records.sds.check import check
from mapper.records.sds.dataset import Dataset
from mapper.sources.sds.measurements import dump_measurements, parse_measurements
from mapper.sources.sds.reader import read_dataset
from samples.sds import DATASETS, VERSIONS, write
from samples.sds.sheets import FORMS
from tests.sds.folders import dataset, found, image

LAYOUTS = [(name, version, form) for name in DATASETS for version in VERSIONS for form in FORMS]
EXPECTED: dict[str, dict[str, list[str]]] = {
    "breast": {},
    "heart": {"animal": ["subjects"], "no-doi": ["the dataset"]},
}
NOT_IN_FHIR = {
    "2.1.0": ["dataset_description", "primary/manifest", "samples", "subjects", "submission"],
    "3.0.2": ["dataset_description", "manifest", "samples", "subjects", "submission"],
}
"""Sheets that say something for which FHIR has no place."""


def told(read: Dataset) -> dict[str, Any]:
    """Return what a dataset says, without where it says so."""
    return {
        "version": read.version,
        "elements": {
            name: read.description.all(name) for name in read.description.values if name != "Metadata version"
        },
        "people": read.description.contributors,
        "related": read.description.related_identifiers,
        "subjects": [row.cells for row in read.subjects],
        "samples": [row.cells for row in read.samples],
        "submission": {name: read.submission.all(name) for name in read.submission.values},
        "studies": [(one.study.uid, one.subject, one.samples, one.study.instances) for one in read.studies],
    }


@pytest.mark.parametrize(("name", "version", "form"), LAYOUTS)
def test_a_sample_dataset_is_read_without_a_complaint(tmp_path: Path, name: str, version: str, form: str) -> None:
    read = read_dataset(write(tmp_path, name, version, form))
    places = {code: [where.split(".")[0] for where in wheres] for code, wheres in found(read).items()}
    not_in_fhir = places.pop("not-mapped")
    assert places == EXPECTED[name]
    assert not_in_fhir == NOT_IN_FHIR[version]


@pytest.mark.parametrize(("name", "version", "form"), LAYOUTS)
def test_a_sample_dataset_says_what_it_was_written_from(tmp_path: Path, name: str, version: str, form: str) -> None:
    read = read_dataset(write(tmp_path, name, version, form))
    meant = DATASETS[name]
    assert read.name == name
    assert ".".join(map(str, read.version or ())) == version
    assert [row.cells for row in read.subjects] == list(meant.subjects)
    assert [row.cells for row in read.samples] == list(meant.samples)
    for element, values in meant.elements.items():
        assert read.description.all(element) == tuple(filter(None, values)), element
    assert {one.subject: sorted(sam for sams in one.samples.values() for sam in sams) for one in read.studies} == {
        study.subject: sorted(study.series) for study in meant.studies
    }
    third = version.startswith("3")
    assert {one.by for one in read.studies} == {"manifest" if third else "folder"}
    assert len(read.manifest) == sum(2 * len(study.series) for study in meant.studies)


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_xlsx_csv_and_json_say_the_same(tmp_path: Path, name: str, version: str) -> None:
    said = [told(read_dataset(write(tmp_path / form, name, version, form))) for form in FORMS]
    assert said[0]["studies"]
    assert said[1:] == said[:1] * (len(FORMS) - 1)


@pytest.mark.parametrize("name", DATASETS)
def test_both_layouts_say_the_same(tmp_path: Path, name: str) -> None:
    second, third = (told(read_dataset(write(tmp_path / version, name, version))) for version in VERSIONS)
    del second["version"], third["version"]
    assert third["elements"].pop("License"), "SDS 2 has no such element"
    assert second == third


def test_one_person_is_in_both_under_one_patient_id(tmp_path: Path) -> None:
    ids = [
        {str(one.study.item["PatientID"]) for one in read_dataset(write(tmp_path, name)).studies} for name in DATASETS
    ]
    assert ids[0] & ids[1] == {"SYN-0001"}


def test_its_measurements_are_read_and_go_out_the_same(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    read = read_dataset(root).measurements
    assert read is not None
    assert [patient.name for patient in read.patients or ()] == ["sub-1", "sub-2"]
    assert parse_measurements(dump_measurements(read)) == read
    assert read_dataset(write(tmp_path, "heart")).measurements is None


def test_attributes_are_read_that_are_asked_for(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    (study, _) = read_dataset(root, ["Modality", "BodyPartExamined"], ["InstanceNumber"]).studies
    series = study.study.series[0]
    assert (series.item["BodyPartExamined"], series.item["Modality"]) == ("BREAST", "MR")
    assert [one.item["InstanceNumber"] for one in series.instances] == [1, 2]
    assert "BodyPartExamined" not in read_dataset(root).studies[0].study.series[0].item


def test_the_folder_may_be_named_in_any_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path, "heart", form="csv")
    meant = told(read_dataset(root))
    monkeypatch.chdir(root)
    (tmp_path / "link").symlink_to(root)
    for way in (Path(), Path("../heart"), tmp_path / "link", Path("primary/..")):
        read = read_dataset(way)
        assert told(read) == meant, way
        assert read.name == "heart"


def test_progress_is_told_over_a_thousand_files(tmp_path: Path) -> None:
    for number in range(1000):
        folder = tmp_path / f"primary/sub-1/sam-{number % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.dcm").write_text("no DICOM" if number % 5 else "")
    (tmp_path / "primary/sub-1/notes.md").write_text("no DICOM either")
    steps: list[tuple[int, int]] = []
    read_dataset(tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert {total for _, total in steps} == {1000}
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert steps[-1] == (1000, 1000)
    assert len(steps) > 10


def test_files_are_read_by_a_pool_too(tmp_path: Path) -> None:
    files = {f"primary/sub-1/{number}": image("1.2.1", number) for number in range(150)}
    with ThreadPoolExecutor(2) as pool:
        read = dataset(tmp_path, {"subjects.csv": "subject id\nsub-1\n", **files}, pool=pool)
    assert read.studies[0].study.instances == 150
    assert read.studies[0].subject == "sub-1"


@given(raw=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
@pytest.mark.parametrize("suffix", ["csv", "json", "xlsx", "tsv"])
def test_no_bytes_in_a_sheet_end_the_reading(tmp_path_factory: pytest.TempPathFactory, raw: bytes, suffix: str) -> None:
    root = tmp_path_factory.mktemp("bytes")
    for stem in SHEETS:
        (root / f"{stem}.{suffix}").write_bytes(raw)
    (root / "measurements.json").write_bytes(raw)
    assert check(read_dataset(root))


def test_an_empty_folder_is_told_to_be_no_dataset(tmp_path: Path) -> None:
    assert found(read_dataset(tmp_path)) == {"no-description": ["the dataset"], "no-dicom": ["the dataset"]}


def test_reading_changes_nothing(tmp_path: Path) -> None:
    root = write(tmp_path, "breast")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    check(read_dataset(root))
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


SECRETS = ("SECRETA", "SECRETB", "SECRETC", "SECRETD", "SECRETE", "SECRETF")
SHEETS = ("subjects", "samples", "sites", "performances", "resources", "manifest", "dataset_description", "submission")


@given(
    cells=st.lists(
        st.lists(st.sampled_from((*SECRETS, "", "sub-SECRET", "1-SECRET")), min_size=3, max_size=6), min_size=1
    )
)
@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_no_value_of_a_cell_or_a_header_is_told(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]], suffix: str
) -> None:
    """Whatever the cells of all sheets hold, and whatever the headers of files say: places are told, no value."""
    headers = {
        "subjects": ["subject id", "sex", "age", "species", "date of birth", "SECRET"],
        "samples": ["sample id", "subject id", "was derived from", "pool id", "SECRET", "SECRET"],
        "sites": ["site id", "specimen id", "SECRET"],
        "performances": ["performance id", "participants", "SECRET"],
        "resources": ["RRID", "Name", "SECRET"],
        "manifest": ["filename", "entity", "subject", "SECRET"],
        "dataset_description": ["Metadata element", "Value", "Value 2", "SECRET"],
        "submission": ["Submission Item", "Definition", "Value", "SECRET"],
    }
    root = tmp_path_factory.mktemp("secret")
    elements = ("Metadata version", "Contributor ORCiD", "Number of subjects", "Identifier", "SECRET")
    for stem in SHEETS:
        rows = cells
        if stem == "dataset_description":
            rows = [[element, *row] for element, row in zip(elements * 9, cells, strict=False)]
        if suffix == "csv":
            text = "\n".join(",".join(row) for row in [headers[stem], *rows])
        else:
            pairs = [dict(zip(headers[stem], row, strict=False)) for row in rows]
            text = str(pairs).replace("'", '"')
        (root / f"{stem}.{suffix}").write_text(text)
    secrets = {"PatientName": "SECRET^NAME", "PatientSex": "M", "PatientID": "SECRETA", "PatientAge": "045Y"}
    read = dataset(root, {"primary/sub-1/a": image("1.2.1", **secrets), "primary/b": image("1.2.2", 1, **secrets)})
    findings = check(read)
    assert findings
    assert "SECRET" not in "\n".join(map(str, findings))
