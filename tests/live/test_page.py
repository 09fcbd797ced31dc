"""The mapper's first page in a real browser in each situation, and its pages on real servers."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect

from stack import FhirServer, free_port
from tests.support.browser import SHOTS, SLOW, log_in
from tests.support.situations import SITUATIONS
from tests.support.situations import Site as Situation
from tests.support.stack import TOKEN, Stack
from tests.support.study import Sample, study

pytestmark = [pytest.mark.live, pytest.mark.browser]

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 380, "height": 800}


class Watched:
    """A page of which every complaint of the browser, and every request that leaves the mapper, is kept."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(SLOW)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._left(request.url, origin))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _left(self, url: str, origin: str) -> None:
        if f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" != origin:
            self.complaints.append(f"a request to {url}")


def fits(page: Page) -> bool:
    """Tell whether the page can be read without moving it sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


# -- in each situation ---------------------------------------------------------------------------


@pytest.fixture
def situation(ledger_url: str) -> Iterator[Situation]:
    site = Situation(ledger_url)
    yield site
    site.world.database.close()


def answered_by(site: Situation, route: Route) -> None:
    """Have the application itself answer what the browser asks."""
    url = urlsplit(route.request.url)
    answer = site.client.request(route.request.method, f"{url.path}?{url.query}")
    route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)


@pytest.mark.parametrize("name", SITUATIONS)
@pytest.mark.parametrize("look", ["wide light", "narrow dark"])
def test_the_page_can_be_read_in_each_situation(browser: Browser, situation: Situation, name: str, look: str) -> None:
    prepare, shown, _ = SITUATIONS[name]
    prepare(situation)
    context = browser.new_context(
        viewport=WIDE if look == "wide light" else NARROW, color_scheme="light" if look == "wide light" else "dark"
    )  # type: ignore[arg-type]  # a viewport is a mapping of this shape
    context.route("**", lambda route: answered_by(situation, route))
    watched = Watched(context, "http://127.0.0.1:8000")
    watched.page.goto("http://127.0.0.1:8000/")
    for text in shown:
        expect(watched.page.locator("body")).to_contain_text(text)
    SHOTS.mkdir(parents=True, exist_ok=True)
    watched.page.screenshot(
        path=SHOTS / f"status-{name.replace(' ', '-')}-{look.replace(' ', '-')}.png", full_page=True
    )
    assert fits(watched.page)
    assert watched.complaints == []
    context.close()


# -- on real servers -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stack(run_folder: Path, fhir_server: FhirServer) -> Iterator[Stack]:
    with Stack(run_folder / "page", fhir_server) as stack:
        yield stack


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Give a page for whoever has the token: every request stays with the mapper, nothing goes wrong in the browser."""
    context = browser.new_context()
    watched = Watched(context, stack.mapper.url)
    expect.set_options(timeout=SLOW)
    log_in(watched.page, stack.mapper.url, TOKEN)
    yield watched.page
    context.close()
    assert watched.complaints == []


def test_a_browser_without_the_token_sees_nothing(browser: Browser, stack: Stack) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{stack.mapper.url}/?state=parked")
    assert page.url == f"{stack.mapper.url}/login?next=/%3Fstate%3Dparked"
    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("no token that is known")
    assert context.cookies() == []
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url("**/studies?state=parked")
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    context.add_cookies([cookie])  # type: ignore[list-item]  # as it came
    page.goto(stack.mapper.url)
    expect(page.get_by_label("Token")).to_be_visible()
    context.close()
    for auth in (None, ("anybody", "wrong")):
        answer = stack.http.get(stack.mapper.url, auth=auth, timeout=30)
        assert answer.status_code == 401
        assert "the token as password" in answer.headers["WWW-Authenticate"]
        assert "<html" not in answer.text


def test_a_link_of_another_site_leads_who_is_logged_in_to_the_page(browser: Browser, stack: Stack) -> None:
    context = browser.new_context()
    page = context.new_page()
    log_in(page, stack.mapper.url, TOKEN)
    link = f'<a href="{stack.mapper.url}/?state=parked">look</a>'
    page.route("http://elsewhere.example/", lambda route: route.fulfill(content_type="text/html", body=link))
    page.goto("http://elsewhere.example/")
    page.get_by_role("link", name="look").click()
    page.wait_for_url("**/studies?state=parked")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    context.close()


