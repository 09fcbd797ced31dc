"""A ledger of the first release goes on with this one, whatever its rows were doing."""

from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from mapper.errors import SettingError
from mapper.sync.database import Database
from mapper.sync.ledger import Ledger
from mapper.sync.migrations import upgrade
from mapper.sync.schema import STATES, metadata

NOW = 1_700_000_000.0
FIRST = "0001"


@pytest.fixture
def first_release(new_database: Callable[[], str]) -> str:
    """Return the URL of a ledger as the first release left it, with a study in every state."""
    url = new_database()
    database = Database(url)
    with database.write() as db:
        upgrade(db, FIRST)
        for number, state in enumerate(STATES):
            row = {
                "source": "orthanc",
                "study_uid": f"1.2.{number}",
                "generation": 2,
                "done_generation": 1,
                "state": state,
                "priority": 0,
                "not_before": NOW - 10,
                "lease_until": NOW - 1,
                "owner": "gone",
                "attempts": 1,
                "reason": "was busy",
                "problems": "[]",
                "mapping_version": "1",
                "started": "",
                "synced_at": NOW - 100,
            }
            names = ", ".join(row)
            db.execute(text(f"INSERT INTO study ({names}) VALUES (:{', :'.join(row)})"), row)
        db.execute(text("INSERT INTO seen VALUES ('orthanc', 'abc', '1.2.2', 'f')"))
        db.execute(text("INSERT INTO written VALUES ('orthanc', '1.2.2', 'Patient', 'p', 'hash', '', '1')"))
        db.execute(text("INSERT INTO meta VALUES ('base', 'https://example.org')"))
    database.close()
    return url


def test_every_row_is_still_there_and_its_work_goes_on(first_release: str) -> None:
    ledger = Ledger(Database(first_release), clock=lambda: NOW)
    assert ledger.counts() == dict.fromkeys(STATES, 1)
    assert ledger.seen_ids("orthanc", "1.2.2") == ["abc"]
    assert ledger.get("base") == "https://example.org"
    due = {claim.study_uid for claim in ledger.claim(["orthanc"], limit=10)}
    states = {ledger.row(uid).state for uid in due}  # type: ignore[union-attr]
    assert states == {"syncing"}
    assert due == {f"1.2.{STATES.index(state)}" for state in ("pending", "syncing", "retrying")}
    assert ledger.oldest_wait() == 10.0
    ledger.database.close()


def test_the_migrations_end_at_the_tables_of_the_code(first_release: str) -> None:
    database = Database(first_release)
    database.create()
    with database.read() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
    database.close()


def test_a_new_ledger_is_made_by_the_same_migrations(new_database: Callable[[], str]) -> None:
    database = Database(new_database())
    database.create()
    database.create()
    with database.read() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
    database.close()


def test_a_ledger_of_a_later_release_is_refused_in_one_line(first_release: str) -> None:
    database = Database(first_release)
    with database.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingError, match="a later release made it"):
        database.create()
    database.close()
