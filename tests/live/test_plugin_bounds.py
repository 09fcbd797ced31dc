"""What must not harm real Orthancs: requests and answers that are too deep, large, slow or many, and other sites."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from stack import Orthanc
from tests.support.mapper_fake import Answer, MapperFake, study_state, until
from tests.support.plugged import TOKEN, Make, call, make, upload

pytestmark = pytest.mark.live

__all__ = ["make"]

STUDY, BULK = "/fhir-sync/studies/{id}", "/fhir-sync/bulk"
JSON = {"Content-Type": "application/json"}
THREADS = 50
"""Orthanc's HttpThreadsCount, which nothing here changes."""
MANY = THREADS + 10
FEW = 8
"""Those that may wait for the mapper at once (WAITING and ASKING of fhir_sync_mapper.py)."""


@pytest.fixture(scope="module")
def shared(make: Make) -> Iterator[tuple[Orthanc, MapperFake]]:
    with MapperFake(TOKEN) as mapper, make(mapper.url) as orthanc:
        yield orthanc, mapper
        log = orthanc.log.read_text(errors="replace")
        assert "Example" not in log
        assert "Traceback" not in log, "an exception went through Orthanc's callback"


@pytest.fixture
def orthanc(shared: tuple[Orthanc, MapperFake]) -> Iterator[Orthanc]:
    pid = shared[0].pid
    yield shared[0]
    assert call(shared[0], "GET", "/system").status_code == 200
    assert shared[0].pid == pid


@pytest.fixture
def mapper(shared: tuple[Orthanc, MapperFake]) -> Iterator[MapperFake]:
    mapper = shared[1]
    yield mapper
    mapper.answer = lambda method, path: None
    assert not mapper.unexpected


@pytest.fixture(scope="module")
def study(shared: tuple[Orthanc, MapperFake]) -> tuple[str, str]:
    return upload(shared[0])


# Requests -----------------------------------------------------------------------------------------------------


def deep(opening: str, levels: int, inner: str = "1") -> str:
    """Give JSON whose array or object nests so many levels."""
    return opening * levels + inner + {"[": "]", "{": "}"}[opening[0]] * levels


def request(deeper: str) -> str:
    """Give a body that both routes take, with something more in it."""
    return f'{{"wait": 0, "ids": [], "x": {deeper}}}'


OPENINGS = ["[", '{"a":', '[{"a":']
DEEP = {
    f"{opening} {levels} times": opening * levels for opening in OPENINGS for levels in (33, 34, 400, 600, 5_000)
} | {f"{opening} one level too deep": request(deep(opening, 32)) for opening in OPENINGS[:2]}
ODD = {
    "NaN": b'{"wait": NaN}',
    "Infinity": b'{"wait": Infinity}',
    "larger than a double": b'{"wait": 1e999}',
    "10,000 digits": b'{"wait": ' + b"7" * 10_000 + b"}",
    "half a surrogate pair": b'{"wait": 0, "x": "\\ud800"}',
    "half a surrogate pair for an id": b'{"ids": ["\\ud800"]}',
    "a name twice": b'{"wait": 0, "wait": 0, "ids": [], "ids": []}',
    "not UTF-8": b'{"wait": 0, "ids": [], "x": "\xff"}',
    "UTF-16": '{"wait": 0, "ids": []}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"wait": 0, "ids": []}',
    "a control character": b'{"wait": 0, "ids": [], "x": "\x00"}',
    "nothing but NUL": b"\x00" * 100,
}
LARGE = {
    "[ 100,000 times": b"[" * 100_000,
    "objects 100,000 times": b'{"a":' * 100_000,
    "a byte too many": b'{"wait": 0, "ids": []}'.ljust((64 << 10) + 1),
    "10 MB": b'"' * (10 << 20),
}
FINE = {
    "as deep as may be": request(deep("[", 31)),
    "objects as deep as may be": request(deep('{"a":', 31)),
    "a surrogate pair that deep": request(deep('{"a":', 31, '"\\ud83d\\ude00"')),
    "brackets in a string": request(json.dumps('\\"' + '[{"' * 5_000)),
    "as large as may be": '{"wait": 0, "ids": []}'.ljust(64 << 10),
}


