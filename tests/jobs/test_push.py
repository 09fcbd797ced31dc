"""A folder of NDJSON played into a server: twice, after a kill, beside somebody else, and where it is refused."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from mapper.errors import BundleRejected, SinkBusy, SinkDown
from mapper.fhir.resource import Key
from mapper.jobs import push
from mapper.jobs.into_folder import into_folder
from mapper.jobs.patience import Patience
from mapper.jobs.push import Push, Pushed
from mapper.jobs.same import same
from mapper.maps import study_to_fhir
from mapper.sinks.ndjson.index import NAME
from mapper.sinks.ndjson.sink import Ndjson
from tests.support.fakes import SITE, FakeSink, FakeSource

STUDIES = [f"1.2.{number}" for number in range(1, 8)]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Ndjson]:
    """Give a folder of seven studies of one patient."""
    source = FakeSource()
    made = into_folder(Ndjson(tmp_path), SITE)
    for number, uid in enumerate(STUDIES, 1):
        source.store(uid, StudyDate=f"2024010{number}", PatientSize="1.70")
        made.write(uid, study_to_fhir(source.read(uid, []).study, SITE))
    made.sink.flush()
    yield made.sink
    made.sink.close()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make several transactions of these few."""
    monkeypatch.setattr(push, "AT_ONCE", 3)


def run(folder: Ndjson, sink: FakeSink, *, overwrite: bool = False, waits: list[float] | None = None) -> Pushed:
    patience = Patience(sleep=(waits if waits is not None else []).append)
    return Push(folder, sink, "one", overwrite, patience).run()


def versions(sink: FakeSink) -> dict[Key, int]:
    return {key: len(held) for key, held in sink.held.items()}


def test_everything_arrives_once_and_again_it_sends_nothing(folder: Ndjson) -> None:
    sink = FakeSink()
    first = run(folder, sink)
    assert (first.sent, first.already, first.differs, first.refused) == (folder.count(), 0, [], [])
    assert {key: held[-1] for key, held in sink.held.items()} == {
        (kind, one["id"]): one for kind in folder.kinds() for one in folder.latest(kind)
    }
    sink.puts.clear()
    again = run(folder, sink)
    assert (again.sent, again.already) == (0, folder.count())
    assert sink.puts == []


@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("written", [False, True], ids=["before it is written", "after it is written"])
def test_after_a_kill_it_goes_on_and_nothing_has_a_second_version(folder: Ndjson, at: int, written: bool) -> None:
    class Killed(BaseException):
        """The process ends here."""

    class Dying(FakeSink):
        def put(self, *arguments: Any) -> dict[Key, str]:
            nonlocal at
            at -= 1
            if at == 0:
                (self.cuts if written else self.failures).append(Killed())
            return super().put(*arguments)

    sink = Dying()
    with pytest.raises(Killed):
        run(folder, sink)
    run(folder, sink)
    assert len(sink.held) == folder.count()
    assert set(versions(sink).values()) == {1}


@pytest.mark.parametrize("failure", [SinkBusy("busy"), SinkDown("down")], ids=["busy", "down"])
@pytest.mark.parametrize("where", ["failures", "cuts"])
def test_a_server_that_is_busy_or_away_is_waited_for(folder: Ndjson, failure: BaseException, where: str) -> None:
    sink, waits = FakeSink(), list[float]()
    getattr(sink, where).extend([failure, failure])
    found = run(folder, sink, waits=waits)
    assert waits == ([1.0, 2.0] if where == "failures" else [1.0, 1.0]), "longer each time, until it works"
    assert found.sent == folder.count()
    assert set(versions(sink).values()) == {1}


def test_patience_ends(folder: Ndjson) -> None:
    sink = FakeSink()
    sink.failures = [SinkBusy("busy")] * 100
    with pytest.raises(SinkBusy):
        run(folder, sink)


def other(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "description": "by hand"}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_somebody_else_wrote_is_told_and_overwritten_only_where_that_is_asked_for(
    folder: Ndjson, overwrite: bool, when: str
) -> None:
    sink = FakeSink()
    (first, *_) = list(folder.latest("ImagingStudy"))
    key = "ImagingStudy", first["id"]
    if when == "after":
        run(folder, sink)
        sink.put([other(first)])
        folder.put([{**first, "description": "by the archive"}])
        folder.flush()
    else:
        patient = next(folder.latest("Patient"))
        sink.put([patient, *folder.latest("Endpoint"), other(first)])
    found = run(folder, sink, overwrite=overwrite)
    assert found.differs == ([] if overwrite else [key])
    assert (sink.now(key).get("description") == "by hand") != overwrite
    assert {len(held) for other_key, held in sink.held.items() if other_key != key} == {1}


