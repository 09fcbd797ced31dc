"""The pages of studies and problems, and the first page: what each visitor sees, finds and can do."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from mapper.errors import BundleRejected, SinkBusy, SourceDown
from mapper.ledger.history import Span
from mapper.ledger.state import STATES
from mapper.web.cursor import place, word
from mapper.web.overview.chart import chart, scale
from mapper.web.study.ways import Ways
from mapper.web.visitor import Role
from mapper.words import Links
from tests.support.fakes import SITE
from tests.support.situations import A, B
from tests.support.visitors import FORM, PEOPLE, House, secret_of

NAME, NUMBER, PATIENT, TEXT = "Zzyzx^Quirina", "ACC-4711-Q", "PID-0815-Q", "Qualle <b>dorsal"
VALUES = (NAME, "Zzyzx", NUMBER, PATIENT, "Qualle")
DROPPED = "Patient.birthDate"
PATHS = ("/", "/studies", f"/studies/{A}", f"/studies/{A}/explain", f"/studies/{A}/problems", "/problems")
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
        (["a-name", "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d/../x"], []),
        ([], []),
    ],
    ids=str,
)
def test_a_way_into_orthanc_is_made_of_its_own_ids_alone(house: House, ids: list[str], found: list[str]) -> None:
    ways = Ways(house.service.settings, Links("https://fhir.example.org/fhir", SITE.namespace))
    made = ways.orthanc("orthanc", A, ids)
    assert [way.name for way in made] == found
    if found:
        assert made[0].url == f"http://localhost:8042/app/explorer.html#study?uuid={ids[0]}"
        assert made[1].url == f"http://localhost:8042/ui/app/filtered-studies?StudyInstanceUID={A}&expand=study"


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


@pytest.mark.parametrize("query", [{"state": "lost"}, {"failure": "a b"}, {"failure": "<b>"}, {"since": "2y"}], ids=str)
def test_what_nobody_can_ask_for_is_refused(house: House, query: dict[str, str]) -> None:
    assert of(house, Role.READ).get("/studies", params=query).status_code == 422


def test_those_chosen_or_all_of_a_list_are_put_back_in_line(house: House) -> None:
    browser = house.logged_in(Role.OPERATE)
    secret = secret_of(browser)
    answer = browser.post("/page/studies", data={"csrf": secret, "which": "chosen", "study": [A, "9.9.9"]})
    assert answer.headers["location"] == "/studies?done=1"
    assert house.world.state(A) == "pending"
    assert house.world.state(B) == "parked"
    answer = browser.post("/page/studies", data={"csrf": secret, "which": "all", "state": "parked"})
    assert answer.headers["location"] == "/studies?state=parked&done=1"
    assert house.world.state(B) == "pending"
    assert "1 study is back in line" in browser.get("/studies?done=1").text
    assert [line["studies"] for line in house.audited() if line["what"] == "re-synced"] == [[A], [B]]


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
    assert "an archive in memory" in page
    assert "1 parked" in page
    for state in STATES:
        assert f'href="/studies?state={state}"' in page


def test_a_chart_has_its_numbers_behind_it(house: House) -> None:
    page = of(house, Role.READ).get("/").text
    assert page.count("<svg") == 4
    assert page.count("<details id=") == 2
    assert "3 syncs" in page
    assert "1 failed" in page


def test_a_chart_shows_each_stretch_once() -> None:
    spans = [Span(120.0, {"synced": 3, "parked": 1}, 0.5, 2.0), Span(3540.0, {"synced": 8}, 1.5, 3.0)]
    made = chart("an hour", spans, 3600.0, 3600.0, 60)
    assert len(made.bars) == 60
    assert [(bar.begins, bar.span) for bar in made.bars if bar.span] == [(120, spans[0]), (3540, spans[1])]
    assert (made.total, made.failed, made.most, made.longest) == (12, 1, 10.0, 2.0)
    assert made.mean == pytest.approx((4 * 0.5 + 8 * 1.5) / 12)
    for bar in made.bars:
        assert 44 <= bar.x < bar.x + bar.width <= 600
        assert 8 <= bar.good_y <= 130


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
