"""A ledger of the first release goes on with this one, whatever its rows were doing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from mapper.errors import SettingError
from mapper.fhir.ids import resource_id
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.migrations import upgrade
from mapper.ledger.schema import STATES, metadata
from tests.ledgers import scene
from tests.support.fakes import World

LEDGERS = Path(__file__).parents[1] / "ledgers"
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


@pytest.fixture
def ledger_of_0_1_0(new_database: Callable[[], str]) -> str:
    """Return the URL of the ledger that 0.1.0 itself left, on each kind of database."""
    url = new_database()
    if url.startswith("sqlite"):
        shutil.copyfile(LEDGERS / "0.1.0.sqlite", str(make_url(url).database))
        return url
    engine = create_engine(url)
    with engine.begin() as db:
        db.exec_driver_sql((LEDGERS / "0.1.0.sql").read_text())
    engine.dispose()
    return url


def test_the_ledger_of_0_1_0_goes_on_without_one_new_version(ledger_of_0_1_0: str) -> None:
    world = World(ledger_of_0_1_0, scene.archive())
    held = json.loads((LEDGERS / "0.1.0.fhir.json").read_text())
    world.sink.held = {tuple(key.split("/")): versions for key, versions in held.items()}  # type: ignore[misc]
    before = world.sink.versions()
    counts = {"synced": 3, "parked": 2, "pending": 1, "syncing": 1, "retrying": 1, "removed": 1}
    assert world.ledger.counts() == counts
    world.mark(*scene.SYNCED)  # as a full sweep of a new release may: the same bytes make no new version
    world.clock.forward(3600.0)
    world.work()
    after = world.sink.versions()
    newer = resource_id(scene.SITE.namespace, "Patient", f"{scene.SITE.base}/patient", "P1")
    assert {key for key in before if after[key] != before[key]} == {("Patient", newer)}  # PENDING is its newest study
    assert world.sink.available() == sorted((*scene.SYNCED, *scene.OPEN))
    assert world.ledger.counts()["synced"] == len(scene.SYNCED) + len(scene.OPEN)
    assert world.state(scene.TWO_PATIENTS) == world.state(scene.PARKED) == "parked"
    assert world.state(scene.REMOVED) == "removed"
    world.database.close()
