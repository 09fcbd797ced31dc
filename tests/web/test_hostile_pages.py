"""The pages, and what should never reach what stands behind them: a full disk, a name as a UID, a PACS that hangs."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from mapper.errors import BundleRejected
from mapper.web.visitor import Role
from tests.support.situations import A, B
from tests.support.visitors import PEOPLE, House


@pytest.fixture
def house(ledger_url: str, tmp_path: Path) -> Iterator[House]:
    """Give a service that holds A, and B, which the FHIR server refused."""
    house = House(ledger_url, tmp_path)
    house.world.source.store(A, patient="P1")
    house.world.source.store(B, patient="P2")
    house.triggers.turn()
    house.sync(A)
    house.world.sink.failures.append(BundleRejected("HTTP 422 (processing)"))
    house.sync(B)
    yield house
    house.world.database.close()


def of(house: House, role: Role, accept: str = "text/html") -> TestClient:
    """Return a program that shows a token of this role."""
    return house.browser(headers={"Authorization": f"Bearer {PEOPLE[role][0]}", "Accept": accept})


# -- places in lists -------------------------------------------------------------------------------


def written(place: Any) -> str:
    """Return a place as a word, whatever it is."""
    raw = place if isinstance(place, bytes) else json.dumps(place).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


NO_SYNCS = {
    "larger than a database counts": [1e9, 2**63],
    "larger than any": [1e9, 2**70],
    "before the first": [1e9, -1],
    "no time": ["1", 1],
    "an endless time": b"[1e309,1]",
    "too few": [1e9],
    "too many": [1e9, 1, 1],
    "a study's": [1e9, "1.2", "orthanc"],
    "no JSON": b"\xff",
}
NO_STUDIES = {
    "NUL in the UID": [1e9, "\0", "x"],
    "NUL in the source": [1e9, "1", "\0"],
    "a surrogate": b'[1e9,"1","\\ud800"]',
    "a long UID": [1.0, "1" * 65, "x"],
    "a long source": [1.0, "1", "x" * 49],
    "no ASCII": [1.0, "\u0661", "x"],
    "a sync's": [1e9, 1],
}


@pytest.mark.parametrize("path", ["/problems", f"/studies/{A}", "/api/history", f"/api/studies/{A}/history"])
def test_no_place_in_the_history_is_refused(house: House, path: str) -> None:
    reader = of(house, Role.READ)
    found = {name: reader.get(f"{path}?after={written(place)}").status_code for name, place in NO_SYNCS.items()}
    assert found == dict.fromkeys(NO_SYNCS, 422)


@pytest.mark.parametrize("path", ["/studies?", "/studies?q=1.2.&", "/api/studies?", "/api/studies?uid_begins=1.2.&"])
def test_no_place_in_a_list_of_studies_is_refused(house: House, path: str) -> None:
    reader = of(house, Role.READ)
    found = {name: reader.get(f"{path}after={written(place)}").status_code for name, place in NO_STUDIES.items()}
    assert found == dict.fromkeys(NO_STUDIES, 422)


@pytest.mark.parametrize("path", ["/studies", "/api/studies"])
def test_what_no_source_can_be_named_is_refused(house: House, path: str) -> None:
    reader = of(house, Role.READ)
    for source in ("\0", "a\nb", "\x1f", "x" * 49):
        assert reader.get(path, params={"source": source}).status_code == 422
