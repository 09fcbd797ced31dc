"""Orthancs with the plugin, of each version at hand, for the tests of the plugin and of its pages."""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import requests
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from stack import Orthanc, OrthancInFolder
from stack.orthanc_in_folder import INSIDE
from tests.support.mapper_fake import MapperFake, study_state

TOKEN = "secret-token"
ORTHANCS: dict[str, type[Orthanc]] = {"1.10.1": Orthanc, "1.12.7": OrthancInFolder}
PAGES = "https://pacs.example/mapper"
"""The mapper as people's browsers reach it."""
PATIENT = "Example^Ännchen"

Make = Callable[..., Orthanc]


def untested(why: str) -> None:
    """Fail on CI, skip elsewhere: nothing is left out silently."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"NOT TESTED: {why}")


@pytest.fixture(scope="module", params=list(ORTHANCS))
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Make an Orthanc of each version, not started, in a folder of its own; clean it away in the end."""
    kind = ORTHANCS[request.param]
    if kind is OrthancInFolder and not (INSIDE / "usr/sbin/Orthanc").exists():
        untested("Orthanc 1.12.7 is not here, setup/orthanc-trixie.sh (as root) puts it there")
    made: list[Orthanc] = []

    def make(mapper_url: str = "", token: str = TOKEN, more: Mapping[str, Any] | None = None, **others: Any) -> Orthanc:
        folder = tmp_path_factory.mktemp("orthanc")
        made.append(
            kind(folder, overrides={"StableAge": 1, **(more or {})}, mapper_url=mapper_url, token=token, **others)
        )
        return made[-1]

    yield make
    for orthanc in made:
        orthanc.clean()


def call(orthanc: Orthanc, method: str, path: str, **others: Any) -> requests.Response:
    return requests.request(method, orthanc.url + path, auth=orthanc.auth, timeout=30, **others)


def upload(orthanc: Orthanc, uid: str = "") -> tuple[str, str]:
    """Store one instance of a new study, under a UID of one's own if given; give Orthanc's id of it and its UID."""
    instance = dcmread(str(get_testdata_file("CT_small.dcm")))
    instance.SpecificCharacterSet, instance.PatientName, instance.PatientID = "ISO_IR 192", PATIENT, generate_uid()
    instance.StudyInstanceUID, instance.SeriesInstanceUID = uid or generate_uid(), generate_uid()
    instance.SOPInstanceUID = instance.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    instance.save_as(buffer := io.BytesIO(), enforce_file_format=True)
    answer = call(orthanc, "POST", "/instances", data=buffer.getvalue())
    answer.raise_for_status()
    return str(answer.json()["ParentStudy"]), str(instance.StudyInstanceUID)


@pytest.fixture(scope="module")
def plugged(make: Make) -> Iterator[tuple[Orthanc, MapperFake]]:
    """A started Orthanc with the plugin, and the mapper that it asks; a module's tests share both."""
    with MapperFake(TOKEN) as mapper, make(mapper.url, mapper_public_url=PAGES) as orthanc:
        yield orthanc, mapper


@pytest.fixture
def orthanc(plugged: tuple[Orthanc, MapperFake]) -> Orthanc:
    return plugged[0]


@pytest.fixture
def mapper(plugged: tuple[Orthanc, MapperFake]) -> Iterator[MapperFake]:
    """That mapper, which knows of no study yet and forgets what a test has it answer."""
    mapper = plugged[1]
    mapper.states.clear()
    mapper.syncs.clear()
    yield mapper
    mapper.answer = lambda method, path: None
    mapper.on_sync = lambda uid, wait: study_state(uid)
    assert not mapper.unexpected


@pytest.fixture(scope="module")
def studies(plugged: tuple[Orthanc, MapperFake]) -> list[tuple[str, str]]:
    """Two studies of that Orthanc, by its id and by UID."""
    return [upload(plugged[0]) for _ in range(2)]