def test_a_study_is_found_with_what_was_dropped_of_it_and_leads_to_fhir(page: Page, stack: Stack) -> None:
    sample = study(PatientBirthDate="19700231")
    stack.upload(sample)
    stack.until_state(sample.uid, "synced")
    page.goto(stack.mapper.url)
    expect(page.locator("body")).to_contain_text("In line:")
    page.get_by_role("link", name="Studies", exact=True).click()
    row = page.locator("tbody tr", has_text=sample.uid)
    expect(row).to_contain_text("1 element dropped or doubted")
    page.get_by_label("StudyInstanceUID").fill(f" {sample.uid} ")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url(f"**/studies/{sample.uid}")
    dropped = page.locator("#problems + table")
    expect(dropped).to_contain_text("Patient.birthDate")
    expect(dropped).to_contain_text("PatientBirthDate")
    expect(page.locator("body")).not_to_contain_text("19700231")
    expect(page.get_by_role("link", name="Orthanc Explorer", exact=True)).to_be_visible()
    has_2 = "orthanc-explorer-2" in stack.pacs("GET", "/plugins").json()
    expect(page.get_by_role("link", name="Orthanc Explorer 2", exact=True)).to_have_count(int(has_2))
    link = page.get_by_role("link", name="FHIR ImagingStudy")
    found = stack.http.get(str(link.get_attribute("href")), timeout=30).json()
    assert found["identifier"][0]["value"] == f"urn:oid:{sample.uid}"
    page.screenshot(path=SHOTS / "status-study.png")
    page.get_by_role("button", name="Sync again").click()
    expect(page.locator("#history + table tbody tr")).to_have_count(2)
    expect(page.locator(".state").first).to_have_text("synced")
    page.get_by_role("link", name="Explain each element").click()
    made = page.locator("table", has_text="ImagingStudy.identifier").first
    expect(made).to_contain_text("StudyInstanceUID (0020,000D)")
    expect(page.locator("body")).not_to_contain_text("19700231")


def test_the_first_page_compares_both_sides(page: Page, stack: Stack) -> None:
    samples = [study() for _ in range(5)]
    stack.upload(*samples)
    for sample in samples:
        stack.until_state(sample.uid, "synced")
    number = str(len(stack.pacs("GET", "/studies").json()))
    stack.api("POST", "/wake", json={"sweep": True})
    page.goto(stack.mapper.url)
    row = page.locator("tbody tr", has=page.get_by_role("rowheader", name="orthanc", exact=True))
    cells = row.locator("td")
    expect(cells.nth(0)).to_contain_text(re.compile(r"Orthanc 1\.\d+\.\d+"))
    expect(cells.nth(1)).to_contain_text(re.compile(r"up(, seen so)? since"))
    expect(cells.nth(2)).to_contain_text(re.compile(rf"^{number} "))
    expect(cells.nth(3)).to_contain_text(re.compile(rf"^{number} "))
    sink = page.locator("tbody tr", has=page.get_by_role("rowheader", name="FHIR server"))
    expect(sink).to_contain_text("FHIR 4.0.1")
    page.screenshot(path=SHOTS / "overview.png")


def test_a_parked_study_is_put_back_in_line_by_its_button(page: Page, stack: Stack) -> None:
    first = study()
    other = Sample(study().attributes, uid=first.uid)  # one study under two PatientIDs
    other.add()
    stack.upload(first, other)
    stack.until_state(first.uid, "parked")
    page.goto(stack.mapper.url)
    expect(page.locator(".banner.warn")).to_contain_text("1 parked")
    expect(page.locator("body")).not_to_contain_text("In line")
    row = page.locator("tbody tr", has_text=first.uid).first
    expect(row.locator(".what")).to_contain_text("2 PatientIDs")
    page.screenshot(path=SHOTS / "status-two-patients.png", full_page=True)
    ids = stack.orthanc_ids(first.uid)
    assert len(ids) == 2
    stack.pacs("DELETE", f"/studies/{ids[0]}")
    row.get_by_role("button", name="Retry").click()
    stack.until_state(first.uid, "synced")
    page.reload()
    expect(page.locator(".state").first).to_have_text("synced")
    page.get_by_role("link", name="orthanc-fhir").click()
    expect(page.locator(".banner.good")).to_contain_text("In line")


def test_an_outage_is_said_and_its_end_is_shown_without_a_hand(
    browser: Browser, run_folder: Path, stack: Stack
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/fhir"
    key = str(run_folder / "session-key")
    settings = {"ORTHANC_FHIR_FHIR_URL": nowhere, "ORTHANC_FHIR_SESSION_KEY_FILE": key}
    with Stack(run_folder / "page-down", stack.fhir, settings=settings) as away:
        sample = study()
        away.upload(sample)
        away.until_state(sample.uid, "retrying", "pending")
        context = browser.new_context()
        watched = Watched(context, away.mapper.url)
        log_in(watched.page, away.mapper.url, TOKEN)
        expect(watched.page.locator(".banner.bad")).to_contain_text("Down:", timeout=SLOW)  # by itself
        watched.page.screenshot(path=SHOTS / "status-outage.png")
        away.mapper.stop()
        away.mapper.settings["ORTHANC_FHIR_FHIR_URL"] = stack.fhir.url
        away.mapper.start().wait_ready()
        away.until_found(sample.uid)
        watched.page.reload()  # the session goes on, as its key was kept
        expect(watched.page.locator(".banner.good")).to_contain_text("In line", timeout=SLOW)
        context.close()
