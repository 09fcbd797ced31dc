"""The whole path: DICOM into a real Orthanc, through the real mapper, into a real FHIR server, and back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from samples.dataset import part10
from samples.studies import studies as demo_studies
from stack import FhirServer, Orthanc, OrthancInFolder
from stack.orthanc_in_folder import INSIDE
from tests.support.browser import explorer
from tests.support.stack import Stack, references, until
from tests.support.study import Sample, study
from tests.support.validator import knows

BROWSER = 60_000
"""Milliseconds within which a loaded machine shows what it should."""
SPOILED = "not what the PACS says"
READY = 10
DEBIAN, NEWER = "orthanc-debian", "orthanc-1.12.7"


def stack_of(kind: type[Orthanc], folder: Path, fhir: FhirServer) -> Stack:
    if kind is OrthancInFolder and not INSIDE.exists():
        pytest.skip("Orthanc 1.12.7 is not here: setup/orthanc-trixie.sh (as root) puts it there")
    return Stack(folder, fhir, kind)


@pytest.fixture(scope="module", params=[DEBIAN, NEWER])
def stack(request: pytest.FixtureRequest, run_folder: Path, fhir_server: FhirServer) -> Iterator[Stack]:
    """Run the whole stack on each Orthanc that this machine can run."""
    kind = {DEBIAN: Orthanc, NEWER: OrthancInFolder}[request.param]
    with stack_of(kind, run_folder / f"path-{request.param}", fhir_server) as running:
        yield running


@pytest.fixture(scope="module")
def ready(stack: Stack) -> list[Sample]:
    """Sync as many studies at once as the tests below use up: waiting for each of them would take minutes."""
    samples = [study(series=2, instances=2) for _ in range(READY)]
    synced(stack, *samples)
    return samples


@pytest.fixture
def sample(ready: list[Sample]) -> Sample:
    """Give a study of 2 x 2 instances that is in FHIR already, and nobody else's."""
    return ready.pop()


def synced(stack: Stack, *samples: Sample) -> None:
    """Upload studies and wait until FHIR has all of them."""
    stack.upload(*samples, threads=4)
    for sample in samples:
        stack.until_found(sample.uid, len(sample.datasets))
        stack.until_state(sample.uid, "synced")


# There and back -----------------------------------------------------------------------------------------------


def test_an_uploaded_study_leads_from_its_patient_in_fhir_back_to_its_pixels(stack: Stack, sample: Sample) -> None:
    found = stack.imaging_study(sample.uid)

    assert found["numberOfSeries"] == len(found["series"]) == 2
    listed = {(one["uid"], instance["uid"]) for one in found["series"] for instance in one["instance"]}
    assert listed == {(made.SeriesInstanceUID, made.SOPInstanceUID) for made in sample.datasets}
    patient = found["subject"]["reference"].removeprefix("Patient/")
    assert stack.resource(f"Patient/{patient}")["identifier"][0]["value"] == sample.patient_id

    together = stack.search("ImagingStudy", patient=patient, _include="ImagingStudy:endpoint")
    (endpoint,) = [one for one in together if one["resourceType"] == "Endpoint"]
    (again,) = [one for one in together if one["resourceType"] == "ImagingStudy"]
    uid = again["identifier"][0]["value"].removeprefix("urn:oid:")
    series = again["series"][0]
    root = f"{endpoint['address']}/studies/{uid}"
    frame = f"{root}/series/{series['uid']}/instances/{series['instance'][0]['uid']}/frames/1/rendered"

    assert stack.http.get(f"{root}/metadata", timeout=30).status_code == 401
    assert stack.http.get(frame, timeout=30).status_code == 401
    metadata = stack.http.get(f"{root}/metadata", auth=stack.orthanc.auth, timeout=30).json()
    assert {one["00080018"]["Value"][0] for one in metadata} == {made.SOPInstanceUID for made in sample.datasets}
    image = stack.http.get(frame, auth=stack.orthanc.auth, timeout=30, headers={"Accept": "image/png"})
    assert image.status_code == 200
    assert image.content.startswith(b"\x89PNG")


# What changes, and what does not ------------------------------------------------------------------------------


def test_one_more_instance_is_one_more_version_of_the_study_and_of_nothing_else(stack: Stack, sample: Sample) -> None:
    before = stack.versions(sample.uid)
    id = stack.imaging_study(sample.uid)["id"]
    assert {reference.partition("/")[0] for reference in before} == {"ImagingStudy", "Patient", "Endpoint", "Device"}

    sample.add()
    stack.upload(sample)
    found = stack.until_found(sample.uid, 5)
    stack.until_state(sample.uid, "synced")

    assert found["id"] == id
    assert stack.versions(sample.uid) == {**before, f"ImagingStudy/{id}": "2"}


