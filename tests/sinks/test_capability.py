"""Which FHIR servers are written to at all: what says outright that it cannot work is refused before any write."""

from typing import Any

import pytest

from mapper.errors import SinkRefused
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer
from tests.support.http_fake import Answer, HttpFake

COUNT = Answer(200, {"resourceType": "Bundle", "type": "searchset", "total": 0})


def statement(version: Any = "4.0.1", **rest: Any) -> dict[str, Any]:
    """Return a CapabilityStatement with this `rest`."""
    made: dict[str, Any] = {"resourceType": "CapabilityStatement", "software": {"name": "Example"}}
    if version is not None:
        made["fhirVersion"] = version
    return {**made, "rest": [{"mode": "server", **rest}]} if rest else made


def resource(kind: str, *codes: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "interaction": [{"code": code} for code in codes], **more}


TRANSACTION = [{"code": "transaction"}]
BOTH = [resource("ImagingStudy", "read", "update"), resource("Patient", "read", "update")]
WORKS: dict[str, dict[str, Any]] = {
    "one that says nothing more": statement(),
    "the first R4": statement("4.0.0"),
    "R4 of a build": statement("4.0.1-cibuild"),
    "R4 without a patch": statement("4.0"),
    "R4B": statement("4.3.0"),
    "R4B of a snapshot": statement("4.3.0-snapshot1"),
    "the ballot of R4B": statement("4.1.0"),
    "HAPI, which says nothing of ids that clients choose": statement(interaction=TRANSACTION, resource=BOTH),
    "one that lists no interactions": statement(resource=[resource("ImagingStudy"), resource("Patient")]),
    "one that lets clients choose ids": statement(
        interaction=TRANSACTION, resource=[{**one, "updateCreate": True} for one in BOTH]
    ),
    "one that also is a client": {
        **statement(),
        "rest": [
            {"mode": "client", "interaction": [{"code": "batch"}]},
            {"mode": "server", "interaction": TRANSACTION},
        ],
    },
}
CANNOT: dict[str, tuple[Any, str]] = {
    "R5": (statement("5.0.0"), "FHIR 5.0.0, not R4"),
    "R5's first preview": (statement("4.2.0"), "FHIR 4.2.0, not R4"),
    "R5's second preview": (statement("4.4.0"), "FHIR 4.4.0, not R4"),
    "R5's third preview": (statement("4.5.0"), "FHIR 4.5.0, not R4"),
    "R5's ballot": (statement("4.6.0"), "FHIR 4.6.0, not R4"),
    "a ballot of R4": (statement("3.5.0"), "FHIR 3.5.0, not R4"),
    "R6": (statement("6.0.0-ballot2"), "FHIR 6.0.0-ballot2, not R4"),
    "4 alone": (statement("4"), "FHIR 4, not R4"),
    "more than a version": (statement("4.0.1 SECRET"), "unknown version"),
    "letters of a terminal": (statement("4.\x1b[2J"), "unknown version"),
    "a version that begins alike": (statement("4.01.1"), "FHIR 4.01.1, not R4"),
    "a version that is longer": (statement("4.0.1.2"), "FHIR 4.0.1.2, not R4"),
    "STU3": (statement("3.0.2"), "FHIR 3.0.2, not R4"),
    "DSTU2": (statement("1.0.2"), "FHIR 1.0.2, not R4"),
    "no version": (statement(None), "unknown version"),
    "a version that is text": (statement("SECRET"), "unknown version"),
    "JSON that is no statement": ({"status": "up"}, "no FHIR server"),
    "another resource": ({"resourceType": "OperationOutcome"}, "no FHIR server"),
    "no transactions": (statement(interaction=[{"code": "batch"}], resource=BOTH), "no transactions"),
    "no ImagingStudy": (statement(interaction=TRANSACTION, resource=BOTH[1:]), "no ImagingStudy"),
    "no Patient": (statement(interaction=TRANSACTION, resource=BOTH[:1]), "no Patient"),
    "read-only": (
        statement(resource=[resource("ImagingStudy", "read", "search-type"), resource("Patient", "read")]),
        "can only be read",
    ),
    "no ids of clients": (statement(resource=[{**one, "updateCreate": False} for one in BOTH]), "choose no ids"),
}


def server(url: str) -> FhirServer:
    return FhirServer(FhirClient(f"{url}/fhir"), "http://localhost:8080/fhir")


@pytest.mark.parametrize("said", WORKS.values(), ids=WORKS)
def test_what_is_not_said_is_unknown_and_proven_by_the_first_write(said: dict[str, Any]) -> None:
    with HttpFake(Answer(200, said), COUNT) as http:
        server(http.url).probe()
    with HttpFake(Answer(200, said), COUNT) as http:
        found = list(server(http.url).check())
    assert [one.level for one in found] == ["ok"]
    assert "Example" in found[0].text


@pytest.mark.parametrize("status", [404, 410])
def test_where_no_statement_is_no_fhir_server_is(status: int) -> None:
    with HttpFake(Answer(status)) as http:
        (found,) = server(http.url).check()
    assert "no FHIR server" in found.text


@pytest.mark.parametrize(("said", "why"), CANNOT.values(), ids=CANNOT)
def test_what_says_that_it_cannot_is_not_written_to(said: Any, why: str) -> None:
    with HttpFake(Answer(200, said)) as http, pytest.raises(SinkRefused, match=why) as failed:
        server(http.url).probe()
    assert failed.value.outage
    assert "SECRET" not in str(failed.value)
    with HttpFake(Answer(200, said)) as http:
        found = [one for one in server(http.url).check() if one.level == "problem"]
    assert why in found[0].text
    assert all(one.remedy for one in found)


def test_a_name_does_nothing_to_a_terminal() -> None:
    named = {**statement(), "software": {"name": "\x1b[2JExample\u202e" + "x" * 100}}
    with HttpFake(Answer(200, named), COUNT) as http:
        (found,) = server(http.url).check()
    assert "\x1b" not in found.text
    assert "\u202e" not in found.text
    assert len(found.text) < 150
