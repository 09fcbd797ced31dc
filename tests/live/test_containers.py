"""The images and the compose file: what docker-compose.yml starts answers, and is open to nobody else."""

import hashlib
import json
import os
import re
import subprocess
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
import requests

from demo.compose import IMAGES, project
from stack.ports import free_port
from stack.process import ROOT
from tests.support.containers import need_engine

# before testcontainers reads them: no reaper image is needed, and ports are asked for on this machine
os.environ.update(
    TESTCONTAINERS_RYUK_DISABLED="true",
    TESTCONTAINERS_CONNECTION_MODE="docker_host",
    TESTCONTAINERS_HOST_OVERRIDE="127.0.0.1",
)

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import ExecWaitStrategy, HttpWaitStrategy

pytestmark = pytest.mark.container

SECRETS = {
    "POSTGRES_PASSWORD": "a",
    "ORTHANC_FHIR_TOKEN": "b",
    "ORTHANC_FHIR_ORTHANC_USER": "c",
    "ORTHANC_FHIR_ORTHANC_PASSWORD": "d",
    "ORTHANC_FHIR_NAMESPACE": "e",
    "ORTHANC_FHIR_BASE": "f",
    "ORTHANC_SITE_JSON": "./demo/orthanc.demo.json",
}
OFFICIAL, BUILT = "docker-compose.yml", "docker-compose.build.yml"
SERVICES = {"orthanc", "mapper", "fhir", "database"}
SCALE = {"ledger", "mapper-2", "scheduler", "worker-1", "worker-2"}
OURS = {"mapper", *SCALE} - {"ledger"}
"""Whose image is built of this checkout."""


@pytest.fixture(scope="module", autouse=True)
def _engine() -> None:
    need_engine()


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """Get the images (built here, or pulled) and return what compose makes of our files."""
    subprocess.run([ROOT / "setup/images.sh"], check=True)
    files = [OFFICIAL, BUILT] if IMAGES.read_text().strip() == "build" else [OFFICIAL]
    found: dict[str, dict[str, Any]] = configured(*files)["services"]
    return found


@pytest.fixture
def network() -> Iterator[Network]:
    """Give a network of its own to the containers of one test."""
    with Network() as made:
        yield made


def container(image: str, port: int, **environment: str) -> DockerContainer:
    """Make a container whose port is published on loopback alone."""
    made = DockerContainer(image).with_kwargs(labels={"orthanc-fhir.test": "true"})
    for name, value in environment.items():
        made.with_env(name, value)
    made.ports = {port: ("127.0.0.1", None)}  # type: ignore[dict-item]  # the engine knows it, the annotation does not
    return made


