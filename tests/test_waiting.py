"""Why an open study waits: while a side that it needs is down, page, list, API, export and commands name it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mapper.errors import BundleRejected, SinkBusy, SinkDown, SinkRefused, SourceDown
from mapper.remedies import remedy
from mapper.standing import DOWN, HoldUps
from mapper.web.visitor import Role
from mapper.words import Links, status
from tests.support.fakes import SITE, World
from tests.support.situations import BEARER, A, B
from tests.support.visitors import House, secret_of

SINK_SAYS, SOURCE_SAYS = "no FHIR server answers", "no Orthanc answers"
Act = Callable[[World], object]


@pytest.fixture
def house(ledger_url: str, tmp_path: Path) -> Iterator[House]:
    """Give a service that holds two studies, of which A is synced."""
    house = House(ledger_url, tmp_path)
    house.world.source.store(A)
    house.world.source.store(B)
    house.triggers.turn()
    house.sync(A)
    yield house
    house.world.database.close()


def sink_down(world: World) -> None:
    world.sink.down = SinkDown(SINK_SAYS)
    world.mark(A)
    world.work()


def sink_refuses(world: World) -> None:
    world.sink.down = SinkRefused(SINK_SAYS)
    world.mark(A)
    world.work()


def source_down(world: World) -> None:
    world.source.down = SourceDown(SOURCE_SAYS)
    world.mark(A)
    world.work()


def busy(world: World) -> None:
    world.sink.failures.append(SinkBusy("HTTP 502"))
    world.mark(A)
    world.work()
    world.ledger.sides.tell("sink", SINK_SAYS)


def parked(world: World) -> None:
    world.sink.failures.append(BundleRejected("HTTP 422"))
    world.mark(A)
    world.work()
    world.ledger.sides.tell("sink", SINK_SAYS)


def again(act: Act) -> Act:
    """Return what happens, and a second mark after it."""

    def both(world: World) -> None:
        act(world)
        world.mark(A)

    return both


def only_asked(world: World) -> None:
    world.ledger.sides.tell("sink", SINK_SAYS)
    world.mark(A)


def back(world: World) -> None:
    only_asked(world)
    world.ledger.sides.tell("sink")


# what happens: state, what the message says, what to do
WAITS: dict[str, tuple[Act, str, str, str | None]] = {
    "the sink went down": (sink_down, "retrying", SINK_SAYS, remedy("SinkDown").do),
    "the sink went down, marked again": (again(sink_down), "pending", SINK_SAYS, remedy("SinkDown").do),
    "the sink refuses, marked again": (again(sink_refuses), "pending", SINK_SAYS, remedy("SinkRefused").do),
    "the source went down, marked again": (again(source_down), "pending", SOURCE_SAYS, remedy("SourceDown").do),
    "asked for while it is down": (only_asked, "pending", SINK_SAYS, DOWN),
    "another failure before it": (busy, "retrying", SINK_SAYS, DOWN),
    "parked, whatever is down": (parked, "parked", "HTTP 422", remedy("BundleRejected").do),
    "the side is back": (back, "pending", "waits to be synced", None),
}


@pytest.mark.parametrize(("happens", "state", "says", "do"), WAITS.values(), ids=WAITS)
def test_an_open_study_says_what_keeps_it_waiting(
    house: House, happens: Act, state: str, says: str, do: str | None
) -> None:
    happens(house.world)
    ledger = house.world.ledger
    row = ledger.rows.find(A)
    assert row is not None
    one = status(row, Links("", SITE.namespace), HoldUps(ledger))
    assert (one["state"], one["remedy"]) == (state, do)
    assert says in one["message"]
    client = house.browser(headers={**BEARER, "Accept": "text/html"})
    page = client.get(f"/studies/{A}").text
    assert says in page
    assert ("What to do:" in page) is (do is not None)
    assert says in client.get("/studies").text
    assert says in client.get(f"/studies/{A}/problems").text
    answer = client.get(f"/api/studies/{A}").json()
    assert (says in answer["message"], answer["remedy"]) == (True, do)
    assert answer["message"] in [one["message"] for one in client.get("/api/studies").json()["studies"]]


def test_what_needs_another_source_does_not_wait_for_this_one(house: House) -> None:
    source_down(house.world)
    row = house.world.ledger.rows.find(A)
    assert row is not None
    assert HoldUps(house.world.ledger).of(row) is not None
    house.world.ledger.sides.tell("source:orthanc")
    house.world.ledger.sides.tell("source:other", "no archive answers")
    assert HoldUps(house.world.ledger).of(row) is None


def test_the_list_does_not_promise_what_a_side_that_is_down_keeps_back(house: House) -> None:
    house.world.ledger.sides.tell("sink", SINK_SAYS)
    page = house.browser(headers={**BEARER, "Accept": "text/html"}).get("/studies?done=2&asked_at=1").text
    banner = page[page.index('class="banner') :][:300]
    assert "2 studies are set to be tried again and wait" in " ".join(banner.split())
    assert SINK_SAYS in banner
    assert "good" not in banner
    assert "back in line" not in page


DOWN_SIDES: dict[str, tuple[str, str, bool]] = {  # side that is down, why -> whether a parked study waits for it
    "the sink": ("sink", SINK_SAYS, True),
    "its source": ("source:orthanc", SOURCE_SAYS, True),
    "another source": ("source:other", "no archive answers", False),
    "none": ("sink", "", False),
}


@pytest.mark.parametrize("asked", [{"all": True}, {"studies": [A]}], ids=["all", "named"])
@pytest.mark.parametrize(("side", "why", "waits"), DOWN_SIDES.values(), ids=DOWN_SIDES)
def test_a_retry_says_how_many_were_parked_and_what_they_wait_for(
    house: House, side: str, why: str, waits: bool, asked: dict[str, Any]
) -> None:
    parked(house.world)
    house.world.ledger.sides.tell("sink")
    house.world.ledger.sides.tell(side, why)
    answer = house.browser(headers=BEARER).post("/api/retry", json=asked).json()
    assert (answer["retried"], answer["waits"] is not None) == (1, waits)
    assert not waits or (why in answer["waits"] and "no longer count as parked" in answer["waits"])


@pytest.mark.parametrize("down", [True, False])
def test_a_bulk_retry_says_before_and_after_that_its_studies_wait(house: House, down: bool) -> None:
    parked(house.world)
    if not down:
        house.world.ledger.sides.tell("sink")
    browser = house.logged_in(Role.OPERATE)
    form = {"csrf": secret_of(browser), "which": "all", "state": "parked"}
    before = " ".join(browser.post("/page/studies", data=form).text.split())
    assert ("no longer as parked" in before) is down
    place = browser.post("/page/studies", data={**form, "confirmed": "yes"}).headers["location"]
    after = " ".join(browser.get(place).text.split())
    assert "1 study that was parked is" in after
    assert ("set to be tried again and waits" in after) is down
    assert ("not among parked" in after) is down
    assert ("back in line" in after) is not down
