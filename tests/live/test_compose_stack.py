"""The demo in containers, as `make demo` starts it: it works in its confinement, and nobody else reads its files."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from rich.console import Console

from demo.arrival import arrive
from demo.compose import IMAGES, ComposeStack, project
from demo.environment import Ports
from stack import free_port
from tests.support.containers import assert_confined, container, docker, need_engine

pytestmark = pytest.mark.container

SERVICES = ("orthanc", "mapper", "fhir", "database")


@pytest.fixture(scope="module")
def stack(run_folder: Path) -> Iterator[ComposeStack]:
    """Run the demo in containers, in a project of this run, until every study is in FHIR."""
    need_engine()
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


def built() -> None:
    """Leave out what the official images do themselves, or cannot."""
    if IMAGES.read_text().strip() != "build":
        pytest.skip("the official image does as its makers want")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_runs_confined(stack: ComposeStack, service: str) -> None:
    assert_confined(container(stack, service))


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
