"""Work on a real Dask cluster: files and FHIR are the same, through the death of a worker and of the scheduler."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mapper.sinks.ndjson.sink import Ndjson
from stack import FhirServer, Orthanc, Postgres, free_port
from tests.support.stack import entries, orthanc_fhir, session, until
from tests.support.study import Sample, new_name, study

STUDIES = 150
DASK = str(Path(sys.executable).parent / "dask")


@pytest.fixture(scope="module")
def orthanc(run_folder: Path) -> Iterator[Orthanc]:
    """Run an Orthanc that holds studies, stable."""
    with Orthanc(run_folder / "cluster-orthanc", overrides={"StableAge": 1}, plugin_script=None) as server:
        http = session()
        for _ in range(STUDIES):
            for file in study(instances=1).files:
                http.post(f"{server.url}/instances", data=file, auth=server.auth, timeout=60).raise_for_status()
        listed = lambda: http.get(f"{server.url}/studies?expand", auth=server.auth, timeout=60).json()  # noqa: E731
        until(lambda: all(one["IsStable"] for one in listed()), 60)
        yield server
    server.clean()


class Cluster:
    """A scheduler and workers, as processes of their own on loopback."""

    def __init__(self, running: ExitStack, folder: Path) -> None:
        self._running, self._folder = running, folder
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.scheduler = self.start_scheduler()
        self.workers = [self.start_worker() for _ in range(2)]

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        port = self.address.rpartition(":")[2]
        return self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show")

    def start_worker(self) -> "subprocess.Popen[bytes]":
        options = ["--nthreads", "1", "--nworkers", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        return self._start("worker", self.address, *options, "--local-directory", str(self._folder))

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        log = (self._folder / f"{arguments[0]}.log").open("ab")
        process = subprocess.Popen([DASK, *arguments], stdout=log, stderr=log, cwd=self._folder)
        self._running.callback(log.close)
        self._running.callback(process.wait, 20)
        self._running.callback(process.kill)
        return process


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as running:
        yield Cluster(running, tmp_path)


@pytest.fixture(scope="module")
def fhir(run_folder: Path) -> Iterator[FhirServer]:
    with FhirServer(run_folder / "cluster-fhir") as server:
        yield server


def held(fhir: FhirServer, base: str) -> dict[str, dict[str, Any]]:
    """Return the ImagingStudies of an archive, known by the address of its Endpoint, by id."""
    found = entries(session(), f"{fhir.url}/ImagingStudy", {"_count": "500", "_include": "ImagingStudy:endpoint"})
    ids = {f"Endpoint/{one['id']}" for one in found if one.get("address", "").startswith(base)}
    return {one["id"]: one for one in found if any(it["reference"] in ids for it in one.get("endpoint", ()))}


def settings(orthanc: Orthanc) -> dict[str, str]:
    user, password = orthanc.auth or ("", "")
    there = {"ORTHANC_URL": orthanc.url, "ORTHANC_USER": user, "ORTHANC_PASSWORD": password, "TIMEOUT": "20"}
    return {f"ORTHANC_FHIR_{name}": value for name, value in there.items()}


def view(folder: Path) -> dict[tuple[str, str], str]:
    sink = Ndjson(folder)
    found = {(kind, one["id"]): json.dumps(one, default=str) for kind in sink.kinds() for one in sink.latest(kind)}
    sink.close()
    return found


def begun(arguments: list[str], environment: dict[str, str], folder: Path) -> "subprocess.Popen[str]":
    """Start a backfill and wait until some of it is done."""
    program = [str(Path(sys.executable).parent / "orthanc-fhir"), *arguments]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(program, env={**os.environ, **environment}, cwd="/", **pipes)
    until(lambda: any(path.stat().st_size > 5_000 for path in folder.glob(".ImagingStudy.*.part")), 90)
    return process


def test_a_worker_and_the_scheduler_may_die(orthanc: Orthanc, cluster: Cluster, tmp_path: Path) -> None:
    environment, out, plain = settings(orthanc), tmp_path / "out", tmp_path / "plain"
    out.mkdir()
    to = ["backfill", "--to", f"ndjson:{out}", "--dask", cluster.address, "--json"]

    first = begun(to, environment, out)
    cluster.workers[0].send_signal(signal.SIGKILL)
    said, wrong = first.communicate(timeout=120)
    assert first.returncode == 0, wrong
    assert json.loads(said)["written"] == STUDIES

    for path in [*out.glob("*.ndjson"), *out.glob(".index*")]:
        path.unlink()
    second = begun(to, environment, out)
    cluster.scheduler.send_signal(signal.SIGKILL)
    said, wrong = second.communicate(timeout=120)
    if second.returncode:  # it may have been at the last study
        assert "scheduler is gone" in wrong
        assert "Traceback" not in wrong
    cluster.scheduler = cluster.start_scheduler()
    cluster.workers.append(cluster.start_worker())
    third = orthanc_fhir(*to, **environment)
    assert third.returncode == 0, third.stderr
    assert json.loads(third.stdout)["listed"] == STUDIES

    assert orthanc_fhir("backfill", "--to", f"ndjson:{plain}", **environment).returncode == 0
    assert view(out) == view(plain)


def test_no_scheduler_is_one_line(orthanc: Orthanc, tmp_path: Path) -> None:
    to = ["backfill", "--to", f"ndjson:{tmp_path}", "--dask", f"tcp://127.0.0.1:{free_port()}"]
    said = orthanc_fhir(*to, **settings(orthanc))
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.strip().splitlines()[-1].startswith("orthanc-fhir: --dask: no scheduler answers there")


def into(orthanc: Orthanc, fhir: FhirServer, ledger: str, name: str) -> dict[str, str]:
    """Return the settings of a backfill into FHIR, of an archive with an address and ids of its own."""
    public = f"https://{name}.example.org"
    ours = {"ORTHANC_PUBLIC_URL": public, "BASE": f"{public}/id", "NAMESPACE": str(uuid4())}
    more = {"FHIR_URL": fhir.url, "LEDGER": ledger, **ours}
    return settings(orthanc) | {f"ORTHANC_FHIR_{key}": value for key, value in more.items()}


def test_into_fhir_through_the_death_of_a_worker_nothing_is_twice(
    orthanc: Orthanc, fhir: FhirServer, cluster: Cluster, tmp_path: Path
) -> None:
    environment = into(orthanc, fhir, f"sqlite:///{tmp_path}/ledger.db", "one")
    program = [str(Path(sys.executable).parent / "orthanc-fhir"), "backfill", "--dask", cluster.address]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [*program, "--report", "--json"]
    with subprocess.Popen(command, env={**os.environ, **environment}, cwd="/", **pipes) as running:
        until(lambda: len(held(fhir, "https://one.")) >= 5, 90)
        second = orthanc_fhir("backfill", "--dask", cluster.address, **environment)
        cluster.workers[0].send_signal(signal.SIGKILL)
        said, wrong = running.communicate(timeout=300)
    assert running.returncode == 0, wrong
    facts = json.loads(said)
    assert (facts["synced"], facts["left"]) == (STUDIES, 0)
    assert all(not (day["missing"] or day["short"] or day["superfluous"]) for day in facts["days"])
    studies = held(fhir, "https://one.")
    assert {one["meta"]["versionId"] for one in studies.values()} == {"1"}

    assert (second.returncode, second.stdout) == (1, "")
    assert len(second.stderr.splitlines()) == 1
    assert "SQLite allows one" in second.stderr


def test_several_deliver_from_a_ledger_on_postgresql(
    orthanc: Orthanc, fhir: FhirServer, cluster: Cluster, postgres: Postgres
) -> None:
    environment = into(orthanc, fhir, postgres.create_database("cluster_ledger"), "several")
    program = [str(Path(sys.executable).parent / "orthanc-fhir"), "backfill", "--dask", cluster.address, "--json"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(program, env={**os.environ, **environment}, cwd="/", **pipes) for _ in range(2)]
    ended = [(one, *one.communicate(timeout=300)) for one in both]
    for one, said, wrong in ended:
        assert one.returncode == 0, wrong
        assert json.loads(said)["left"] == 0
    marked = [json.loads(said)["marked"] for _, said, _ in ended]
    assert sum(marked) == STUDIES
    studies = held(fhir, "https://several.")
    assert len(studies) == STUDIES
    assert {one["meta"]["versionId"] for one in studies.values()} == {"1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of files: of each of six patients five studies, which differ in what they say of the patient."""
    names = [new_name() for _ in range(6)]
    for number in range(30):
        birth = f"19{50 + number // 6}0101"
        made: Sample = study(PatientID=names[number % 6], PatientBirthDate=birth, StudyDate=f"202401{1 + number:02}")
        for one, file in enumerate(made.files):
            place = tmp_path / "in" / str(one)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.dcm").write_bytes(file)
    return tmp_path / "in"


