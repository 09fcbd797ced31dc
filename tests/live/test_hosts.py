"""The FHIR server answers for hosts it knows: a page whose name leads to this machine (DNS rebinding) gets nothing."""

import json
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from stack import FhirServer, NotReady

ALLOWED = (
    "fhir",
    "https://fhir.example.org:8443/fhir/R4",
    "Proxy.Example",
    "named_host:8080",
    "2001:db8::7",
    "[2001:db8::8]:1",
)

OURS = (
    "localhost",
    "localhost:1",
    "LOCALHOST:8080",
    "localhost.",
    "127.0.0.1",
    "127.0.0.1:8080",
    "[::1]",
    "[::1]:8080",
    "fhir",
    "fhir:8080",
    "Fhir",
    "fhir.example.org",
    "fhir.example.org:8443",
    "FHIR.EXAMPLE.ORG.:443",
    "proxy.example",
    "named_host",
    "[2001:db8::7]",
    "[2001:db8::8]:8080",
)
FOREIGN = (
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io:8080",
    "evil.example.localhost",
    "xlocalhost",
    "fhir.evil.example",
    "example.org",
    "sub.fhir.example.org",
    "fhir..",
    "127.0.0.2",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0.0.0.0",
    "0",
    "[::]",
    "[::ffff:127.0.0.1]",
    "192.0.2.1",
    "host.docker.internal",
    "ｌocalhost",
    "localhost%00.evil.example",
    "localhost%2eevil.example",
    "demo@localhost",
    "localhost@evil.example",
    "evil.example#localhost",
    "evil.example/localhost",
    "localhost,evil.example",
    "localhost evil.example",
    "",
)
SHAPES = {  # requests whose host is said twice, or not at all
    "no host": ("/fhir/metadata", ()),
    "two hosts": ("/fhir/metadata", ("localhost", "evil.example")),
    "two hosts, ours last": ("/fhir/metadata", ("evil.example", "localhost")),
    "another host in the request line": ("http://evil.example/fhir/metadata", ("localhost",)),
    "our host in the request line alone": ("http://localhost/fhir/metadata", ("evil.example",)),
    "a user in the request line": ("http://localhost@evil.example/fhir/metadata", ("localhost",)),
}


@pytest.fixture(scope="module")
def server(run_folder: Path) -> Iterator[FhirServer]:
    with FhirServer(run_folder / "fhir-hosts", allowed_hosts=ALLOWED) as running:
        yield running


def ask(
    server: FhirServer, target: str, hosts: tuple[str, ...], version: str = "1.1", more: str = ""
) -> tuple[int, str]:
    """Send one request as it is written here; return status and body."""
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(f"GET {target} HTTP/{version}\r\n{lines}{more}Connection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body


PATIENTS = "/fhir/Patient?_summary=count"


@pytest.mark.parametrize("host", OURS)
def test_requests_for_our_hosts_are_answered(server: FhirServer, host: str) -> None:
    status, body = ask(server, PATIENTS, (host,))
    assert (status, '"total"' in body) == (200, True)


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("target", [PATIENTS, "/fhir/metadata", "/", "/nothing"])
def test_requests_for_foreign_hosts_are_refused(server: FhirServer, host: str, target: str) -> None:
    status, body = ask(server, target, (host,))
    assert status in (400, 421), "400: what is no host at all"
    assert "total" not in body
    assert "CapabilityStatement" not in body
    assert "evil" not in body, "nothing of the request comes back"


@pytest.mark.parametrize(("target", "hosts"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_requests_that_leave_the_host_open_are_refused(
    server: FhirServer, target: str, hosts: tuple[str, ...], version: str
) -> None:
    status, body = ask(server, target, hosts, version)
    assert status in (400, 421)
    assert "CapabilityStatement" not in body


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "Forwarded"])
def test_no_other_header_stands_in_for_the_host(server: FhirServer, header: str) -> None:
    value = "host=localhost" if header == "Forwarded" else "localhost"
    assert ask(server, PATIENTS, ("evil.example",), more=f"{header}: {value}\r\n")[0] == 421
    assert ask(server, PATIENTS, ("localhost",), more=f"{header}: evil.example\r\n")[0] == 200


def test_the_refusal_is_an_operation_outcome_that_says_what_to_do(server: FhirServer) -> None:
    status, body = ask(server, PATIENTS, ("evil.example",))
    said = json.loads(body)
    assert (status, said["resourceType"], said["issue"][0]["code"]) == (421, "OperationOutcome", "security")
    assert "FHIR_ALLOWED_HOSTS" in said["issue"][0]["diagnostics"]


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_is_written_for_a_foreign_host(server: FhirServer, method: str) -> None:
    url = f"{server.url}/Patient/{uuid.uuid4()}"
    patient = {"resourceType": "Patient", "id": url.rpartition("/")[2]}
    refused = requests.request(method, url, json=patient, headers={"Host": "evil.example"}, timeout=30)
    assert refused.status_code == 421
    assert requests.get(url, timeout=30).status_code == 404


def test_without_a_setting_loopback_alone_is_ours(fhir_server: FhirServer) -> None:
    assert ask(fhir_server, PATIENTS, ("localhost",))[0] == 200
    assert ask(fhir_server, PATIENTS, ("fhir",))[0] == 421


@pytest.mark.parametrize("entry", ["http://", "://", "https:///fhir"])
def test_an_entry_that_names_no_host_stops_the_start(run_folder: Path, entry: str) -> None:
    broken = FhirServer(run_folder / "fhir-broken", allowed_hosts=[entry])
    with pytest.raises(NotReady, match="FHIR_ALLOWED_HOSTS"), broken:
        pass
