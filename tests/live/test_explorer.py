"""The button in Orthanc Explorer and the page of a study, in a real browser on real Orthancs."""

import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, Route, expect

from stack import Orthanc
from tests.support.axe import violations
from tests.support.browser import SHOTS, SLOW, explorer
from tests.support.http_fake import Answer, HttpFake
from tests.support.mapper_fake import MapperFake, State, study_state
from tests.support.plugged import PAGES, make, mapper, orthanc, plugged, studies

pytestmark = [pytest.mark.live, pytest.mark.browser]

__all__ = ["make", "mapper", "orthanc", "plugged", "studies"]

FHIR = "http://fhir.example/fhir/ImagingStudy/5f"
PROBLEMS = [{"element": element, "attribute": "x", "reason": "y"} for element in ("a", "b")]


@pytest.fixture
def page(browser: Browser, orthanc: Orthanc) -> Iterator[Page]:
    """A page whose requests all stay with Orthanc; nothing may break in its scripts."""
    assert orthanc.auth is not None
    user, password = orthanc.auth
    context: BrowserContext = browser.new_context(
        http_credentials={"username": user, "password": password}, viewport={"width": 1200, "height": 800}
    )
    strangers: list[str] = []
    errors: list[str] = []

    def stay(route: Route, request: Request) -> None:
        if urlsplit(request.url).netloc == urlsplit(orthanc.url).netloc:
            route.continue_()
        else:
            strangers.append(request.url)
            route.abort()

    context.route("**/*", stay)
    page = context.new_page()
    page.set_default_timeout(SLOW)
    expect.set_options(timeout=SLOW)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert (strangers, errors) == ([], [])


def state_line(page: Page) -> str:
    return page.locator("#fhir-sync-box p[role=status]").inner_text()


# Orthanc Explorer ---------------------------------------------------------------------------------------------