def test_sending_and_syncing_again_changes_no_version(stack: Stack, sample: Sample) -> None:
    before = stack.versions(sample.uid)

    stack.upload(sample)
    assert stack.sync(sample.uid)["state"] == "synced"
    stack.ask_for_sweep()
    done = stack.cli("sync", "--all", "--wait", "60")

    assert done.returncode == 0, done.stderr + done.stdout
    assert stack.versions(sample.uid) == before


def test_a_second_study_of_a_patient_shares_the_patient(stack: Stack, sample: Sample) -> None:
    older, newer = sample, study(PatientID=sample.patient_id, StudyDate="20250101", PatientName="Newer^Live")
    synced(stack, newer)
    one, other = stack.imaging_study(older.uid), stack.imaging_study(newer.uid)

    assert one["subject"] == other["subject"]
    (patient,) = stack.search("Patient", identifier=older.patient_id)
    assert patient["name"][0]["family"] == "Newer"
    stack.sync(older.uid)
    assert stack.resource(one["subject"]["reference"])["meta"]["versionId"] == "2", "the older one keeps quiet"


# What goes ----------------------------------------------------------------------------------------------------


def test_a_study_deleted_in_orthanc_is_no_longer_available_in_fhir(stack: Stack, sample: Sample) -> None:
    patient = stack.imaging_study(sample.uid)["subject"]["reference"]

    stack.delete(sample.uid)
    stack.until_state(sample.uid, "removed")

    left = stack.imaging_study(sample.uid)
    assert left["status"] == "unknown"
    assert "endpoint" not in left
    assert stack.resource(patient)["meta"]["versionId"] == "1"


def test_a_deleted_study_that_comes_back_is_available_again(stack: Stack, sample: Sample) -> None:
    id = stack.imaging_study(sample.uid)["id"]
    stack.delete(sample.uid)
    stack.until_state(sample.uid, "removed")

    stack.upload(sample)

    found = stack.until_found(sample.uid, 4)
    assert found["id"] == id
    assert found["endpoint"]


def test_a_deleted_series_and_a_deleted_instance_leave_the_study(stack: Stack, sample: Sample) -> None:
    stack.delete(sample.series[1], "Series")
    shrunk = stack.until_found(sample.uid, 2)
    assert [one["uid"] for one in shrunk["series"]] == [sample.series[0]]

    stack.delete(sample.datasets[0].SOPInstanceUID, "Instance")
    shrunk = stack.until_found(sample.uid, 1)
    assert [one["uid"] for one in shrunk["series"][0]["instance"]] == [sample.datasets[1].SOPInstanceUID]


# Patients -----------------------------------------------------------------------------------------------------


def test_one_study_under_two_patients_is_parked_until_one_of_them_is_gone(stack: Stack) -> None:
    right = study()
    wrong = study(PatientID=right.patient_id + "X")
    wrong.uid = right.uid
    for made in wrong.datasets:
        made.StudyInstanceUID = right.uid
    stack.upload(right, wrong)

    parked = stack.until_state(right.uid, "parked")

    again = stack.cli("retry", right.uid)
    assert (again.returncode, again.stdout) == (0, "1 back in line\n"), again.stderr
    parked = stack.until_state(right.uid, "parked")
    both = stack.orthanc_ids(right.uid)
    assert len(both) == 2
    assert all(orthanc_id in parked["message"] for orthanc_id in both)
    assert not [one for one in stack.found(right.uid) if one["status"] == "available"]

    (series,) = stack.orthanc_ids(wrong.series[0], "Series")
    parent = stack.pacs("GET", f"/series/{series}").json()["ParentStudy"]
    stack.pacs("DELETE", f"/studies/{parent}")

    found = stack.until_found(right.uid, 2)
    assert stack.resource(found["subject"]["reference"])["identifier"][0]["value"] == right.patient_id


def test_a_corrected_patient_id_gives_the_same_study_another_subject(stack: Stack, sample: Sample) -> None:
    before = stack.imaging_study(sample.uid)
    (orthanc_id,) = stack.orthanc_ids(sample.uid)

    change = {
        "Replace": {"PatientID": sample.patient_id + "C"},
        "Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"],
        "Force": True,
        "KeepSource": False,
    }
    if type(stack.orthanc) is Orthanc:  # 1.10.1 knows no way to keep the UIDs: nothing happens, nobody is told wrong
        with pytest.raises(requests.HTTPError, match="400"):
            stack.pacs("POST", f"/studies/{orthanc_id}/modify", json=change)
        return
    stack.pacs("POST", f"/studies/{orthanc_id}/modify", json=change)

    after = until(
        lambda: next((one for one in stack.found(sample.uid) if one["subject"] != before["subject"]), None),
        say=lambda: stack.state(sample.uid),
    )
    assert (after["id"], after["status"]) == (before["id"], "available")
    corrected = stack.resource(after["subject"]["reference"])
    assert corrected["identifier"][0]["value"] == sample.patient_id + "C"
    stack.until_state(sample.uid, "synced")
    assert all(map(stack.resource, references(stack.imaging_study(sample.uid))))
    assert stack.imaging_study(sample.uid)["status"] == "available"


