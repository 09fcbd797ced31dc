"""Every answer of a FHIR server and what it means for the study, over real HTTP on loopback."""

import base64
import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mapper.errors import (
    BundleRejected,
    ExistsTwice,
    MapperError,
    SettingError,
    SinkBusy,
    SinkDown,
    SinkRefused,
    StaleVersion,
    TargetMissing,
)
from mapper.http.peer import Bound
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer
from mapper.sinks.sink import study_uids
from tests.support.fakes import Clock
from tests.support.http_fake import CUT, Answer, HttpFake

ROOT = Path(__file__).parents[2]
PUBLIC = "https://fhir.example.org/fhir"
SECRET = "SECRET^PATIENT"
PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": SECRET}]}
STUDY = {"resourceType": "ImagingStudy", "id": "s1", "status": "available", "subject": {"reference": "Patient/p1"}}
OBSERVATION = {"resourceType": "Observation", "id": "o1", "status": "final"}
STATEMENT = Answer(200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
COUNT = Answer(200, {"resourceType": "Bundle", "type": "searchset", "total": 7})
STUDY_KEY = ("ImagingStudy", "s1")


def sink_of(url: str, **given: Any) -> FhirServer:
    return FhirServer(FhirClient(f"{url}/fhir", **{"bound": Bound(1, 5.0), "clock": Clock(0.0), **given}), PUBLIC)


def written(*kinds: str, status: str = "200 OK", version: int = 1) -> Answer:
    """Answer a transaction as HAPI does."""
    entries = [
        {"response": {"status": status, "etag": f"{version}", "location": f"{kind}/_history/{version}"}}
        for kind in kinds
    ]
    return Answer(200, {"resourceType": "Bundle", "type": "transaction-response", "entry": entries})


def outcome(*issues: tuple[str, str]) -> dict[str, Any]:
    said = [{"severity": "error", "code": code, "diagnostics": text} for code, text in issues]
    return {"resourceType": "OperationOutcome", "issue": said}


NOT_FOUND = Answer(404, outcome(("not-found", "HAPI-2001: Resource is not known")))
GATEWAY: dict[str, Any] = {  # what says 404 and is no FHIR server
    "nothing": b"",
    "text": b"404 page not found\n",
    "HTML": b"<html><body><h1>404 SECRET^PATIENT</h1></body></html>",
    "JSON": {"message": "no Route matched with those values"},
    "JSON with a type": {"resourceType": None},
    "a list": [],
    "no UTF-8": b"\xff",
}


def put(*answers: Answer, resources: Any = (PATIENT, STUDY), expected: Any = None, **given: Any) -> MapperError:
    """Write once, and return how that failed."""
    with HttpFake(*answers) as http, pytest.raises(MapperError) as failed:
        sink_of(http.url, **given).put(resources, expected)
    assert SECRET not in str(failed.value)
    assert "diagnose" not in str(failed.value)
    return failed.value


# -- what is sent --------------------------------------------------------------------------------


def test_one_transaction_of_puts_under_our_ids() -> None:
    with HttpFake(written("Patient/p1", "ImagingStudy/s1")) as http:
        versions = sink_of(http.url).put([STUDY, PATIENT])
    assert versions == {("Patient", "p1"): "1", STUDY_KEY: "1"}
    (asked,) = http.asked
    assert (asked.method, asked.path) == ("POST", "/fhir")
    assert asked.headers["Content-Type"] == asked.headers["Accept"] == "application/fhir+json"
    assert asked.headers["X-Retry-On-Version-Conflict"] == "retry; max-retries=5"
    assert asked.headers["Prefer"] == "return=minimal"
    bundle = asked.json
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    assert [entry["request"] for entry in bundle["entry"]] == [
        {"method": "PUT", "url": "Patient/p1"},
        {"method": "PUT", "url": "ImagingStudy/s1"},
    ]
    assert [entry["fullUrl"] for entry in bundle["entry"]] == [f"{PUBLIC}/Patient/p1", f"{PUBLIC}/ImagingStudy/s1"]
    assert [entry["resource"] for entry in bundle["entry"]] == [PATIENT, STUDY]


def test_the_same_resources_are_the_same_bytes_again() -> None:
    with HttpFake(Answer(503), written("Patient/p1", "ImagingStudy/s1")) as http:
        sink = sink_of(http.url)
        with pytest.raises(SinkBusy):
            sink.put([STUDY, PATIENT])
        sink.put([PATIENT, STUDY])
    assert http.asked[0].body == http.asked[1].body


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({}, None),
        ({"auth": ("u", "p")}, "Basic " + base64.b64encode(b"u:p").decode()),
        ({"token": "t0ken"}, "Bearer t0ken"),
    ],
    ids=["none", "Basic", "bearer"],
)
def test_who_we_are(given: dict[str, Any], header: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # a proxy of the environment is nobody's setting
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with HttpFake(written("Patient/p1")) as http:
        sink_of(http.url, **given).put([PATIENT])
    assert http.asked[0].headers.get("Authorization") == header


@pytest.mark.parametrize(
    ("response", "version"),
    [
        ({"status": "201 Created", "etag": 'W/"3"'}, "3"),
        ({"status": "200 OK", "etag": "3"}, "3"),
        ({"status": "200", "location": "Patient/p1/_history/4"}, "4"),
        ({"status": "200 OK"}, ""),
    ],
)
def test_the_version_is_that_of_the_answer(response: dict[str, str], version: str) -> None:
    body = {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": response}]}
    with HttpFake(Answer(200, body)) as http:
        assert sink_of(http.url).put([PATIENT]) == {("Patient", "p1"): version}


# -- status -> failure ---------------------------------------------------------------------------

STATUSES: dict[int, type[MapperError]] = {
    300: SinkRefused,
    304: SinkRefused,
    301: SinkRefused,
    302: SinkRefused,
    307: SinkRefused,
    308: SinkRefused,
    400: BundleRejected,
    401: SinkRefused,
    403: SinkRefused,
    404: SinkRefused,
    405: SinkRefused,
    408: SinkBusy,
    409: SinkBusy,
    410: SinkRefused,
    412: ExistsTwice,
    418: BundleRejected,
    422: BundleRejected,
    429: SinkBusy,
    502: SinkBusy,
    503: SinkBusy,
    504: SinkBusy,
    507: SinkBusy,
    530: SinkBusy,
}


@pytest.mark.parametrize("body", [b"", b"<html>diagnose SECRET^PATIENT</html>", b"[1]", b"\xff"], ids=repr)
@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_every_status_has_its_meaning(status: int, kind: type[MapperError], body: bytes) -> None:
    error = put(Answer(status, body, {"Location": "http://127.0.0.1:1/elsewhere"}))
    assert type(error) is kind
    assert str(status) in str(error)
    assert error.outage == (kind is SinkRefused)


def test_a_500_of_a_server_that_lives_is_an_attempt() -> None:
    assert type(put(Answer(500), COUNT)) is SinkBusy


@pytest.mark.parametrize("probe", [Answer(500), Answer(503), Answer(401), CUT, Answer(404)], ids=str)
def test_a_500_of_a_server_that_cannot_count_is_an_outage(probe: Answer) -> None:
    error = put(Answer(500), probe)
    assert type(error) is SinkDown
    assert error.outage


@pytest.mark.parametrize(
    ("code", "status"), [("HAPI-1094", 400), ("HAPI-1096", 422), ("HAPI-1094", 404), ("HAPI-1094", 409)]
)
def test_a_missing_target(code: str, status: int) -> None:
    text = f"{code}: diagnose Resource Patient/p1 not found, specified in path: ImagingStudy.subject {SECRET}"
    error = put(Answer(status, outcome(("processing", text))))
    assert type(error) is TargetMissing
    assert code in str(error)


@pytest.mark.parametrize("status", [409, 412])
def test_a_stale_version_is_one_only_when_a_version_was_expected(status: int) -> None:
    said = outcome(("conflict", f"HAPI-0989: diagnose Trying to update {SECRET} with wrong version"))
    assert type(put(Answer(status, said), expected={STUDY_KEY: "1"})) is StaleVersion
    assert type(put(Answer(412), expected={STUDY_KEY: "1"})) is StaleVersion
    assert type(put(Answer(status, said))) is STATUSES[status]
    assert type(put(Answer(409), expected={STUDY_KEY: "1"})) is SinkBusy


def test_an_expected_version_is_asked_of_the_server() -> None:
    with HttpFake(written("Patient/p1", "ImagingStudy/s1")) as http:
        sink_of(http.url).put([PATIENT, STUDY], {STUDY_KEY: "4"})
    requests = [entry["request"] for entry in http.asked[0].json["entry"]]
    assert [request.get("ifMatch") for request in requests] == [None, 'W/"4"']


# -- OperationOutcome ----------------------------------------------------------------------------

OUTCOMES: dict[str, tuple[Any, list[str]]] = {
    "type and number": (outcome(("processing", f"HAPI-0450: diagnose {SECRET}")), ["processing", "HAPI-0450"]),
    "each once": (outcome(("value", "HAPI-1821 a"), ("value", "HAPI-1821 b")), ["value", "HAPI-1821"]),
    "a value that looks like a number of the server": (outcome(("value", "diagnose ABC-12345")), ["value"]),
    "a type that FHIR does not know": (outcome(("SECRET", "")), []),
    "no issue": ({"resourceType": "OperationOutcome"}, []),
    "an issue that is none": ({"resourceType": "OperationOutcome", "issue": ["diagnose", None, 7]}, []),
    "issues that are none": ({"resourceType": "OperationOutcome", "issue": {"code": "value"}}, []),
    "null": ({"resourceType": "OperationOutcome", "issue": None}, []),
    "a code that is a list": (
        {"resourceType": "OperationOutcome", "issue": [{"code": "invalid", "diagnostics": []}]},
        ["invalid"],
    ),
    "something else": ({"resourceType": "Patient", "issue": [{"code": "value"}]}, []),
}


@pytest.mark.parametrize(("body", "codes"), OUTCOMES.values(), ids=OUTCOMES)
def test_only_codes_of_an_outcome_are_handed_on(body: Any, codes: list[str]) -> None:
    error = put(Answer(422, body))
    said = f" ({', '.join(codes)})" if codes else ""
    assert str(error) == f"the FHIR server refuses the content: HTTP 422{said}"


# -- Retry-After ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("999999", 3600.0),
        (formatdate(90, usegmt=True), 90.0),
        (formatdate(-90, usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1.5", None),
        ("9" * 400, 3600.0),
        ("\u00b2", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 3600.0),
        ("Fri, 31 Feb 2024 23:59:59 GMT", None),
        (",", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(header: str, seconds: float | None, status: int) -> None:
    assert put(Answer(status, headers={"Retry-After": header})).retry_after == seconds


# -- answers without bounds ----------------------------------------------------------------------

DEEP = b'{"resourceType":"OperationOutcome","issue":' + b"[" * 100_000
BEYOND: dict[str, Answer] = {
    "large": Answer(200, b" " * (1 << 20) + b"{}"),
    "packed and large": Answer(200, gzip.compress(bytes(1 << 22)), {"Content-Encoding": "gzip"}),
    "deep": Answer(200, DEEP),
    "deep and whole": Answer(200, b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    "packed in another way": Answer(200, b"{}", {"Content-Encoding": "br"}),
    "packed and none": Answer(200, b"{}", {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 404, 409, 412, 413, 422, 503])
@pytest.mark.parametrize("answer", BEYOND.values(), ids=BEYOND)
def test_an_answer_beyond_its_bounds_is_tried_again_whatever_its_status(answer: Answer, status: int) -> None:
    error = put(replace(answer, status=status), expected={STUDY_KEY: "1"})
    assert type(error) is SinkBusy
    assert error.fate == "retry"


def test_a_500_beyond_its_bounds_is_an_attempt_too() -> None:
    assert type(put(Answer(500, DEEP), COUNT)) is SinkBusy
    assert type(put(Answer(500), Answer(200, b" " * (1 << 21)))) is SinkDown


def test_an_outcome_of_very_many_codes_is_told_in_a_few() -> None:
    text = " ".join(f"HAPI-{number:05}" for number in range(60_000))
    error = put(Answer(422, outcome(("value", text), ("processing", "HAPI-1094"))))
    assert type(error) is TargetMissing
    assert len(str(error)) < 300


THREAD = """
import sys, threading
from mapper.errors import SinkBusy
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer
threading.stack_size(256 * 1024)
said = []
def run():
    sink = FhirServer(FhirClient(sys.argv[1]), "https://fhir.example.org/fhir")
    for _ in range(2):
        try:
            sink.put([{"resourceType": "Patient", "id": "p1"}])
        except SinkBusy:
            said.append("busy")
thread = threading.Thread(target=run)
thread.start()
thread.join()
print(*said)
"""


def test_a_deep_answer_does_not_end_the_process_on_the_small_stack_of_a_thread() -> None:
    with HttpFake(Answer(200, DEEP), Answer(400, DEEP)) as http:
        ran = subprocess.run(
            [sys.executable, "-c", THREAD, http.url], capture_output=True, text=True, cwd=ROOT, check=False, timeout=60
        )
    assert (ran.returncode, ran.stdout) == (0, "busy busy\n"), ran.stderr


# -- 2xx that is none ----------------------------------------------------------------------------

BROKEN: dict[str, Answer] = {
    "fewer entries than sent": written("Patient/p1"),
    "more entries than sent": written("Patient/p1", "ImagingStudy/s1", "ImagingStudy/s2"),
    "an entry that failed": written("Patient/p1", "ImagingStudy/s1", status="409 Conflict"),
    "no entries": Answer(200, {"resourceType": "Bundle"}),
    "entries that are null": Answer(200, {"resourceType": "Bundle", "entry": None}),
    "entries without a response": Answer(200, {"resourceType": "Bundle", "entry": [{}, {}]}),
    "entries that are none": Answer(200, {"resourceType": "Bundle", "entry": ["a", "b"]}),
    "responses that are none": Answer(200, {"resourceType": "Bundle", "entry": [{"response": None}] * 2}),
    "another resource": Answer(200, {"resourceType": "OperationOutcome"}),
    "a status that is a number": Answer(200, {"resourceType": "Bundle", "entry": [{"response": {"status": 200}}] * 2}),
    "an entry without a response": Answer(
        200, {"resourceType": "Bundle", "entry": [{"response": {"status": "200"}}] * 2 + [{}]}
    ),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_success_that_does_not_name_every_entry_is_none(answer: Answer) -> None:
    assert type(put(answer)) is SinkBusy


PAGE = b"<!DOCTYPE html><html><head><title>SECRET maintenance</title></head><body>{}</body></html>"
NOT_FHIR: dict[str, bytes] = {
    "a portal's page": PAGE,
    "the same behind a byte order mark": b"\xef\xbb\xbf" + PAGE,
    "XML": b'<Bundle xmlns="http://hl7.org/fhir"/>',
    "text": b"OK",
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"ok"',
    "a number": b"1",
    "null": b"null",
    "JSON of another kind": b'{"status": "ok", "message": "SECRET"}',
    "JSON that ends early": b'{"resourceType": "Bundle", "entry": [',
    "a type that is none": b'{"resourceType": null}',
    "an empty type": b'{"resourceType": ""}',
    "garbage": b"\xff\xfe\x00",
}
KINDS = ("text/html", "application/fhir+json", "application/json", "text/plain; charset=SECRET", "")


@pytest.mark.parametrize("body", NOT_FHIR.values(), ids=NOT_FHIR)
@pytest.mark.parametrize("status", [200, 201, 202, 207])
def test_a_success_that_is_no_fhir_is_an_outage_and_burns_no_attempt(status: int, body: bytes) -> None:
    for kind in KINDS:
        error = put(Answer(status, body, {"Content-Type": kind} if kind else {}))
        assert type(error) is SinkRefused
        assert error.outage
        assert "fhir_url" in str(error)
        assert "SECRET" not in str(error)


def test_the_end_of_such_an_outage_is_seen_by_the_probe() -> None:
    page = Answer(200, PAGE, {"Content-Type": "text/html"})
    with HttpFake(page, STATEMENT, page, STATEMENT, COUNT, COUNT) as http:
        sink = sink_of(http.url)
        for _ in range(2):
            with pytest.raises(SinkRefused, match="not FHIR JSON"):
                sink.probe()
        sink.probe()
        sink.probe()


# -- no answer -----------------------------------------------------------------------------------


def test_a_connection_that_is_cut_is_tried_again() -> None:
    assert type(put(CUT)) is SinkBusy


def test_an_answer_that_breaks_off_is_tried_again() -> None:
    assert type(put(Answer(200, {"resourceType": "Bundle"}, cut=True))) is SinkBusy


def test_an_answer_that_does_not_come_in_time_is_tried_again() -> None:
    assert type(put(Answer(200, wait=5.0), bound=Bound(1, 0.2))) is SinkBusy


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sink = sink_of(f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(SinkDown):
            sink.put([PATIENT])
        with pytest.raises(SinkDown):
            sink.probe()


def test_a_host_that_has_no_address() -> None:
    with pytest.raises(SinkDown):
        sink_of("http://nobody.invalid").put([PATIENT])


def test_a_server_that_speaks_no_tls_is_a_wrong_setting() -> None:
    with HttpFake() as http, pytest.raises(SinkRefused, match="fhir_ca"):
        sink_of(http.url.replace("http:", "https:")).put([PATIENT])


def test_a_ca_that_is_not_there_is_a_wrong_setting() -> None:
    with pytest.raises(SettingError, match="fhir_ca"):
        sink_of("https://127.0.0.1:1", ca="/no/such/ca.pem")


# -- 413 -----------------------------------------------------------------------------------------


def observations(number: int) -> list[dict[str, Any]]:
    return [{**OBSERVATION, "id": f"o{one}"} for one in range(number)]


def sent(http: HttpFake) -> list[list[str]]:
    return [[entry["resource"]["id"] for entry in asked.json["entry"]] for asked in http.asked]


def test_what_is_too_large_is_sent_in_parts_the_study_first() -> None:
    many = observations(4)
    answers = [
        Answer(413),
        written("Patient/p1", "ImagingStudy/s1"),
        Answer(413),
        written("Observation/o0", "Observation/o1"),
        Answer(413),
        written("Observation/o2"),
        written("Observation/o3"),
    ]
    with HttpFake(*answers) as http:
        versions = sink_of(http.url).put([*many, STUDY, PATIENT])
    assert len(versions) == 6
    assert sent(http) == [
        ["p1", "s1", "o0", "o1", "o2", "o3"],
        ["p1", "s1"],
        ["o0", "o1", "o2", "o3"],
        ["o0", "o1"],
        ["o2", "o3"],
        ["o2"],
        ["o3"],
    ]


@pytest.mark.parametrize("resources", [[PATIENT, STUDY], [OBSERVATION]], ids=["the study itself", "one resource"])
def test_what_cannot_be_split_any_more_is_parked(resources: list[dict[str, Any]]) -> None:
    error = put(*[Answer(413)] * len(resources), resources=resources)
    assert type(error) is BundleRejected
    assert "413" in str(error)


def test_a_study_whose_first_resource_is_too_large_is_parked() -> None:
    assert type(put(*[Answer(413)] * 3, resources=[PATIENT, STUDY, OBSERVATION])) is BundleRejected


def test_a_core_that_is_too_large_is_sent_in_parts_what_is_referred_to_first() -> None:
    parts = [("Patient/p1",), ("ImagingStudy/s1",)]
    with HttpFake(Answer(413), *(written(*part) for part in parts)) as http:
        assert len(sink_of(http.url).put([STUDY, PATIENT])) == 2
    assert sent(http) == [["p1", "s1"], ["p1"], ["s1"]]


def test_all_that_has_an_identifier_is_found_by_one_search_a_type() -> None:
    with HttpFake(*[Answer(200, {"resourceType": "Bundle"})] * 3) as http:
        assert list(sink_of(http.url).ours(("https://a.example/a,b|c/study", "urn:oid:1.2"))) == []
    paths = [urlsplit(asked.path) for asked in http.asked]
    assert [one.path for one in paths] == ["/fhir/Observation", "/fhir/DiagnosticReport", "/fhir/DocumentReference"]
    for one in paths:
        query = parse_qs(one.query)
        assert query["identifier"] == [r"https://a.example/a\,b\|c/study|urn:oid:1.2"]
        assert query["_elements"] == ["identifier,masterIdentifier"]


# -- what is read --------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "status"), [("unknown", "unknown"), ("entered-in-error", "entered-in-error")])
def test_a_retraction_writes_the_status_over_the_version_that_it_read(policy: str, status: str) -> None:
    held = {
        **STUDY,
        "endpoint": [{"reference": "Endpoint/e1"}],
        "meta": {"versionId": "3", "lastUpdated": "2024-01-01T00:00:00Z", "source": "https://pacs.example.org"},
    }
    with HttpFake(Answer(200, held), written("ImagingStudy/s1", version=4)) as http:
        sink_of(http.url).retract(STUDY_KEY, policy)
    get, post = http.asked
    assert (get.method, get.path) == ("GET", "/fhir/ImagingStudy/s1")
    (entry,) = post.json["entry"]
    assert entry["request"] == {"method": "PUT", "url": "ImagingStudy/s1", "ifMatch": 'W/"3"'}
    assert entry["resource"] == {**STUDY, "status": status, "meta": {"source": "https://pacs.example.org"}}


@pytest.mark.parametrize(
    ("answers", "policy"),
    [
        ([], "keep"),
        ([NOT_FOUND], "unknown"),
        ([Answer(410)], "unknown"),
        ([Answer(200, {**STUDY, "status": "unknown"})], "unknown"),
    ],
    ids=["kept", "never there", "deleted by somebody", "retracted before"],
)
def test_a_retraction_that_has_nothing_to_write(answers: list[Answer], policy: str) -> None:
    with HttpFake(*answers) as http:
        sink_of(http.url).retract(STUDY_KEY, policy)
    assert all(asked.method == "GET" for asked in http.asked)


@pytest.mark.parametrize(
    ("resource", "policy", "name", "value"),
    [
        ({"resourceType": "Observation", "status": "final"}, "unknown", "status", "unknown"),
        ({"resourceType": "DiagnosticReport", "status": "final"}, "unknown", "status", "unknown"),
        ({"resourceType": "ServiceRequest", "status": "active"}, "unknown", "status", "unknown"),
        ({"resourceType": "DocumentReference", "status": "current"}, "unknown", "status", "entered-in-error"),
        ({"resourceType": "Observation", "status": "final"}, "entered-in-error", "status", "entered-in-error"),
    ],
)
def test_each_type_says_gone_in_its_own_words(resource: dict[str, Any], policy: str, name: str, value: Any) -> None:
    kind = resource["resourceType"]
    with HttpFake(Answer(200, {**resource, "id": "x", "meta": {"versionId": "1"}}), written(f"{kind}/x")) as http:
        sink_of(http.url).retract((kind, "x"), policy)
    (entry,) = http.asked[1].json["entry"]
    assert entry["resource"] == {**resource, "id": "x", name: value}


def test_a_retraction_that_somebody_else_was_quicker_than() -> None:
    held = {**STUDY, "meta": {"versionId": "3"}}
    with HttpFake(Answer(200, held), Answer(412)) as http, pytest.raises(StaleVersion):
        sink_of(http.url).retract(STUDY_KEY, "unknown")


def test_the_version_that_the_server_holds() -> None:
    with HttpFake(Answer(200, {**STUDY, "meta": {"versionId": "3"}}), NOT_FOUND, Answer(503)) as http:
        sink = sink_of(http.url)
        assert sink.version(STUDY_KEY) == "3"
        assert sink.version(STUDY_KEY) == ""
        with pytest.raises(SinkBusy):
            sink.version(STUDY_KEY)


ODD_RESOURCES: dict[str, Any] = {
    "a meta that is none": {**STUDY, "meta": None},
    "a meta that is a list": {**STUDY, "meta": []},
    "a version that is a number": {**STUDY, "meta": {"versionId": 3}},
    "another id": {**STUDY, "id": "s2"},
    "another type": {**STUDY, "resourceType": "Patient"},
    "no type": {"id": "s1"},
    "deep": DEEP,
}


@pytest.mark.parametrize("body", ODD_RESOURCES.values(), ids=ODD_RESOURCES)
def test_what_is_not_the_resource_that_was_asked_for_is_not_written_back(body: Any) -> None:
    with HttpFake(Answer(200, body)) as http, pytest.raises(SinkBusy):
        sink_of(http.url).retract(STUDY_KEY, "unknown")


READS: dict[str, Callable[[FhirServer], object]] = {
    "a retraction": lambda sink: sink.retract(STUDY_KEY, "unknown"),
    "a version": lambda sink: sink.version(STUDY_KEY),
    "the studies": lambda sink: list(sink.ours(("Endpoint", "e1"))),
    "the parts of a study": lambda sink: list(sink.ours(STUDY_KEY)),
    "the derived of a study": lambda sink: list(sink.ours(("https://a.example/study", "urn:oid:1.2"))),
    "the ids of a study": lambda sink: sink.ids_of("1.2"),
    "whether it is there": lambda sink: sink.probe(),
}


@pytest.mark.parametrize("body", GATEWAY.values(), ids=GATEWAY)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_404_of_what_stands_before_the_server_is_an_outage(read: Callable[[FhirServer], object], body: Any) -> None:
    """A deletion would count as done, a study as never written, a comparison as made."""
    with HttpFake(Answer(404, body)) as http, pytest.raises(MapperError) as failed:
        read(sink_of(http.url))
    assert type(failed.value) is SinkRefused
    assert failed.value.outage
    assert "fhir_url" in str(failed.value)
    assert SECRET not in str(failed.value)


def test_a_404_beyond_its_bounds_is_no_answer() -> None:
    for body in (DEEP, b" " * (1 << 21)):
        with HttpFake(Answer(404, body)) as http, pytest.raises(MapperError) as failed:
            sink_of(http.url).version(STUDY_KEY)
        assert failed.value.fate == "retry"


SEARCHES = [name for name in READS if name.startswith("the ")]


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (NOT_FOUND, SinkRefused),
        (Answer(410), SinkBusy),
        (Answer(410, outcome(("processing", ""))), SinkBusy),
        (Answer(503), SinkBusy),
        (Answer(401), SinkRefused),
        (Answer(200, {"resourceType": "OperationOutcome"}), SinkBusy),
    ],
    ids=["404", "410", "410 in FHIR", "503", "401", "an outcome"],
)
def test_a_search_finds_what_there_is_or_fails(name: str, answer: Answer, kind: type[MapperError]) -> None:
    """That of the first page, and that of a later one: many forget their search after a while."""
    first = Answer(200, {"resourceType": "Bundle", "link": [{"relation": "next", "url": "?page=2"}]})
    for answers in ([answer], [first, answer]):
        with HttpFake(*answers) as http, pytest.raises(MapperError) as failed:
            READS[name](sink_of(http.url))
        assert type(failed.value) is kind


def test_parts_and_ids_are_found_on_every_page() -> None:
    def page(id: str, kind: str, *more: dict[str, str]) -> Answer:
        entries = [{"resource": {"resourceType": kind, "id": id}}, {"resource": {"resourceType": "OperationOutcome"}}]
        return Answer(200, {"resourceType": "Bundle", "entry": entries, "link": list(more)})

    link = {"relation": "next", "url": "http://h/fhir?_getpages=1"}
    with HttpFake(page("o1", "Observation", link), page("o2", "Observation")) as http:
        assert [one["id"] for one in sink_of(http.url).ours(STUDY_KEY)] == ["o1", "o2"]
    with HttpFake(page("s2", "ImagingStudy", link), page("s1", "ImagingStudy")) as http:
        assert sink_of(http.url).ids_of("1.2") == ["s1", "s2"]


LINKS: dict[str, tuple[Any, str | None]] = {  # the server's link -> what is asked for, None where that is refused
    "as it should be": ("http://127.0.0.1:1/fhir?_getpages=7&_o=2", "/fhir?_getpages=7&_o=2"),
    "the search itself": ("http://127.0.0.1:1/fhir/ImagingStudy?page=2", "/fhir/ImagingStudy?page=2"),
    "a page by its path": ("http://127.0.0.1:1/fhir/pages/abc", "/fhir/pages/abc"),
    "a slash behind the base": ("http://127.0.0.1:1/fhir/?_getpages=7", "/fhir?_getpages=7"),
    "without a host": ("/fhir/ImagingStudy?page=2", "/fhir/ImagingStudy?page=2"),
    "a query alone": ("?page=2", "/fhir/ImagingStudy?page=2"),
    "another host": ("https://evil.example/fhir?_getpages=7", "/fhir?_getpages=7"),
    "somebody's password": ("http://u:p@evil.example/fhir?a=b", "/fhir?a=b"),
    "another host and path": ("https://evil.example/x?_getpages=7", None),
    "a host alone": ("https://evil.example?_getpages=7", None),
    "another path": ("/../../admin?a=b", None),
    "a path that begins alike": ("http://x/fhirs?a=b", None),
    "a path that climbs": ("http://x/fhir/../admin?a=b", None),
    "a path that climbs in a quoted way": ("http://x/fhir/%2e%2e/admin?a=b", None),
    "a path without an end": ("http://x/fhir" + "/a" * 9 + "?a=b", None),
    "a path in it": ("?a=/../../admin", "/fhir/ImagingStudy?a=/../../admin"),
    "a fragment": ("http://x/fhir?a=b#c?d", "/fhir?a=b"),
    "quoted": ("?a=%2e%2e%2f%0d%0a", "/fhir/ImagingStudy?a=%2E%2E%2F%0D%0A"),
    "no query": ("http://x/fhir", None),
    "no host": ("http://[", None),
    "a line of its own": ("?a=b\r\nX-Evil: 1", None),
    "a blank": ("?a=b c", None),
    "no ASCII": ("?a=\u00fc", None),
    "very long": ("?a=" + "b" * 5_000, None),
    "empty": ("", None),
    "a number": (7, None),
    "nothing": (None, None),
}


@pytest.mark.parametrize(("link", "path"), LINKS.values(), ids=LINKS)
def test_a_link_to_the_next_page_is_followed_below_our_own_base_or_refused(link: Any, path: str | None) -> None:
    first = Answer(200, {"resourceType": "Bundle", "link": [{"relation": "next", "url": link}]})
    last = [Answer(200, {"resourceType": "Bundle"})] if path else []
    with HttpFake(first, *last) as http:
        sink = sink_of(http.url)
        if path is None:
            with pytest.raises(SinkBusy):
                list(sink.ours(("Endpoint", "e1")))
        else:
            assert list(sink.ours(("Endpoint", "e1"))) == []
    assert [asked.path for asked in http.asked[1:]] == ([path] if last else [])
    assert all("X-Evil" not in asked.headers for asked in http.asked)


INNER: dict[str, tuple[str, str, str | None]] = {  # its link to the page itself, to the next one -> what is asked for
    "the search": (
        "http://in:8080/r4/ImagingStudy?a=1",
        "http://in:8080/r4/ImagingStudy?page=2",
        "/ImagingStudy?page=2",
    ),
    "the base": ("http://in:8080/r4/ImagingStudy?a=1", "http://in:8080/r4?_getpages=7", "?_getpages=7"),
    "at the root": ("http://in/ImagingStudy", "http://in/ImagingStudy?page=2", "/ImagingStudy?page=2"),
    "elsewhere": ("http://in/r4/ImagingStudy", "http://in/r5?_getpages=7", None),
    "by another name": ("http://in/r4/search", "http://in/r4?_getpages=7", None),
    "no link": ("http://[", "http://in/r4?_getpages=7", None),
}


@pytest.mark.parametrize(("mine", "link", "path"), INNER.values(), ids=INNER)
def test_a_server_behind_a_gateway_has_another_base(mine: str, link: str, path: str | None) -> None:
    links = [{"relation": "next", "url": link}, {"relation": "self", "url": mine}]
    first = Answer(200, {"resourceType": "Bundle", "link": links})
    with HttpFake(first, *([Answer(200, {"resourceType": "Bundle"})] if path else [])) as http:
        if path is None:
            with pytest.raises(SinkBusy):
                list(sink_of(http.url).ours(("Endpoint", "e1")))
        else:
            assert list(sink_of(http.url).ours(("Endpoint", "e1"))) == []
    assert [asked.path for asked in http.asked[1:]] == ([f"/fhir{path}"] if path else [])


@pytest.mark.parametrize("id", ["../p1", "p/1", "..", "", "p1?x", "p1#", "a" * 65], ids=repr)
@pytest.mark.parametrize("place", [0, 1], ids=["type", "id"])
def test_a_key_that_would_lead_elsewhere_is_not_asked_for(id: str, place: int) -> None:
    key = (id, "s1") if place == 0 else ("ImagingStudy", id)
    with HttpFake() as http, pytest.raises(ValueError, match="URL"):
        sink_of(http.url).version(key)


def test_the_studies_at_an_endpoint_are_listed_page_by_page_at_our_own_address() -> None:
    def entry(*values: str) -> dict[str, Any]:
        identifiers = [{"system": "urn:dicom:uid", "value": value} for value in values]
        return {
            "resource": {
                "resourceType": "ImagingStudy",
                "id": f"s{values[0][-1]}",
                "identifier": [{"value": "A1"}, *identifiers],
            }
        }

    link = [{"relation": "self", "url": "x"}, {"relation": "next", "url": "http://other.example/fhir?_getpages=7&_o=2"}]
    with HttpFake(
        Answer(200, {"resourceType": "Bundle", "entry": [entry("urn:oid:1.2"), entry("1.9")], "link": link}),
        Answer(200, {"resourceType": "Bundle", "entry": [entry("urn:oid:1.3")]}),
    ) as http:
        found = sink_of(http.url).ours(("Endpoint", "e1"))
        assert [uid for one in found for uid in study_uids(one)] == ["1.2", "1.3"]
    query = "endpoint=Endpoint%2Fe1&status=available%2Centered-in-error"
    assert http.asked[0].path.startswith(f"/fhir/ImagingStudy?{query}")
    assert http.asked[1].path == "/fhir?_getpages=7&_o=2"


# -- is it there? --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401), SinkRefused),
        (Answer(403), SinkRefused),
        (Answer(404), SinkRefused),
        (Answer(500), SinkDown),
        (Answer(503), SinkDown),
    ],
    ids=lambda one: getattr(one, "status", getattr(one, "__name__", "")),
)
def test_a_probe_that_fails(answer: Answer, kind: type[MapperError]) -> None:
    with HttpFake(STATEMENT, answer) as http, pytest.raises(kind) as failed:
        sink_of(http.url).probe()
    assert type(failed.value) is kind


def test_a_probe_asks_what_needs_the_database() -> None:
    with HttpFake(STATEMENT, COUNT, COUNT) as http:
        sink = sink_of(http.url)
        sink.probe()
        sink.probe()
    paths = ["/fhir/metadata", "/fhir/Patient?_summary=count", "/fhir/Patient?_summary=count"]
    assert [(one.method, one.path) for one in http.asked] == [("GET", path) for path in paths]


@pytest.mark.parametrize("token", ["t0ken\n", "t0\rken", "t\u00f6ken"], ids=ascii)
def test_a_token_that_no_header_can_carry_is_a_wrong_setting_and_not_said(token: str) -> None:
    with pytest.raises(SettingError, match="fhir_token") as failed:
        sink_of("http://127.0.0.1:1", token=token)
    assert token not in str(failed.value)


def test_no_secret_of_ours_stands_in_a_failure() -> None:
    error = put(Answer(401, b"t0ken"), token="t0ken")
    assert "t0ken" not in str(error)
    assert json.dumps(str(error))