def test_the_button_resyncs_the_study_shown(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    (study, uid), _ = studies
    mapper.on_sync = lambda uid, wait: study_state(
        uid, fhir_url=FHIR, problems=PROBLEMS, synced_at="2026-01-02T03:04:05Z"
    )
    page.goto(explorer(orthanc, study))
    status = page.locator("#fhir-sync-box p[role=status]")
    expect(status).to_have_text("FHIR: pending")
    page.locator("#fhir-sync-box .ui-btn").click()
    expect(status).to_have_text("FHIR: synced (2 problems)")
    assert mapper.syncs == [(uid, 5)]
    link = page.get_by_text("Open in FHIR")
    expect(link).to_have_attribute("href", FHIR)
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    page.screenshot(path=SHOTS / "explorer-synced.png")


def test_a_study_under_way_is_watched_until_it_settles(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    (study, uid), _ = studies
    mapper.on_sync = lambda uid, wait: study_state(uid, "syncing")
    page.goto(explorer(orthanc, study))
    status = page.locator("#fhir-sync-box p[role=status]")
    expect(status).to_have_text("FHIR: pending")
    page.locator("#fhir-sync-box .ui-btn").click()
    expect(status).to_have_text("FHIR: syncing")
    mapper.states[uid] = study_state(uid, "parked", message="the FHIR server refuses ImagingStudy (invalid)")
    expect(status).to_have_text("FHIR: parked")
    expect(page.locator("#fhir-sync-box")).to_contain_text("the FHIR server refuses ImagingStudy (invalid)")
    page.screenshot(path=SHOTS / "explorer-parked.png")
    asked = len(mapper.asked)
    page.wait_for_timeout(3000)
    assert len(mapper.asked) == asked, "a settled study is asked for no more"


def test_after_a_change_of_the_hash_the_new_study_is_meant(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    (first, first_uid), (second, second_uid) = studies
    page.goto(explorer(orthanc, first))
    button, box = page.locator("#fhir-sync-box .ui-btn"), page.locator("#fhir-sync-box")
    expect(page.locator("#fhir-sync-box p[role=status]")).to_have_text("FHIR: pending")
    for study, uid in ((second, second_uid), (first, first_uid)):
        page.evaluate("hash => { location.hash = hash; }", f"#study?uuid={study}")
        page.wait_for_function("study => $('#fhir-sync-box').data('uuid') === study", arg=study)
        expect(box).to_have_count(1)
        button.click()
        expect(page.locator("#fhir-sync-box p[role=status]")).to_have_text("FHIR: synced")
        assert mapper.syncs[-1][0] == uid
    page.go_back()
    page.wait_for_function("study => $('#fhir-sync-box').data('uuid') === study", arg=second)
    button.click()
    expect(page.locator("#fhir-sync-box p[role=status]")).to_have_text("FHIR: synced")
    assert [uid for uid, _ in mapper.syncs] == [second_uid, first_uid, second_uid]


def test_a_late_answer_of_an_earlier_study_is_dropped(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    (first, first_uid), (second, second_uid) = studies
    go_on = threading.Event()
    answered = threading.Event()

    def late(uid: str, wait: float) -> State:
        go_on.wait(20)
        answered.set()
        return study_state(uid, "removed")

    mapper.states = {uid: study_state(uid, "retrying") for uid in (first_uid, second_uid)}
    mapper.on_sync = late
    page.goto(explorer(orthanc, first))
    status = page.locator("#fhir-sync-box p[role=status]")
    expect(status).to_have_text("FHIR: retrying")
    page.locator("#fhir-sync-box .ui-btn").click()
    expect(status).to_have_text("FHIR: re-sync requested ...")
    page.evaluate("hash => { location.hash = hash; }", f"#study?uuid={second}")
    page.wait_for_function("study => $('#fhir-sync-box').data('uuid') === study", arg=second)
    expect(status).to_have_text("FHIR: retrying")
    with page.expect_response(re.compile(f"/fhir-sync/studies/{first}$")):
        go_on.set()
    assert answered.wait(5)
    page.wait_for_timeout(500)
    assert state_line(page) == "FHIR: retrying"


def test_an_answer_older_than_the_last_press_is_dropped(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    study, uid = studies[0]
    go_on = threading.Event()

    def hold(method: str, path: str) -> tuple[int, bytes] | None:
        if method == "POST":
            return None
        go_on.wait(4)
        return 200, json.dumps(study_state(uid, "retrying")).encode()

    mapper.answer = hold
    page.goto(explorer(orthanc, study))
    page.locator("#fhir-sync-box .ui-btn").click()
    expect(page.locator("#fhir-sync-box p[role=status]")).to_have_text("FHIR: synced")
    with page.expect_response(lambda response: response.request.method == "GET" and study in response.url):
        go_on.set()
    page.wait_for_timeout(500)
    assert state_line(page) == "FHIR: synced"


def test_a_study_no_longer_shown_is_watched_no_more(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    mapper.states[studies[0][1]] = study_state(studies[0][1], "syncing")
    page.goto(explorer(orthanc, studies[0][0]))
    expect(page.locator("#fhir-sync-box p[role=status]")).to_have_text("FHIR: syncing")
    page.locator("#list-series a").first.click()
    expect(page.locator("#series.ui-page-active")).to_have_count(1)
    page.wait_for_timeout(500)
    asked = len(mapper.asked)
    page.wait_for_timeout(2500)
    assert len(mapper.asked) == asked


def test_from_series_back_to_the_study(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    page.goto(explorer(orthanc, studies[0][0]))
    expect(page.locator("#fhir-sync-box")).to_have_count(1)
    page.locator("#list-series a").first.click()
    expect(page.locator("#series.ui-page-active")).to_have_count(1)
    page.go_back()
    expect(page.locator("#study.ui-page-active")).to_have_count(1)
    expect(page.locator("#fhir-sync-box")).to_have_count(1)
    page.locator("#fhir-sync-box .ui-btn").click()
    expect(page.locator("#fhir-sync-box p[role=status]")).to_have_text("FHIR: synced")
    assert [uid for uid, _ in mapper.syncs] == [studies[0][1]]


def test_a_silent_mapper_is_said_in_words(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    mapper.answer = lambda method, path: (503, b"")
    page.goto(explorer(orthanc, studies[0][0]))
    status = page.locator("#fhir-sync-box p[role=status]")
    expect(status).to_have_text("FHIR: unreachable")
    page.locator("#fhir-sync-box .ui-btn").click()
    expect(page.locator("#fhir-sync-box")).to_contain_text("HTTP 503")
    page.screenshot(path=SHOTS / "explorer-unreachable.png")
    expect(page.locator("#fhir-sync-box .ui-disabled")).to_have_count(0)


def test_a_study_that_is_gone_is_said_to_be_gone(page: Page, orthanc: Orthanc, studies: list[tuple[str, str]]) -> None:
    page.goto(explorer(orthanc, studies[0][0]))
    status = page.locator("#fhir-sync-box p[role=status]")
    expect(status).to_have_text("FHIR: pending")
    page.route("**/fhir-sync/studies/*", lambda route: route.fulfill(status=404))  # as Orthanc answers by then
    page.locator("#fhir-sync-box .ui-btn").click()
    expect(status).to_have_text("FHIR: this study is no longer in Orthanc")


# The page of a study ------------------------------------------------------------------------------------------


def test_the_page_resyncs_and_shows_the_outcome(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    study, uid = studies[0]
    mapper.states[uid] = study_state(uid, "parked", message="<b>not bold</b>", problems=PROBLEMS)
    mapper.on_sync = lambda uid, wait: study_state(uid, fhir_url=FHIR, synced_at="2026-01-02T03:04:05Z")
    page.goto(f"{orthanc.url}/fhir-sync/studies/{study}/page")
    expect(page.get_by_role("heading", level=1)).to_have_text("Example Ännchen")
    expect(page.get_by_role("status")).to_have_text("FHIR: parked")
    expect(page.get_by_text("<b>not bold</b>")).to_be_visible()
    page.screenshot(path=SHOTS / "page-parked.png")
    page.get_by_role("button", name="Re-sync to FHIR").click()
    expect(page.get_by_role("status")).to_have_text("FHIR: synced")
    expect(page.get_by_text("Open in FHIR")).to_have_attribute("href", FHIR)
    assert mapper.syncs == [(uid, 5)]
    page.screenshot(path=SHOTS / "page-synced.png")


def test_the_page_follows_a_study_under_way(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    study, uid = studies[0]
    mapper.states[uid] = study_state(uid, "syncing")
    page.goto(f"{orthanc.url}/fhir-sync/studies/{study}/page")
    expect(page.get_by_role("status")).to_have_text("FHIR: syncing")
    mapper.states[uid] = study_state(uid)
    expect(page.get_by_role("status")).to_have_text("FHIR: synced")


SYNC = {"ended": "2026-01-02T03:04:06Z", "seconds": 1.25, "fate": "parked", "failure": "TwoPatients", "attempts": 3}
HOSTILE = "<img src=x onerror=alert(1)>"


def test_details_say_which_problems_how_it_went_and_what_to_do(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]]
) -> None:
    study, uid = studies[0]
    problems = [
        {"element": "Patient.birthDate", "attribute": "PatientBirthDate", "reason": "no date of DICOM"},
        {"element": HOSTILE, "attribute": HOSTILE, "reason": HOSTILE},
    ]
    told = {"message": "under two patients", "failure": "TwoPatients", "remedy": "Say `doctor`, then retry."}
    mapper.states[uid] = study_state(uid, "parked", problems=problems, **told)
    mapper.histories[uid] = [SYNC, {**SYNC, "fate": "retrying", "failure": HOSTILE, "attempts": 2}]
    page.goto(explorer(orthanc, study))
    box = page.locator("#fhir-sync-box")
    expect(box.get_by_role("status")).to_have_text("FHIR: parked (2 problems)")
    expect(box).to_contain_text("under two patients")
    expect(box).to_contain_text("What to do: Say doctor, then retry.")
    expect(box.get_by_text("mapper’s pages")).to_have_attribute("href", f"{PAGES}/studies/{uid}")
    page.screenshot(path=SHOTS / "explorer-details.png")
    with page.context.expect_page() as opened:
        box.get_by_text("Details").click()
    details = opened.value
    expect(details.get_by_role("heading", level=1)).to_have_text("Example Ännchen")
    problem_table, sync_table = details.get_by_role("table").all()
    expect(problem_table.get_by_role("row")).to_have_count(3)
    assert problem_table.get_by_role("row").nth(1).get_by_role("cell").all_inner_texts() == list(problems[0].values())
    assert problem_table.get_by_role("row").nth(2).get_by_role("cell").all_inner_texts() == [HOSTILE] * 3
    shown = ["2026-01-02 03:04:06 UTC", "1.25 s", "parked", "TwoPatients", "3"]
    assert sync_table.get_by_role("row").nth(1).get_by_role("cell").all_inner_texts() == shown
    assert sync_table.get_by_role("row").nth(2).get_by_role("cell").nth(3).inner_text() == HOSTILE
    expect(details.get_by_role("main").locator("code")).to_have_text("doctor")
    way = details.get_by_role("link", name="This study on the mapper's pages")
    expect(way).to_have_attribute("href", f"{PAGES}/studies/{uid}")
    expect(way).to_have_attribute("rel", "noopener noreferrer")
    details.screenshot(path=SHOTS / "page-details.png", full_page=True)
    for scheme in ("light", "dark"):
        details.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert violations(details) == [], scheme
    details.set_viewport_size({"width": 360, "height": 780})
    assert details.evaluate("document.documentElement.scrollWidth") <= 360, "a phone scrolls in one direction"
    details.screenshot(path=SHOTS / "page-details-phone.png", full_page=True)


# Pages of other sites -----------------------------------------------------------------------------------------

TRICKS = """async target => {
    const posts = [{ mode: "no-cors", headers: { "Content-Type": "text/plain" } },
                   { headers: { "Content-Type": "application/json" } }];
    for (const post of posts) {
        await fetch(target, { method: "POST", body: "{}", credentials: "include", ...post }).catch(() => null);
    }
    const form = document.createElement("form"), frame = document.createElement("iframe");
    frame.name = form.target = "answer";
    form.method = "POST";
    form.action = target;
    document.body.append(frame, form);
    const answered = new Promise(resolve => { frame.onload = resolve; });
    form.submit();
    await answered;
}"""
"""All that a page can do to write: it ends when all of it has been answered or refused."""


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1", 403), ("localhost", 401)], ids=["same site, another port", "another site"]
)
def test_a_page_of_elsewhere_may_link_here_and_no_more(
    page: Page, orthanc: Orthanc, mapper: MapperFake, studies: list[tuple[str, str]], host: str, status: int
) -> None:
    """From another site the browser does not even send Orthanc's password: 401."""
    mapper.asked.clear()
    target = f"{orthanc.url}/fhir-sync/studies/{studies[0][0]}"
    html = f"<a href='{target}/page'>link</a><iframe src='{target}/page'></iframe><img src='{target}'>"
    framed: list[tuple[str, int]] = []

    def note(response: Response) -> None:
        if response.url.startswith(target) and response.request.resource_type == "document":
            framed.append((response.request.method, response.status))

    with HttpFake(Answer(body=html.encode(), headers={"Content-Type": "text/html"})) as elsewhere:
        url = elsewhere.url.replace("127.0.0.1", host)
        page.route(f"{url}/", lambda route: route.continue_())
        page.on("response", note)
        page.goto(url)
        page.evaluate(TRICKS, target)
        assert sorted(framed) == [("GET", status), ("POST", status)]
        assert (mapper.asked, mapper.syncs) == ([], [])
        page.get_by_text("link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Example Ännchen")
        assert mapper.asked == [studies[0][1]]
