"""A service with people: each has a token of each role; a browser that logs in, and an application behind proxies."""

import asyncio
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response
from starlette.types import ASGIApp

from mapper.rate_limit import RateLimit
from mapper.settings import Settings
from mapper.web.app import app_of
from mapper.web.entrance import COOKIE, entrance_of
from mapper.web.headers import Headers
from mapper.web.named_token import NamedToken, made
from mapper.web.prometheus import Prometheus
from mapper.web.refusals import Refusals
from mapper.web.visitor import Role, Visitor
from tests.support.situations import HERE, TOKEN, Site

FORM = {"content-type": "application/x-www-form-urlencoded"}
PEOPLE: dict[Role, tuple[str, NamedToken]] = {role: made(f"{role.word}er", role) for role in Role}
"""A token of each role, and its line."""


class House(Site):
    """A service with named tokens, its settings as given; `client` and `stranger` come from `peer`."""

    def __init__(self, url: str, folder: Path, peer: str = "192.0.2.1", **settings: Any) -> None:
        super().__init__(url)
        self.file = folder / "tokens"
        self.audit_file = folder / "audit.ndjson"
        self.write(*(line for _, line in PEOPLE.values()))
        given = {
            "token": TOKEN,
            "ledger": url,
            "fhir_public_url": "https://fhir.example.org/fhir",
            "tokens_file": self.file,
            "audit_file": self.audit_file,
            **settings,
        }
        self.service.settings = Settings(**given)
        self.entrance = entrance_of(self.service.settings)
        self.metrics = Prometheus()
        self.refusals = Refusals(self.metrics.refused, RateLimit(clock=self.world.clock), self.entrance.audit)
        self.peer = peer

    @cached_property
    def app(self) -> ASGIApp:
        """The application of these people."""
        return app_of(self.service, self.metrics, self.refusals, self.entrance)

    @cached_property
    def client(self) -> TestClient:
        """A client with the plugin's token."""
        return self.browser(self.peer, {"Authorization": f"Bearer {TOKEN}"})

    @cached_property
    def stranger(self) -> TestClient:
        """A client without any."""
        return self.browser(self.peer)

    def write(self, *lines: NamedToken) -> None:
        """Write the file of tokens."""
        self.file.write_text("".join(f"{line.line}\n" for line in lines))
        self.file.chmod(0o600)

    def browser(self, peer: str = "192.0.2.1", headers: Mapping[str, str] | None = None) -> TestClient:
        """Return a client without a session that comes from an address."""
        return TestClient(
            self.app,
            base_url=HERE,
            headers=headers,
            raise_server_exceptions=False,
            follow_redirects=False,
            client=(peer, 50000),
        )

    def logged_in(self, role: Role = Role.OPERATE, **given: Any) -> TestClient:
        """Return a browser with a session of this role."""
        browser = self.browser(**given)
        assert log_in(browser, PEOPLE[role][0]).status_code == 303
        assert browser.cookies.get(COOKIE)
        return browser

    def audited(self) -> list[dict[str, Any]]:
        """Return the lines of the audit file, without their time."""
        lines = [json.loads(line) for line in self.audit_file.read_text(encoding="utf-8").splitlines()]
        assert all(line.pop("when").endswith("Z") for line in lines)
        return lines


def log_in(browser: TestClient, token: str, wanted: str = "/", **headers: str) -> Response:
    """Send the form of the login page."""
    return browser.post("/login", data={"token": token, "next": wanted}, headers=headers)


def secret_of(browser: TestClient, path: str = "/") -> str:
    """Return what the forms of a page show."""
    page = browser.get(path).text
    return page.partition('name="csrf" value="')[2].partition('"')[0]


def seen(house: House, headers: Mapping[str, str]) -> Visitor:
    """Return who a request is of."""
    raw = Headers((name.lower().encode(), value.encode()) for name, value in headers.items())
    scope = {"type": "http", "path": "/", "client": ("192.0.2.1", 1)}
    return asyncio.run(house.entrance.admit(scope, raw)).visitor
