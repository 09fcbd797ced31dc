"""The pages of studies and problems, and the first page: what each visitor sees, finds and can do."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from fastapi.testclient import TestClient

from mapper.errors import BundleRejected, MapperError, SinkBusy, SourceDown
from mapper.ledger.history import History
from mapper.ledger.outcome import Span
from mapper.ledger.state import STATES
from mapper.plural import counted
from mapper.remedies import remedy
from mapper.web.cursor import place, word
from mapper.web.overview.chart import chart, scale
from mapper.web.study.explorers import Explorers
from mapper.web.study.ways import Ways
from mapper.web.view import sentence
from mapper.web.visitor import Role
from mapper.words import Links
from tests.support.fakes import SITE, Clock
from tests.support.situations import A, B
from tests.support.visitors import FORM, PEOPLE, House, secret_of

NAME, NUMBER, PATIENT, TEXT = "Zzyzx^Quirina", "ACC-4711-Q", "PID-0815-Q", "Qualle <b>dorsal"
VALUES = (NAME, "Zzyzx", NUMBER, PATIENT, "Qualle")
DROPPED = "Patient.birthDate"
PATHS = ("/", "/studies", f"/studies/{A}", f"/studies/{A}/explain", f"/studies/{A}/problems", "/problems")
PATHS += ("/syncs", f"/studies/{A}?asked_at=1", "/studies?failure=any&since=1h")
PATHS += (f"/studies/{A}/problems?form=ndjson", "/studies?state=parked", "/problems?failure=BundleRejected")


@pytest.fixture
def house(ledger_url: str, tmp_path: Path) -> Iterator[House]:
    """Give a service that holds A, of which an element was dropped, and B, which the FHIR server refused."""
    house = House(ledger_url, tmp_path, viewer_url="https://viewer.example.org/?study={study}")
    given = {"PatientName": NAME, "AccessionNumber": NUMBER, "StudyDescription": TEXT, "PatientBirthDate": "19700231"}
    house.world.source.store(A, patient=PATIENT, **given)
    house.world.source.store(B, patient="P2")
    house.triggers.turn()
    house.sync(A)
    house.world.sink.failures.append(BundleRejected("HTTP 422 (processing)"))
    house.sync(B)
    yield house
    house.world.database.close()


def of(house: House, role: Role) -> TestClient:
    """Return a program that shows a token of this role."""
    return house.browser(headers={"Authorization": f"Bearer {PEOPLE[role][0]}", "Accept": "text/html"})


# -- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", [Role.READ, Role.OPERATE], ids=lambda role: role.word)
def test_no_value_is_shown_to_whoever_may_not_see_any(house: House, role: Role, path: str) -> None:
    answer = of(house, role).get(path)
    assert answer.status_code == 200
    for value in (*VALUES, "19700231"):
        assert value not in answer.text


@pytest.mark.parametrize("path", [one for one in PATHS if "explain" not in one])
def test_what_needs_no_value_has_none_for_anybody(house: House, path: str) -> None:
    text = of(house, Role.VALUES).get(path).text
    assert not [value for value in VALUES if value in text]


def test_whoever_may_see_values_sees_them_escaped_and_it_is_recorded(house: House) -> None:
    client = of(house, Role.VALUES)
    page = client.get(f"/studies/{A}/explain").text
    assert "Zzyzx" in page
    assert NUMBER in page
    assert "<b>dorsal" not in page
    assert "Qualle &lt;b&gt;dorsal" in client.get(f"/studies/{A}/header").text
    said = [(line["visitor"], line["what"], line["study_uid"]) for line in house.audited() if "study_uid" in line]
    assert said == [("valueser", "looked at values", A), ("valueser", "looked at the header", A)]
    assert not [value for value in VALUES if value in house.audit_file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("role", [Role.READ, Role.OPERATE], ids=lambda role: role.word)
def test_header_and_look_up_are_for_those_who_may_see_values(house: House, role: Role) -> None:
    client = of(house, role)
    assert client.get(f"/studies/{A}/header").status_code == 403
    found = client.post("/page/find", content=f"by=PatientID&value={PATIENT}", headers=FORM)
    assert found.status_code == 403
    assert "/page/find" not in client.get("/studies").text
    assert not [line for line in house.audited() if "studies" in line]


@pytest.mark.parametrize(("by", "value"), [("AccessionNumber", NUMBER), ("PatientID", PATIENT)])
def test_a_study_is_looked_up_by_a_number_that_goes_nowhere(house: House, by: str, value: str) -> None:
    answer = of(house, Role.VALUES).post("/page/find", data={"by": by, "value": f" {value} "})
    assert answer.status_code == 200
    assert f"/studies/{A}" in answer.text
    assert value not in answer.text
    assert "location" not in answer.headers
    assert value not in str(answer.headers)
    assert value not in house.audit_file.read_text(encoding="utf-8")
    assert house.audited()[-1]["studies"] == [A]


def test_what_is_looked_up_says_how_it_stands_what_to_do_and_where_to_see_it(house: House) -> None:
    client = of(house, Role.VALUES)
    house.world.source.store("1.9.9", "NEW1")
    house.world.source.store("1.9.9.2", "NEW1")
    house.world.sink.failures.append(BundleRejected("HTTP 422"))
    house.sync("1.9.9.2")
    page = " ".join(client.post("/page/find", data={"by": "PatientID", "value": "NEW1"}).text.split())
    assert "2 studies with this value" in page
    assert remedy("BundleRejected").do[:40] in page
    assert 'href="/studies/1.9.9.2"' in page
    assert "not seen yet" in page
    assert 'name="study" value="1.9.9"' in page, "it can be asked for"
    page = " ".join(client.post("/page/find", data={"by": "PatientID", "value": PATIENT}).text.split())
    assert "FHIR says what the PACS says" in page
    assert 'aria-label="FHIR of ' in page
    assert "NEW1" not in house.audit_file.read_text(encoding="utf-8")


@pytest.mark.parametrize("value", ["*", "PID*", "P?", "a\\b", "", "  "])
@pytest.mark.parametrize("by", ["PatientID", "PatientName", ""])
def test_a_look_up_finds_nothing_that_was_not_meant(house: House, by: str, value: str) -> None:
    answer = of(house, Role.VALUES).post("/page/find", data={"by": by, "value": value})
    assert "one whole value" in answer.text
    assert f"/studies/{A}" not in answer.text


def test_a_pacs_that_is_down_is_said_by_what_asks_it(house: House) -> None:
    house.world.source.down = SourceDown("no Orthanc answers")
    client = of(house, Role.VALUES)
    assert client.get(f"/studies/{A}").status_code == 200
    for answer in (client.get(f"/studies/{A}/explain"), client.get(f"/studies/{A}/header")):
        assert "no Orthanc answers" in answer.text
    assert "no Orthanc answers" in client.post("/page/find", data={"by": "PatientID", "value": "x"}).text


# -- one study -------------------------------------------------------------------------------------


def test_a_study_says_why_what_to_do_and_where_else_it_is(house: House) -> None:
    client = of(house, Role.OPERATE)
    page = client.get(f"/studies/{B}").text
    for said in ("parked", "HTTP 422 (processing)", "What to do", "refuses the content", "BundleRejected", "Retry"):
        assert said in page
    seen = client.get(f"/studies/{A}").text
    assert DROPPED in seen
    assert f"https://viewer.example.org/?study={A}" in seen
    assert "https://fhir.example.org/fhir/ImagingStudy/" in seen


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (["8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d"], ["Orthanc Explorer", "Orthanc Explorer 2"]),
        (
            ["8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d", "11111111-ca27c490-d0c7058c-929d0581-2bbf104d"],
            ["Orthanc Explorer (8a8cf898)", "Orthanc Explorer (11111111)", "Orthanc Explorer 2"],
        ),
        (["a-name", "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d/../x"], []),
        ([], []),
    ],
    ids=str,
)
def test_a_way_into_orthanc_is_made_of_its_own_ids_alone(house: House, ids: list[str], found: list[str]) -> None:
    ways = Ways(house.service.settings, Links("https://fhir.example.org/fhir", SITE.namespace), lambda source: True)
    made = ways.orthanc("orthanc", A, ids)
    assert [way.name for way in made] == found
    if found:
        assert made[0].url == f"http://localhost:8042/app/explorer.html#study?uuid={ids[0]}"
        assert made[-1].url == f"http://localhost:8042/ui/app/filtered-studies?StudyInstanceUID={A}&expand=study"


def test_a_way_into_explorer_2_is_shown_where_the_plugin_is_there(house: House) -> None:
    said: list[frozenset[str] | MapperError] = [SourceDown("no Orthanc answers"), frozenset({"orthanc-explorer-2"})]
    said.append(frozenset({"dicom-web"}))

    def plugins(source: str) -> frozenset[str]:
        answer = said.pop(0)
        if isinstance(answer, MapperError):
            raise answer
        return answer

    explorers = Explorers(plugins, clock := Clock())
    for expected, later in ((False, 60.0), (True, 3599.0), (True, 1.0), (False, 10.0)):
        explorers.has_2("orthanc")
        explorers.wait()
        assert explorers.has_2("orthanc") is expected
        clock.forward(later)
    assert said == [], "asked again after a failure, and once an hour"


def test_an_orthanc_is_asked_again_where_no_thread_could_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    explorers = Explorers(lambda source: frozenset({"orthanc-explorer-2"}), Clock())

    def no_thread(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(Thread, "start", no_thread)
        assert explorers.has_2("orthanc") is False
    explorers.has_2("orthanc")
    explorers.wait()
    assert explorers.has_2("orthanc") is True


def test_a_study_of_two_patients_is_shown_twice(house: House) -> None:
    house.world.source.store(A, patient="OTHER-PID", PatientName="Other^Person")
    page = of(house, Role.VALUES).get(f"/studies/{A}/header").text
    for said in (PATIENT, "OTHER-PID", f"{PATIENT}/{A}", f"OTHER-PID/{A}"):
        assert said in page


def test_what_is_said_of_fhir_is_so(house: House) -> None:
    """A study that was never there has no link, and one that is parked again shows of when FHIR is."""
    client = of(house, Role.READ)
    shown = client.get(f"/studies/{A}").text
    assert "<dt>Mapping" in shown
    assert "the older state" not in shown
    new = "1.9.1"
    house.world.source.store(new, patient="P3")
    house.world.sink.failures.append(BundleRejected("HTTP 422"))
    house.sync(new)
    for never in ("<dt>Mapping", "FHIR ImagingStudy", "the older state"):
        assert never not in client.get(f"/studies/{new}").text
    house.world.sink.failures.append(BundleRejected("HTTP 422"))
    house.sync(A)
    parked = client.get(f"/studies/{A}").text
    assert "the older state: what was synced at" in parked
    assert "<dt>Mapping" not in parked
    assert "FHIR ImagingStudy" in parked
    house.world.source.delete(new, patient="P3")
    house.sync(new)
    assert house.world.state(new) == "removed"
    assert "FHIR ImagingStudy" not in client.get(f"/studies/{new}").text
    assert client.get(f"/api/studies/{new}").json()["fhir_url"] is None
    assert f'aria-label="FHIR of {new}"' not in client.get("/studies").text


def test_explained_is_what_was_asked_for_or_what_is_near(house: House) -> None:
    client = of(house, Role.READ)
    near = client.get(f"/studies/{A}/explain", params={"element": "Patient.birthDat"}).text
    assert "no FHIR element and no DICOM attribute of the mapping is called so; near it: Patient.birthDate" in near
    for asked in ("patient.birthdate", "PatientBirthDate"):
        shown = client.get(f"/studies/{A}/explain", params={"element": asked}).text
        assert "is called so" not in shown
        assert DROPPED in shown
    assert "the first instance of series 1" in client.get(f"/studies/{A}/explain").text


def test_what_was_dropped_is_shown_with_its_value_to_whoever_may_see_it(house: House) -> None:
    path = f"/studies/{A}/explain?element={DROPPED}"
    assert "19700231" in of(house, Role.VALUES).get(path).text
    assert "19700231" not in of(house, Role.OPERATE).get(path).text


def test_a_study_that_cannot_be_mapped_shows_why_and_what_is_known(house: House) -> None:
    house.world.source.store(A, patient="OTHER-PID")
    house.sync(A)
    answer = of(house, Role.READ).get(f"/studies/{A}/explain")
    assert answer.status_code == 200
    for said in (
        "cannot be mapped",
        "stands under 2 PatientIDs",
        "What to do",
        "FHIR shows what was synced at",
        DROPPED,
    ):
        assert said in answer.text
    assert "OTHER-PID" not in answer.text


@pytest.mark.parametrize(
    ("element", "is_shown"),
    [
        ("", True),
        ("Patient", True),
        ("patient.birthdate", True),
        ("Patient.birthDate[0]", True),
        ("PatientBirthDate", True),
    ]
    + [(one, False) for one in ("Patient.birth", "Patient.name", "PatientName", "Pat")],
)
def test_what_was_dropped_of_a_parked_study_is_asked_for_like_everything(
    house: House, element: str, is_shown: bool
) -> None:
    house.world.source.store(A, patient="OTHER-PID")
    house.sync(A)
    page = of(house, Role.READ).get(f"/studies/{A}/explain", params={"element": element}).text
    assert (f"<code>{DROPPED}</code>" in page) == is_shown
    assert ("Dropped or doubted when" in page) == is_shown


def test_explained_is_what_was_made_dropped_and_not_made(house: House) -> None:
    page = of(house, Role.READ).get(f"/studies/{A}/explain").text
    for said in ("ImagingStudy.identifier", "StudyInstanceUID", "(0020,000D)", DROPPED, "Made nothing"):
        assert said in page
    one = of(house, Role.READ).get(f"/studies/{A}/explain", params={"element": "ImagingStudy.series"}).text
    assert "SeriesInstanceUID" in one
    assert "Patient.name" not in one


@pytest.mark.parametrize("name", ["9.9.9", "Mueller-Anna-1970"])
@pytest.mark.parametrize("path", ["/studies/{}", "/studies/{}/explain"])
def test_what_nobody_knows_is_not_repeated(house: House, path: str, name: str) -> None:
    answer = of(house, Role.OPERATE).get(path.format(name))
    assert answer.status_code == 404
    assert "never seen" in answer.text
    assert name not in answer.text
    assert name not in of(house, Role.OPERATE).get("/studies", params={"q": name}).text


def test_the_history_of_a_study_is_paged(house: House) -> None:
    for _ in range(25):
        house.sync(A)
        house.world.clock.forward(60)
    client = of(house, Role.READ)
    page = client.get(f"/studies/{A}").text
    assert page.count('class="state synced"') == 1 + 20
    older = page.partition("?after=")[2].partition("#")[0]
    assert client.get(f"/studies/{A}?after={older}").text.count('class="state synced"') == 1 + 6
    assert client.get(f"/studies/{A}?after=nonsense").status_code == 422


@pytest.mark.parametrize(("form", "kind"), [("txt", "text/plain"), ("ndjson", "application/x-ndjson")])
def test_problems_are_exported_for_a_ticket(house: House, form: str, kind: str) -> None:
    answer = of(house, Role.READ).get(f"/studies/{A}/problems", params={"form": form})
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["content-disposition"] == f'attachment; filename="{A}-problems.{form}"'
    for said in (A, DROPPED, "PatientBirthDate", "synced"):
        assert said in answer.text
    if form == "ndjson":
        kinds = [json.loads(line)["kind"] for line in answer.text.splitlines()]
        assert kinds == ["about", "study", "problem", "sync"]


def test_an_export_holds_no_line_that_was_not_meant_as_one(house: House) -> None:
    house.world.mark(A)
    (claim,) = house.world.ledger.studies.claim(["orthanc"])
    house.world.ledger.studies.finish(claim, "refused", "first\nsync: forged\r\x1b[31m\u202e", "KeyError")
    text = of(house, Role.READ).get(f"/studies/{A}/problems").text
    assert not [line for line in text.splitlines() if line.startswith("sync: forged")]
    assert "\x1b" not in text
    assert r"first\nsync: forged\r\x1b[31m\u202e" in text


# -- many studies ----------------------------------------------------------------------------------


def many(house: House, number: int = 130) -> list[str]:
    uids = [f"1.7.{one}" for one in range(number)]
    house.world.mark(*uids)
    return uids


def test_the_list_is_paged_by_place(house: House) -> None:
    uids, client, seen = many(house), of(house, Role.READ), list[str]()
    path = "/studies?state=pending"
    for _ in range(2):
        page = client.get(path).text
        seen += [uid for uid in uids if f'href="/studies/{uid}"' in page]
        path = "/studies?" + page.partition('href="/studies?')[2] if 'rel="next"' in page else ""
        path = next((one for one in page.split('"') if one.startswith("/studies?") and "after=" in one), "")
        path = path.replace("&amp;", "&")
    assert sorted(seen) == sorted(uids)
    assert path == ""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [A, B]),
        ({"state": "parked"}, [B]),
        ({"state": "synced"}, [A]),
        ({"failure": "BundleRejected"}, [B]),
        ({"failure": "SinkBusy"}, []),
        ({"failure": "any"}, [B]),
        ({"failure": "BundleRejected", "since": "1h"}, [B]),
        ({"failure": "any", "since": "1h", "state": "synced"}, []),
        ({"since": "1h"}, [A, B]),
        ({"state": "", "failure": "", "since": "", "q": ""}, [A, B]),
        ({"q": "1.2."}, [A, B]),
        ({"q": " urn:oid:1.2. "}, [A, B]),
        ({"q": "1.3"}, []),
    ],
    ids=str,
)
def test_studies_are_found(house: House, query: dict[str, str], found: list[str]) -> None:
    answer = of(house, Role.READ).get("/studies", params=query)
    assert answer.status_code == 200
    assert [uid for uid in (A, B) if f'href="/studies/{uid}"' in answer.text] == found


@pytest.mark.parametrize("asked", [A, f"urn:oid:{A}", f" {A} "])
def test_the_one_study_that_is_meant_is_shown_at_once(house: House, asked: str) -> None:
    answer = of(house, Role.READ).get("/studies", params={"q": asked})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/studies/{A}")


def test_a_study_is_found_by_the_id_that_orthanc_has_for_it(house: House) -> None:
    orthanc_id = "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d"
    held = house.world.source.held.pop(f"{PATIENT}/{A}")
    house.world.source.held[orthanc_id] = held
    type(held).id = property(lambda self: orthanc_id if self.study_uid == A else f"{self.patient}/{self.study_uid}")  # type: ignore[method-assign]
    try:
        house.triggers._next_whole_sweep = 0.0
        house.triggers.turn()
        answer = of(house, Role.READ).get("/studies", params={"q": orthanc_id})
        assert answer.headers["location"] == f"/studies/{A}"
    finally:
        type(held).id = property(lambda self: f"{self.patient}/{self.study_uid}")  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "query", [{"state": "lost"}, {"failure": "a b"}, {"failure": "<b>"}, {"failure": "Nope"}, {"since": "2y"}], ids=str
)
def test_what_nobody_can_ask_for_is_refused(house: House, query: dict[str, str]) -> None:
    assert of(house, Role.READ).get("/studies", params=query).status_code == 422


@pytest.mark.parametrize("path", ["/studies", f"/studies/{A}"])
@pytest.mark.parametrize(
    ("asked_at", "status"),
    [("0", 200), ("1.5", 200), ("1e9", 200), ("8589934592", 200)]
    + [(one, 422) for one in ("-1", "8589934593", "1e12", "1e400", "nan", "inf", "x")],
)
def test_a_moment_has_a_date(house: House, path: str, asked_at: str, status: int) -> None:
    assert of(house, Role.READ).get(path, params={"asked_at": asked_at}).status_code == status


@pytest.mark.parametrize(
    "query", ["asked_at=1", "asked_at=1&done=0", "asked_at=1&done=3", "done=3", "asked_at=2000000000"]
)
def test_nothing_is_counted_for_whoever_did_nothing_lately(
    house: House, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(History, "counts", lambda self, since: asked.append(since) or {})
    house.world.clock.forward(7200.0)
    page = of(house, Role.READ).get(f"/studies?{query}")
    assert (page.status_code, asked) == (200, [])
    assert "since then" not in page.text


def test_a_failure_and_a_time_mean_the_same_everywhere(house: House) -> None:
    """With a time all that failed so since then, as they stand now; without one those that fail now."""
    house.sync(B)
    client = of(house, Role.READ)
    page = client.get("/studies", params={"failure": "BundleRejected", "since": "1h"}).text
    assert f'href="/studies/{B}"' in page
    assert "failed 1 time, last" in page
    assert ", synced since" in page
    assert f'href="/studies/{B}"' not in client.get("/studies", params={"failure": "BundleRejected"}).text
    since = "2000-01-01T00:00:00Z"
    told = client.get("/api/studies", params={"failure": "BundleRejected", "since": since}).json()["studies"]
    assert [(one["study_uid"], one["state"], one["failed"]["times"]) for one in told] == [(B, "synced", 1)]
    assert client.get("/api/studies", params={"failure": "BundleRejected"}).json()["studies"] == []
    problems = client.get("/problems", params={"failure": "BundleRejected", "since": "1h"}).text
    assert 'href="/studies?failure=BundleRejected&amp;since=1h"' in problems
    assert '<td data-name="stands now"><span class="state synced"' in problems


@pytest.mark.parametrize("path", ["/studies", "/problems", "/api/studies", "/api/history"])
def test_a_kind_of_failure_that_is_none_is_refused_with_those_there_are(house: House, path: str) -> None:
    client = of(house, Role.READ)
    for kind in ("Nope", "bundlerejected"):
        answer = client.get(path, params={"failure": kind})
        assert answer.status_code == 422
        assert "BundleRejected" in answer.text
        assert kind not in answer.text
    house.world.source.failures.append(KeyError("x"))
    house.sync(A)
    assert client.get(path, params={"failure": "KeyError"}).status_code == 200


def test_those_chosen_or_all_of_a_list_are_put_back_in_line(house: House) -> None:
    browser = house.logged_in(Role.OPERATE)
    secret = secret_of(browser)
    house.world.clock.forward(10.0)
    asked = {"csrf": secret, "which": "chosen", "study": [A, "9.9.9"]}
    page = browser.post("/page/studies", data=asked)
    assert page.status_code == 200
    assert "Sync again: 1 study?" in page.text
    assert f'name="study" value="{A}"' in page.text
    assert "9.9.9" not in page.text
    assert house.world.state(A) == "synced", "a person is asked first"
    answer = browser.post("/page/studies", data={**asked, "confirmed": "yes"})
    assert answer.headers["location"].startswith("/studies?done=1&asked_at=")
    assert house.world.state(A) == "pending"
    assert house.world.state(B) == "parked"
    asked = {"csrf": secret, "which": "all", "state": "parked"}
    assert "Retry: 1 study?" in browser.post("/page/studies", data=asked).text
    answer = browser.post("/page/studies", data={**asked, "confirmed": "yes"})
    assert answer.headers["location"].startswith("/studies?state=parked&done=1&asked_at=")
    assert house.world.state(B) == "pending"
    place = answer.headers["location"]
    assert "1 study that was parked is back in line" in " ".join(browser.get(place).text.split())
    assert "No sync has ended since then" in browser.get(place).text
    house.world.clock.forward(1.0)
    house.world.sink.failures.append(BundleRejected("HTTP 422"))
    house.world.work()
    assert "1 failed" in " ".join(browser.get(place).text.split())
    done = [(line["what"], line["studies"]) for line in house.audited() if "studies" in line]
    assert done == [("re-synced", [A]), ("retried", [B])]


def test_nothing_to_do_is_said(house: House) -> None:
    browser = house.logged_in(Role.OPERATE)
    answer = browser.post("/page/studies", data={"csrf": secret_of(browser), "which": "chosen"})
    assert answer.headers["location"] == "/studies?done=0"
    page = browser.get("/studies?done=0").text
    assert "Nothing to do" in page
    assert "back in line" not in page


@pytest.mark.parametrize(
    ("failure", "said"),
    [(None, "it is synced."), (BundleRejected("HTTP 422"), "parked again"), (SinkBusy("HTTP 503"), "tried again")],
    ids=str,
)
def test_what_became_of_a_retry_is_said_where_it_was_pressed(
    house: House, failure: MapperError | None, said: str
) -> None:
    browser = house.logged_in(Role.OPERATE)
    house.world.clock.forward(10.0)
    answer = browser.post(f"/page/studies/{B}/sync", data={"csrf": secret_of(browser)})
    place = answer.headers["location"]
    assert place.startswith(f"/studies/{B}?asked_at=")
    assert "not synced yet" in browser.get(place).text
    if failure:
        house.world.sink.failures.append(failure)
    house.world.work()
    for ahead in (0.0, 100.0, -100.0):  # of the page's clock, beside the worker's
        asked_at = float(place.partition("=")[2]) + ahead
        page = " ".join(browser.get(f"/studies/{B}?asked_at={asked_at}").text.split())
        assert said in page.partition('role="status"')[2].partition("</p>")[0]
    assert "You asked for it" not in browser.get(f"/studies/{B}").text


@pytest.mark.parametrize("path", ["/page/studies", f"/page/studies/{B}/sync", "/page/ask", "/page/find"])
def test_a_form_of_a_session_needs_what_its_page_has(house: House, path: str) -> None:
    browser = house.logged_in(Role.VALUES)
    for secret in ("", "wrong", secret_of(house.logged_in(Role.VALUES))):
        given = {"csrf": secret, "which": "all", "study": B, "by": "PatientID", "value": "x"}
        assert browser.post(path, data=given).status_code == 403
    assert house.world.state(B) == "parked"


@pytest.mark.parametrize("path", ["/", "/studies", f"/studies/{B}"])
def test_who_may_only_read_is_shown_no_button(house: House, path: str) -> None:
    assert "<button>Retry" not in of(house, Role.READ).get(path).text
    assert 'action="/page/' not in of(house, Role.READ).get(path).text
    assert 'action="/page/' in of(house, Role.OPERATE).get(path).text


def test_a_study_that_no_sweep_has_seen_can_be_asked_for(house: House) -> None:
    house.world.source.store("1.9.9")
    client = of(house, Role.OPERATE)
    assert "/page/ask" in client.get("/studies/1.9.9").text
    assert client.post("/page/ask", data={"study": " 1.9.9 "}).headers["location"] == "/studies/1.9.9"
    assert house.world.state("1.9.9") == "pending"
    assert client.post("/page/ask", data={"study": "9.9.9"}).status_code == 404
    assert client.post("/page/ask", data={"study": "a name"}).status_code == 422


# -- problems --------------------------------------------------------------------------------------


def test_problems_are_told_by_kind_with_remedy_and_studies(house: House) -> None:
    house.world.sink.failures.append(SinkBusy("HTTP 503"))
    house.sync(A)
    page = of(house, Role.READ).get("/problems").text
    for kind, state in (("BundleRejected", "parked"), ("SinkBusy", "retrying")):
        assert f'href="/studies?state={state}&amp;failure={kind}"' in page
    assert "refuses the content." in page
    assert page.count(f'href="/studies/{A}"') == page.count(f'href="/studies/{B}"') == 1
    one = of(house, Role.READ).get("/problems", params={"failure": "BundleRejected"}).text
    assert f'href="/studies/{A}"' not in one


def test_what_failed_is_told_for_a_time(house: House) -> None:
    house.world.clock.forward(2 * 3600)
    client = of(house, Role.READ)
    assert f'href="/studies/{B}"' not in client.get("/problems", params={"since": "1h"}).text
    assert f'href="/studies/{B}"' in client.get("/problems", params={"since": "24h"}).text


def test_what_failed_is_paged(house: House) -> None:
    for _ in range(60):
        house.world.sink.failures.append(BundleRejected("HTTP 422"))
        house.sync(B)
        house.world.clock.forward(1)
    client = of(house, Role.READ)
    page = client.get("/problems").text
    assert page.count(f'href="/studies/{B}"') == 50
    older = next(one for one in page.split('"') if "after=" in one).replace("&amp;", "&")
    assert client.get(older).text.count(f'href="/studies/{B}"') == 11


def test_a_study_that_is_gone_says_so_instead_of_nothing(house: House) -> None:
    house.world.source.delete(A, PATIENT)
    house.sync(A)
    assert house.world.state(A) == "removed"
    page = of(house, Role.READ).get(f"/studies/{A}").text
    assert "The study is gone" in page
    assert "when it was last mapped" not in page
    assert "Last synced" not in page
    assert "FHIR was told" in page


# -- the first page --------------------------------------------------------------------------------


def test_the_first_page_compares_both_sides(house: House) -> None:
    house.triggers.offered = lambda: 1
    house.world.clock.forward(100)
    house.triggers._next_whole_sweep = 0.0
    house.triggers.turn()
    page = " ".join(of(house, Role.READ).get("/").text.split())
    assert 'href="/studies?source=orthanc">2</a>' in page
    assert 'href="/studies?source=orthanc&amp;state=synced">1</a>' in page
    assert "1 fewer" in page
    assert re.search(r"\d+ changed, \d+ gone", page), "no list holds exactly these, so no link leads to one"
    assert "an archive in memory" in page
    assert "1 parked" in page
    for state in STATES:
        assert f'href="/studies?state={state}"' in page


def test_a_study_that_stands_twice_is_counted_once_beside_fhir(house: House) -> None:
    house.world.source.store(A, patient="OTHER-PID")
    house.triggers.offered = lambda: 2
    house.world.clock.forward(100)
    house.triggers._next_whole_sweep = 0.0
    house.triggers.turn()
    house.world.work()
    house.triggers._next_whole_sweep = 0.0
    house.triggers.turn()
    page = " ".join(of(house, Role.READ).get("/").text.split())
    assert 'href="/studies?source=orthanc">3</a>' in page
    assert "of which <a" in page
    assert ">1 study stands more than once</a>" in page
    assert "fewer" not in page
    assert "more are not stable" not in page


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        (1, "3 fewer: 2 pending and never synced; 1 moved since one of the two was counted, or not stable yet"),
        (2, "2 fewer: 2 pending and never synced"),
        (3, "1 fewer: 2 pending and never synced; moved since one of the two was counted, or not stable yet"),
        (5, "1 more: moved since one of the two was counted, or not stable yet"),
    ],
)
def test_what_fhir_lacks_adds_up(house: House, offered: int, said: str) -> None:
    """Of four that are listed two were never synced; A, which waits once more, and B, which is parked, were."""
    for uid in ("1.2.3", "1.2.4"):
        house.world.source.store(uid)
    house.triggers.offered = lambda: offered
    house.world.clock.forward(100)
    house.triggers._next_whole_sweep = 0.0
    house.triggers.turn()
    house.world.mark(A)
    page = " ".join(of(house, Role.READ).get("/").text.split())
    cell = page[page.index('data-name="in FHIR"') :].partition("</td>")[0]
    assert re.sub("<[^>]+>", "", cell[cell.index("<br>") :]) == said


def test_what_came_after_the_last_sweep_is_counted(house: House) -> None:
    house.world.mark("1.9.1", "1.9.2")
    page = " ".join(of(house, Role.READ).get("/").text.split())
    assert 'href="/studies?source=orthanc">4</a> <span class="quiet">known now, 2 listed' in page


@pytest.mark.parametrize(
    ("text", "shown"), [("is fhir_url right?", "is fhir_url right?"), ("no answer", "no answer."), ("no!", "no!")]
)
def test_a_sentence_ends_with_one_mark(text: str, shown: str) -> None:
    assert sentence(text) == shown


@pytest.mark.parametrize(
    ("number", "one", "said"),
    [(0, "study", "0 studies"), (1, "study", "1 study"), (2, "sync", "2 syncs"), (1, "problem", "1 problem")],
)
def test_a_number_of_things_has_its_plural(number: int, one: str, said: str) -> None:
    assert counted(number, one) == said


def test_a_chart_has_its_numbers_behind_it(house: House) -> None:
    page = of(house, Role.READ).get("/").text
    assert page.count("<svg") == 4
    assert page.count("<details id=") == 2
    for bar in re.findall(r'<a href="(/syncs[^"]*)" aria-label="([^"]*)">', page):
        path, said = bar[0].replace("&amp;", "&"), bar[1]
        rows = of(house, Role.READ).get(path)
        assert rows.status_code == 200
        assert rows.text.count("<tr><td>") == int(said.split()[0]) == 3
    failed = re.findall(r'<a href="(/syncs[^"]*failed=true)">', page)
    assert len(failed) == 4
    for path in failed:
        shown = of(house, Role.READ).get(path.replace("&amp;", "&")).text
        assert shown.count("<tr><td>") == 1
        assert "BundleRejected" in shown
    assert "3 syncs" in page
    assert "1 failed" in page


def test_a_chart_shows_each_stretch_once() -> None:
    spans = [Span(120.0, {"synced": 3, "parked": 1}, 0.5, 2.0), Span(3540.0, {"synced": 8}, 1.5, 3.0)]
    made = chart("an hour", spans, 3600.0, 3600.0, 60)
    assert len(made.bars) == 61
    assert [(bar.begins, bar.span) for bar in made.bars if bar.span] == [(120, spans[0]), (3540, spans[1])]
    assert (made.total, made.failed, made.most, made.longest) == (12, 1, 10.0, 2.0)
    assert made.mean == pytest.approx((4 * 0.5 + 8 * 1.5) / 12)
    for bar in made.bars:
        assert 44 <= bar.x < bar.x + bar.width <= 600
        assert 8 <= bar.good_y <= 130


@pytest.mark.parametrize(("ends", "first"), [(7200.0, 3600), (7201.0, 3600), (7499.9, 3600), (7500.0, 3900)])
def test_a_chart_begins_with_the_stretch_that_holds_its_first_moment(ends: float, first: int) -> None:
    spans = [Span(float(begins), {"synced": 1}, 0.5, 2.0) for begins in range(first, int(ends) + 1, 300)]
    made = chart("the last hour", spans, ends, 3600.0, 300)
    assert (made.begins, made.total) == (first, 13)
    assert made.begins <= ends - 3600.0


@pytest.mark.parametrize(
    ("largest", "top"), [(0, 1), (0.003, 0.005), (0.2, 0.2), (1, 1), (1.1, 2), (7, 10), (10, 10), (11, 20), (999, 1000)]
)
def test_a_scale_ends_at_a_round_number(largest: float, top: float) -> None:
    assert scale(largest) == pytest.approx(top)


@pytest.mark.parametrize("kept", [(1.5, "1.2.3", "orthanc"), (0.0, "<b>\"'&", "ein/ort")])
def test_a_place_is_one_word_and_comes_back(kept: tuple[float, str, str]) -> None:
    said = word(kept)
    assert said.replace("-", "").replace("_", "").isalnum()
    assert place(said, tuple[float, str, str]) == kept
