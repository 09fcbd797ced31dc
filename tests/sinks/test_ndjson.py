"""A folder of NDJSON: its files and chunks, what a killed process leaves, and what a second one may do."""

import os
import resource as limits
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from shutil import copytree
from sqlite3 import DatabaseError
from typing import Any

import orjson
import pytest

from mapper.errors import SettingError, SinkDown
from mapper.jobs.patience import Patience
from mapper.sinks.ndjson.index import LAYOUT, NAME, Index
from mapper.sinks.ndjson.sink import Ndjson


def patient(id: str, family: str = "Doe") -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, "name": [{"family": family}]}


def study(id: str, patient: str, status: str = "available") -> dict[str, Any]:
    reference = {"reference": f"Patient/{patient}"}
    return {"resourceType": "ImagingStudy", "id": id, "status": status, "subject": reference}


def lines(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what stands in every file that a reader of NDJSON finds."""
    return {
        path.name: [orjson.loads(line) for line in path.read_bytes().splitlines()]
        for path in sorted(folder.glob("*.ndjson"))
    }


def view(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the latest view as a reader makes it who knows no index: the last line counts."""
    found = {}
    for ones in lines(folder).values():
        found |= {f"{one['resourceType']}/{one['id']}": one for one in ones}
    return found


def test_a_type_is_a_file_and_a_resource_a_line(tmp_path: Path) -> None:
    sink = Ndjson(tmp_path)
    sink.put([patient("a"), study("s", "a")])
    assert lines(tmp_path) == {}, "nothing is to be seen of a chunk before it is whole"
    sink.flush()
    assert lines(tmp_path) == {
        "ImagingStudy.000001.ndjson": [study("s", "a")],
        "Patient.000001.ndjson": [patient("a")],
    }


def test_the_same_again_writes_nothing(tmp_path: Path) -> None:
    for _ in range(3):
        sink = Ndjson(tmp_path)
        sink.put([patient("a"), study("s", "a")])
        sink.close()
    assert sorted(lines(tmp_path)) == ["ImagingStudy.000001.ndjson", "Patient.000001.ndjson"]


def test_what_changes_or_goes_is_a_line_more_and_the_last_one_counts(tmp_path: Path) -> None:
    sink = Ndjson(tmp_path)
    sink.put([patient("a"), study("s", "a")])
    sink.put([patient("a", "Roe")])
    sink.flush()
    sink.retract(("ImagingStudy", "s"), "unknown")
    sink.close()
    assert [one["status"] for one in lines(tmp_path)["ImagingStudy.000002.ndjson"]] == ["unknown"]
    expected = {"Patient/a": patient("a", "Roe"), "ImagingStudy/s": study("s", "a", "unknown")}
    assert view(tmp_path) == expected
    again = Ndjson(tmp_path)
    assert {f"{kind}/{one['id']}": one for kind in again.kinds() for one in again.latest(kind)} == expected


def test_a_chunk_ends_by_itself(tmp_path: Path) -> None:
    sink = Ndjson(tmp_path, chunk=100)
    for number in range(6):
        sink.put([patient(f"p{number}")])
    sink.close()
    found = lines(tmp_path)
    assert len(found) == 3
    assert [one["id"] for ones in found.values() for one in ones] == [f"p{number}" for number in range(6)]


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    value = {"value": Decimal("1.50"), "unit": "mm"}
    made = {"resourceType": "Observation", "id": "o", "status": "final", "valueQuantity": value}
    sink = Ndjson(tmp_path)
    version = sink.put([made])[("Observation", "o")]
    found = sink.read(("Observation", "o"))
    assert found is not None
    assert str(found["valueQuantity"]["value"]) == "1.50"
    assert sink.put([found]) == {("Observation", "o"): version}
    sink.close()
    assert b"1.50" in (tmp_path / "Observation.000001.ndjson").read_bytes()


class Killed(BaseException):
    """The process ends here."""


def die(*_: object) -> None:
    raise Killed


def die_at_the_second() -> Callable[[Path, Path], Path]:
    """Return what renames one file and no other."""
    rename, renamed = Path.rename, []

    def once(self: Path, target: Path) -> Path:
        renamed.append(target)
        return rename(self, target) if len(renamed) == 1 else die()  # type: ignore[return-value]

    return once


STEPS = {
    "before any file is in place": (Path, "rename", lambda: die),
    "between two files": (Path, "rename", die_at_the_second),
    "before the index is kept": (Index, "keep", lambda: die),
}


def killed_at(sink: Ndjson, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a step of a flush be the last thing that the process does, and its descriptors be closed by the kernel."""
    owner, name, made = STEPS[step]
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, made())
        with pytest.raises(Killed):
            sink.flush()
    folder = sink._folder
    assert folder._index is not None
    folder._index.close()
    folder._index = None
    folder._chunk = None
    folder.close()


@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_studies_are_done_again_and_nothing_is_twice(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Ndjson(tmp_path)
    first.put([patient("a"), study("s", "a")], rank="1")
    first.settle("1.2.3", "x")
    first.flush()
    first.put([patient("b"), study("t", "b")], rank="2")
    first.settle("1.2.4", "x")
    killed_at(first, step, monkeypatch)
    for name in lines(tmp_path):
        assert name.partition(".")[0] in ("Patient", "ImagingStudy")
    for one in view(tmp_path).values():
        if one["resourceType"] == "ImagingStudy":
            assert one["subject"]["reference"] in view(tmp_path), "what is referred to is in place first"
    second = Ndjson(tmp_path)
    assert (second.state("1.2.3"), second.state("1.2.4")) == ("x", ""), "who was not kept is done again"
    assert second.rank(("Patient", "a")) == "1"
    second.put([patient("b"), study("t", "b")], rank="2")
    second.settle("1.2.4", "x")
    second.close()
    assert len(view(tmp_path)) == 4
    assert sum(map(len, lines(tmp_path).values())) == 4, "no line is there twice"
    assert list(tmp_path.glob(".*.part")) == []
    assert second.rank(("Patient", "b")) == "2"


@pytest.mark.parametrize("lost", ["the index", "a file"])
def test_an_index_that_does_not_fit_the_files_is_made_anew(tmp_path: Path, lost: str) -> None:
    first = Ndjson(tmp_path)
    first.put([patient("a"), study("s", "a")])
    first.settle("1.2.3", "x")
    first.close()
    (tmp_path / (NAME if lost == "the index" else "ImagingStudy.000001.ndjson")).unlink()
    second = Ndjson(tmp_path)
    assert second.state("1.2.3") == ""
    assert second.version(("Patient", "a"))
    assert bool(second.version(("ImagingStudy", "s"))) == (lost == "the index")
    second.put([patient("a"), study("s", "a")])
    second.close()
    assert view(tmp_path) == {"Patient/a": patient("a"), "ImagingStudy/s": study("s", "a")}


STRANGE: dict[str, bytes] = {
    "no JSON": b"no JSON",
    "no object": b"[]",
    "null": b"null",
    "a string": b'"a"',
    "no type": b'{"id": "a"}',
    "another type": b'{"resourceType": "Device", "id": "a"}',
    "no id": b'{"resourceType": "Patient"}',
    "no UTF-8": b'{"resourceType": "Patient", "id": "a", "name": "\xff"}',
    "half a surrogate": b'{"resourceType": "Patient", "id": "a", "name": "\\ud800"}',
    "a number beyond all FHIR": b'{"resourceType": "Patient", "id": "a", "x": ' + b"9" * 40 + b"}",
    "deep": b'{"resourceType": "Patient", "id": "a", "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "an identifier that is none": b'{"resourceType": "Observation", "id": "a", "identifier": 5}',
    "a reference that is none": b'{"resourceType": "Observation", "id": "a", "partOf": [{"reference": ["x"]}]}',
    "parts that are none": b'{"resourceType": "Observation", "id": "a", "partOf": [5]}',
    **{
        f"the id {id}": f'{{"resourceType": "Patient", "id": {id}}}'.encode()
        for id in ('["x"]', "null", "5", "true", '""', '"../../x?y"', '"a/b"', '"a b"', '"a\\n"', f'"{"a" * 65}"')
    },
}


@pytest.mark.parametrize("what", STRANGE)
def test_a_file_that_holds_something_else_is_told_by_its_place(tmp_path: Path, what: str) -> None:
    kind = "Observation" if b"Observation" in STRANGE[what] else "Patient"
    good = orjson.dumps({"resourceType": kind, "id": "a"}) + b"\n"
    (tmp_path / f"{kind}.000001.ndjson").write_bytes(good + STRANGE[what] + b"\n")
    with pytest.raises(SettingError, match=rf"{kind}\.000001\.ndjson: the line at byte {len(good)} is no {kind} in"):
        Ndjson(tmp_path).probe()


@pytest.mark.parametrize("id", ["a", "5", "A-1.b", "a" * 64])
def test_what_fhir_allows_as_id_is_taken(tmp_path: Path, id: str) -> None:
    (tmp_path / "Encounter.000001.ndjson").write_bytes(orjson.dumps({"resourceType": "Encounter", "id": id}))
    sink = Ndjson(tmp_path)
    assert [one["id"] for one in sink.latest("Encounter")] == [id]
    sink.close()


CHANGED: dict[str, tuple[Callable[[bytes], bytes], set[str]]] = {
    "cut at a line": (lambda text: text.splitlines(True)[0], {"a"}),
    "longer by a line": (lambda text: text + orjson.dumps(patient("c")) + b"\n", {"a", "b", "c"}),
    "emptied": (lambda text: b"", set()),
    "another name": (lambda text: text.replace(b"Doe", b"Smithers"), {"a", "b"}),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_file_that_was_changed_is_read_again(tmp_path: Path, what: str) -> None:
    first = Ndjson(tmp_path)
    first.put([patient("a"), patient("b")])
    first.settle("1.2.3", "x")
    first.close()
    change, expected = CHANGED[what]
    path = tmp_path / "Patient.000001.ndjson"
    path.write_bytes(change(path.read_bytes()))
    second = Ndjson(tmp_path)
    assert {one["id"] for one in second.latest("Patient")} == expected
    assert list(second.latest("Patient")) == lines(tmp_path)[path.name]
    assert second.state("1.2.3") == ""
    second.close()


@pytest.mark.parametrize("when", ["of the same size", "while it is open"])
def test_a_line_that_is_none_any_more_is_told_by_its_place(tmp_path: Path, when: str) -> None:
    sink = Ndjson(tmp_path)
    sink.put([patient("a"), patient("b")])
    sink.flush()
    path = tmp_path / "Patient.000001.ndjson"
    if when == "of the same size":
        sink.close()
        path.write_bytes(path.read_bytes().replace(b'"b"', b"'b'"))
    else:
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SettingError, match=r"Patient\.000001\.ndjson: the line at byte \d+ is no Patient in"):
        list(sink.latest("Patient"))
    sink.close()


def test_files_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    for name in ("Patient.ndjson", "readme.txt", "patient.000001.ndjson"):
        (tmp_path / name).write_text("theirs")
    sink = Ndjson(tmp_path)
    assert sink.kinds() == []
    sink.close()
    assert (tmp_path / "readme.txt").read_text() == "theirs"


def test_an_index_that_is_garbage_is_told_with_what_to_do(tmp_path: Path) -> None:
    sink = Ndjson(tmp_path)
    sink.put([patient("a")])
    sink.close()
    (tmp_path / NAME).write_bytes(b"garbage" * 1000)
    with pytest.raises(SinkDown, match=r"\.index\.sqlite cannot be used .*: if the disk is not full, remove it"):
        sink.probe()
    (tmp_path / NAME).unlink()
    assert list(sink.latest("Patient")) == [patient("a")]
    sink.close()


@pytest.mark.parametrize("layout", [0, LAYOUT + 1])
def test_an_index_of_another_layout_is_made_anew(tmp_path: Path, layout: int) -> None:
    sink = Ndjson(tmp_path)
    sink.put([patient("a")])
    sink.settle("1.2.3", "x")
    sink.close()
    with closing(sqlite3.connect(tmp_path / NAME)) as db:
        db.executescript(f"alter table line rename to others; pragma user_version = {layout};")
    assert list(sink.latest("Patient")) == [patient("a")]
    assert sink.state("1.2.3") == ""
    sink.close()


def test_a_folder_where_a_file_should_be_is_told_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "Patient.000001.ndjson").mkdir()
    with pytest.raises(SinkDown, match=r"Patient\.000001\.ndjson: Is a directory\): move it away$"):
        Ndjson(tmp_path).probe()


def test_one_at_a_time_has_the_folder(tmp_path: Path) -> None:
    first, second = Ndjson(tmp_path), Ndjson(tmp_path)
    first.probe()
    with pytest.raises(SettingError, match="another process"):
        second.probe()
    first.close()
    second.probe()


@contextmanager
def files_of_at_most(size: int) -> Iterator[Callable[[], None]]:
    """Let no file grow beyond a size, as a full disk does; gives what makes room again."""
    soft, hard = limits.getrlimit(limits.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits.setrlimit(limits.RLIMIT_FSIZE, (size, hard))
    try:
        yield lambda: limits.setrlimit(limits.RLIMIT_FSIZE, (soft, hard))
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_is_an_outage_and_what_was_put_before_stays(tmp_path: Path) -> None:
    sink = Ndjson(tmp_path)
    sink.put([patient("a")])
    sink.flush()
    sink.put([patient("b")])
    with files_of_at_most(1 << 19), pytest.raises(SinkDown, match="cannot be used"):
        sink.put([patient("c", "x" * (1 << 20))])
    assert sink.version(("Patient", "c")) == ""
    sink.put([patient("d")])
    sink.close()
    assert set(view(tmp_path)) == {"Patient/a", "Patient/b", "Patient/d"}


@pytest.mark.parametrize("end", ["goes on", "is killed"])
@pytest.mark.parametrize("chunk", [40_000, 1 << 30], ids=["as a chunk ends", "in the middle of a chunk"])
def test_a_disk_too_full_for_the_index_takes_nothing_that_was_acknowledged(
    tmp_path: Path, end: str, chunk: int
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    sink, acknowledged = Ndjson(folder, chunk), 200
    sink.put(patient(f"p{number}") for number in range(acknowledged))
    sink.flush()
    waits: list[float] = []
    with files_of_at_most((folder / NAME).stat().st_size) as make_room:

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            make_room()

        patience = Patience(sleep=sleep)
        for number in range(200, 1200):
            patience(partial(sink.put, [patient(f"p{number}")]))
            acknowledged += 1
        patience(sink.flush)
        assert waits, "the index did not fit"
    if end == "is killed":
        folder = copytree(folder, tmp_path / "left")
        sink.close()
        sink = Ndjson(folder)
    assert len(view(folder)) == sum(map(len, lines(folder).values())) == acknowledged, "none is lost, none is twice"
    assert {one["id"] for one in sink.latest("Patient")} == {f"p{number}" for number in range(acknowledged)}
    sink.close()


UNKEPT: dict[str, tuple[Any, str, Exception]] = {
    "the index is not kept": (Index, "keep", DatabaseError("disk I/O error")),
    "a file is not put in place": (Path, "rename", OSError(28, "No space left on device")),
    "a file does not reach the disk": (os, "fsync", OSError(28, "No space left on device")),
}


@pytest.mark.parametrize("what", UNKEPT)
@pytest.mark.parametrize("then", ["flush", "put", "close"])
def test_after_a_failure_what_was_put_is_in_place_and_what_was_kept_stays(
    tmp_path: Path, what: str, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Ndjson(tmp_path)
    sink.put([patient("a")], rank="1")
    sink.settle("1.2.3", "x")
    sink.flush()
    sink.put([patient("b"), study("s", "b")])
    sink.settle("1.2.4", "x")
    owner, name, failure = UNKEPT[what]

    def fail(*_: object) -> None:
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, fail)
        with pytest.raises(SinkDown):
            sink.flush()
    if then == "put":
        sink.put([patient("c")])
    if then != "close":
        sink.flush()
        assert (sink.state("1.2.3"), sink.state("1.2.4")) == ("x", ""), "who was not kept is done again"
        assert sink.rank(("Patient", "a")) == "1"
    sink.close()
    expected = {"Patient/a", "Patient/b", "ImagingStudy/s"} | ({"Patient/c"} if then == "put" else set())
    assert set(view(tmp_path)) == expected
    assert sum(map(len, lines(tmp_path).values())) == len(expected)
    second = Ndjson(tmp_path)
    assert {f"{kind}/{one['id']}" for kind in second.kinds() for one in second.latest(kind)} == expected
    second.close()


@pytest.mark.parametrize("number", [2, 7])
@pytest.mark.parametrize("when", ["before the chunk begins", "while it is written"])
def test_a_file_that_is_in_place_is_never_written_over(tmp_path: Path, number: int, when: str) -> None:
    sink = Ndjson(tmp_path)
    sink.put([patient("a")])
    sink.flush()
    theirs = tmp_path / f"Patient.{number:06}.ndjson"
    if when == "while it is written":
        sink.put([patient("b")])
    theirs.write_bytes(orjson.dumps(patient("c")) + b"\n")
    if when == "while it is written" and number == 2:
        with pytest.raises(SinkDown, match=r"Patient\.000002\.ndjson"):
            sink.flush()
        theirs.unlink()
    else:
        sink.put([patient("b")])
    sink.close()
    assert {"Patient/a", "Patient/b"} <= set(view(tmp_path))
    elsewhere = when == "while it is written" and number == 2
    assert lines(tmp_path)[theirs.name] == [patient("b" if elsewhere else "c")]