def test_a_folder_by_workers_says_the_same_and_into_fhir_it_does_so_once(
    fhir: FhirServer, cluster: Cluster, folder: Path, tmp_path: Path
) -> None:
    plain = orthanc_fhir("convert", "--each-study", str(folder))
    assert plain.returncode == 0, plain.stderr
    assert len(plain.stdout.splitlines()) == 30
    there = orthanc_fhir("convert", "--each-study", str(folder), "--dask", cluster.address)
    assert there.stdout == plain.stdout

    to = ["convert", "--each-study", str(folder), "--to", "fhir", "--memory", str(tmp_path / "memory")]
    environment = {"ORTHANC_FHIR_FHIR_URL": fhir.url, "ORTHANC_FHIR_BASE": "https://folder.example.org/id"}
    first = orthanc_fhir(*to, "--dask", cluster.address, **environment)
    assert first.returncode == 0, first.stderr
    kept = view(tmp_path / "memory")
    assert sum(kind == "ImagingStudy" for kind, _ in kept) == 30
    assert sum(kind == "Patient" for kind, _ in kept) == 6
    assert f"{len(kept)} resources sent, 0 were there, 0 left alone" in first.stdout
    again = orthanc_fhir(*to, **environment)
    assert (again.returncode, again.stdout) == (0, f"0 resources sent, {len(kept)} were there, 0 left alone\n")
    http = session()
    for (kind, id), text in kept.items():
        answer = http.get(f"{fhir.url}/{kind}/{id}", timeout=60).json()
        assert answer["meta"]["versionId"] == "1", "also what several studies say went out once"
        if kind == "Patient":
            assert answer["birthDate"] == json.loads(text)["birthDate"] == "1954-01-01", "as the newest says it"


def test_another_that_the_server_holds_is_left_alone_and_told(fhir: FhirServer, folder: Path, tmp_path: Path) -> None:
    base = {"ORTHANC_FHIR_FHIR_URL": fhir.url, "ORTHANC_FHIR_BASE": "https://other.example.org/id"}
    to = ["convert", "--each-study", str(folder), "--to", "fhir", "--memory"]
    assert orthanc_fhir(*to, str(tmp_path / "one"), **base).returncode == 0
    (changed, *_) = [json.loads(text) for (kind, _), text in view(tmp_path / "one").items() if kind == "Patient"]
    address = f"{fhir.url}/Patient/{changed['id']}"
    session().put(address, json={**changed, "gender": "male"}, timeout=60).raise_for_status()
    said = orthanc_fhir(*to, str(tmp_path / "two"), **base)
    assert said.returncode == 1, said.stderr
    assert f"Patient/{changed['id']}: the server holds another" in said.stderr
    assert session().get(address, timeout=60).json()["gender"] == "male"
