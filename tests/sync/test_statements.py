"""How often the ledger is asked for one study: SQL is a part of what each study costs, and its writers wait in line."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event

from tests.support.fakes import World

STUDIES = ("1.2.1", "1.2.2", "1.2.3")
LOCKING = "pg_advisory", "set_config"
"""In what PostgreSQL is asked for locks, by a session of their own; SQLite has none."""
DEVICE = {"Manufacturer": "Maker", "ManufacturerModelName": "Model", "DeviceSerialNumber": "7"}


class Asked:
    """Counts what a ledger's database is asked."""

    def __init__(self, engine: Any) -> None:
        self.number: Counter[str] = Counter()
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", self._commit)

    def _statement(self, connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):  # SQLite alone, and the disk is not asked
            self.number["locks" if any(one in statement for one in LOCKING) else "statements"] += 1

    def _commit(self, connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") != "AUTOCOMMIT":
            self.number["read" if options.get("reading") else "lazy" if options.get("lazily") else "stored"] += 1

    def of(self, do: Callable[[], object]) -> dict[str, int]:
        """Return what is asked while something is done: statements, locks, and transactions by their kind."""
        self.number.clear()
        do()
        return dict(self.number)


@pytest.fixture
def world(new_database: Callable[[], str]) -> Iterator[World]:
    world = World(new_database())
    for number, uid in enumerate(STUDIES):
        world.source.store(uid, patient=f"P{number}", **DEVICE)
    world.mark(*STUDIES)
    world.worker.turn()  # the first of all asks the sink, and its database is new
    yield world
    world.database.close()


def at_most(asked: dict[str, int], **most: int) -> None:
    """Hold what was asked against what may be."""
    assert {name: number for name, number in asked.items() if number > most.get(name, 0)} == {}


def test_a_first_sync_of_a_study(world: World) -> None:
    asked = Asked(world.database.engine).of(world.worker.turn)
    assert world.state(STUDIES[1]) == "synced"
    at_most(asked, statements=23, locks=6, read=3, lazy=1, stored=2)


def test_a_sync_that_changes_nothing(world: World) -> None:
    world.work()
    world.mark(STUDIES[1])
    before = world.sink.versions()
    asked = Asked(world.database.engine).of(world.worker.turn)
    assert world.sink.versions() == before
    at_most(asked, statements=17, locks=1, read=2, lazy=1, stored=2)


def test_many_shared_resources_cost_no_statement_each(world: World) -> None:
    world.work()
    instances = {str(number): {**DEVICE, "DeviceSerialNumber": f"no. {number}"} for number in range(10)}
    for instance, device in instances.items():
        world.source.store("1.2.9", "P9", instance, SeriesInstanceUID=f"1.2.9.{instance}", **device)
    world.mark("1.2.9")
    asked = Asked(world.database.engine).of(world.worker.turn)
    assert len(world.sink.keys("Device")) == 1 + len(instances)
    at_most(asked, statements=23, locks=6, read=3, lazy=1, stored=2)