def configured(*files: str, **changes: str) -> dict[str, Any]:
    """Let compose read its files, without anything of .run/demo.env or of the caller's environment."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("ORTHANC_")}
    command = ["docker", "compose", "--env-file", "/dev/null"]
    for file in files:
        command += ["--file", file]
    answer = subprocess.run(
        [*command, "config", "--format", "json"],
        cwd=ROOT, env=outside | SECRETS | changes, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    read: dict[str, Any] = json.loads(answer.stdout)
    return read


@pytest.mark.parametrize("files", [(OFFICIAL,), (OFFICIAL, BUILT)], ids="+".join)
@pytest.mark.parametrize(("profile", "others"), [("", set()), ("scale", SCALE)], ids=["alone", "scale"])
def test_compose_publishes_on_loopback_only_and_pins_images(
    files: tuple[str, ...], profile: str, others: set[str]
) -> None:
    services = configured(*files, COMPOSE_PROFILES=profile)["services"]

    assert set(services) == SERVICES | others
    for name, service in services.items():
        assert {port["host_ip"] for port in service.get("ports", [])} <= {"127.0.0.1"}, name
        assert service["image"].partition(":")[2] not in ("", "latest"), name
        if files == (OFFICIAL,) and name not in OURS:
            assert re.search(r":v?\d+\.\d+", service["image"]), f"{name}: a tag that moves"
        assert service["healthcheck"]["test"], name
        if name not in {"orthanc", "fhir", "mapper", "mapper-2"}:
            assert "ports" not in service, f"{name} is for the others alone"


def test_what_runs_anything_for_whoever_reaches_it_listens_in_a_network_of_its_own() -> None:
    found = configured(OFFICIAL, COMPOSE_PROFILES="scale")
    assert found["networks"]["cluster"]["internal"] is True
    there = {name for name, service in found["services"].items() if "cluster" in service["networks"]}
    assert there == OURS
    assert set(found["services"]["scheduler"]["networks"]) == {"cluster"}
    for name in ("worker-1", "worker-2"):
        service = found["services"][name]
        assert service["networks"]["cluster"]["aliases"] == [f"{name}.cluster"], "a name of that network alone"
        assert service["command"] == ["--listen-address", f"tcp://{name}.cluster:8786"]


def test_the_scale_profile_tells_its_password_by_a_file_alone(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hidden")
    found = configured(OFFICIAL, COMPOSE_PROFILES="scale", LEDGER_PASSWORD_FILE=str(secret))
    assert found["secrets"]["ledger-password"]["file"] == str(secret)
    holders = {
        name for name, one in found["services"].items() for held in one.get("secrets", ()) if "led" in held["source"]
    }
    assert holders == {"ledger", "mapper", "mapper-2"}
    assert found["services"]["ledger"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/ledger-password"


@pytest.mark.parametrize("files", [(OFFICIAL,), (OFFICIAL, BUILT)], ids="+".join)
@pytest.mark.parametrize("name", sorted(SERVICES | SCALE))
def test_compose_confines_every_service(files: tuple[str, ...], name: str) -> None:
    service = configured(*files, COMPOSE_PROFILES="scale")["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["mem_limit"]) <= 2 << 30
    assert 0 < service["pids_limit"] <= 512
    assert all(":size=" in place for place in service["tmpfs"]), "a full /tmp is not a full machine"
    assert {mount["type"] for mount in service.get("volumes", []) if not mount.get("read_only")} <= {"volume"}
    assert not {"network_mode", "pid", "ipc", "devices"} & service.keys()


@pytest.mark.parametrize("files", [(OFFICIAL,), (OFFICIAL, BUILT)], ids="+".join)
def test_two_checkouts_share_no_volume_and_no_network(files: tuple[str, ...]) -> None:
    made = [configured(*files, COMPOSE_PROJECT_NAME=project(ROOT / name)) for name in ("a", "b")]

    for kind in ("volumes", "networks"):
        one, other = ({thing["name"] for thing in config[kind].values()} for config in made)
        assert one
        assert not one & other
    assert not any("container_name" in service for config in made for service in config["services"].values())


@pytest.mark.parametrize(
    ("variable", "service", "inside"),
    [
        ("ORTHANC_PORT", "orthanc", 8042),
        ("ORTHANC_DICOM_PORT", "orthanc", 4242),
        ("FHIR_PORT", "fhir", 8080),
        ("MAPPER_PORT", "mapper", 8000),
        ("MAPPER_2_PORT", "mapper-2", 8000),
    ],
)
def test_compose_ports_are_chosen_by_variables(variable: str, service: str, inside: int) -> None:
    ports = configured(OFFICIAL, COMPOSE_PROFILES="scale", **{variable: "19999"})["services"][service]["ports"]

    assert [port["published"] for port in ports if port["target"] == inside] == ["19999"]


@pytest.mark.parametrize("missing", SECRETS)
def test_compose_has_no_default_for_a_secret(missing: str) -> None:
    with pytest.raises(AssertionError, match=missing):
        configured(OFFICIAL, **{missing: ""})


def test_orthanc_answers_its_users_alone_and_runs_the_plugin(services: dict[str, dict[str, Any]]) -> None:
    user, password = SECRETS["ORTHANC_FHIR_ORTHANC_USER"], SECRETS["ORTHANC_FHIR_ORTHANC_PASSWORD"]
    orthanc = container(services["orthanc"]["image"], 8042, **services["orthanc"]["environment"])
    for source, target in {
        "orthanc.json": "/etc/orthanc/orthanc.json",
        "demo/orthanc.demo.json": "/run/secrets/site.json",
        "orthanc_plugin": "/python",
    }.items():
        orthanc.with_volume_mapping(str(ROOT / source), target, "ro")
    orthanc.waiting_for(HttpWaitStrategy(8042, "/system").with_basic_credentials(user, password))

    with orthanc:
        url = f"http://127.0.0.1:{orthanc.get_exposed_port(8042)}"
        system = requests.get(f"{url}/system", auth=(user, password), timeout=5).json()
        plugins = requests.get(f"{url}/plugins", auth=(user, password), timeout=5).json()
        unknown = requests.get(
            f"{url}/fhir-sync/studies/00000000-00000000-00000000-00000000-00000000",
            auth=(user, password),
            timeout=5,
        )
        stranger = requests.get(f"{url}/system", timeout=5)
        guess = requests.get(f"{url}/system", auth=("demo", "demo"), timeout=5)
        probe = orthanc.exec(["python3", "/probes/test-aliveness.py"])

    assert system["Name"] == "orthanc-fhir demo", "the site's file lies over orthanc.json"
    assert tuple(map(int, system["Version"].split("."))) >= (1, 12, 7)
    assert {"dicom-web", "python"} <= set(plugins)
    assert unknown.status_code == 404
    assert stranger.status_code == guess.status_code == 401
    assert probe.exit_code == 0, probe.output


def test_orthanc_without_users_does_not_start(services: dict[str, dict[str, Any]]) -> None:
    orthanc = container(services["orthanc"]["image"], 8042)
    orthanc.start()
    try:
        ended = orthanc.get_wrapped_container().wait(timeout=30)
    finally:
        orthanc.stop()

    assert ended["StatusCode"] != 0


def test_fhir_server_keeps_its_resources_in_postgres(services: dict[str, dict[str, Any]], network: Network) -> None:
    patient = {"resourceType": "Patient", "id": str(uuid.uuid4())}
    database = container(
        services["database"]["image"],
        5432,
        POSTGRES_USER="fhir",
        POSTGRES_DB="fhir",
        POSTGRES_PASSWORD=SECRETS["POSTGRES_PASSWORD"],
    )
    database.with_network(network).with_network_aliases("database")
    database.waiting_for(ExecWaitStrategy(services["database"]["healthcheck"]["test"][1:]))
    fhir = container(services["fhir"]["image"], 8080, **services["fhir"]["environment"])
    fhir.with_network(network)
    fhir.waiting_for(HttpWaitStrategy(8080, "/fhir/Patient?_summary=count").with_startup_timeout(120))

    with database, fhir:
        url = f"http://127.0.0.1:{fhir.get_exposed_port(8080)}/fhir/Patient"
        assert requests.put(f"{url}/{patient['id']}", json=patient, timeout=40).status_code == 201
        probe = fhir.exec(services["fhir"]["healthcheck"]["test"][1:])
        rows = database.exec(
            ["env", "PGPASSWORD=a", "psql", "-h", "127.0.0.1", "-U", "fhir", "-Atc",
             "select count(*) from hfj_resource where res_type = 'Patient'", "fhir"]
        )  # fmt: skip

    assert probe.exit_code == 0, probe.output
    assert rows.output.decode().strip() == "1"


# -- digests -------------------------------------------------------------------------------------


class Registry:
    """A registry that holds one image and refuses everything else (OCI distribution 1.1)."""

    def __init__(self, name: str, tag: str) -> None:
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2}
        kind = "application/vnd.oci.image.manifest.v1+json"
        manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}).encode()
        self.digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        known = {f"/v2/{name}/manifests/{reference}" for reference in (tag, self.digest)}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path.partition("?")[0] in known
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(manifest) if found else 0))
                self.end_headers()
                if found and self.command == "GET":
                    self.wfile.write(manifest)

            do_HEAD = do_GET

            def log_message(self, *_: Any) -> None:
                """Say nothing: pytest's output is not the place."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.image = f"127.0.0.1:{self._server.server_address[1]}/{name}:{tag}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def digests(*images: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [ROOT / "setup/digests.sh", *images], capture_output=True, text=True, check=False, timeout=120
    )


def test_digests_are_what_the_registry_says() -> None:
    with Registry("hapiproject/hapi", "v1") as registry:
        told = digests(registry.image)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == f"{registry.image}@{registry.digest}\n"


@pytest.mark.parametrize("there", [True, False], ids=["a tag that is not there", "no registry"])
def test_without_an_answer_digests_are_one_line(there: bool) -> None:
    with Registry("hapiproject/hapi", "v1") as registry:
        image = registry.image.replace(":v1", ":v2") if there else f"127.0.0.1:{free_port()}/postgres:17"
        told = digests(image)
    assert (told.returncode, told.stdout) == (1, "")
    assert len(told.stderr.splitlines()) == 1
    assert image in told.stderr
