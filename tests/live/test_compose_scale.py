"""The profile `scale`: two mappers on one ledger in PostgreSQL, and a Dask cluster that reads, each in a container."""

import json
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from demo.compose import ComposeStack, project
from demo.environment import Ports
from stack import free_port
from stack.process import ROOT
from tests.support.containers import assert_confined, container, docker, need_engine
from tests.support.stack import Json, entries, session, until
from tests.support.study import Sample, new_name, study

pytestmark = pytest.mark.container

SERVICES = ("orthanc", "mapper", "fhir", "database", "mapper-2", "ledger", "scheduler", "worker-1", "worker-2")
STUDIES, PATIENTS = 60, 9
WHO_READ = """
import sys
from distributed import Client
print(sorted(Client("tcp://scheduler.cluster:8786").run(lambda: "mapper.jobs.reading" in sys.modules).items()))
"""


class Scaled(ComposeStack):
    """The demo's containers with the profile, as its line in the environment file asks for."""

    def __init__(self, folder: Path) -> None:
        self.port_2 = free_port()
        secret = folder / "ledger-password"
        secret.write_text(secrets.token_urlsafe(24))
        secret.chmod(0o644)  # the containers' users read it; nobody else gets into its folder
        (folder / "demo.env").write_text(
            "COMPOSE_PROFILES=scale\n"
            "ORTHANC_FHIR_LEDGER=postgresql+psycopg://ledger@ledger/ledger\n"
            "ORTHANC_FHIR_LEDGER_PASSWORD_FILE=/run/secrets/ledger-password\n"
            f"LEDGER_PASSWORD_FILE={secret}\n"
            f"MAPPER_2_PORT={self.port_2}\n"
        )
        ports = Ports(free_port(), free_port(), free_port(), free_port())
        super().__init__(folder / "stack", ports, folder / "demo.env", project(folder))

    def run(self, *words: str, seconds: float = 300) -> str:
        """Return what a command of compose prints."""
        command, environment = self._command(*words), self._environment()
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def told(self, path: str, *, second: bool = False) -> Json:
        """Return what one of the two mappers says."""
        url = f"http://127.0.0.1:{self.port_2}" if second else self.mapper_url
        answer = session().get(url + path, headers={"Authorization": f"Bearer {self.token}"}, timeout=30)
        answer.raise_for_status()
        return dict(answer.json())


@pytest.fixture(scope="module")
def stack(run_folder: Path) -> Iterator[Scaled]:
    """Run all of it, in a project of this run."""
    need_engine()
    folder = run_folder / "scaled"
    folder.mkdir(mode=0o700)
    made = Scaled(folder)
    try:
        made.up()
        yield made
    finally:
        made.clean()
    left = docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={made.project}")
    assert left == "", "clean leaves no volume"


def store(stack: Scaled, samples: Sequence[Sample]) -> None:
    """Store studies, and wait until Orthanc takes them for complete."""
    http = session()
    http.auth = stack.orthanc_auth
    for file in (file for sample in samples for file in sample.files):
        http.post(f"{stack.orthanc_url}/instances", data=file, timeout=60).raise_for_status()
    listed = lambda: http.get(f"{stack.orthanc_url}/studies?expand", timeout=60).json()  # noqa: E731
    until(lambda: all(one["IsStable"] for one in listed()), 60)


def held(stack: Scaled) -> dict[str, str]:
    """Return the version that FHIR holds of each study, by StudyInstanceUID; fails where one is there twice."""
    found = entries(session(), f"{stack.fhir_url}/ImagingStudy", {"_count": "200"})
    versions = {one["identifier"][0]["value"].removeprefix("urn:oid:"): one["meta"]["versionId"] for one in found}
    assert len(versions) == len(found)
    return versions


def synced(stack: Scaled) -> list[int]:
    """Return how many studies are done, as each of the mappers says."""
    return [int(stack.told("/api/studies?limit=1", second=second)["counts"]["synced"]) for second in (False, True)]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_runs_confined(stack: Scaled, service: str) -> None:
    found = container(stack, service)
    assert_confined(found)
    status = Path(f"/proc/{found['State']['Pid']}/status").read_text()
    assert "\nUid:\t0" not in status, "nothing runs as root"


def test_no_secret_of_the_ledger_stands_in_an_environment(stack: Scaled) -> None:
    secret = (stack.env_file.parent / "ledger-password").read_text()
    for service in SERVICES:
        assert secret not in json.dumps(container(stack, service)["Config"])


def test_what_is_no_part_of_the_cluster_reaches_neither_scheduler_nor_worker(stack: Scaled) -> None:
    inside = container(stack, "orthanc")["Id"]
    addresses = [
        network["IPAddress"]
        for service in ("scheduler", "worker-1", "worker-2")
        for network in container(stack, service)["NetworkSettings"]["Networks"].values()
    ]
    assert len(addresses) == 5
    tried = "import socket, sys; s = socket.socket(); s.settimeout(1); print(s.connect_ex((sys.argv[1], 8786)) == 0)"
    for address in addresses:
        assert docker("exec", inside, "python3", "-c", tried, address).strip() == "False"


def test_a_backfill_through_the_cluster_is_complete_and_both_mappers_know_it(stack: Scaled) -> None:
    patients = [new_name() for _ in range(PATIENTS)]
    samples = [study(instances=2, PatientID=patients[number % PATIENTS]) for number in range(STUDIES)]
    stack.run("stop", "mapper", "mapper-2")
    store(stack, samples)
    words = ["backfill", "--dask", "tcp://scheduler.cluster:8786", "--report", "--json"]
    told = json.loads(stack.run("run", "--rm", "--no-TTY", "mapper", *words))
    assert (told["synced"], told["left"]) == (STUDIES, 0)
    assert sum(day["fhir"] for day in told["days"]) == STUDIES
    assert held(stack) == {sample.uid: "1" for sample in samples}

    stack.run("up", "--detach", "--wait", "mapper", "mapper-2")
    assert synced(stack) == [STUDIES] * 2
    answer = stack.run("exec", "--no-TTY", "mapper", "python3", "-c", WHO_READ)
    assert answer.count("True") == 2, "both workers have read"
    assert held(stack) == {sample.uid: "1" for sample in samples}, "what is done is done for both"


def test_live_work_is_shared_and_what_one_is_told_the_other_knows(stack: Scaled) -> None:
    before = held(stack)
    samples = [study(instances=1) for _ in range(STUDIES)]
    store(stack, samples)
    until(lambda: len(held(stack)) == len(before) + STUDIES, 120)
    until(lambda: synced(stack) == [len(before) + STUDIES] * 2, 60)
    assert set(held(stack).values()) == {"1"}
    shares = [
        sum('"fate": "synced"' in line or '"fate":"synced"' in line for line in stack.run("logs", name).splitlines())
        for name in ("mapper", "mapper-2")
    ]
    assert min(shares) > 0, shares
