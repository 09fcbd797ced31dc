"""Many at once: threads that push one patient's studies, and two mappers that share one ledger."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from samples.dataset import part10
from stack import FhirServer, Mapper, Orthanc, Postgres
from tests.convergence.fault import is_stopped
from tests.convergence.launcher_names import LEASE
from tests.convergence.proxy import Proxy
from tests.convergence.servers import Launched
from tests.support.stack import TOKEN, Stack, references, session, until
from tests.support.study import Sample, new_name, study

THREADS = 20
MANY = int(os.environ.get("CONVERGENCE_STUDIES", "2000"))
"""Studies that two replicas share; 2,000 take three minutes on two cores."""
PATIENTS = 50


@pytest.fixture(scope="module")
def database(run_folder: Path) -> Iterator[Postgres]:
    """Run a PostgreSQL of our own: for the ledgers, and for a FHIR server that keeps what it has."""
    with Postgres(run_folder / "replicas-postgres") as server:
        yield server
    server.clean()


@pytest.fixture(scope="module")
def durable(run_folder: Path, database: Postgres) -> Iterator[FhirServer]:
    """Run HAPI on PostgreSQL."""
    with FhirServer(run_folder / "replicas-fhir", database=database) as server:
        yield server


@pytest.fixture(scope="module")
def stack(run_folder: Path, durable: FhirServer) -> Iterator[Stack]:
    with Stack(run_folder / "replicas", durable, settings={"ORTHANC_FHIR_WORKERS": "8"}) as running:
        yield running


# One patient --------------------------------------------------------------------------------------------------


def test_twenty_threads_that_push_a_new_patients_studies_make_one_patient_and_lose_no_study(stack: Stack) -> None:
    patient = new_name()
    samples = [study(PatientID=patient, instances=1, StudyDate=f"202401{day:02d}") for day in range(1, THREADS + 1)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(stack.upload, samples))
    for sample in samples:
        stack.until_state(sample.uid, "synced", "parked", seconds=90)

    assert Counter(stack.state(sample.uid)["state"] for sample in samples) == {"synced": THREADS}
    (only,) = stack.search("Patient", identifier=patient)
    for sample in samples:
        assert stack.imaging_study(sample.uid)["subject"]["reference"] == f"Patient/{only['id']}"
    assert not [line for line in lines(stack.mapper) if line.get("fate") == "parked"]


def test_a_hundred_re_syncs_change_no_version(stack: Stack) -> None:
    sample = study()
    stack.upload(sample)
    stack.until_state(sample.uid, "synced")
    before = stack.versions(sample.uid)
    for _ in range(100):
        assert stack.sync(sample.uid)["state"] == "synced"
    assert stack.versions(sample.uid) == before


@pytest.mark.parametrize("newer_first", [False, True], ids=["older first", "newer first"])
def test_two_studies_that_disagree_about_their_patient_do_not_move_the_patient(stack: Stack, newer_first: bool) -> None:
    older = study(StudyDate="20230101", PatientName="Older^Name", PatientSex="F")
    newer = study(StudyDate="20240101", PatientName="Newer^Name", PatientSex="M", PatientID=older.patient_id)
    arrival = [newer, older] if newer_first else [older, newer]
    for sample in arrival:
        stack.upload(sample)
        stack.until_state(sample.uid, "synced")
    before = {**stack.versions(older.uid), **stack.versions(newer.uid)}
    (patient,) = stack.search("Patient", identifier=older.patient_id)
    assert patient["name"][0]["family"] == "Newer"

    for sample in (older, newer, newer, older, older):
        assert stack.sync(sample.uid)["state"] == "synced"
    assert {**stack.versions(older.uid), **stack.versions(newer.uid)} == before


# Two replicas -------------------------------------------------------------------------------------------------


class Flights:
    """Knows which ImagingStudies are being written at each moment, and remembers those that were twice."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.twice: list[str] = []
        self._lock = threading.Lock()

    @contextmanager
    def over(self, body: bytes) -> Iterator[None]:
        """Count one write in."""
        ids = {one["resource"]["id"] for one in json.loads(body)["entry"] if "ImagingStudy" in one["request"]["url"]}
        with self._lock:
            self.now.update(ids)
            self.twice += [id for id in ids if self.now[id] > 1]
        try:
            yield
        finally:
            with self._lock:
                self.now.subtract(ids)


@contextmanager
def replicas(
    folder: Path, orthanc: Orthanc, fhir: FhirServer, ledger: str, fhir_url: str, number: int = 2
) -> Iterator[list[Launched]]:
    """Give mappers that share one ledger, not started; their leases are short."""
    settings = {"ORTHANC_FHIR_FHIR_URL": fhir_url}
    with ExitStack() as running:
        made = [
            Launched(folder / f"mapper-{n}", orthanc=orthanc, fhir=fhir, token=TOKEN, ledger=ledger, settings=settings)
            for n in range(number)
        ]
        for one in made:
            running.callback(one.kill)
        yield made


def lines(mapper: Mapper) -> list[dict[str, object]]:
    """Return the log lines of a mapper about studies."""
    found = (json.loads(line) for line in mapper.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in found if line.get("event") == "study"]


