"""Values planted in every attribute that the mapping reads are found in FHIR, and in nothing the mapper says of it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, cast

import pytest
from pydicom import Dataset, config
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.uid import UID

from mapper.dicom.study import IDENTITY
from mapper.maps import INSTANCE_KEYWORDS, KEYWORDS
from samples.dataset import part10
from stack import FhirServer
from tests.support.stack import Stack
from tests.support.study import study

TEXT, NUMBER = "ZQXMARKERZQX", "71234577"
BROKEN = "ZQXMARKER~ZQX"
"""A text of which `part10` leaves bytes that no character set of ours knows."""

Values = dict[str, Any]

GOOD: Values = {
    **dict.fromkeys(("AE", "CS", "SH", "LO", "ST", "LT", "UT", "UC"), TEXT),
    "PN": f"{TEXT}^{TEXT}={TEXT}={TEXT}",
    "IS": NUMBER,
    "DS": NUMBER,
}
BAD: Values = {
    **dict.fromkeys(("AE", "CS", "SH", "LO"), f"{TEXT}\x07 {BROKEN}" + TEXT * 12),
    **dict.fromkeys(("ST", "LT", "UT", "UC"), f"{TEXT}\x00\x1b{BROKEN}"),
    **dict.fromkeys(("DA", "TM", "DT", "AS", "UI", "UR"), TEXT),
    "PN": f"{BROKEN}^^^^^{TEXT}=={TEXT}={TEXT}={TEXT}",
    "IS": NUMBER * 3,
    "DS": f"-{NUMBER}",
}
KEPT = frozenset({*IDENTITY, "SpecificCharacterSet"}) - {"PatientID", "InstanceNumber"}
"""What must stay right for Orthanc to take the file at all."""


def planted(values: Values) -> tuple[str, bytes]:
    """Return StudyInstanceUID and file of an instance that holds these values wherever the mapping looks."""
    sample = study(0, 0)
    instance = sample.add()
    plant(instance, values, sorted((KEYWORDS | INSTANCE_KEYWORDS) - KEPT))
    return str(sample.uid), part10(instance).replace(BROKEN.encode(), BROKEN.replace("~", "\xff").encode("latin-1"))


def plant(into: Dataset, values: Values, keywords: list[str], depth: int = 0) -> None:
    """Put a value by its VR into every attribute, and items that hold such values into sequences."""
    for keyword in keywords:
        vr = dictionary_VR(keyword)
        if vr == "SQ" and depth < 2:
            item = Dataset()
            inner = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning", "LocalNamespaceEntityID")
            plant(item, values, [*inner, "PatientID", "AccessionNumber", "PersonIdentificationCodeSequence"], depth + 1)
            into.add_new(keyword, vr, [item])
        elif vr in values:
            value = values[vr] if dictionary_VM(keyword) == "1" else [values[vr], values[vr]]
            into.add_new(keyword, vr, value)


@pytest.fixture(autouse=True)
def pydicom_writes_anything() -> Iterator[None]:
    with config.disable_value_validation():
        yield


class QuotingServer:
    """A FHIR server that refuses every transaction, and quotes all of it in its OperationOutcome."""

    def __init__(self) -> None:
        self.refused: list[bytes] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
                found = {"resourceType": "Bundle", "type": "searchset", "total": 0}
                self.answer(200, statement if self.path.endswith("/metadata") else found)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.refused.append(body)
                issue = {"severity": "error", "code": "invalid", "diagnostics": f"HAPI-0000: {body.decode()}"}
                self.answer(422, {"resourceType": "OperationOutcome", "issue": [issue]})

            def answer(self, status: int, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/fhir+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing: pytest's output is not the place."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/fhir"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def said(stack: Stack, uid: str) -> dict[str, bytes]:
    """Return everything that the mapper says or keeps, by where it stands."""
    commands = {
        " ".join(words): (done := stack.cli(*words)).stdout.encode() + done.stderr.encode()
        for words in (("studies", "--json"), ("doctor",), ("sync", uid))
    }
    paths = ("/api/studies", f"/api/studies/{uid}", f"/?study={uid}", "/", "/metrics", "/api/studies/1.2.3")
    answers = {path: stack.api("GET", path).content for path in paths}
    posted = {"POST sync": stack.api("POST", f"/api/studies/{uid}/sync", json={"wait": 5}).content}
    files = {str(file): file.read_bytes() for file in stack.mapper.folder.rglob("*") if file.is_file()}
    assert {Path(name).suffix for name in files} >= {".db", ".log"}
    plugin = {
        "Orthanc's log": b"".join(line for line in stack.orthanc.log.read_bytes().splitlines() if b"Fhir" in line)
    }
    return {**commands, **answers, **posted, **files, **plugin}


def nothing_told(stack: Stack, uid: str) -> None:
    for where, text in said(stack, uid).items():
        for marker in (TEXT, NUMBER, TEXT[:9]):
            assert marker.encode() not in text, f"{marker} stands in {where}"
    assert uid.encode() in stack.mapper.log.read_bytes(), "the study's own UID may and should be said"


@pytest.fixture(scope="module")
def stack(run_folder: Path, fhir_server: FhirServer) -> Iterator[Stack]:
    with Stack(run_folder / "privacy", fhir_server) as running:
        yield running


def test_values_reach_fhir_and_nothing_else(stack: Stack) -> None:
    for values in (GOOD, BAD):
        uid, file = planted(values)
        assert file.count(TEXT[:9].encode()) > 50
        stack.store([file])
        state = stack.until_state(uid, "synced", "parked")

        assert state["state"] == "synced", state
        written = [stack.imaging_study(uid), *map(stack.resource, stack.versions(uid))]
        assert TEXT in json.dumps(written)
        if values is BAD:
            assert state["problems"], "what was dropped or doubted is recorded"
    nothing_told(stack, uid)


def test_a_study_parked_for_two_patients_names_none_of_them(stack: Stack) -> None:
    uid, file = planted(GOOD)
    other = study(0, 0, PatientID=TEXT + "2")
    other.uid = UID(uid)
    other.add()
    stack.store([file, *other.files])

    stack.until_state(uid, "parked")

    nothing_told(stack, uid)


def test_a_refusal_that_quotes_everything_tells_nothing(run_folder: Path) -> None:
    with QuotingServer() as refusing, Stack(run_folder / "privacy-refused", cast(FhirServer, refusing)) as stack:
        for values in (GOOD, BAD):
            uid, file = planted(values)
            stack.store([file])
            state = stack.until_state(uid, "parked")
            assert "HTTP 422" in state["message"]
        assert sum(TEXT.encode() in body for body in refusing.refused) >= 2
        nothing_told(stack, uid)
