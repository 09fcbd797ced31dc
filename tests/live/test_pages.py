"""Every page of the mapper in a real browser: light, dark, on a phone, by keyboard alone, without a script, by role."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from mapper.errors import BundleRejected, SinkBusy
from mapper.web.visitor import Role
from tests.support.axe import violations
from tests.support.browser import SHOTS, SLOW, log_in
from tests.support.served import Served
from tests.support.visitors import PEOPLE, House

pytestmark = [pytest.mark.live, pytest.mark.browser]

UIDS = [f"1.2.840.99999.4711.20260101.{number}.{number * 7919}" for number in range(1, 9)]
SYNCED, PARKED, BUSY = UIDS[0], UIDS[3], UIDS[5]
LOOKS: dict[str, dict[str, Any]] = {
    "wide light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "wide dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone light": {"viewport": {"width": 320, "height": 640}, "color_scheme": "light", "has_touch": True},
    "phone dark": {"viewport": {"width": 380, "height": 800}, "color_scheme": "dark", "has_touch": True},
}
PAGES = {
    "overview": "/",
    "studies": "/studies",
    "studies-parked": "/studies?state=parked",
    "studies-unknown": "/studies?q=9.9",
    "study": f"/studies/{SYNCED}",
    "study-parked": f"/studies/{PARKED}",
    "study-unseen": "/studies/9.9.9",
    "explain": f"/studies/{SYNCED}/explain",
    "header": f"/studies/{SYNCED}/header",
    "problems": "/problems",
    "problem": "/problems?failure=BundleRejected",
    "studies-failed": "/studies?failure=any&since=7d",
    "syncs": "/syncs",
    "mapping": "/mapping",
    "mapping-search": "/mapping?q=bodySite",
    "settings": "/settings",
    "about": "/about",
}


def still(app: ASGIApp) -> ASGIApp:
    """Return an application whose service does not work by itself: what is on its pages stays as a test has made it."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})

    return answered


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a service with studies in several states, and a history of some days."""
    house = House(f"sqlite:///{tmp_path}/ledger.db", tmp_path)
    world = house.world
    for number, uid in enumerate(UIDS):
        given = {"PatientName": "Zzyzx^Quirina", "StudyDescription": "CT Thorax", "AccessionNumber": f"A{number}"}
        world.source.store(uid, patient=f"PID{number}", PatientBirthDate="unreadable", **given)
        world.clock.forward(7000)
    house.triggers.turn()
    world.work()
    for uid, failure in ((PARKED, BundleRejected("HTTP 422 (processing)")), (BUSY, SinkBusy("HTTP 503"))):
        world.clock.forward(600)
        world.sink.failures.append(failure)
        house.sync(uid)
    yield house
    world.database.close()


@contextmanager
def looked_at(browser: Browser, house: House, role: Role = Role.VALUES, **look: Any) -> Iterator[Page]:
    """Give a page for somebody who is logged in; no request leaves the service, and the browser has no complaint."""
    with Served(still(house.app)) as served:
        origin, complaints = f"http://127.0.0.1:{served.port}", list[str]()
        context = browser.new_context(base_url=origin, **look)
        page = context.new_page()
        page.set_default_timeout(SLOW)
        log_in(page, origin, PEOPLE[role][0])
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if host(asked.url) != origin else None)
        yield page
        context.close()
        assert [one for one in complaints if "404 (Not Found)" not in one] == []  # the study that nobody has seen


def host(url: str) -> str:
    return f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_open_to_everybody(browser: Browser, house: House, look: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with looked_at(browser, house, **LOOKS[look]) as page:
        for name, path in PAGES.items():
            page.goto(path)
            expect(page.locator("h1")).to_be_visible()
            assert violations(page) == [], path
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{path} has to be moved sideways"
            page.screenshot(path=SHOTS / f"page-{name}-{look.replace(' ', '-')}.png", full_page=name != "mapping")


def test_the_login_is_open_to_everybody(browser: Browser, house: House) -> None:
    with Served(still(house.app)) as served:
        page = browser.new_context(base_url=f"http://127.0.0.1:{served.port}").new_page()
        page.goto("/studies")
        expect(page.get_by_label("Token")).to_be_visible()
        assert violations(page) == []
        page.screenshot(path=SHOTS / "page-login.png")
        page.context.close()


def test_all_can_be_done_without_a_script(browser: Browser, house: House) -> None:
    with looked_at(browser, house, java_script_enabled=False) as page:
        page.get_by_role("link", name="Studies", exact=True).click()
        page.get_by_role("combobox", name="State").select_option("parked")
        page.get_by_role("button", name="Find").click()
        page.get_by_role("link", name=PARKED, exact=True).click()
        page.get_by_role("button", name="Retry").click()
        expect(page.locator(".state").first).to_have_text("pending")
        assert house.world.state(PARKED) == "pending"
        page.get_by_role("link", name="Studies", exact=True).click()
        page.get_by_label(f"Choose {SYNCED}").check()
        page.get_by_role("button", name="Sync again: those chosen").click()
        page.get_by_role("button", name="Sync again: 1 study").click()
        expect(page.get_by_role("status")).to_contain_text("1 study is back in line")
        page.get_by_role("combobox", name="By").select_option("AccessionNumber")
        page.get_by_label("whole value").fill("A2")
        page.get_by_role("button", name="Look up").click()
        expect(page.get_by_role("link", name=UIDS[2], exact=True)).to_be_visible()
        assert "A2" not in page.url
        page.get_by_role("link", name=UIDS[2], exact=True).click()
        page.get_by_role("link", name="As Orthanc shows it").click()
        expect(page.locator("#header")).to_contain_text("Zzyzx")
        page.go_back()
        page.get_by_role("link", name="Explain each element").click()
        expect(page.locator("body")).to_contain_text("Patient.birthDate")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Token")).to_be_visible()


def test_a_page_stays_up_to_date_and_leaves_alone_what_is_unfolded(browser: Browser, house: House) -> None:
    with looked_at(browser, house) as page:
        page.goto("/")
        expect(page.locator(".banner.warn")).to_contain_text("1 parked")
        page.get_by_text("The numbers of the last week").click()
        house.world.clock.forward(60)
        house.sync(PARKED)
        expect(page.get_by_role("link", name="0 parked")).to_be_visible()
        expect(page.locator("#numbers-7d")).to_have_attribute("open", "")
        expect(page.locator("#numbers-1h")).not_to_have_attribute("open", "")
        page.get_by_role("button", name="Pause showing what is new").click()
        expect(page.get_by_role("button", name="Go on showing what is new")).to_be_visible()


def test_what_is_chosen_is_not_taken_away(browser: Browser, house: House) -> None:
    with looked_at(browser, house) as page:
        page.clock.install()
        page.goto("/studies")
        page.get_by_label(f"Choose {SYNCED}").check()
        page.clock.run_for(30_000)
        expect(page.get_by_label(f"Choose {SYNCED}")).to_be_checked()
        with page.expect_request("**/studies?"):
            page.get_by_label(f"Choose {SYNCED}").uncheck()
            page.get_by_label(f"Choose {SYNCED}").blur()
            page.clock.run_for(11_000)


def test_the_header_comes_by_itself_for_those_who_may_see_it(browser: Browser, house: House) -> None:
    with looked_at(browser, house) as page:
        page.goto(f"/studies/{SYNCED}")
        expect(page.locator("#header")).to_contain_text("CT Thorax")
        boxes = [page.locator(name).bounding_box() for name in ("#live", "#header", "#more")]
        tops = [box["y"] for box in boxes if box]
        assert len(tops) == 3
        assert tops == sorted(tops), "what a person has to do comes first"
        page.screenshot(path=SHOTS / "page-study-values.png", full_page=True)
    assert "looked at the header" in [line["what"] for line in house.audited()]


def test_a_study_page_stays_up_to_date_around_a_header_that_is_read_once(browser: Browser, house: House) -> None:
    with looked_at(browser, house) as page:
        page.clock.install()
        page.goto(f"/studies/{PARKED}")
        expect(page.locator("#header")).to_contain_text("PatientID")
        expect(page.locator("#more h2")).to_have_text(["Dropped or doubted", "History"])
        rows = page.locator("#more table").last.locator("tbody tr")
        before = rows.count()
        house.world.clock.forward(60)
        house.sync(PARKED)
        page.clock.run_for(16_000)
        expect(page.locator("#live .state").first).to_have_text("synced")
        expect(rows).to_have_count(before + 1)
        expect(page.locator("#header")).to_contain_text("PatientID")
    looks = [line for line in house.audited() if line["what"] == "looked at the header"]
    assert [line["study_uid"] for line in looks].count(PARKED) == 1


@pytest.mark.parametrize("role", [Role.READ, Role.OPERATE], ids=lambda role: role.word)
def test_nobody_else_sees_a_value(browser: Browser, house: House, role: Role) -> None:
    with looked_at(browser, house, role) as page:
        for path in PAGES.values():
            if path != PAGES["header"]:
                page.goto(path)
                for value in ("Zzyzx", "Quirina", "CT Thorax", "PID0"):
                    assert value not in page.content(), path


def test_a_keyboard_is_enough(browser: Browser, house: House) -> None:
    with looked_at(browser, house) as page:
        page.goto("/studies?state=parked")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        reached = list[str]()
        for _ in range(25):
            page.keyboard.press("Tab")
            name = page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
            )
            reached.append(str(name).strip())
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"where is the focus? {name}"
            if name == PARKED:
                break
        assert f"Choose {PARKED}" in reached
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/studies/{PARKED}")
        retry = page.get_by_role("button", name="Retry")
        while not retry.evaluate("one => one === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".state").first).to_have_text("pending")
