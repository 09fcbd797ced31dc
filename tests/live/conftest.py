"""Real servers for the tests of this folder: started here, stopped and removed here."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from stack import FhirServer, Mapper, Orthanc, OrthancInFolder, Postgres
from stack.orthanc_in_folder import INSIDE
from stack.process import ROOT
from tests.support.browser import CHROMIUM, QUIET
from tests.support.plugged import untested

HERE = Path(__file__).parent
ORTHANCS = {"orthanc-debian": Orthanc, "orthanc-1.12.7": OrthancInFolder}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, so that `-m 'not live'` leaves them out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def run_folder() -> Iterator[Path]:
    """Give a folder of this run, which PostgreSQL's own user can enter (pytest's tmp_path it cannot)."""
    folder = ROOT / ".run/tests" / str(os.getpid())
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def test_folder(run_folder: Path, request: pytest.FixtureRequest) -> Path:
    """Give a folder of one test."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    folder = run_folder / f"{name}-{len(list(run_folder.iterdir()))}"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def fhir_server(run_folder: Path) -> Iterator[FhirServer]:
    """Run HAPI in memory, refusing unknown elements; shared, so tests use identifiers of their own."""
    with FhirServer(run_folder / "fhir") as server:
        yield server


@pytest.fixture(scope="session")
def validating_fhir_server(run_folder: Path) -> Iterator[FhirServer]:
    """Run HAPI in memory, validating every body against the R4 profiles."""
    with FhirServer(run_folder / "fhir-validating", validate_requests=True) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(run_folder: Path) -> Iterator[Postgres]:
    """Run PostgreSQL; tests create databases of their own."""
    with Postgres(run_folder / "postgres") as server:
        yield server
    server.clean()


@pytest.fixture(params=ORTHANCS)
def orthanc_class(request: pytest.FixtureRequest) -> type[Orthanc]:
    """Give each Orthanc that this machine can run: Debian's own, and 1.12.7 in a folder."""
    chosen = ORTHANCS[request.param]
    if chosen is OrthancInFolder and not INSIDE.exists():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("Orthanc 1.12.7 is not here: setup/orthanc-trixie.sh (as root) puts it there")
    return chosen


@pytest.fixture
def new_orthanc(test_folder: Path) -> Iterator[Callable[..., Orthanc]]:
    """Give a function that starts an Orthanc (kind=OrthancInFolder for the newer) and forgets it after the test."""
    with ExitStack() as running:

        def start(kind: type[Orthanc] = Orthanc, **arguments: Any) -> Orthanc:
            folder = test_folder / f"orthanc-{len(list(test_folder.iterdir()))}"
            orthanc = kind(folder, **arguments)
            running.callback(orthanc.clean)
            running.callback(orthanc.kill)  # runs first: a polite stop takes Orthanc two seconds
            return orthanc.start().wait_ready()

        yield start


@pytest.fixture
def new_mapper(test_folder: Path) -> Iterator[Callable[..., Mapper]]:
    """Give a function that starts a mapper and stops it after the test."""
    with ExitStack() as running:

        def start(orthanc: Orthanc, fhir: FhirServer, **arguments: Any) -> Mapper:
            folder = test_folder / f"mapper-{len(list(test_folder.iterdir()))}"
            mapper = Mapper(folder, orthanc=orthanc, fhir=fhir, **arguments)
            running.callback(mapper.stop)
            return mapper.start().wait_ready()

        yield start


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        untested(f"{CHROMIUM} is not here, setup/browser.sh installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()
