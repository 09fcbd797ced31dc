"""Who may do what: every route has its role, and nobody below it gets anything."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from mapper.web.app import routes_of
from mapper.web.audit import Audit
from mapper.web.entrance import Admitted
from mapper.web.paths import takes_form
from mapper.web.prometheus import Prometheus
from mapper.web.visitor import Role, Visitor, needs
from tests.support.situations import HERE, A, Site, in_line

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

ROLES: dict[tuple[str, str], Role | None] = {  # None: whoever comes
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("GET", "/api/openapi.json"): Role.READ,
    ("GET", "/api/studies/{study_uid}/history"): Role.READ,
    ("GET", "/api/history"): Role.READ,
    ("GET", "/api/failures"): Role.READ,
    ("GET", "/api/status"): Role.READ,
    ("GET", "/static"): Role.READ,
    ("GET", "/login"): None,
    ("POST", "/login"): None,
    ("POST", "/logout"): Role.READ,
    ("GET", "/metrics"): Role.READ,
    ("GET", "/"): Role.READ,
    ("GET", "/studies"): Role.READ,
    ("GET", "/syncs"): Role.READ,
    ("GET", "/studies/{study_uid}"): Role.READ,
    ("GET", "/studies/{study_uid}/problems"): Role.READ,
    ("POST", "/page/studies"): Role.OPERATE,
    ("POST", "/page/ask"): Role.OPERATE,
    ("POST", "/page/find"): Role.VALUES,
    ("GET", "/studies/{study_uid}/explain"): Role.READ,
    ("GET", "/studies/{study_uid}/header"): Role.VALUES,
    ("POST", "/page/studies/{study_uid}/sync"): Role.OPERATE,
    ("GET", "/problems"): Role.READ,
    ("GET", "/mapping"): Role.READ,
    ("GET", "/settings"): Role.READ,
    ("GET", "/about"): Role.READ,
    ("GET", "/api/studies"): Role.READ,
    ("GET", "/api/studies/{study_uid}"): Role.READ,
    ("POST", "/api/studies/{study_uid}/sync"): Role.OPERATE,
    ("POST", "/api/retry"): Role.OPERATE,
    ("POST", "/wake"): Role.OPERATE,
}
"""Every route, and what whoever asks there has to be."""

NAMES = [f"{method} {path}" for method, path in ROLES]


@pytest.fixture
def site(ledger_url: str) -> Iterator[Site]:
    site = Site(ledger_url)
    in_line(site)
    yield site
    site.world.database.close()


def ignored(reason: str, *, visitor: str = "") -> None:
    """Take what is noted of a refusal."""


class As:
    """The routes as one visitor finds them behind the guard; None: nobody was let in."""

    def __init__(self, app: FastAPI, role: Role | None) -> None:
        self._app, self._role = app, role

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._role is not None:
            visitor = Visitor("somebody", self._role)
            scope.setdefault("state", {}).update(
                visitor=visitor, admitted=Admitted(visitor), audit=Audit(), note=ignored
            )
        await self._app(scope, receive, send)


def status(site: Site, role: Role | None, method: str, path: str) -> int:
    """Return what a visitor of this role is answered."""
    client = TestClient(As(routes_of(site.service, Prometheus()), role), base_url=HERE, raise_server_exceptions=False)
    kind = FORM if takes_form(path) else JSON
    given: dict[str, Any] = {"content": "{}", "headers": {"content-type": kind}} if method != "GET" else {}
    path = {"/static": "/static/pages.css"}.get(path, path).replace("{study_uid}", A)
    return client.request(method, path, **given, follow_redirects=False).status_code


def test_every_route_has_its_row(site: Site) -> None:
    routes = routes_of(site.service, Prometheus()).routes
    there = {
        (method, route.path)
        for route in routes
        if isinstance(route, Route | APIRoute)
        for method in (route.methods or ())
        if method != "HEAD"
    } | {("GET", route.path) for route in routes if isinstance(route, Mount)}
    assert there == set(ROLES)


@pytest.mark.parametrize(("method", "path"), ROLES, ids=NAMES)
def test_a_route_opens_for_its_role_and_for_none_below(site: Site, method: str, path: str) -> None:
    wanted = ROLES[method, path]
    for role in Role:
        answered = status(site, role, method, path)
        assert (answered == 403) is (wanted is not None and role < wanted), role
        assert answered < 500


@pytest.mark.parametrize(("method", "path"), [key for key, role in ROLES.items() if role])
def test_without_the_guard_nobody_is_trusted(site: Site, method: str, path: str) -> None:
    """Files and the description of the API tell nothing of patients, and who is nobody may stop being it."""
    if path not in ("/static", "/api/openapi.json", "/logout"):
        assert status(site, None, method, path) == 403


def test_a_role_may_do_what_those_below_it_may() -> None:
    assert Role.READ < Role.OPERATE < Role.VALUES
    assert [Role.named(role.word) for role in Role] == list(Role)


@pytest.mark.parametrize("word", ["", "READ", " read", "read ", "write", "admin", "1", "values,read"])
def test_no_other_word_is_a_role(word: str) -> None:
    with pytest.raises(ValueError, match="read, operate, values"):
        Role.named(word)


@pytest.mark.parametrize("visitor", [None, "operate", ("name", Role.VALUES), Role.VALUES], ids=repr)
def test_what_is_no_visitor_is_nobody(visitor: object) -> None:
    enough = needs(Role.READ).dependency
    with pytest.raises(HTTPException) as refused:
        asyncio.run(enough(Request({"type": "http", "state": {"visitor": visitor}})))
    assert refused.value.status_code == 403


def test_a_new_route_that_writes_is_not_open_by_mistake(site: Site) -> None:
    """Whoever forgets to say what a route needs has one that wants `operate`."""
    app = routes_of(site.service, Prometheus())

    @app.post("/api/forgotten")
    def forgotten() -> str:
        return "done"

    for role in Role:
        client = TestClient(As(app, role), base_url=HERE)
        assert client.post("/api/forgotten").status_code == (403 if role < Role.OPERATE else 200)
