"""Kills, restarts and lost events on real servers: in the end FHIR says what Orthanc says, and says it once."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.state import OPEN
from stack import FhirServer, Orthanc, OrthancInFolder, Postgres
from stack.orthanc_in_folder import INSIDE
from tests.live.conftest import ORTHANCS
from tests.support.stack import Stack, until
from tests.support.study import Sample, study

STUDIES = 20
PAUSE = 0.3
RECOVERY = 120.0
"""Seconds for a FHIR server to come back, the breaker to notice and twenty studies to follow."""


@pytest.fixture(scope="module")
def database(run_folder: Path) -> Iterator[Postgres]:
    """Run a PostgreSQL of our own: we kill it."""
    with Postgres(run_folder / "faults-postgres") as server:
        yield server
    server.clean()


@pytest.fixture(scope="module")
def durable(run_folder: Path, database: Postgres) -> Iterator[FhirServer]:
    """Run HAPI on PostgreSQL: what it acknowledged survives its death."""
    with FhirServer(run_folder / "faults-fhir", database=database, jdbc_timeout=3) as server:
        yield server


@pytest.fixture(scope="module")
def stack(run_folder: Path, durable: FhirServer) -> Iterator[Stack]:
    with Stack(run_folder / "faults", durable) as running:
        yield running


@pytest.fixture(autouse=True)
def everything_runs(stack: Stack, database: Postgres) -> Iterator[None]:
    """Start again whatever a failed test left dead, and let the mapper end what a test left it to do."""
    yield
    for server in (database, stack.fhir, stack.orthanc, stack.mapper):
        server.start().wait_ready()
    until(lambda: not any(left_open(stack).values()), RECOVERY, say=lambda: left_open(stack))


def left_open(stack: Stack) -> dict[str, int]:
    """Return how many studies are in each of the states in which something is still to be done."""
    counts = stack.api("GET", "/api/status").json()["counts"]
    return {state: counts[state] for state in OPEN}


def uploading(stack: Stack, samples: list[Sample]) -> threading.Thread:
    """Upload in the background, a study after the other with pauses as from a modality."""

    def run() -> None:
        for sample in samples:
            stack.upload(sample)
            threading.Event().wait(PAUSE)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def all_there_once(stack: Stack, samples: list[Sample]) -> None:
    for sample in samples:
        stack.until_found(sample.uid, len(sample.datasets), seconds=RECOVERY)
    for sample in samples:
        stack.until_state(sample.uid, "synced", seconds=RECOVERY)
        assert len(stack.found(sample.uid)) == 1
        assert len(stack.search("Patient", identifier=sample.patient_id)) == 1


# The mapper ---------------------------------------------------------------------------------------------------


def test_studies_that_came_and_went_while_the_mapper_was_down_are_dealt_with_when_it_starts(stack: Stack) -> None:
    gone, came = study(), study()
    stack.upload(gone)
    stack.until_state(gone.uid, "synced")

    stack.mapper.stop()
    stack.upload(came)
    stack.delete(gone.uid)
    (came_id,) = stack.orthanc_ids(came.uid)
    until(lambda: stack.pacs("GET", f"/studies/{came_id}").json()["IsStable"])
    stack.mapper.start().wait_ready()

    stack.until_found(came.uid, 2)
    stack.until_state(gone.uid, "removed")
    assert stack.imaging_study(gone.uid)["status"] == "unknown"


def test_the_mapper_killed_in_the_middle_of_its_work_goes_on_with_it(stack: Stack) -> None:
    samples = [study(instances=3) for _ in range(STUDIES)]
    thread = uploading(stack, samples)
    try:
        for sample in (samples[0], samples[STUDIES // 2]):  # in the midst of it: some are done, others are not
            stack.until_found(sample.uid)
            stack.mapper.kill()
            stack.mapper.start().wait_ready()
    finally:
        thread.join()

    all_there_once(stack, samples)


def test_a_lost_ledger_changes_nothing_in_fhir(stack: Stack) -> None:
    sample = study()
    stack.upload(sample)
    stack.until_state(sample.uid, "synced")
    before = stack.versions(sample.uid)

    stack.mapper.stop()
    for file in stack.mapper.folder.glob("ledger.db*"):
        file.unlink()
    stack.mapper.start().wait_ready()
    stack.until_state(sample.uid, "synced")

    assert stack.versions(sample.uid) == before


# The FHIR server and its database -----------------------------------------------------------------------------


def test_studies_uploaded_while_the_fhir_server_is_killed_all_appear_once(stack: Stack) -> None:
    samples = [study(instances=3) for _ in range(STUDIES)]
    thread = uploading(stack, samples)
    try:
        until(lambda: stack.found(samples[0].uid))
        assert thread.is_alive(), "killed while studies still arrive"
        stack.fhir.kill()
    finally:
        thread.join()
    until(lambda: "down" in stack.mapper.log_tail(200))
    assert all(stack.state(sample.uid)["state"] != "parked" for sample in samples)
    stack.fhir.start().wait_ready()

    all_there_once(stack, samples)


def test_a_database_that_dies_under_a_living_fhir_server_burns_no_attempt_of_a_study(
    stack: Stack, database: Postgres
) -> None:
    database.kill()
    sample = study()
    stack.upload(sample)
    stack.until_state(sample.uid, "retrying", seconds=60)
    row = Ledger(Database(stack.mapper.ledger)).rows.find(sample.uid)
    assert row is not None
    assert row.attempts == 0
    database.start().wait_ready()
    until(lambda: stack.count("Patient") >= 0)

    all_there_once(stack, [sample])


# Orthanc ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ORTHANCS.values(), ids=ORTHANCS)
def test_a_study_whose_stability_orthanc_forgets_in_a_restart_still_appears(
    run_folder: Path, durable: FhirServer, kind: type[Orthanc]
) -> None:
    if kind is OrthancInFolder and not INSIDE.exists():
        pytest.skip("Orthanc 1.12.7 is not here: setup/orthanc-trixie.sh (as root) puts it there")
    with Stack(run_folder / f"restart-{kind.__name__}", durable, kind, overrides={"StableAge": 600}) as stack:
        sample = study()
        stack.upload(sample)
        (orthanc_id,) = stack.orthanc_ids(sample.uid)
        assert not stack.pacs("GET", f"/studies/{orthanc_id}").json()["IsStable"]

        stack.orthanc.kill()
        until(lambda: "source down" in stack.mapper.log_tail(50))
        stack.orthanc.start().wait_ready()

        stack.until_found(sample.uid, 2, seconds=90)
