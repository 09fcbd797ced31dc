"""Gives each test the fake and the real one; the real ones carry the marker `live`."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from stack import FhirServer, Orthanc, OrthancInFolder
from stack.orthanc_in_folder import INSIDE
from stack.process import ROOT
from tests.contract.archives import STABLE_AGE, Archive, InMemory, OverDicomweb, Real

KINDS = {"orthanc-debian": Orthanc, "orthanc-1.12.7": OrthancInFolder}
REAL = [pytest.param(kind, marks=pytest.mark.live) for kind in KINDS]
DICOMWEB = [pytest.param(f"dicomweb of {kind}", marks=pytest.mark.live) for kind in KINDS]
NewArchive = Callable[[], Archive]


@pytest.fixture
def uid() -> str:
    """Make a StudyInstanceUID that no other test uses."""
    return f"2.25.{uuid4().int >> 32}"


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """Give a folder for the servers of this run."""
    folder = ROOT / ".run/tests" / f"contract-{os.getpid()}"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def orthanc_of(kind: str, folder: Path) -> Orthanc:
    """Return an Orthanc that is not started yet."""
    chosen = KINDS[kind]
    if chosen is OrthancInFolder and not INSIDE.exists():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("Orthanc 1.12.7 is not here: setup/orthanc-trixie.sh (as root) puts it there")
    return chosen(folder / f"{kind}-{uuid4().hex[:8]}", overrides={"StableAge": STABLE_AGE}, plugin_script=None)


def archive_of(kind: str, folder: Path) -> Iterator[Archive]:
    """Run an archive of a kind."""
    if kind == "in memory":
        yield InMemory()
        return
    server = orthanc_of(kind.removeprefix("dicomweb of "), folder)
    with server:
        yield OverDicomweb(server) if kind.startswith("dicomweb") else Real(server)
    server.clean()


@pytest.fixture(params=["in memory", *REAL], scope="session")
def shared(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[Archive]:
    """Give one archive of each kind for many tests: they use studies of their own."""
    yield from archive_of(request.param, server_folder)


@pytest.fixture(params=["in memory", *REAL])
def empty(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[Archive]:
    """Give an archive that holds nothing yet."""
    yield from archive_of(request.param, server_folder)


@pytest.fixture(params=["in memory", *REAL, *DICOMWEB], scope="session")
def shared_any(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[Archive]:
    """Give one archive of each kind, those included that tell neither when a study moved nor whether it is stable."""
    yield from archive_of(request.param, server_folder)


@pytest.fixture(params=["in memory", *REAL, *DICOMWEB])
def empty_any(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[Archive]:
    """Give an archive of each of these kinds that holds nothing yet."""
    yield from archive_of(request.param, server_folder)


@pytest.fixture(scope="session")
def contract_fhir_server(server_folder: Path) -> Iterator[FhirServer]:
    """Run HAPI in memory; tests use ids of their own."""
    with FhirServer(server_folder / "fhir") as server:
        yield server