@pytest.mark.parametrize("path", [STUDY, BULK])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        *((text.encode(), 400) for text in DEEP.values()),
        *((text, 400) for text in ODD.values()),
        *((text, 413) for text in LARGE.values()),
        *((text.encode(), 200) for text in FINE.values()),
    ],
    ids=[*DEEP, *ODD, *LARGE, *FINE],
)
def test_bodies(
    orthanc: Orthanc, mapper: MapperFake, study: tuple[str, str], path: str, body: bytes, status: int
) -> None:
    syncs = len(mapper.syncs)
    answer = call(orthanc, "POST", path.format(id=study[0]), data=body, headers=JSON)
    assert answer.status_code == status
    assert status == 200 or len(mapper.syncs) == syncs


# Answers ------------------------------------------------------------------------------------------------------


def state(problems: str) -> bytes:
    return f'{{"state": "synced", "problems": {problems}}}'.encode()


ANSWERS: dict[str, tuple[bytes, str]] = {
    "as deep as may be": (state(deep("[", 31)), "synced"),
    "objects as deep as may be": (state(deep('{"a":', 31)), "synced"),
    "a surrogate pair that deep": (state(deep('{"a":', 31, '"\\ud83d\\ude00"')), "synced"),
    "brackets in a string": (state(json.dumps(["[" * 100_000])), "synced"),
    "as large as may be": (state("[]").ljust(4 << 20), "synced"),
    "many problems": (state("[" + "[]," * 100_000 + "1]"), "synced"),
    **{text: (state(body), "unreachable") for text, body in DEEP.items()},
    **{text: (body, "unreachable") for text, body in ODD.items()},
    "[ 100,000 times": (b"[" * 100_000, "unreachable"),
    "objects 100,000 times": (b'{"a":' * 100_000, "unreachable"),
    "4 MB of brackets": (b"[" * (4 << 20), "unreachable"),
    "a byte too many": (state("[]").ljust((4 << 20) + 1), "unreachable"),
    "20 MB": (state("[]").ljust(20 << 20), "unreachable"),
}


@pytest.mark.parametrize(("body", "said"), ANSWERS.values(), ids=ANSWERS.keys())
def test_answers_of_what_stands_at_mapper_url(
    orthanc: Orthanc, mapper: MapperFake, study: tuple[str, str], body: bytes, said: str
) -> None:
    mapper.answer = lambda method, path: (200, body)
    path = STUDY.format(id=study[0])
    for answer in (call(orthanc, "GET", path), call(orthanc, "POST", path, json={"wait": 0})):
        assert (answer.status_code, answer.json()["state"]) == (200, said)
        assert answer.json()["problems"] == (json.loads(body)["problems"] if said == "synced" else [])
    assert call(orthanc, "GET", path + "/page").status_code == 200


def test_an_answer_of_a_byte_a_second_ends_with_the_deadline(make: Make) -> None:
    finished = threading.Event()
    with MapperFake(TOKEN) as mapper, make(mapper.url) as orthanc:
        study, _ = upload(orthanc)
        handle = mapper.server.RequestHandlerClass

        class Dribble(handle):  # type: ignore[misc, valid-type]
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                try:
                    for _ in range(60):
                        self.wfile.write(b" ")
                        time.sleep(1)
                    finished.set()
                except OSError:
                    pass

            do_POST = do_GET

        mapper.server.RequestHandlerClass = Dribble
        answer = call(orthanc, "GET", STUDY.format(id=study)).json()
        assert (answer["state"], "TimeoutError" in answer["message"]) == ("unreachable", True)
        assert not finished.is_set()


# Threads ------------------------------------------------------------------------------------------------------


def test_a_hung_mapper_leaves_orthanc_its_threads(orthanc: Orthanc, mapper: MapperFake, study: tuple[str, str]) -> None:
    go, asked = threading.Event(), []

    def hang(method: str, path: str) -> None:
        if path != "/wake":
            asked.append(path)
            go.wait(60)

    mapper.answer = hang
    path, start = STUDY.format(id=study[0]), threading.Barrier(MANY)

    def resync(_: int) -> Any:
        start.wait(60)
        return call(orthanc, "POST", path, json={"wait": 10}).json()

    with ThreadPoolExecutor(MANY) as pool:
        resyncs = [pool.submit(resync, number) for number in range(MANY)]
        until(lambda: asked)
        assert call(orthanc, "GET", "/system").status_code == 200
        assert sum(not one.done() for one in resyncs) > 0, "some wait still"
        until(lambda: sum(one.done() for one in resyncs) >= MANY - FEW, 30)
        assert call(orthanc, "GET", "/system").status_code == 200
        early = len(asked)
        go.set()
    assert early <= FEW
    assert all(one.result()["state"] in ("synced", "unreachable") for one in resyncs)


