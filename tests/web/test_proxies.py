"""What a reverse proxy says: believed of trusted ones alone, whoever else says it; and pages below a path of theirs."""

import html
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.configuration import load
from mapper.errors import SettingError
from mapper.settings import Settings
from mapper.web.attempts import EACH
from mapper.web.entrance import COOKIE
from mapper.web.headers import Headers
from mapper.web.named_token import made
from mapper.web.proxies import Proxies
from mapper.web.visitor import Role
from tests.support.situations import TOKEN, A, parked
from tests.support.visitors import FORM, PEOPLE, House, log_in, secret_of, seen

PROXY, STRANGER = "10.0.0.7", "192.0.2.66"
USER, ROLE = "X-Remote-User", "X-Remote-Role"
TRUST: dict[str, Any] = {"trusted_proxies": ("10.0.0.0/24", "2001:db8::7"), "proxy_user_header": USER}


@pytest.fixture
def house(ledger_url: str, tmp_path: Path) -> Iterator[House]:
    house = House(ledger_url, tmp_path, **TRUST, proxy_role_header=ROLE)
    parked(house)
    yield house
    house.world.database.close()


# -- who asks --------------------------------------------------------------------------------------

SAID: dict[str, tuple[str, dict[str, str], int]] = {  # from where, what is said, the answer
    "a reader": (PROXY, {USER: "eve", ROLE: "read"}, 200),
    "any case": (PROXY, {USER.lower(): "eve", ROLE.upper(): "read"}, 200),
    "another proxy": ("2001:db8::7", {USER: "eve", ROLE: "values"}, 200),
    "a proxy as IPv4 in IPv6": (f"::ffff:{PROXY}", {USER: "eve", ROLE: "read"}, 200),
    "nobody": (PROXY, {}, 401),
    "an empty name": (PROXY, {USER: "", ROLE: "read"}, 403),
    "a name with blanks": (PROXY, {USER: "eve adams", ROLE: "read"}, 403),
    "a long name": (PROXY, {USER: "e" * 65, ROLE: "read"}, 403),
    "no role": (PROXY, {USER: "eve"}, 403),
    "an unknown role": (PROXY, {USER: "eve", ROLE: "admin"}, 403),
    "two roles": (PROXY, {USER: "eve", ROLE: "read,values"}, 403),
    "a role alone": (PROXY, {ROLE: "values"}, 401),
    "a stranger": (STRANGER, {USER: "eve", ROLE: "values"}, 401),
    "a stranger nearby": ("10.0.1.7", {USER: "eve", ROLE: "values"}, 401),
    "a stranger of IPv6": ("2001:db8::8", {USER: "eve", ROLE: "values"}, 401),
    "loopback": ("127.0.0.1", {USER: "eve", ROLE: "values"}, 401),
    "no address": ("testclient", {USER: "eve", ROLE: "values"}, 401),
    "a stranger who names a proxy": (STRANGER, {USER: "eve", ROLE: "values", "X-Forwarded-For": PROXY}, 401),
    "a stranger who is forwarded": (STRANGER, {USER: "eve", ROLE: "values", "Forwarded": f"for={PROXY}"}, 401),
    "a stranger with a real address": (STRANGER, {USER: "eve", ROLE: "values", "X-Real-IP": PROXY}, 401),
    "another header": (PROXY, {"X-User": "eve", ROLE: "values"}, 401),
    "underscores": (PROXY, {USER.replace("-", "_"): "eve", ROLE: "values"}, 401),
}


@pytest.mark.parametrize(("peer", "said", "status"), SAID.values(), ids=SAID)
def test_who_asks_is_believed_of_a_trusted_proxy_alone(
    house: House, peer: str, said: dict[str, str], status: int
) -> None:
    answer = house.browser(peer, said).get("/api/studies")
    assert answer.status_code == status
    assert "eve" not in answer.text


