"""Login and sessions under attack: guessing, fixation, forged forms, tampered and replayed cookies, redirects."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from mapper.errors import LedgerFailed
from mapper.web.attempts import ALL, EACH
from mapper.web.audit import NOBODYS
from mapper.web.entrance import COOKIE
from mapper.web.login import LONGEST, local
from mapper.web.named_token import NamedToken
from mapper.web.session import LIFE
from mapper.web.tokens_file import FRESH
from mapper.web.visitor import Role
from tests.support.situations import HERE, TOKEN, A, B, parked
from tests.support.visitors import FORM, PEOPLE, House, log_in, secret_of

BUTTON = f"/page/studies/{A}/sync"


@pytest.fixture
def house(ledger_url: str, tmp_path: Path) -> Iterator[House]:
    house = House(ledger_url, tmp_path)
    parked(house)
    yield house
    house.world.database.close()


def opens(browser: TestClient, path: str = "/") -> bool:
    """Tell whether a browser sees a page."""
    return browser.get(path, headers={"Accept": "text/html"}).status_code == 200


# -- the way in ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["/", "/problems?since=7d", "/studies?state=parked", "/metrics"])
def test_people_are_led_to_the_login_and_back(house: House, wanted: str) -> None:
    browser = house.browser()
    answer = browser.get(wanted, headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    back = page.text.partition('name="next" value="')[2].partition('"')[0]
    answer = log_in(browser, PEOPLE[Role.READ][0], back)
    assert (answer.status_code, answer.headers["location"]) == (303, wanted)
    assert browser.get(wanted).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}], ids=str)
def test_programs_are_told_what_to_send(house: House, headers: dict[str, str]) -> None:
    answer = house.browser().get("/api/studies", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")


def test_a_part_of_a_page_asks_for_the_whole(house: House) -> None:
    """A script that reloads a part must neither show the login in it nor make the browser ask for a password."""
    answer = house.browser().get("/", headers={"HX-Request": "true", "Accept": "text/html"})
    assert (answer.status_code, answer.headers["hx-refresh"]) == (401, "true")
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_a_link_of_another_site_leads_to_the_page_it_names_once_more(house: House) -> None:
    """The browser sends no cookie then; asked by a page of ours it does."""
    linked = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site"}
    for path, place in {
        f"/?study={A}": f"/?study={A}",
        '/"><script>': "/%22%3E%3Cscript%3E",
        "//evil.example": "/evil.example",
        '/?"><script>&x=1': "/?%22%3E%3Cscript%3E&amp;x=1",
    }.items():
        answer = house.browser().get(f"{HERE}{path}", headers=linked)
        assert answer.status_code == 200
        assert answer.text.endswith(f'content="0;url={place}">')
    assert house.browser().get("/api/studies", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 401


@pytest.mark.parametrize("role", Role)
def test_a_session_has_the_role_of_its_token(house: House, role: Role) -> None:
    browser = house.logged_in(role)
    page = browser.get("/").text
    assert f"{role.word}er · {role.word}" in page
    answer = browser.post(BUTTON, data={"csrf": secret_of(browser)})
    assert answer.status_code == (403 if role < Role.OPERATE else 303)


def test_the_token_of_the_settings_logs_in_too(house: House) -> None:
    browser = house.browser()
    assert log_in(browser, f" {TOKEN}\n").status_code == 303, "as it was pasted"
    assert opens(browser)


COOKIES: dict[str, tuple[dict[str, str], bool]] = {
    "plain": ({}, False),
    "plain by our page": ({"Origin": HERE}, False),
    "HTTPS by our page": ({"Origin": HERE.replace("http:", "https:")}, True),
    "the word of nobody": ({"X-Forwarded-Proto": "https"}, False),
}


@pytest.mark.parametrize(("headers", "secure"), COOKIES.values(), ids=COOKIES)
def test_the_cookie_is_kept_from_scripts_other_sites_and_the_wire(
    house: House, headers: dict[str, str], secure: bool
) -> None:
    answer = log_in(house.browser(), TOKEN, **headers)
    (said,) = answer.headers.get_list("set-cookie")
    cookie = SimpleCookie(said)[COOKIE]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/")
    assert cookie["max-age"] == str(LIFE)
    assert cookie["domain"] == ""
    assert bool(cookie["secure"]) is secure


def test_a_service_that_is_open_has_no_login(ledger_url: str, tmp_path: Path) -> None:
    house = House(ledger_url, tmp_path, token=None, tokens_file=None)
    assert house.browser().get("/login").headers["location"] == "/"
    assert house.browser().get("/").status_code == 200
    house.world.database.close()


# -- guessing --------------------------------------------------------------------------------------


def test_guesses_are_refused_and_then_not_looked_at(house: House) -> None:
    guesser, elsewhere = house.browser("203.0.113.66"), house.browser("203.0.113.67")
    statuses = [log_in(guesser, f"guess-{number}").status_code for number in range(EACH + 5)]
    assert statuses == [401] * EACH + [429] * 5
    assert log_in(guesser, TOKEN).status_code == 429
    right = {"Authorization": f"Bearer {TOKEN}"}
    answer = guesser.get("/api/studies", headers=right)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert elsewhere.get("/api/studies", headers=right).status_code == 200
    assert log_in(elsewhere, TOKEN).status_code == 303
    assert COOKIE not in guesser.cookies


def test_guesses_at_one_token_hold_up_nobody_who_has_another(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its beginning is known, and every guess comes from another address."""
    monkeypatch.setattr(house.entrance.tokens._attempts, "_clock", lambda: 1000.0)
    token = PEOPLE[Role.READ][0]
    fits = NamedToken.fits
    guess = f"{token[:17]}{'A' * 43}"
    monkeypatch.setattr(NamedToken, "fits", lambda line, said: said != guess.encode() and fits(line, said))
    statuses = [log_in(house.browser(f"2001:db8:{n:x}::1"), guess).status_code for n in range(ALL + 5)]
    assert statuses == [401] * ALL + [429] * 5
    assert log_in(house.browser("192.0.2.99"), PEOPLE[Role.VALUES][0]).status_code == 303
    bearer = {"Authorization": f"Bearer {PEOPLE[Role.OPERATE][0]}"}
    assert house.browser("192.0.2.98").get("/api/studies", headers=bearer).status_code == 200
    answer = log_in(house.browser("192.0.2.97"), token)
    assert answer.status_code == 429
    assert "your address" not in answer.text
    assert "from many addresses" in answer.text


