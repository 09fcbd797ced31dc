"""The index of files: whose is each, in the order of the studies, whatever stands in a name or a UID."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapper.errors import SettingError
from mapper.sources.file_index import FileIndex

UIDS = ["1.2.10", "1.2.9", "1.2", "", "1.2\x00", "Ärzte", "\udcff", "\U0001f600", "1.2/../x"]


@pytest.fixture
def index() -> Iterator[FileIndex]:
    made = FileIndex()
    yield made
    made.close()


def test_studies_come_in_the_order_of_their_uids_and_files_in_that_in_which_they_were_found(index: FileIndex) -> None:
    paths = [Path(f"{folder}/{number}") for folder in ("b", "a") for number in range(len(UIDS))]
    assert index.add(paths) == len(paths)
    assert [[path for _, path in chunk] for chunk in index.chunks(5)] == [
        [str(path) for path in paths[at : at + 5]] for at in range(0, len(paths), 5)
    ]
    for chunk in index.chunks(100):
        for number, path in chunk:
            index.say(number, UIDS[int(path[2:])], "1 1")
    assert index.count() == len(UIDS)
    found = list(index.studies())
    assert [one.study_uid for one in found] == sorted(UIDS)
    assert [one.paths for one in found] == [[f"b/{UIDS.index(uid)}", f"a/{UIDS.index(uid)}"] for uid in sorted(UIDS)]


def test_names_of_files_may_be_any_bytes(index: FileIndex) -> None:
    names = [os.fsdecode(name) for name in (b"\xff\xfe", "ä".encode(), b"new\nline")]
    index.add(map(Path, names))
    assert [path for chunk in index.chunks(2) for _, path in chunk] == names


def state(*files: tuple[str, str]) -> str:
    index = FileIndex()
    index.add(Path(path) for path, _ in files)
    for chunk in index.chunks(9):
        for (number, _), (_, moved) in zip(chunk, files, strict=True):
            index.say(number, "1.2", moved)
    (study,) = index.studies()
    index.close()
    return study.state


def test_the_state_moves_when_a_file_comes_goes_or_moves() -> None:
    states = [
        state(("a", "10 1")),
        state(("a", "11 1")),
        state(("a", "10 2")),
        state(("b", "10 1")),
        state(("a", "10 1"), ("b", "10 1")),
        state(("a", "10 1"), ("c", "10 1")),
    ]
    assert len(set(states)) == len(states)
    assert state(("a", "10 1")) == states[0]


def test_of_no_files_there_are_no_studies(index: FileIndex) -> None:
    assert index.add([]) == 0
    assert (index.count(), list(index.studies()), list(index.chunks(3))) == (0, [], [])


def test_a_disk_that_is_full_is_one_line(index: FileIndex) -> None:
    index._db.execute("pragma max_page_count = 4")
    with pytest.raises(SettingError, match="is its disk full"):
        index.add(Path(f"{number:>4000}") for number in range(100))


def test_it_leaves_nothing_behind_whatever_becomes_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    made = FileIndex()
    made._db.execute("pragma cache_size = 2")
    made.add(Path(f"{number:>400}") for number in range(1000))
    assert list(tmp_path.iterdir()) == []
    made.close()
