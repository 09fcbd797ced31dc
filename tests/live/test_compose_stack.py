"""The demo in containers, as `make demo` starts it: it works in its confinement, and nobody else reads its files."""

import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from rich.console import Console

from demo.arrival import arrive
from demo.compose import IMAGES, ComposeStack, engine_answers, project
from demo.environment import Ports
from stack import free_port

pytestmark = pytest.mark.container

SERVICES = ("orthanc", "mapper", "fhir", "database")


@pytest.fixture(scope="module")
def stack(run_folder: Path) -> Iterator[ComposeStack]:
    """Run the demo in containers, in a project of this run, until every study is in FHIR."""
    if not engine_answers():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("no container engine with compose v2 answers: setup/docker.sh starts one")
    folder = run_folder / "containers"
    folder.mkdir()
    ports = Ports(free_port(), free_port(), free_port(), free_port())
    made = ComposeStack(folder / "stack", ports, folder / "demo.env", project(folder))
    try:
        made.up()
        written = io.StringIO()
        assert arrive(made, Console(file=written), 180), written.getvalue()
        yield made
    finally:
        made.clean()
    left = docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={made.project}")
    assert left == "", "clean leaves no volume"


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True, timeout=60).stdout


def container(stack: ComposeStack, service: str) -> dict[str, Any]:
    """Return what the engine knows of the one container of a service."""
    (name,) = docker(
        "ps", "--quiet",
        "--filter", f"label=com.docker.compose.project={stack.project}",
        "--filter", f"label=com.docker.compose.service={service}",
    ).split()  # fmt: skip
    return dict(json.loads(docker("inspect", name))[0])


def built() -> None:
    """Leave out what the official images do themselves, or cannot."""
    if IMAGES.read_text().strip() != "build":
        pytest.skip("the official image does as its makers want")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_runs_confined(stack: ComposeStack, service: str) -> None:
    found = container(stack, service)
    host, pid = found["HostConfig"], found["State"]["Pid"]
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[capabilities], 16) == 0, capabilities
    assert status["NoNewPrivs"] == "1"
    assert host["ReadonlyRootfs"] is True
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert found["RestartCount"] == 0, "within its limits"
    assert found["State"]["OOMKilled"] is False


@pytest.mark.parametrize(
    ("service", "place"),
    [("mapper", "/var/lib/orthanc-fhir"), ("orthanc", "/var/lib/orthanc/db"), ("database", "/var/lib/postgresql/data")],
)
def test_what_a_service_stores_is_its_own_alone(stack: ComposeStack, service: str, place: str) -> None:
    if service != "mapper":
        built()
    inside = container(stack, service)["Id"]
    assert int(docker("exec", inside, "sh", "-c", f"find {place} -mindepth 1 | wc -l")) > 2
    assert docker("exec", inside, "find", place, "-mindepth", "1", "-perm", "/077") == ""


def test_the_mappers_commands_work_beside_it(stack: ComposeStack) -> None:
    assert stack.cli(["studies", "--limit", "1"]) == 0


@pytest.mark.parametrize("login", [None, ("demo", "demo")])
def test_orthanc_lets_nobody_in_with_what_everybody_knows(stack: ComposeStack, login: tuple[str, str] | None) -> None:
    assert requests.get(f"{stack.orthanc_url}/system", auth=login, timeout=10).status_code == 401
    assert requests.get(f"{stack.orthanc_url}/system", auth=stack.orthanc_auth, timeout=10).status_code == 200


def test_the_fhir_server_answers_for_no_other_host(stack: ComposeStack) -> None:
    built()
    url = f"{stack.fhir_url}/Patient?_summary=count"
    assert requests.get(url, headers={"Host": "evil.example"}, timeout=30).status_code == 421
    for host in ("localhost", "fhir:8080"):
        assert requests.get(url, headers={"Host": host}, timeout=30).status_code == 200