def done(mapper: Launched) -> int:
    """Return how many studies are synced."""
    return int(mapper.api("GET", "/api/studies?limit=1")["counts"]["synced"])


def store(orthanc: Orthanc, samples: list[Sample]) -> None:
    """Store many studies quickly."""
    http = session()
    http.auth = orthanc.auth
    with ThreadPoolExecutor(4) as pool:
        files = (part10(made) for sample in samples for made in sample.datasets)
        for answer in pool.map(lambda file: http.post(f"{orthanc.url}/instances", data=file, timeout=60), files):
            answer.raise_for_status()


def test_two_replicas_share_many_studies_and_one_of_them_is_killed(
    test_folder: Path, database: Postgres, durable: FhirServer
) -> None:
    patients = [new_name() for _ in range(PATIENTS)]
    samples = [study(instances=1, PatientID=patients[number % PATIENTS]) for number in range(MANY)]
    flights = Flights()
    with ExitStack() as running:
        orthanc = Orthanc(test_folder / "orthanc", overrides={"StableAge": 1}, plugin_script=None)
        running.callback(orthanc.clean)
        running.callback(orthanc.kill)
        orthanc.start().wait_ready()
        store(orthanc, samples)
        proxy = running.enter_context(Proxy(durable.url))
        proxy.flight = flights.over
        ledger = database.create_database(f"shared{orthanc.port}")
        first, second = running.enter_context(replicas(test_folder, orthanc, durable, ledger, proxy.url))
        began = time.monotonic()
        first.start()
        second.start()
        first.wait_ready()
        second.wait_ready()

        until(lambda: done(second) > MANY // 3, MANY)
        first.kill()
        until(lambda: done(second) == MANY, MANY, say=lambda: second.api("GET", "/api/studies?limit=1")["counts"])
        print(f"{MANY} studies in {time.monotonic() - began:.0f} s")

        finished = Counter(line["study"] for one in (first, second) for line in lines(one) if line["fate"] == "synced")
        shares = {one.folder.name: len(lines(one)) for one in (first, second)}

    assert flights.twice == []
    assert min(shares.values()) > MANY // 10, shares
    assert sum(finished.values()) >= MANY - 8, "each worker of the dead one may have had one that it could not name"
    http = session()
    for kind, ids in (("ImagingStudy", [sample.uid for sample in samples]), ("Patient", patients)):
        for id in ids:
            wanted = f"urn:dicom:uid|urn:oid:{id}" if kind == "ImagingStudy" else id
            found = http.get(f"{durable.url}/{kind}", params={"identifier": wanted}, timeout=30).json()["entry"]
            assert len(found) == 1
            assert kind == "Patient" or found[0]["resource"]["meta"]["versionId"] == "1"


def test_a_paused_replica_that_wakes_up_late_does_not_undo_the_newer_state(
    test_folder: Path, database: Postgres, durable: FhirServer
) -> None:
    with ExitStack() as running:
        orthanc = Orthanc(test_folder / "orthanc", overrides={"StableAge": 1}, plugin_script=None)
        running.callback(orthanc.clean)
        running.callback(orthanc.kill)
        orthanc.start().wait_ready()
        ledger = database.create_database(f"late{orthanc.port}")
        late, other = running.enter_context(replicas(test_folder, orthanc, durable, ledger, durable.url))
        late.start().wait_ready()
        sample = study(instances=1, StudyDescription="at first")
        store(orthanc, [sample])
        until(lambda: done(late) == 1)

        late.order.write_text("stop before put")
        sample.datasets[0].StudyDescription = "the late one's"
        store(orthanc, [sample])
        until(lambda: is_stopped(late.pid or 0))
        sample.datasets[0].StudyDescription = "newest"
        store(orthanc, [sample])
        other.start().wait_ready()
        until(lambda: "newest" in descriptions(durable, sample), 4 * LEASE + 30)
        os.kill(late.pid or 0, signal.SIGCONT)
        until(lambda: any("lease ran out" in str(line.get("reason")) for line in lines(late)))
        until(lambda: other.api("GET", "/api/studies?limit=1")["counts"]["synced"] == 1)

        assert descriptions(durable, sample) == ["newest", "at first"]
        held = current(durable, sample)
        assert held["status"] == "available"
        assert all(session().get(f"{durable.url}/{one}", timeout=30).status_code == 200 for one in references(held))


def current(fhir: FhirServer, sample: Sample) -> dict[str, object]:
    """Return the one ImagingStudy of a study."""
    query = {"identifier": f"urn:dicom:uid|urn:oid:{sample.uid}"}
    (entry,) = session().get(f"{fhir.url}/ImagingStudy", params=query, timeout=30).json()["entry"]
    return dict(entry["resource"])


def descriptions(fhir: FhirServer, sample: Sample) -> list[str]:
    """Return what every version of a study said, the newest first."""
    held = current(fhir, sample)
    newest = int(held["meta"]["versionId"])  # type: ignore[index]
    url = f"{fhir.url}/ImagingStudy/{held['id']}/_history"
    found = [session().get(f"{url}/{version}", timeout=30).json() for version in range(newest, 0, -1)]
    return [str(one["description"]) for one in found]