def test_a_session_goes_on_while_its_address_guesses(house: House) -> None:
    browser = house.logged_in()
    for number in range(EACH + 1):
        log_in(house.browser(), f"guess-{number}")
    assert opens(browser)


@pytest.mark.parametrize("token", ["", " ", "x", "x" * 7000, "tökèn", "<b>", "\0", PEOPLE[Role.READ][1].line])
def test_a_wrong_token_is_not_repeated(house: House, token: str) -> None:
    answer = log_in(house.browser(), token)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "no token that is known" in answer.text
    if len(token) > 4:
        assert token not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"token", b"token=a&token=b", b"a=" * 2000, b"&" * 5000, b"\xff", b"token=%ff%fe", b'{"token": "x"}']
)
def test_what_is_no_form_lets_nobody_in(house: House, body: bytes) -> None:
    answer = house.browser().post("/login", content=body, headers=FORM)
    assert answer.status_code in (401, 422)


def test_both_of_two_tokens_are_none(house: House) -> None:
    answer = house.browser().post("/login", content=f"token={TOKEN}&token={TOKEN}", headers=FORM)
    assert answer.status_code == 401


# -- fixation --------------------------------------------------------------------------------------


def test_a_login_begins_a_new_session_whatever_cookie_came(house: House) -> None:
    """Who planted a cookie has nothing when its victim logs in with it."""
    attacker = house.logged_in(Role.READ)
    planted = str(attacker.cookies.get(COOKIE))
    victim = house.browser()
    victim.cookies.set(COOKIE, planted)
    answer = log_in(victim, PEOPLE[Role.VALUES][0])
    begun = SimpleCookie(answer.headers["set-cookie"])[COOKIE].value
    assert begun != planted
    old = house.entrance.sessions.read(planted)
    new = house.entrance.sessions.read(begun)
    assert old
    assert new
    assert old.id != new.id
    assert "reader · read" in attacker.get("/").text


def test_two_cookies_are_none(house: House) -> None:
    """One of them may have been planted under another path, or by another service of this host."""
    cookies = [str(house.logged_in(role).cookies.get(COOKIE)) for role in (Role.READ, Role.VALUES)]
    browser = house.browser(headers={"Cookie": "; ".join(f"{COOKIE}={one}" for one in cookies)})
    assert browser.get("/api/studies").status_code == 401
    twice = house.browser(headers={"Cookie": "; ".join([f"{COOKIE}={cookies[0]}"] * 2)})
    assert twice.get("/api/studies").status_code == 200, "the same one twice says one thing"


# -- forms that others send ------------------------------------------------------------------------


def stolen(house: House) -> str:
    return secret_of(house.logged_in(Role.OPERATE))


