"""The sink is asked before a first write only where it held anything of the last study of which it was asked."""

from typing import Any

import pytest

from mapper.ledger.claim import BY_HAND
from tests.support.fakes import World, study_key

STUDIES = ("1.2.1", "1.2.2", "1.2.3", "1.2.4")

# which of the studies the sink holds when a new ledger comes to them, in this order: of which it is asked
HELD: dict[str, tuple[set[str], set[str]]] = {
    "an empty sink": (set(), {STUDIES[0]}),
    "a lost ledger": (set(STUDIES), set(STUDIES)),
    "one that was there after all": ({STUDIES[1]}, set(STUDIES[:3])),
    "new ones after a lost ledger": (set(STUDIES[:2]), set(STUDIES[:3])),
}


@pytest.mark.parametrize(("held", "asked"), HELD.values(), ids=HELD)
def test_of_which_studies_the_sink_is_asked(new_database: Any, held: set[str], asked: set[str]) -> None:
    before = World(new_database())
    for uid in STUDIES:
        before.source.store(uid, patient=uid, PatientName=uid)
    before.mark(*held)
    before.work()
    kept = before.sink.versions()
    before.database.close()

    world = World(new_database())
    world.source, world.sources, world.sink = before.source, before.sources, before.sink
    world.worker = world.new_worker()
    world.sink.asked.clear()
    for uid in STUDIES:
        world.mark(uid)
        assert world.work() == 1
        assert world.state(uid) == "synced", "a wrong guess costs no attempt"
    assert {uid for uid in STUDIES if study_key(uid) in world.sink.asked} == asked
    assert world.sink.available() == sorted(STUDIES)
    assert {key: version for key, version in world.sink.versions().items() if key in kept} == kept

    world.sink.puts.clear()
    world.ledger.studies.mark("orthanc", STUDIES, BY_HAND)
    world.work()
    assert len(world.sink.puts) == len(STUDIES), "of what this ledger wrote nothing is guessed"
    assert set(world.sink.versions().values()) == {1}
    world.database.close()
