"""`sds --to orthanc` on both Orthancs: the dataset's identifiers stand, whatever is done to the study."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from pydicom import dcmread

from samples.dataset import part10, uid
from samples.sds import write
from stack import FhirServer, Orthanc
from tests.support.stack import Stack, until

Json = dict[str, Any]


@pytest.fixture
def stack(test_folder: Path, fhir_server: FhirServer, orthanc_class: type[Orthanc]) -> Iterator[Stack]:
    with Stack(test_folder, fhir_server, orthanc_class) as running:
        yield running


@pytest.fixture
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Write the dataset `breast` with UIDs, a patient and a DOI of this test alone."""
    written = write(tmp_path, "breast", form="csv")
    name = request.node.name
    for path in written.rglob("*.dcm"):
        found = dcmread(path)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(found, keyword, uid(name, str(found[keyword].value)))
        found.PatientID = uid(name, found.PatientID)[:30]
        path.write_bytes(part10(found))
    sheet = written / "dataset_description.csv"
    sheet.write_text(sheet.read_text().replace("10.5555/breast", f"10.5555/{uid(name)}"))
    return written


def studies(root: Path) -> dict[str, list[Path]]:
    """Return the files of each study, that of sub-1 with two series first."""
    found: dict[str, list[Path]] = {}
    for path in sorted(root.rglob("*.dcm")):
        found.setdefault(dcmread(path).StudyInstanceUID, []).append(path)
    return found


def sds(stack: Stack, root: Path, to: str = "orthanc", *options: str, code: int = 0) -> Json:
    done = stack.cli("sds", str(root), "--to", to, "--json", *options)
    assert done.returncode == code, done.stderr
    return dict(json.loads(done.stdout)["written"])


def identifiers(study: Json) -> list[str]:
    return sorted(one["value"] for one in study["identifier"] if one["system"].startswith("urn:sparc"))


def until_identified(stack: Stack, study_uid: str, wanted: list[str], **more: Any) -> Json:
    """Wait until a study is in FHIR with these identifiers, and with elements of these values."""

    def there() -> Json | None:
        right = [one for one in stack.found(study_uid) if identifiers(one) == wanted]
        return next((one for one in right if all(one[name] == value for name, value in more.items())), None)

    return until(there, say=lambda: (stack.found(study_uid), stack.state(study_uid)))


def wanted_of(written: Json, subject: str, study_uid: str) -> list[str]:
    return [f"urn:uid:breast-{written['dataset_uuid']}", f"urn:uid:{subject}-{study_uid}"]


def changed(path: Path, **attributes: Any) -> bytes:
    found = dcmread(BytesIO(path.read_bytes()))
    for keyword, value in attributes.items():
        setattr(found, keyword, value)
    return part10(found)


def test_the_identifiers_of_a_dataset_stand_whatever_is_done_to_a_study(stack: Stack, root: Path) -> None:
    first, second = studies(root)
    files = studies(root)
    written = sds(stack, root)
    assert (written["sent"], written["there"], sorted(written["kept"])) == (6, 0, sorted(files))
    wanted = wanted_of(written, "sub-1", first)
    until_identified(stack, first, wanted, numberOfInstances=4)
    until_identified(stack, second, wanted_of(written, "sub-2", second), numberOfInstances=2)
    versions = stack.versions(first)

    # again, and by hand: nothing moves
    again = sds(stack, root)
    assert (again["sent"], again["there"], again["kept"], again["changed"]) == (0, 6, [], [])
    assert stack.sync(first)["state"] == "synced"
    assert stack.versions(first) == versions

    # an instance more, one that is overwritten, one that comes again
    stack.store([changed(files[first][0], SOPInstanceUID=uid(first, "more"), InstanceNumber=99)])
    until_identified(stack, first, wanted, numberOfInstances=5)
    stack.store([changed(files[first][0], StudyDescription="Corrected")])
    until_identified(stack, first, wanted, numberOfInstances=5, description="Corrected")
    stack.store([files[first][1].read_bytes()])
    until(lambda: stack.sync(first)["state"] == "synced")
    assert identifiers(stack.imaging_study(first)) == wanted

    # a ledger that is lost
    stack.mapper.stop()
    for path in stack.mapper.folder.rglob("*ledger*.db*"):
        path.unlink()
    before = stack.versions(first)
    stack.mapper.start().wait_ready()
    stack.until_state(first, "synced")
    assert identifiers(stack.imaging_study(first)) == wanted
    assert stack.versions(first) == before