WRITES: list[tuple[str, dict[str, Any]]] = [
    (BUTTON, {"data": {"x": "y"}}),
    ("/page/ask", {"data": {"study": A}}),
    ("/logout", {"data": {"x": "y"}}),
    ("/api/retry", {"json": {"all": True}}),
    (f"/api/studies/{A}/sync", {"json": {}}),
    ("/wake", {"json": {}}),
]


@pytest.mark.parametrize(("path", "given"), WRITES, ids=[path for path, _ in WRITES])
def test_a_write_of_a_session_needs_what_its_pages_know(house: House, path: str, given: dict[str, Any]) -> None:
    browser = house.logged_in()
    shown = [None, "", "wrong", "0" * 64, stolen(house), "ä"]
    for one in shown:
        data = {"data": {**given["data"], **({"csrf": one} if one is not None else {})}} if "data" in given else given
        answer = browser.post(path, **data)
        assert answer.status_code == 403, one
        headers = {"X-CSRF-Token": one.encode()} if one else {}
        assert browser.post(path, **given, headers=headers).status_code == 403  # type: ignore[arg-type]
    assert house.world.state(A) == "parked"
    assert opens(browser), "it was not logged out either"
    secret = secret_of(browser)
    assert browser.post(path, **given, headers={"X-CSRF-Token": secret}).status_code in (200, 202, 303)


def test_a_form_shows_it_in_its_field(house: House) -> None:
    browser = house.logged_in()
    answer = browser.post(BUTTON, data={"csrf": secret_of(browser)})
    assert answer.status_code == 303
    assert house.world.state(A) == "pending"


def test_a_field_that_stands_there_twice_is_none(house: House) -> None:
    browser = house.logged_in()
    field = f"csrf={secret_of(browser)}"
    assert browser.post(BUTTON, content=f"{field}&{field}", headers=FORM).status_code == 403
    assert browser.post(BUTTON, content=f"{field}&csrf=", headers=FORM).status_code == 403


def test_what_a_query_shows_does_not_count(house: House) -> None:
    """A URL is kept in logs and histories."""
    browser = house.logged_in()
    assert browser.post(f"{BUTTON}?csrf={secret_of(browser)}", headers=FORM).status_code == 403


