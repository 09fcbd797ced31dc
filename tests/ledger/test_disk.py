"""A ledger that cannot be written: nothing is acknowledged that is not stored, and work goes on when it can be."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from mapper.errors import LedgerFailed
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
        assert (site.world.ledger.rows.find(uid) is not None) == (answer.status_code == 200)


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
    world.ledger.studies.mark("orthanc", [f"1.9.{number}" for number in range(50)])


FAILURES: dict[str, Any] = {
    "a statement": lambda db: db.execute(text("SELECT nothing FROM nowhere")),
    "a value twice": lambda db: [db.execute(text(f"INSERT INTO meta VALUES ('a', '{SECRET}')")) for _ in range(2)],
    "whatever the driver says": lambda db: (_ for _ in ()).throw(OperationalError(SECRET, {}, Exception(SECRET))),
}
SECRET = "SECRET^PATIENT"


@pytest.mark.parametrize("how", ["read", "write"])
@pytest.mark.parametrize("fails", FAILURES.values(), ids=FAILURES)
def test_a_failure_of_the_database_is_one_of_ours_without_its_text(site: Site, how: str, fails: Any) -> None:
    with pytest.raises(LedgerFailed) as failed, getattr(site.world.database, how)() as db:
        [*fails(db)]
    assert re.fullmatch(r"the ledger failed \(\w+Error\)", str(failed.value))
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
    assert failed.value.side == "ledger"
