"""Who gets in to real `serve`s: tokens of a file, sessions over replicas and restarts, a proxy below a path."""

import json
import stat
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from mapper.web.entrance import COOKIE
from mapper.web.named_token import made
from mapper.web.visitor import Role
from stack import FhirServer, Mapper, Orthanc
from tests.support.nowhere import Nowhere
from tests.support.stack import TOKEN, until

ALICE, ALICES = made("alice", Role.READ)
BOB, BOBS = made("bob", Role.OPERATE)
ROOT = "/fhir-sync"


class Replicas:
    """Two mappers of the same secrets, each with its ledger; neither Orthanc nor FHIR server answers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.tokens = folder / "tokens"
        self.tokens.write_text(f"{ALICES.line}\n{BOBS.line}\n")
        self.tokens.chmod(0o600)
        self.key, self.audit = folder / "session-key", folder / "audit.ndjson"
        settings = {
            "TOKENS_FILE": str(self.tokens),
            "SESSION_KEY_FILE": str(self.key),
            "TRUSTED_PROXIES": '["127.0.0.0/8"]',
            "PROXY_USER_HEADER": "X-Remote-User",
        }
        given = {f"ORTHANC_FHIR_{name}": value for name, value in settings.items()}
        orthanc = Orthanc(folder / "orthanc", plugin_script=None)
        self.mappers = [
            Mapper(
                folder / name,
                orthanc=orthanc,
                fhir=cast(FhirServer, Nowhere()),
                token=TOKEN,
                settings={**given, **({"ORTHANC_FHIR_AUDIT_FILE": str(self.audit)} if name == "one" else {})},
            )
            for name in ("one", "other")
        ]

    def log_in(self, token: str) -> str:
        """Log in to the first; return the cookie."""
        form = {"token": token, "next": "/"}
        answer = requests.post(f"{self.mappers[0].url}/login", data=form, allow_redirects=False, timeout=30)
        assert answer.status_code == 303
        return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE].value

    def get(self, number: int, path: str = "/api/studies", **headers: str) -> int:
        """Return what one of them answers."""
        url = f"{self.mappers[number].url}{path}"
        return requests.get(url, headers=headers, allow_redirects=False, timeout=30).status_code


@pytest.fixture(scope="module")
def replicas(run_folder: Path) -> Iterator[Replicas]:
    found = Replicas(run_folder / "access")
    for mapper in found.mappers:
        mapper.start().wait_ready()
    yield found
    for mapper in found.mappers:
        mapper.clean()


def test_a_session_is_of_every_replica_and_of_a_restarted_one(replicas: Replicas) -> None:
    cookie = f"{COOKIE}={replicas.log_in(ALICE)}"
    assert stat.S_IMODE(replicas.key.stat().st_mode) == 0o600
    assert [replicas.get(number, Cookie=cookie) for number in (0, 1)] == [200, 200]
    replicas.mappers[1].stop()
    replicas.mappers[1].start().wait_ready()
    assert replicas.get(1, Cookie=cookie) == 200


def test_what_changes_in_the_file_counts_while_it_runs(replicas: Replicas) -> None:
    bearer, cookie = f"Bearer {ALICE}", f"{COOKIE}={replicas.log_in(ALICE)}"
    assert replicas.get(0, Authorization=bearer) == 200
    try:
        replicas.tokens.write_text(f"{BOBS.line}\n")
        until(lambda: replicas.get(1, Cookie=cookie) == 401)
        until(lambda: replicas.get(0, Cookie=cookie) == 401)
        assert replicas.get(0, Authorization=bearer) == 401
        assert replicas.get(0, Authorization=f"Bearer {BOB}") == 200
    finally:
        replicas.tokens.write_text(f"{ALICES.line}\n{BOBS.line}\n")
    until(lambda: replicas.get(0, Cookie=cookie) == 200)


def test_a_proxy_below_a_path_says_who_asks(replicas: Replicas) -> None:
    said = {"X-Remote-User": "carol", "X-Forwarded-Prefix": ROOT, "Accept": "text/html"}
    url = replicas.mappers[0].url
    for path in ("/", f"{ROOT}/"):
        page = requests.get(f"{url}{path}", headers=said, timeout=30)
        assert page.status_code == 200
        assert "carol" in page.text
        assert f'href="{ROOT}/' in page.text
        assert 'href="/"' not in page.text
    written = {**said, "Content-Type": "application/json"}
    assert requests.post(f"{url}/api/retry", headers=written, data=b"{}", timeout=30).status_code == 403


def test_no_secret_is_written_and_who_came_is(replicas: Replicas) -> None:
    replicas.log_in(BOB)
    lines: list[dict[str, Any]] = [json.loads(line) for line in replicas.audit.read_text().splitlines()]
    assert {"visitor": "bob", "what": "logged in"}.items() <= lines[-1].items()
    assert stat.S_IMODE(replicas.audit.stat().st_mode) == 0o600
    for place in (replicas.audit.parent, *(mapper.folder for mapper in replicas.mappers)):
        for file in place.rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            for secret in (ALICE, BOB, TOKEN):
                assert secret.encode() not in content, file.name