# UIDs ---------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize("uid", ["..", "1/../../wake", "1?x=1#y", "<b>1</b>", "%2e%2e", "no-digit"])
def test_a_uid_that_is_no_part_of_a_url(orthanc: Orthanc, mapper: MapperFake, uid: str) -> None:
    paths = []

    def answer(method: str, path: str) -> Answer | None:
        if path == "/wake":
            return None
        paths.append(path)
        return 200, json.dumps(study_state("whatever", "parked")).encode()

    mapper.answer = answer
    study, _ = upload(orthanc, uid)
    try:
        path = STUDY.format(id=study)
        for said in (call(orthanc, "GET", path), call(orthanc, "POST", path, json={})):
            assert (said.json()["study_uid"], said.json()["state"]) == (study, "parked")
        assert paths == [f"/api/studies/{study}", f"/api/studies/{study}/sync"]
        assert uid.replace("<", "&lt;").replace(">", "&gt;") in call(orthanc, "GET", path + "/page").text
    finally:
        call(orthanc, "DELETE", f"/studies/{study}")


# Other sites --------------------------------------------------------------------------------------------------


def single(answer: requests.Response, name: str) -> str:
    """Give the one value of a header; requests would join several with a comma."""
    [value] = answer.raw.headers.getlist(name)
    return str(value)


REQUESTS: list[tuple[str, str, dict[str, str], int]] = [
    ("POST", STUDY, {}, 200),
    ("POST", STUDY, {"Sec-Fetch-Site": "same-origin"}, 200),
    ("POST", STUDY, {"Sec-Fetch-Site": "none"}, 200),
    ("POST", STUDY, {"Sec-Fetch-Site": "same-site"}, 403),
    ("POST", BULK, {"Sec-Fetch-Site": "cross-site"}, 403),
    ("POST", STUDY, {"Origin": "null"}, 403),
    ("POST", STUDY, {"Origin": "http://127.0.0.1"}, 403),
    ("POST", STUDY, {"Origin": "http://127.0.0.1:8042", "Host": "127.0.0.1"}, 403),
    ("POST", STUDY, {"Origin": "https://pacs.example", "Host": "pacs.example"}, 200),
    ("POST", STUDY, {"Origin": "https://pacs.example", "Host": "pacs.example:443"}, 200),
    ("GET", STUDY, {}, 200),
    ("GET", STUDY + "/page", {}, 200),
    ("GET", STUDY + "/page", {"Sec-Fetch-Site": "cross-site"}, 403),
    ("GET", STUDY, {"Origin": "http://evil.example"}, 403),
    ("GET", "/fhir-sync/studies/" + "-".join(["0" * 8] * 5), {}, 404),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), REQUESTS)
def test_who_may_come_in_and_what_protects_the_answer(
    orthanc: Orthanc, study: tuple[str, str], method: str, path: str, headers: dict[str, str], status: int
) -> None:
    body = {"json": {"wait": 0, "ids": []}} if method == "POST" else {}
    answer = call(orthanc, method, path.format(id=study[0]), headers=headers, **body)
    assert answer.status_code == status
    assert single(answer, "X-Content-Type-Options") == "nosniff"
    assert single(answer, "X-Frame-Options") == "DENY"
    assert single(answer, "Cross-Origin-Resource-Policy") == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_refusals_are_said_once(orthanc: Orthanc, study: tuple[str, str]) -> None:
    for _ in range(30):
        answer = call(orthanc, "POST", STUDY.format(id=study[0]), data="x", headers={"Content-Type": "text/plain"})
        assert answer.status_code == 415
    assert orthanc.log.read_text().count("refused with 415") == 1