def test_metadata_that_an_overwritten_study_lost_come_back_with_the_next_run(stack: Stack, root: Path) -> None:
    first, second = studies(root)
    files = studies(root)
    for path in (*files[second], *files[first][1:]):
        path.unlink()
    (root / "manifest.csv").unlink()
    wanted = wanted_of(sds(stack, root), "sub-1", first)
    until_identified(stack, first, wanted)
    stack.store([changed(files[first][0], StudyDescription="Corrected")])
    until_identified(stack, first, [], description="Corrected")
    again = sds(stack, root)
    assert (again["sent"], again["kept"], again["changed"]) == (0, [first], [first])
    until_identified(stack, first, wanted, description="Corrected")


def test_apply_upload_and_apply_again_moves_nothing_after_the_first_round(stack: Stack, root: Path) -> None:
    uids = list(studies(root))
    applied = sds(stack, root, "fhir")
    assert applied["made"] > 5
    stack.store(path.read_bytes() for path in root.rglob("*.dcm"))
    for one in uids:
        until(lambda one=one: stack.found(one)[0].get("endpoint"))
    rounds = []
    for _ in range(2):
        again = sds(stack, root, "fhir", code=1)  # Orthanc does not know the dataset's identifiers yet
        assert (again["made"], again["changed"]) == (0, 0)
        assert {one["resource"].partition("/")[0] for one in again["differ"]} == {"ImagingStudy"}
        for one in uids:
            assert stack.sync(one)["state"] == "synced"
        rounds.append({one: stack.versions(one) for one in uids})
    assert rounds[0] == rounds[1]
    sds(stack, root)  # now Orthanc keeps the identifiers as well, and all say the same
    for number, one in enumerate(uids, 1):
        until_identified(stack, one, wanted_of(applied, f"sub-{number}", one))
    assert sds(stack, root, "fhir")["differ"] == []


def test_two_datasets_of_one_study_are_both_kept_and_a_new_name_of_a_folder_takes_the_place_of_the_old_one(
    stack: Stack, root: Path
) -> None:
    first, _ = studies(root)
    other = root.with_name("copy")
    copytree(root, other)
    sheet = other / "dataset_description.csv"
    sheet.write_text(sheet.read_text().replace("10.5555/", "10.5555/other-", 1))
    one, two = sds(stack, root), sds(stack, other)
    assert one["dataset_uuid"] != two["dataset_uuid"]
    names = {"breast": one["dataset_uuid"], "copy": two["dataset_uuid"]}
    wanted = sorted([*(f"urn:uid:{name}-{uuid}" for name, uuid in names.items()), f"urn:uid:sub-1-{first}"])
    until_identified(stack, first, wanted)
    for folder in (root, other, root, other):
        assert sds(stack, folder)["changed"] == []
    for folder in (root, other):
        assert sds(stack, folder, "fhir")["differ"] == []
    versions = stack.versions(first)
    for folder in (root, other):
        again = sds(stack, folder, "fhir")
        assert (again["made"], again["changed"]) == (0, 0)
    assert stack.versions(first) == versions
    renamed = other.rename(other.with_name("renamed"))
    moved = sds(stack, renamed)
    assert moved["replaced"] == [f"urn:uid:copy-{two['dataset_uuid']}"]
    until_identified(stack, first, sorted(one.replace(":copy-", ":renamed-") for one in wanted))


def test_what_only_the_sheet_says_is_told_by_its_cell_as_the_headers_count_in_orthanc(stack: Stack, root: Path) -> None:
    """Both before and after the live path has taken the Patient over."""
    first, _ = studies(root)
    for path in root.rglob("*.dcm"):
        found = dcmread(path)
        for keyword in ("PatientSex", "PatientBirthDate"):
            if keyword in found:
                delattr(found, keyword)
        path.write_bytes(part10(found))
    sheet = root / "subjects.csv"
    columns = sheet.read_text().splitlines()[0].split(",")
    places = [f"subjects.csv {chr(65 + columns.index(name))}2" for name in ("sex", "date of birth")]
    assert sds(stack, root, "fhir")["differ"] == []
    patient = stack.imaging_study(first)["subject"]["reference"]
    assert "gender" in stack.resource(patient)
    told = sds(stack, root, code=1)
    assert set(places) <= set(told["unsaid"])
    until_identified(stack, first, wanted_of(told, "sub-1", first), numberOfInstances=4)
    until(lambda: "gender" not in stack.resource(patient))
    for _ in range(2):
        again = sds(stack, root, "fhir", code=1)
        cells = {one["resource"]: one["cells"] for one in again["differ"]}
        assert (again["made"], again["changed"], sorted(cells[patient])) == (0, 0, sorted(places))
    assert stack.sync(first)["state"] == "synced"
    assert "gender" not in stack.resource(patient)
