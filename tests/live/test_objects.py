"""Rejection notes and segmentations through each real Orthanc and the mapper into a real FHIR server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from highdicom.seg import SegmentationTypeValues as Kind

from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer as Sink
from samples.dataset import part10
from samples.header import Header
from samples.sr.catalogue import OBJECTS, STUDY
from samples.sr.key_objects import REJECTED, selection
from samples.sr.measurements import Case, case
from samples.sr.monai import LABELS, segmentation
from stack import FhirServer, Orthanc, OrthancInFolder, free_port
from tests.support.reported import mapped_samples, sample
from tests.support.stack import Stack, session, until
from tests.support.study import new_name
from tests.support.through import derived, stored, through
from tests.support.validator import errors

OPTIONS = ("key_objects", "segments")


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_says_the_same_through_orthanc_and_from_its_file(
    name: str, new_orthanc: Callable[..., Orthanc], orthanc_class: type[Orthanc]
) -> None:
    server = new_orthanc(orthanc_class, plugin_script=None)
    found = through(server, stored(server, name), options=OPTIONS)
    expected = mapped_samples(name, options=OPTIONS)
    assert derived(found) == derived(expected)
    assert found.problems == expected.problems


@pytest.mark.parametrize("name", OBJECTS)
def test_a_validating_server_takes_every_object_and_makes_no_new_version_of_the_same(
    name: str, validating_fhir_server: FhirServer
) -> None:
    sink = Sink(FhirClient(validating_fhir_server.url), validating_fhir_server.url)
    sent = mapped_samples(name, options=OPTIONS).resources
    assert sink.put(sent) == sink.put(sent)
    assert [error for one in sent for error in errors(validating_fhir_server, one)] == []


@pytest.fixture
def stack(orthanc_class: type[Orthanc], test_folder: Path, fhir_server: FhirServer) -> Iterator[Stack]:
    settings = {"ORTHANC_FHIR_OPTIONS": '["key_objects", "segments"]'}
    with Stack(test_folder, fhir_server, orthanc_class, settings=settings) as running:
        yield running


@pytest.fixture
def chest() -> Case:
    """Give a CT of six slices, nobody else's."""
    return case(Header(new_name(), "anna", STUDY), 6)


def kept(stack: Stack, uid: str) -> dict[str, Any]:
    """Return a study in FHIR without what each version says of itself."""
    return {name: value for name, value in stack.imaging_study(uid).items() if name != "meta"}


def version(stack: Stack, uid: str) -> int:
    return int(stack.imaging_study(uid)["meta"]["versionId"])


def until_version(stack: Stack, uid: str, expected: int) -> None:
    """Wait for a version of a study; fail where there is one more soon after it is synced."""
    until(
        lambda: any(int(one["meta"]["versionId"]) >= expected for one in stack.found(uid)),
        say=lambda: (stack.state(uid), stack.mapper.log_tail(5)),
    )
    stack.until_state(uid, "synced")
    stack.sync(uid)
    assert version(stack, uid) == expected


def test_a_rejection_note_stored_removed_and_stored_again(stack: Stack, chest: Case) -> None:
    uid = chest.header.study_uid
    stack.store(map(part10, chest.images))
    until_version(stack, uid, 1)
    whole = kept(stack, uid)
    note = selection(chest.header, 8, REJECTED, chest.images[:2])
    stack.store([part10(note)])
    until_version(stack, uid, 2)
    rejected = kept(stack, uid)
    assert [one["numberOfInstances"] for one in rejected["series"]] == [4, 1]
    assert rejected["numberOfInstances"] == 5
    listed = {one["uid"] for series in rejected["series"] for one in series["instance"]}
    assert listed == {str(one.SOPInstanceUID) for one in (*chest.images[2:], note)}
    stack.delete(note.SOPInstanceUID, "Instance")
    stack.ask_for_sweep()
    until_version(stack, uid, 3)
    assert kept(stack, uid) == whole
    stack.store([part10(note)])
    until_version(stack, uid, 4)
    assert kept(stack, uid) == rejected


def test_monai_label_s_saves_have_right_labels_no_wrong_code_and_one_version_each(stack: Stack, chest: Case) -> None:
    uid = chest.header.study_uid
    stack.store(map(part10, chest.images))
    until_version(stack, uid, 1)
    patient = stack.imaging_study(uid)["subject"]["reference"]
    for number, kind in ((2, Kind.BINARY), (3, Kind.LABELMAP)):
        made = segmentation(chest.header, chest.images, kind, 7 + number)
        stack.store([part10(made)])
        until_version(stack, uid, number)
        (series,) = [one for one in kept(stack, uid)["series"] if one["uid"] == made.SeriesInstanceUID]
        assert (series["modality"]["code"], series["numberOfInstances"]) == ("SEG", 1)
        assert series["instance"][0]["sopClass"]["code"] == f"urn:oid:{made.SOPClassUID}"
        said = {one["description"]: one for one in structures(stack, patient) if of_object(one, made.SOPInstanceUID)}
        assert set(said) == set(LABELS)
        codes = {label: [code["code"] for code in one["location"].get("coding", ())] for label, one in said.items()}
        assert codes == {"liver": [], "spleen": ["78961009"], "left kidney": []}
        assert said["liver"]["location"] == {"text": "liver"}


def structures(stack: Stack, patient: str) -> list[dict[str, Any]]:
    return stack.search("BodyStructure", patient=patient)


def of_object(structure: dict[str, Any], uid: str) -> bool:
    """Tell whether a BodyStructure is a segment of one object."""
    return any(one["value"].startswith(f"{uid}#") for one in structure["identifier"])


@pytest.mark.parametrize("accepted", [False, True])
def test_a_label_map_comes_by_c_store_where_its_class_is_known_or_unknown_ones_are_accepted(
    accepted: bool, new_orthanc: Callable[..., Orthanc], orthanc_class: type[Orthanc]
) -> None:
    """One Orthanc sends to another one; 1.10.1 does not know the class, 1.12.7 does."""
    knows = orthanc_class is OrthancInFolder
    port = free_port()
    dicom = {"DicomServerEnabled": True, "DicomPort": port, "DicomAlwaysAllowStore": True}
    new_orthanc(orthanc_class, plugin_script=None, overrides={**dicom, "UnknownSopClassAccepted": accepted})
    other = {"DicomModalities": {"other": ["ORTHANC", "127.0.0.1", port]}}
    sender = new_orthanc(orthanc_class, plugin_script=None, overrides=other)
    for name, arrives in (("monai-segmentation", True), ("monai-label-map", accepted or knows)):
        held = session().post(f"{sender.url}/instances", data=part10(sample(name)), auth=sender.auth, timeout=30)
        sent = session().post(
            f"{sender.url}/modalities/other/store", data=held.json()["ID"], auth=sender.auth, timeout=60
        )
        assert (sent.status_code == 200) == arrives, sent.text