# The button ---------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_button_in_orthanc_explorer_writes_the_study_shown_again_and_no_other(
    stack: Stack, ready: list[Sample], browser: Browser
) -> None:
    samples = first, second = ready.pop(), ready.pop()
    for sample in samples:
        spoil(stack, sample)
    shown = [stack.orthanc_ids(sample.uid)[0] for sample in samples]

    user, password = stack.orthanc.auth or ("", "")
    context = browser.new_context(http_credentials={"username": user, "password": password})
    page = context.new_page()
    page.set_default_timeout(BROWSER)
    try:
        page.goto(explorer(stack.orthanc, shown[0]))
        press(page)
        assert not spoiled(stack, first)
        assert spoiled(stack, second)

        page.evaluate("hash => { location.hash = hash; }", f"#study?uuid={shown[1]}")
        page.wait_for_function("study => $('#fhir-sync-box').data('uuid') === study", arg=shown[1])
        press(page)
        assert not spoiled(stack, second)
    finally:
        context.close()


def spoil(stack: Stack, sample: Sample) -> None:
    """Have somebody else write nonsense into a study's ImagingStudy."""
    nonsense = {**stack.imaging_study(sample.uid), "description": SPOILED}
    url = f"{stack.fhir.url}/ImagingStudy/{nonsense['id']}"
    stack.http.put(url, json=nonsense, timeout=30).raise_for_status()
    assert spoiled(stack, sample)


def spoiled(stack: Stack, sample: Sample) -> bool:
    return bool(stack.imaging_study(sample.uid)["description"] == SPOILED)


def press(page: Page) -> None:
    """Press the button, and wait until the line beside it says that all is well."""
    line = page.locator("#fhir-sync-box p[role=status]")
    expect(line).to_contain_text("FHIR: synced", timeout=BROWSER)  # as the mapper left it, before anybody spoiled it
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator("#fhir-sync-box .ui-btn").click()
    expect(line).to_contain_text("FHIR: synced", timeout=BROWSER)


# The command line ---------------------------------------------------------------------------------------------


def test_the_commands_work_beside_a_running_service_and_without_one(run_folder: Path, fhir_server: FhirServer) -> None:
    with Stack(run_folder / "path-commands", fhir_server) as stack:
        sample = study()
        synced(stack, sample)

        doctor = stack.cli("doctor")
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        assert stack.orthanc.url in doctor.stdout
        listed = stack.cli("studies", "--state", "synced", "--json")
        assert [one["study_uid"] for one in map(json.loads, listed.stdout.splitlines())] == [sample.uid]
        beside = stack.cli("sync", sample.uid)
        assert (beside.returncode, beside.stdout) == (0, "1 of 1 done\n"), beside.stderr
        assert stack.cli("retry", "--parked").returncode == 1, "nothing is parked"

        stack.mapper.stop()
        alone = study()
        stack.upload(alone)
        until(lambda: stack.pacs("GET", f"/studies/{stack.orthanc_ids(alone.uid)[0]}").json()["IsStable"])
        assert not stack.found(alone.uid)
        by_hand = stack.cli("sync")
        assert by_hand.returncode == 0, by_hand.stdout + by_hand.stderr
        assert stack.imaging_study(alone.uid)["status"] == "available"

        stack.orthanc.stop()
        sick = stack.cli("doctor")
        assert sick.returncode == 1
        assert "problem" in sick.stdout
        failed = stack.cli("sync")
        assert failed.returncode == 1
        assert len(failed.stderr.splitlines()) == 1, "one line says why"


# Every demo study, every request validated --------------------------------------------------------------------


def test_a_validating_server_takes_every_demo_study(run_folder: Path, validating_fhir_server: FhirServer) -> None:
    with Stack(run_folder / "path-validated", validating_fhir_server) as stack:
        samples = list(demo_studies())
        for sample in samples:
            stack.store(map(part10, sample.datasets))
        for sample in samples:
            unknown = [code for code in sample.modalities.split("/") if not knows(validating_fhir_server, code)]
            said = stack.until_state(sample.study_uid, "synced", "parked", seconds=90)
            if unknown:  # younger than R4, whose own DCM a validating server asks: its refusal is not our fault
                assert (said["state"], "HTTP 422" in said["message"]) == ("parked", True)
                continue
            assert said["state"] == "synced", said["message"]
            assert stack.imaging_study(sample.study_uid)["numberOfInstances"] == sample.in_use
