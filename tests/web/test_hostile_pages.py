"""The pages, and what should never reach what stands behind them: a full disk, a name as a UID, a PACS that hangs."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio.to_thread import current_default_thread_limiter
from fastapi.testclient import TestClient

from mapper.errors import BundleRejected, SourceBusy, SourceDown
from mapper.inquiry import Inquiry
from mapper.web.app import THREADS
from mapper.web.audit import Audit
from mapper.web.refusals import PROBLEM
from mapper.web.session import LIFE
from mapper.web.visitor import Role
from tests.support.situations import HERE, A, B
from tests.support.visitors import FORM, PEOPLE, House, secret_of


@pytest.fixture
def house(ledger_url: str, tmp_path: Path) -> Iterator[House]:
    """Give a service that holds A, and B, which the FHIR server refused."""
    house = House(ledger_url, tmp_path)
    house.world.source.store(A, patient="P1")
    house.world.source.store(B, patient="P2")
    house.triggers.turn()
    house.sync(A)
    house.world.sink.failures.append(BundleRejected("HTTP 422 (processing)"))
    house.sync(B)
    yield house
    house.world.database.close()


def of(house: House, role: Role, accept: str = "text/html") -> TestClient:
    """Return a program that shows a token of this role."""
    return house.browser(headers={"Authorization": f"Bearer {PEOPLE[role][0]}", "Accept": accept})


# -- places in lists -------------------------------------------------------------------------------


def written(place: Any) -> str:
    """Return a place as a word, whatever it is."""
    raw = place if isinstance(place, bytes) else json.dumps(place).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


NO_SYNCS = {
    "larger than a database counts": [1e9, 2**63],
    "larger than any": [1e9, 2**70],
    "before the first": [1e9, -1],
    "no time": ["1", 1],
    "an endless time": b"[1e309,1]",
    "too few": [1e9],
    "too many": [1e9, 1, 1],
    "a study's": [1e9, "1.2", "orthanc"],
    "no JSON": b"\xff",
}
NO_STUDIES = {
    "NUL in the UID": [1e9, "\0", "x"],
    "NUL in the source": [1e9, "1", "\0"],
    "a surrogate": b'[1e9,"1","\\ud800"]',
    "a long UID": [1.0, "1" * 65, "x"],
    "a long source": [1.0, "1", "x" * 49],
    "no ASCII": [1.0, "\u0661", "x"],
    "a sync's": [1e9, 1],
}


@pytest.mark.parametrize("path", ["/problems", f"/studies/{A}", "/api/history", f"/api/studies/{A}/history"])
def test_no_place_in_the_history_is_refused(house: House, path: str) -> None:
    reader = of(house, Role.READ)
    found = {name: reader.get(f"{path}?after={written(place)}").status_code for name, place in NO_SYNCS.items()}
    assert found == dict.fromkeys(NO_SYNCS, 422)


@pytest.mark.parametrize("path", ["/studies?", "/studies?q=1.2.&", "/api/studies?", "/api/studies?uid_begins=1.2.&"])
def test_no_place_in_a_list_of_studies_is_refused(house: House, path: str) -> None:
    reader = of(house, Role.READ)
    found = {name: reader.get(f"{path}after={written(place)}").status_code for name, place in NO_STUDIES.items()}
    assert found == dict.fromkeys(NO_STUDIES, 422)


@pytest.mark.parametrize("path", ["/studies", "/api/studies"])
def test_what_no_source_can_be_named_is_refused(house: House, path: str) -> None:
    reader = of(house, Role.READ)
    for source in ("\0", "a\nb", "\x1f", "x" * 49):
        assert reader.get(path, params={"source": source}).status_code == 422


# -- what is not in the audit log is not done ------------------------------------------------------

C = "1.2.9"
POSTS = {
    "/page/ask": {"study": C},
    f"/page/studies/{B}/sync": {},
    f"/page/studies/{C}/sync": {},
    "/page/studies": {"which": "all", "confirmed": "yes"},
    "/page/find": {"by": "PatientID", "value": "P1"},
}


def takes_nothing(audit: Audit, who: str, what: str, **facts: object) -> None:
    """Stand for a disk that is full."""
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("path", POSTS)
def test_nothing_is_done_that_the_audit_log_does_not_take(
    house: House, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    house.world.source.store(C, patient="P3")
    browser = house.logged_in(Role.VALUES)
    given = {"csrf": secret_of(browser), **POSTS[path]}
    asked: list[str] = []
    monkeypatch.setattr(Inquiry, "find", lambda inquiry, by, value: asked.append(by) or [])
    monkeypatch.setattr(house.world.source, "holds", lambda uid: asked.append(uid) or True)
    monkeypatch.setattr(Audit, "record", takes_nothing)
    assert browser.post(path, data=given).status_code == 503
    assert not asked, "the PACS was asked"
    assert (house.world.state(A), house.world.state(B)) == ("synced", "parked")
    assert house.world.ledger.rows.find(C) is None


def test_each_form_of_the_pages_is_in_this_table() -> None:
    here = Path(__file__).parents[2] / "mapper" / "web"
    routes = [
        line for file in here.rglob("*.py") for line in file.read_text().splitlines() if 'app.post("/page/' in line
    ]
    known = {path.replace(B, "{study_uid}").replace(C, "{study_uid}") for path in POSTS}
    assert {line.split('"')[1] for line in routes} == known


# -- what was typed --------------------------------------------------------------------------------

TYPED = ("Mueller-Hans-19700101", "1.2.3.19700101")


@pytest.mark.parametrize("is_down", [False, True], ids=["the PACS answers", "the PACS is down"])
@pytest.mark.parametrize("name", TYPED)
def test_a_text_that_names_no_study_is_repeated_nowhere(
    house: House, capsys: pytest.CaptureFixture[str], name: str, is_down: bool
) -> None:
    if is_down:
        house.world.source.down = SourceDown("no Orthanc answers")
    visitor = of(house, Role.VALUES)
    said = [visitor.get(f"/studies/{name}{page}") for page in ("", "/explain", "/header", "/problems")]
    assert [answer.status_code for answer in said] == [404] * 4
    said += [visitor.post(f"/page/studies/{name}/sync", headers=FORM), visitor.post("/page/ask", data={"study": name})]
    assert not [answer.text for answer in said if name in answer.text]
    assert name not in house.audit_file.read_text(encoding="utf-8")
    written = capsys.readouterr()
    assert name not in written.out + written.err


# -- a PACS that hangs -----------------------------------------------------------------------------


Asked = tuple[Role, str]
"""Who asks for which path."""


class Gate:
    """What asks the PACS, and waits there until it may go on."""

    def __init__(self) -> None:
        self.inside, self._open = 0, threading.Event()

    def __call__(self, *given: Any, **more: Any) -> Any:
        """Wait, then say that the PACS is busy."""
        self.inside += 1
        self._open.wait(60)
        raise SourceBusy("HTTP 503")

    def open(self) -> None:
        """Let everybody go on."""
        self._open.set()


def asked_beside(house: House, gate: Gate, inside: int, hanging: list[Asked], then: list[Asked]) -> list[int]:
    """Return how those of `then` are answered, one by one, while so many hang in the PACS."""
    found: list[int] = []

    async def asked() -> None:
        current_default_thread_limiter().total_tokens = THREADS
        transport = httpx.ASGITransport(app=house.app, client=("192.0.2.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client, anyio.create_task_group() as group:

            async def one(role: Role, path: str) -> int:
                headers = {"Authorization": f"Bearer {PEOPLE[role][0]}"}
                if path.startswith("/page/"):
                    answer = await client.post(path, data={"by": "PatientID", "value": "x"}, headers=headers)
                else:
                    answer = await client.get(path, headers=headers)
                return answer.status_code

            try:
                with anyio.fail_after(30):
                    for role, path in hanging:
                        group.start_soon(one, role, path)
                    while gate.inside < inside:
                        await anyio.lowlevel.checkpoint()
                    found.extend([await one(role, path) for role, path in then])
            finally:
                gate.open()

    anyio.run(asked)
    return found


@pytest.mark.parametrize("path", [f"/studies/{A}/header", "/page/find", f"/studies/{A}/explain"])
def test_a_pacs_that_hangs_keeps_nobody_from_the_ledger(
    house: House, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    gate = Gate()
    for name in ("headers", "find", "explain"):
        monkeypatch.setattr(Inquiry, name, gate)
    hanging = [(Role.VALUES, path)] * (2 * THREADS)
    then = [(Role.READ, "/api/studies"), (Role.VALUES, f"/studies/{A}"), (Role.VALUES, path)]
    assert asked_beside(house, gate, 2, hanging, then) == [200, 200, 503]
    assert gate.inside == 2


@pytest.mark.parametrize("role", [Role.OPERATE, Role.VALUES], ids=lambda role: role.word)
def test_those_who_may_only_read_leave_a_place_to_others(
    house: House, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    gate, path = Gate(), f"/studies/{A}/explain"
    real = Inquiry.explain
    calls: list[int] = []

    def explain(inquiry: Inquiry, *given: Any, **more: Any) -> Any:
        calls.append(1)
        return gate() if len(calls) == 1 else real(inquiry, *given, **more)

    monkeypatch.setattr(Inquiry, "explain", explain)
    hanging, then = [(Role.READ, path)], [(Role.READ, path), (role, path), (Role.READ, path)]
    assert asked_beside(house, gate, 1, hanging, then) == [503, 200, 503]


@pytest.mark.parametrize("most", [0, 1, 3, 10_000])
def test_no_more_is_explained_than_is_shown(house: House, most: int) -> None:
    inquiry = Inquiry(house.service)
    whole, some = inquiry.explain(A, redact=True).objects, inquiry.explain(A, redact=True, most=most).objects
    for kind in ("made", "silent", "problem"):
        of_kind = [one for one in whole if one["kind"] == kind]
        assert [one for one in some if one["kind"] == kind] == of_kind[:most]


def test_a_page_says_that_there_is_more_than_it_shows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/studies/{A}/explain"
    assert "there are more" not in of(house, Role.READ).get(path).text
    monkeypatch.setattr("mapper.web.study.explained.SHOWN", 3)
    page = of(house, Role.READ).get(path).text
    assert "there are more" in page
    assert page.partition('id="made"')[2].partition('id="nothing"')[0].count("<tr><td>") == 3


# -- forms and files -------------------------------------------------------------------------------

ODD_FORMS = {
    "an odd name": {"which": "all", "q": "Mueller"},
    "a field twice": {"which": "all", "state": ["removed", ""]},
    "the button twice": {"which": ["all", "chosen"]},
    "no button": {"state": "parked"},
    "another button": {"which": "ALL", "state": "parked"},
    "a field that is none": {"which": "all", "stat": "parked"},
    "a page": {"which": "all", "after": "WzFd"},
    "no state": {"which": "all", "state": "lost"},
    "no kind of failure": {"which": "all", "failure": "X;"},
    "no time": {"which": "all", "since": "x"},
    "no source": {"which": "all", "source": "\0"},
}


@pytest.mark.parametrize("given", ODD_FORMS.values(), ids=ODD_FORMS)
def test_a_form_that_is_not_understood_means_no_study(house: House, given: dict[str, Any]) -> None:
    assert of(house, Role.OPERATE).post("/page/studies", data=given).status_code == 422
    assert (house.world.state(A), house.world.state(B)) == ("synced", "parked")
    assert not house.audited()


@pytest.mark.parametrize("odd", ["\x7f", "\x9b31m", "\u202e", "\u2066", "\u2028", "\u2029"], ids=ascii)
def test_an_export_for_programs_shows_no_control_character(house: House, odd: str) -> None:
    house.world.mark(A)
    (claim,) = house.world.ledger.studies.claim(["orthanc"])
    house.world.ledger.studies.finish(claim, "refused", f"first{odd}last", "KeyError")
    text = of(house, Role.READ).get(f"/studies/{A}/problems", params={"form": "ndjson"}).text
    assert odd not in text
    (study,) = [one for one in map(json.loads, text.split("\n")[:-1]) if one["kind"] == "study"]
    assert study["message"] == f"first{odd}last"


# -- what people are told --------------------------------------------------------------------------

WRONG = {
    "another role": ("GET", f"/studies/{A}/header", 403),
    "a role for the button": ("POST", f"/page/studies/{A}/sync", 403),
    "nothing there": ("GET", "/nothing", 404),
    "no UID": ("GET", "/studies/a%20b", 422),
    "no place": ("GET", "/problems?after=x", 422),
    "a method": ("POST", "/mapping", 405),
}


@pytest.mark.parametrize(("method", "path", "status"), WRONG.values(), ids=WRONG)
def test_people_are_told_by_a_page_and_programs_by_json(house: House, method: str, path: str, status: int) -> None:
    headers = FORM if path.startswith("/page/") else {"content-type": "application/json"}
    role = Role.OPERATE if status == 405 else Role.READ
    page = of(house, role).request(method, path, headers=headers)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert 'role="alert"' in page.text
    assert 'href="/studies"' in page.text
    told = of(house, role, "*/*").request(method, path, headers=headers)
    assert (told.status_code, told.headers["content-type"]) == (status, PROBLEM)
    assert told.json()["title"] in page.text
    assert page.headers.get("allow") == told.headers.get("allow")


def test_the_api_answers_a_browser_as_it_does_a_program(house: House) -> None:
    assert of(house, Role.READ).get("/api/studies", params={"limit": 0}).headers["content-type"] == PROBLEM


@pytest.mark.parametrize("path", ["/page/ask", f"/page/studies/{B}/sync", "/logout"])
def test_a_button_of_a_session_that_has_ended_leads_to_the_login(house: House, path: str) -> None:
    browser = house.logged_in(Role.OPERATE)
    given = {"csrf": secret_of(browser), "study": B}
    house.entrance.sessions._clock = lambda: time.time() + 2 * LIFE
    answer = browser.post(path, data=given, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert browser.post(path, data=given, headers={"Accept": "*/*"}).status_code == 401
    assert house.world.state(B) == "parked"