def test_a_header_that_stands_there_twice_names_nobody(house: House) -> None:
    browser = house.browser(PROXY)
    for headers in ([(USER, "eve"), (USER, "eve"), (ROLE, "read")], [(USER, "eve"), (ROLE, "read"), (ROLE, "values")]):
        assert browser.get("/api/studies", headers=headers).status_code == 403  # type: ignore[arg-type]


def test_a_forged_header_is_counted_and_logged_without_what_it_says(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        house.browser(STRANGER, {USER: "zqxmarker", ROLE: "values"}).get("/api/studies")
    said = capsys.readouterr().err
    assert said.count("forged") == 1
    assert "zqxmarker" not in said
    assert 'refused_total{reason="forged"} 3.0' in house.metrics.text().decode()
    assert house.audited() == [{"visitor": "nobody", "what": "refused", "reason": "forged", "times": 1}]


def test_a_token_wins_over_what_is_said_and_is_not_raised_by_it(house: House) -> None:
    bearer = {"Authorization": f"Bearer {PEOPLE[Role.READ][0]}"}
    for peer in (PROXY, STRANGER):
        browser = house.browser(peer, {USER: "eve", ROLE: "values", **bearer})
        assert browser.get("/api/studies").status_code == 200
        assert browser.post("/api/retry", json={}).status_code == 403
    wrong = house.browser(PROXY, {USER: "eve", ROLE: "values", "Authorization": "Bearer wrong"})
    assert wrong.get("/api/studies").status_code == 401


@pytest.mark.parametrize("role", Role)
def test_a_role_may_be_the_same_for_all(ledger_url: str, tmp_path: Path, role: Role) -> None:
    house = House(ledger_url, tmp_path, **TRUST, proxy_role=role.word)
    parked(house)
    browser = house.browser(PROXY, {USER: "eve", ROLE: "values"})
    assert browser.get("/").status_code == 200
    form = {"which": "all", "confirmed": "yes", "csrf": secret_of(browser, "/studies")}
    answer = browser.post("/page/studies", data=form)
    assert answer.status_code == (403 if role < Role.OPERATE else 303)
    house.world.database.close()


def test_without_the_setting_nobody_is_named(ledger_url: str, tmp_path: Path) -> None:
    house = House(ledger_url, tmp_path, trusted_proxies=("10.0.0.0/24",))
    assert house.browser(PROXY, {USER: "eve", ROLE: "values"}).get("/api/studies").status_code == 401
    house.world.database.close()


def test_where_a_proxy_alone_lets_in_nobody_else_gets_in(ledger_url: str, tmp_path: Path) -> None:
    house = House(ledger_url, tmp_path, token=None, tokens_file=None, **TRUST)
    assert house.browser(PROXY, {USER: "eve"}).get("/api/studies").status_code == 200
    assert house.browser("127.0.0.1").get("/api/studies").status_code == 401
    assert house.browser("127.0.0.1", {USER: "eve"}).get("/", headers={"Accept": "text/html"}).status_code == 401
    house.world.database.close()


def test_forms_of_people_behind_a_proxy_are_of_their_own_pages(house: House) -> None:
    """The proxy says who they are with every request, one of another site too."""
    browser = house.browser(PROXY, {USER: "eve", ROLE: "operate"})
    other = secret_of(house.browser(PROXY, {USER: "mallory", ROLE: "operate"}))
    path = f"/page/studies/{A}/sync"
    for shown in ({}, {"csrf": ""}, {"csrf": other}):
        assert browser.post(path, data=shown or {"x": "y"}).status_code == 403
    assert (
        browser.post(path, data={"csrf": secret_of(browser)}, headers={"Origin": "https://e.example"}).status_code
        == 403
    )
    assert house.world.state(A) == "parked"
    assert browser.post(path, data={"csrf": secret_of(browser)}).status_code == 303
    assert house.audited()[-1] == {"visitor": "proxy:eve", "what": "retried", "studies": [A]}


@pytest.mark.parametrize("name", ["token", "nobody", "reader", "proxy:token", "reader@example.org"])
def test_whom_a_proxy_names_is_told_from_whoever_has_a_token(house: House, name: str) -> None:
    browser = house.browser(PROXY, {USER: name, ROLE: "operate"})
    browser.post(f"/page/studies/{A}/sync", data={"csrf": secret_of(browser)})
    assert house.audited()[-1]["visitor"] == f"proxy:{name}"
    with pytest.raises(ValueError, match="a name is made of"):
        made(f"proxy:{name}", Role.READ)


# -- from where ------------------------------------------------------------------------------------

FORWARDED: dict[str, tuple[str, str, str]] = {  # from where, X-Forwarded-For, the address
    "no proxy": (STRANGER, "", STRANGER),
    "a stranger says something": (STRANGER, "203.0.113.1", STRANGER),
    "a proxy": (PROXY, "203.0.113.1", "203.0.113.1"),
    "a proxy that says nothing": (PROXY, "", PROXY),
    "two proxies": (PROXY, "203.0.113.1, 10.0.0.8", "203.0.113.1"),
    "a client that says something": (PROXY, "198.51.100.1, 203.0.113.1", "203.0.113.1"),
    "a client that names a proxy": (PROXY, "10.0.0.9, 203.0.113.1", "203.0.113.1"),
    "IPv6": (PROXY, "2001:db8:1::1", "2001:db8:1::1"),
    "a port": (PROXY, "203.0.113.1:4444", "203.0.113.1"),
    "ports of all": (PROXY, "198.51.100.1:1, 203.0.113.1:65535, 10.0.0.8:80", "203.0.113.1"),
    "IPv6 in brackets": (PROXY, "[2001:db8:1::1]", "2001:db8:1::1"),
    "IPv6 in brackets with a port": (PROXY, "[2001:db8:1::1]:4444", "2001:db8:1::1"),
    "IPv6 in quotes": (PROXY, '"[2001:db8:1::1]:4444"', "2001:db8:1::1"),
    "IPv6 with what may be a port": (PROXY, "2001:db8:1::1:4444", "2001:db8:1::1:4444"),
    "a port that is none": (PROXY, "203.0.113.1:x", PROXY),
    "a port without an address": (PROXY, ":4444", PROXY),
    "brackets alone": (PROXY, "[]", PROXY),
    "an open bracket": (PROXY, "[2001:db8:1::1", PROXY),
    "no address": (PROXY, "unknown", PROXY),
    "nothing between commas": (PROXY, ",,", PROXY),
    "proxies alone": (PROXY, "10.0.0.8, 10.0.0.9", "10.0.0.8"),
    "very many": (PROXY, ", ".join(["203.0.113.1"] + ["10.0.0.9"] * 100), "10.0.0.9"),
}


@pytest.mark.parametrize(("peer", "said", "address"), FORWARDED.values(), ids=FORWARDED)
def test_an_address_is_the_last_that_no_trusted_proxy_is(peer: str, said: str, address: str) -> None:
    proxies = Proxies(Settings(**TRUST).trusted_proxies)
    headers = Headers([(b"x-forwarded-for", said.encode())] if said else [])
    assert proxies.address({"client": (peer, 1)}, headers) == address


@given(st.binary(), st.text())
def test_no_header_breaks_it(said: bytes, peer: str) -> None:
    proxies = Proxies(Settings(**TRUST).trusted_proxies, b"x-remote-user", b"x-remote-role")
    for client in (peer, PROXY):
        scope = {"client": (client, 1), "path": "/x", "type": "http"}
        headers = Headers([(b"x-forwarded-for", said), (b"x-forwarded-prefix", said), (b"x-forwarded-proto", said)])
        proxies.address(scope, headers)
        proxies.place(scope, headers)
        assert re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/x", scope["path"])  # type: ignore[arg-type]


def test_guesses_behind_a_proxy_are_those_of_who_makes_them(house: House) -> None:
    guesser = house.browser(PROXY, {"X-Forwarded-For": "203.0.113.1"})
    for _ in range(EACH):
        assert log_in(guesser, "wrong").status_code == 401
    assert log_in(guesser, "wrong").status_code == 429
    assert log_in(house.browser(PROXY, {"X-Forwarded-For": "203.0.113.2"}), TOKEN).status_code == 303
    invented = house.browser(STRANGER)
    statuses = [
        log_in(invented, "wrong", **{"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(EACH + 1)
    ]
    assert statuses[-1] == 429, "an address that a stranger invents is not believed"


# -- under a path ----------------------------------------------------------------------------------

ROOT = "/hospital/fhir-sync"


@pytest.fixture(params=["setting, path kept", "setting, path cut", "proxy, path kept", "proxy, path cut"])
def below(
    request: pytest.FixtureRequest, ledger_url: str, tmp_path: Path
) -> Iterator[tuple[House, str, dict[str, str]]]:
    """Give a service below a path, what stands before each path that it is asked for, and what its proxy says."""
    by, _, how = request.param.partition(", path ")
    house = House(ledger_url, tmp_path, **TRUST, root_path=ROOT if by == "setting" else "")
    parked(house)
    yield house, ROOT if how == "kept" else "", {"X-Forwarded-Prefix": ROOT} if by == "proxy" else {}
    house.world.database.close()


def test_login_pages_forms_and_links_stay_below_it(below: tuple[House, str, dict[str, str]]) -> None:
    house, before, said = below
    browser = house.browser(PROXY, said)
    answer = browser.get(f"{before}/?state=parked", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{ROOT}/login?next=")
    page = browser.get(f"{before}/login", params={"next": "/?state=parked"}).text
    assert f'action="{ROOT}/login"' in page
    answer = browser.post(f"{before}/login", data={"token": TOKEN, "next": "/?state=parked"})
    assert answer.headers["location"] == f"{ROOT}/?state=parked"
    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert cookie["path"] == ROOT
    browser = house.browser(PROXY, {**said, "Cookie": f"{COOKIE}={cookie.value}"})
    page = browser.get(f"{before}/").text
    links = [html.unescape(link) for link in re.findall(r'(?:href|action|src|hx-get)="([^"]*)"', page)]
    ours = [link for link in links if not link.startswith(("https://fhir.", "#"))]
    assert ours
    assert all(link.startswith(f"{ROOT}/") for link in ours), ours
    for link in ours:
        if "/page/" not in link and "/logout" not in link:
            assert browser.get(before + link.removeprefix(ROOT)).status_code == 200, link
    secret = page.partition('name="csrf" value="')[2].partition('"')[0]
    for path, fields, place in (
        (f"/page/studies/{A}/sync", {}, f"/studies/{A}"),
        ("/page/ask", {"study": A}, f"/studies/{A}"),
        ("/page/studies", {"which": "chosen", "study": A, "confirmed": "yes"}, "/studies?done=1"),
    ):
        answer = browser.post(f"{before}{path}", data={"csrf": secret, **fields})
        assert answer.headers["location"].startswith(f"{ROOT}{place}")
    answer = browser.post(f"{before}/logout", data={"csrf": secret})
    assert answer.headers["location"] == f"{ROOT}/login"


def test_the_guard_looks_at_the_path_below_it(below: tuple[House, str, dict[str, str]]) -> None:
    house, before, said = below
    browser = house.browser(PROXY, said)
    assert browser.get(f"{before}/healthz").status_code == 200
    assert browser.get("/healthz").status_code == 200, "probes ask the mapper itself"
    for path in ("", "/", "/metrics", "/healthz/x", "/api/studies", "/login/x", f"{ROOT}/x"):
        assert browser.get(f"{before}{path}").status_code == 401, path
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert browser.post(f"{before}/page/studies/{A}/sync", json={}, headers=bearer).status_code == 415
    assert browser.post(f"{before}/page/studies/{A}/sync", headers={**FORM, **bearer}).status_code == 303


PREFIXES = [
    "//evil.example",
    "https://evil.example",
    "/a/../b",
    "/a b",
    '/"',
    "/\r\nX: y",
    "evil",
    "/ä",
    "/%2e",
    "/a//b",
]


@pytest.mark.parametrize("prefix", PREFIXES, ids=repr)
def test_a_prefix_that_is_no_path_is_none(house: House, prefix: str) -> None:
    browser = house.browser(PROXY)
    answer = browser.get("/", headers={"X-Forwarded-Prefix": prefix.encode(), "Accept": b"text/html"})  # type: ignore[dict-item]
    assert answer.headers["location"] == "/login?next=/"


def test_a_prefix_of_a_stranger_is_none(house: House) -> None:
    answer = house.browser(STRANGER).get("/", headers={"X-Forwarded-Prefix": "/evil", "Accept": "text/html"})
    assert answer.headers["location"] == "/login?next=/"
    assert house.browser(STRANGER).get("/evil/healthz", headers={"X-Forwarded-Prefix": "/evil"}).status_code == 401


def test_the_cookie_is_secure_where_a_trusted_proxy_speaks_https(house: House) -> None:
    for peer, secure in ((PROXY, True), (STRANGER, False)):
        answer = log_in(house.browser(peer, {"X-Forwarded-Proto": "https"}), TOKEN)
        assert bool(SimpleCookie(answer.headers["set-cookie"])[COOKIE]["secure"]) is secure


# -- through Orthanc -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_through_orthanc_nobody_is_more_than_an_operator(house: House, role: Role) -> None:
    """Whoever may use Orthanc may use the plugin's routes, whatever token the plugin was given."""
    for headers in ({}, {"X-Orthanc-Fhir-Plugin": "1"}):
        bearer = {"Authorization": f"Bearer {PEOPLE[role][0]}", **headers}
        found = seen(house, bearer)
        assert found.role is (min(role, Role.OPERATE) if headers else role)
        assert found.name == f"{role.word}er" + (" through Orthanc" if headers else "")


def test_the_plugin_says_that_it_is_one() -> None:
    text = (Path(__file__).resolve().parents[2] / "orthanc_plugin" / "fhir_sync_mapper.py").read_text()
    assert '"X-Orthanc-Fhir-Plugin": "1"' in text


# -- settings --------------------------------------------------------------------------------------

WRONG: dict[str, tuple[str, str]] = {
    "no address": ("trusted_proxies = ['proxy.example']", "trusted_proxies"),
    "no list": ("trusted_proxies = '10.0.0.1'", "trusted_proxies"),
    "a network with a host": ("trusted_proxies = ['10.0.0.1/24']", "trusted_proxies"),
    "a header of HTTP": ("trusted_proxies = ['10.0.0.1']\nproxy_user_header = 'Authorization'", "proxy_user_header"),
    "a header of proxies": (
        "trusted_proxies = ['10.0.0.1']\nproxy_user_header = 'X-Forwarded-For'",
        "proxy_user_header",
    ),
    "no header": ("trusted_proxies = ['10.0.0.1']\nproxy_user_header = 'X User'", "proxy_user_header"),
    "a user of nobody": ("proxy_user_header = 'X-User'", "proxy_user_header"),
    "a role of nobody": ("trusted_proxies = ['10.0.0.1']\nproxy_role_header = 'X-Role'", "proxy_role_header"),
    "a role that is none": ("proxy_role = 'admin'", "proxy_role"),
    "a path that is none": ("root_path = 'https://example.org'", "root_path"),
    "no rotation": ("audit_size = 0", "audit_size"),
}


@pytest.mark.parametrize(("text", "name"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_one_line(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(SettingError) as failed:
        load(Settings, tmp_path / "x.toml")
    assert re.match(rf"{name}(\.\d+)? \({tmp_path}/x\.toml, line \d\): ", str(failed.value))
    assert len(str(failed.value).splitlines()) == 1