def test_a_token_needs_nothing_more(house: House) -> None:
    assert house.client.post("/api/retry", json={"all": True}).status_code == 200
    assert house.client.post(BUTTON, headers=FORM).status_code == 303


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
@pytest.mark.parametrize("path", ["/login", "/logout", BUTTON])
def test_another_site_sends_no_form_even_with_the_right_field(house: House, path: str, headers: dict[str, str]) -> None:
    """Nor does it log anybody in as somebody else."""
    browser = house.logged_in()
    data = {"csrf": secret_of(browser), "token": TOKEN}
    answer = browser.post(path, data=data, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_page_of_one_session_says_nothing_of_another(house: House) -> None:
    secrets = {secret_of(house.logged_in()) for _ in range(5)}
    assert len(secrets) == 5
    assert "csrf" not in house.client.get("/").text, "with a token no form needs it"


# -- cookies that others send ----------------------------------------------------------------------


def with_cookie(house: House, cookie: str) -> TestClient:
    return house.browser(headers={"Cookie": f"{COOKIE}={cookie}"})


def test_a_tampered_cookie_is_none(house: House) -> None:
    cookie = str(house.logged_in(Role.READ).cookies.get(COOKIE))
    payload, _, signature = cookie.rpartition(".")
    for changed in (payload, f"{payload}.", f".{signature}", f"{payload}x.{signature}", signature, cookie[::-1]):
        assert with_cookie(house, changed).get("/api/studies").status_code == 401
        assert not opens(with_cookie(house, changed))
    assert with_cookie(house, cookie).get("/api/studies").status_code == 200


def test_a_name_alone_makes_nobody(house: House) -> None:
    """A cookie of our own key is bound to the token that it was begun with."""
    for name, credential in (("valueser", b""), ("valueser", b"x"), ("token", b"x"), ("", b""), ("this machine", b"")):
        cookie = house.entrance.sessions.begin(name, credential)
        assert with_cookie(house, cookie).get("/api/studies").status_code == 401


def test_a_cookie_is_not_replayed_after_the_logout(house: House) -> None:
    browser = house.logged_in()
    cookie = str(browser.cookies.get(COOKIE))
    secret = secret_of(browser)
    answer = browser.post("/logout", data={"csrf": secret})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert COOKIE not in browser.cookies
    for again in (with_cookie(house, cookie), browser):
        assert again.get("/api/studies").status_code == 401
        assert again.post(BUTTON, data={"csrf": secret}).status_code == 401
    assert house.world.state(A) == "parked"


def test_a_logout_counts_for_every_replica_and_after_a_restart(tmp_path: Path) -> None:
    url, key = f"sqlite:///{tmp_path}/ledger.db", tmp_path / "session-key"
    here, there = (House(url, folder(tmp_path, name), session_key_file=key) for name in ("here", "there"))
    browser, other = here.logged_in(), here.logged_in()
    cookies = [str(one.cookies.get(COOKIE)) for one in (browser, other)]
    assert [opens(with_cookie(there, cookie)) for cookie in cookies] == [True, True]
    assert browser.post("/logout", data={"csrf": secret_of(browser)}).status_code == 303
    restarted = House(url, folder(tmp_path, "restarted"), session_key_file=key)
    for replica in (here, there, restarted):
        assert [opens(with_cookie(replica, cookie)) for cookie in cookies] == [False, True]


def test_a_ledger_that_fails_keeps_nobody_in_or_out(house: House) -> None:
    """Who looks for the cause of an outage needs the pages; who logs out is told what could not be stored."""
    browser = house.logged_in()
    cookie, secret = str(browser.cookies.get(COOKIE)), secret_of(browser)
    ended = EndedAway()
    house.entrance.logouts.watch(ended)
    assert opens(browser)
    answer = browser.post("/logout", data={"csrf": secret})
    assert answer.status_code == 503
    assert "logged out here" in answer.text
    assert "Log out" not in answer.text, "the page is nobody's any more"
    assert PEOPLE[Role.OPERATE][1].visitor.name not in answer.text
    assert COOKIE not in browser.cookies
    assert not opens(with_cookie(house, cookie))
    assert (ended.asked, ended.told) == (2, 1), "this replica itself knows what was ended here"


class EndedAway:
    """A ledger that cannot be used."""

    asked = told = 0

    def add(self, session_id: str, until: float) -> None:
        self.told += 1
        raise LedgerFailed("the ledger failed")

    def has(self, session_id: str) -> bool:
        self.asked += 1
        raise LedgerFailed("the ledger failed")


def folder(parent: Path, name: str) -> Path:
    (made := parent / name).mkdir()
    return made


def test_a_cookie_is_not_replayed_after_its_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.logged_in()
    sessions = house.entrance.sessions
    now = sessions._clock()
    for seconds, lives in ((LIFE - 60, True), (LIFE + 1, False)):
        monkeypatch.setattr(sessions, "_clock", lambda seconds=seconds: now + seconds)
        assert opens(browser) is lives


def test_a_session_ends_with_its_token(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.logged_in(Role.VALUES)
    house.write(PEOPLE[Role.READ][1])
    monkeypatch.setattr(house.entrance.tokens._file, "_looked", -FRESH * 1e6)
    assert not opens(browser)


def test_a_session_has_the_role_that_its_token_has_now(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.logged_in(Role.OPERATE)
    line = PEOPLE[Role.OPERATE][1]
    house.file.write_text(line.line.replace(" operate ", " read ") + "\n")
    monkeypatch.setattr(house.entrance.tokens._file, "_looked", -FRESH * 1e6)
    assert opens(browser)
    assert browser.post(BUTTON, data={"csrf": secret_of(browser)}).status_code == 403


def test_a_wrong_token_beside_a_session_is_wrong(house: House) -> None:
    browser = house.logged_in()
    assert browser.get("/api/studies", headers={"Authorization": "Bearer wrong"}).status_code == 401


# -- where one is sent -----------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example/",
    "/\n/evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "",
    "?x",
    "#x",
    "/%0d%0aSet-Cookie:x=y\r\nX: y",
    "/\0",
    "/ä",
    "/<script>",
    '/"onx=',
    "/#x",
    "/" + "x" * LONGEST,
    " /",
    "/ /",
    "/;//evil.example",
]


@pytest.mark.parametrize("wanted", ELSEWHERE, ids=repr)
def test_the_login_sends_nobody_elsewhere(house: House, wanted: str) -> None:
    assert local(wanted) == "/"
    answer = log_in(house.browser(), TOKEN, wanted)
    assert answer.headers["location"] == "/"
    assert len(answer.headers.get_list("set-cookie")) == 1
    page = house.browser().get("/login", params={"next": wanted})
    assert page.status_code == 200
    assert 'name="next" value="/"' in page.text


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/x//evil.example", "/?next=//evil.example"])
def test_the_way_to_the_login_stays_here(house: House, path: str) -> None:
    answer = house.browser().get(f"{HERE}{path}", headers={"Accept": "text/html", "Host": "evil.example"})
    location = answer.headers["location"]
    assert location.startswith("/login?next=")
    assert "evil.example" not in location.partition("?")[0]


# -- what is said ----------------------------------------------------------------------------------


def test_who_did_what_is_audited(house: House) -> None:
    browser = house.logged_in()
    secret = secret_of(browser)
    browser.post(BUTTON, data={"csrf": secret})
    browser.post("/page/studies", data={"csrf": secret, "which": "all", "confirmed": "yes"})
    browser.post(f"/api/studies/{A}/sync", json={}, headers={"X-CSRF-Token": secret})
    browser.post("/api/retry", json={"studies": [A]}, headers={"X-CSRF-Token": secret})
    browser.post(BUTTON, data={"x": "y"})
    browser.post("/logout", data={"csrf": secret})
    log_in(house.browser(), "wrong")
    who = {"visitor": "operateer"}
    assert house.audited() == [
        {**who, "what": "logged in"},
        {**who, "what": "retried", "studies": [A]},
        {**who, "what": "re-synced", "studies": [A]},
        {**who, "what": "re-synced", "studies": [A]},
        {**who, "what": "retried", "studies": [A]},
        {**who, "what": "refused", "reason": "form", "times": 1},
        {**who, "what": "logged out"},
        {"visitor": "nobody", "what": "refused", "reason": "wrong token", "times": 1},
    ]


@pytest.mark.parametrize("typed", ["Mueller-Hans-19700103", "1.2.3.19700103", B], ids=["a name", "a date", "a UID"])
def test_what_was_typed_and_nobody_knows_is_not_kept_by_the_audit(house: House, typed: str) -> None:
    bearer = house.browser(headers={"Authorization": f"Bearer {PEOPLE[Role.OPERATE][0]}"})
    bearer.post(f"/api/studies/{typed}/sync", json={})
    bearer.post("/api/retry", json={"studies": [A, typed]})
    who = {"visitor": "operateer"}
    assert house.audited() == [
        {**who, "what": "re-synced", "studies": [NOBODYS]},
        {**who, "what": "retried", "studies": [A, NOBODYS]},
    ]
    assert typed not in house.audit_file.read_text()


def test_no_secret_is_kept_by_the_audit(house: House) -> None:
    browser = house.logged_in()
    log_in(house.browser(), "a-wrong-token")
    kept = house.audit_file.read_text()
    for secret in (PEOPLE[Role.OPERATE][0], "a-wrong-token", str(browser.cookies.get(COOKIE)), secret_of(browser)):
        assert secret not in kept


def test_what_cannot_be_audited_is_not_done(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.logged_in()
    secret = secret_of(browser)
    assert house.entrance.audit._file

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(house.entrance.audit._file, "shouldRollover", full)
    assert browser.post(BUTTON, data={"csrf": secret}).status_code == 503
    assert house.world.state(A) == "parked"
    assert log_in(house.browser(), TOKEN).status_code == 503
    assert log_in(house.browser(), "wrong").status_code == 401, "what was refused is refused all the same"
    assert browser.get("/").status_code == 200, "whoever looks changes nothing"
    cookie = str(browser.cookies.get(COOKIE))
    answer = browser.post("/logout", data={"csrf": secret})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login"), "whoever leaves is not kept in"
    assert with_cookie(house, cookie).get("/api/studies").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/page/ask", {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}, 415),
        ("GET", "/studies", {"authorization": "Bearer wrong"}, 401),
    ],
)
def test_what_the_guard_refuses_a_browser_reads_as_a_page(
    house: House, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    program, browser = (
        house.browser(headers={**headers, **more}).request(method, path) for more in ({}, {"accept": "text/html"})
    )
    assert (program.status_code, browser.status_code) == (status, status)
    assert program.headers["content-type"] == "application/problem+json"
    assert browser.headers["content-type"].startswith("text/html")
    assert program.json()["detail"] in browser.text.replace("&#39;", "'")
    for name in ("www-authenticate", "allow", "content-security-policy", "cache-control"):
        assert program.headers.get(name) == browser.headers.get(name)
    api = house.browser(headers={**headers, "accept": "text/html"}).get("/api/studies", headers={"authorization": "x"})
    assert api.headers["content-type"] == "application/problem+json"


def test_too_many_guesses_are_told_a_browser_as_a_page(house: House) -> None:
    answers = [
        house.browser("192.0.2.77", {"authorization": f"Bearer wrong{number}", "accept": "text/html"}).get("/studies")
        for number in range(100)
    ]
    last = next(one for one in answers if one.status_code == 429)
    assert last.headers["content-type"].startswith("text/html")
    assert last.headers["retry-after"]