def test_what_changes_in_the_folder_changes_alone(folder: Ndjson) -> None:
    sink = FakeSink()
    run(folder, sink)
    key = "ImagingStudy", next(folder.latest("ImagingStudy"))["id"]
    folder.retract(key, "unknown")
    folder.flush()
    found = run(folder, sink)
    assert (found.sent, found.already) == (1, folder.count() - 1)
    assert sink.now(key)["status"] == "unknown"
    assert [name for name, number in versions(sink).items() if number > 1] == [key]


def test_one_resource_that_is_refused_costs_itself_alone(folder: Ndjson) -> None:
    (bad, *_) = list(folder.latest("Observation"))

    class Strict(FakeSink):
        def put(self, resources: Any, expected: Any = None) -> dict[Key, str]:
            sent = list(resources)
            if bad["id"] in [one["id"] for one in sent]:
                raise BundleRejected("invalid")
            return super().put(sent, expected)

    found = run(folder, sink := Strict())
    assert found.refused == [(("Observation", bad["id"]), "invalid")]
    assert len(sink.held) == folder.count() - 1


def test_types_that_we_never_make_are_sent_too_behind_what_they_refer_to(tmp_path: Path) -> None:
    of_patient = {"subject": {"reference": "Patient/p"}}
    for kind, others in {"Encounter": of_patient, "Patient": {}, "Appointment": {}}.items():
        id = kind[0].lower()
        resource = {"resourceType": kind, "id": id, **others}
        (tmp_path / f"{kind}.000001.ndjson").write_bytes(orjson.dumps(resource) + b"\n")
    sink, opened = FakeSink(), Ndjson(tmp_path)
    found = run(opened, sink)
    opened.close()
    assert (found.sent, found.refused) == (3, [])
    assert list(sink.held) == [("Patient", "p"), ("Appointment", "a"), ("Encounter", "e")]


def test_a_server_that_was_emptied_gets_everything(folder: Ndjson) -> None:
    run(folder, FakeSink())
    sink = FakeSink()
    assert run(folder, sink).sent == folder.count()
    assert len(sink.held) == folder.count()


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_resource_removed_on_the_server_is_sent_again_when_the_index_is_removed(folder: Ndjson, which: int) -> None:
    run(folder, sink := FakeSink())
    removed = "ImagingStudy", list(folder.latest("ImagingStudy"))[which]["id"]
    del sink.held[removed]
    folder.close()
    (folder.folder / NAME).unlink()
    assert run(folder, sink).sent == folder.count()
    assert set(versions(sink).values()) == {1}
    assert removed in sink.held


def test_what_stands_behind_what_refers_to_it_is_sent_along(folder: Ndjson) -> None:
    """A result that changed late stands behind the report that names it."""
    frame = {"status": "final", "code": {"text": "x"}}
    parts = [{"resourceType": "Observation", "id": f"a{number}", **frame} for number in range(5)]
    members = [{"reference": f"Observation/{one['id']}"} for one in parts]
    folder.put([{"resourceType": "Observation", "id": "group", **frame, "hasMember": members}, *parts])
    folder.flush()
    folder.put([{**one, "status": "amended"} for one in parts])
    folder.flush()
    sink = FakeSink()
    run(folder, sink)
    assert set(versions(sink).values()) == {1}
    assert sink.now(("Observation", "a4"))["status"] == "amended"


CASES: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"meta": {"versionId": "3", "lastUpdated": "2024-01-01T00:00:00Z", "source": "#abc"}}, True),
    ({"text": {"status": "generated"}}, True),
    ({"meta": {"tag": [{"code": "x"}]}}, False),
    ({"status": "registered"}, False),
    ({"description": "more"}, False),
]


@pytest.mark.parametrize(("added", "expected"), CASES)
def test_what_a_server_adds_is_no_difference(added: dict[str, Any], expected: bool) -> None:
    ours = {"resourceType": "ImagingStudy", "id": "s", "status": "available"}
    assert same(ours, {**ours, **added}) is expected


def test_progress_is_told(folder: Ndjson) -> None:
    told: list[tuple[int, int]] = []
    progress: Callable[[int, int], object] = lambda done, total: told.append((done, total))  # noqa: E731
    Push(folder, FakeSink(), "one", progress=progress).run()
    assert told[-1] == (folder.count(), folder.count())
    assert told == sorted(told)
