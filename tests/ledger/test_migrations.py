"""A ledger of every earlier release goes on with this one, whatever its rows were doing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from mapper.errors import SettingError
from mapper.fhir.ids import resource_id
from mapper.ledger.claim import Claim
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.migrations import FOLDED
from mapper.ledger.schema import metadata
from mapper.ledger.state import STATES
from tests.ledgers import scene
from tests.support.fakes import World

LEDGERS = Path(__file__).parents[1] / "ledgers"
NOW = 1_700_000_000.0


@pytest.fixture(params=FOLDED)
def earlier(request: pytest.FixtureRequest, new_database: Callable[[], str]) -> str:
    """Return the URL of a ledger with an earlier stamp, made by the migrations of then, with a study in every state."""
    url = new_database()
    database = Database(url)
    settings = Config()
    settings.set_main_option("script_location", str(LEDGERS / "migrations"))
    with database.write() as db:
        settings.attributes["connection"] = db
        command.upgrade(settings, request.param)
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
            if request.param != "0001":
                row |= {"marked_at": NOW - 10, "failure": ""}
            names = ", ".join(row)
            db.execute(text(f"INSERT INTO study ({names}) VALUES (:{', :'.join(row)})"), row)
        names = "source, orthanc_id, study_uid, fingerprint"
        db.execute(text(f"INSERT INTO seen ({names}) VALUES ('orthanc', 'abc', '1.2.2', 'f')"))
        names = "source, study_uid, type, id, sha256, rank, version"
        for uid in ("1.2.10", "1.2.9"):
            values = f"'orthanc', '{uid}', 'Patient', 'p', 'hash', '', '1'"
            db.execute(text(f"INSERT INTO written ({names}) VALUES ({values})"))
        db.execute(text("INSERT INTO meta (key, value) VALUES ('base', 'https://example.org')"))
    database.close()
    return url


def test_every_row_is_still_there_and_its_work_goes_on(earlier: str) -> None:
    ledger = Ledger(Database(earlier), clock=lambda: NOW)
    assert ledger.rows.counts() == dict.fromkeys(STATES, 1)
    assert ledger.seen.ids("orthanc", "1.2.2") == ["abc"]
    assert ledger.meta.get("base") == "https://example.org"
    known = ledger.written.known(Claim("orthanc", "1.2.9", 1, 1, 0, ""), ("ImagingStudy", "s"), [("Patient", "p")])
    assert known.mine == {("Patient", "p")}
    newest = known.speakers["Patient", "p"]
    assert newest is not None
    assert (newest.study_uid, newest.version) == ("1.2.9", "1")
    due = {claim.study_uid for claim in ledger.studies.claim(["orthanc"], limit=10)}
    states = {ledger.rows.find(uid).state for uid in due}  # type: ignore[union-attr]
    assert states == {"syncing"}
    assert due == {f"1.2.{STATES.index(state)}" for state in ("pending", "syncing", "retrying")}
    assert ledger.rows.oldest_wait() == 10.0
    ledger.database.close()


def test_the_migrations_end_at_the_tables_of_the_code(earlier: str) -> None:
    database = Database(earlier)
    database.create()
    database.create()
    with database.read() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
        assert list(db.execute(text("SELECT version_num FROM alembic_version")).scalars()) == ["0009"]
    database.close()


def test_a_new_ledger_is_made_by_the_same_migrations(new_database: Callable[[], str]) -> None:
    database = Database(new_database())
    database.create()
    database.create()
    with database.read() as db:
        assert compare_metadata(MigrationContext.configure(db), metadata) == []
    database.close()


@pytest.mark.parametrize("stamp", ["9999", "0010", "a1b2c3"])
def test_a_ledger_of_a_later_release_is_refused_in_one_line(new_database: Callable[[], str], stamp: str) -> None:
    database = Database(new_database())
    database.create()
    with database.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = :stamp"), {"stamp": stamp})
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
    assert world.ledger.rows.counts() == counts
    world.mark(*scene.SYNCED)  # as a full sweep of a new release may: the same bytes make no new version
    world.clock.forward(3600.0)
    world.work()
    after = world.sink.versions()
    newer = resource_id(scene.SITE.namespace, "Patient", f"{scene.SITE.base}/patient", "P1")
    assert {key for key in before if after[key] != before[key]} == {("Patient", newer)}  # PENDING is its newest study
    assert world.sink.available() == sorted((*scene.SYNCED, *scene.OPEN))
    assert world.ledger.rows.counts()["synced"] == len(scene.SYNCED) + len(scene.OPEN)
    assert world.state(scene.TWO_PATIENTS) == world.state(scene.PARKED) == "parked"
    assert world.state(scene.REMOVED) == "removed"
    world.database.close()
