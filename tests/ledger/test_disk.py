"""A ledger that cannot be written: nothing is acknowledged that is not stored, and work goes on when it can be."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from tests.support.fakes import World
from tests.support.situations import Site

A = "1.2.1"


class Disk:
    """Makes SQLite refuse every write as it does on a full disk or a read-only one."""

    def __init__(self, site: Site) -> None:
        self._engine = site.world.database.engine
        self.pragma: str | None = None
        event.listen(self._engine, "begin", self._apply)

    def _apply(self, connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA query_only = 0")
        if self.pragma:
            connection.exec_driver_sql(self.pragma)

    def read_only(self) -> None:
        self.pragma = "PRAGMA query_only = 1"

    def full(self) -> None:
        self.pragma = "PRAGMA max_page_count = 1"  # SQLite keeps what is there and takes no page more

    def mended(self) -> None:
        self.pragma = "PRAGMA max_page_count = 1000000"


@pytest.fixture
def site(ledger_url: str) -> Iterator[Site]:
    found = Site(ledger_url)
    yield found
    found.world.database.close()


@pytest.fixture
def disk(site: Site) -> Disk:
    return Disk(site)


@pytest.mark.parametrize("how", ["read_only", "full"])
def test_a_mark_that_is_not_stored_is_not_acknowledged(site: Site, disk: Disk, how: str) -> None:
    fill(site.world)
    for uid in many(how):
        site.world.source.store(uid)
    getattr(disk, how)()
    refused = [site.client.post(f"/api/studies/{uid}/sync", json={}) for uid in many(how)]
    assert {answer.status_code for answer in refused} <= {200, 503}
    assert 503 in {answer.status_code for answer in refused}
    said = next(answer for answer in refused if answer.status_code == 503).json()["message"]
    assert "disk full or read-only" in said
    disk.mended()
    for uid, answer in zip(many(how), refused, strict=True):
        assert (site.world.ledger.row(uid) is not None) == (answer.status_code == 200)


def test_pages_are_shown_while_nothing_can_be_written(site: Site, disk: Disk) -> None:
    site.sync(A)
    disk.read_only()
    assert site.client.get("/").status_code == 200
    assert site.client.get(f"/api/studies/{A}").json()["study_uid"] == A


def many(how: str) -> list[str]:
    """Return so many StudyInstanceUIDs that they need pages of their own."""
    return [f"1.2.{number}.{'9' * 40}" for number in range(200 if how == "full" else 2)]


def fill(world: World) -> None:
    """Use up what is left of the pages that the file has already."""
    world.ledger.mark("orthanc", [f"1.9.{number}" for number in range(50)])
