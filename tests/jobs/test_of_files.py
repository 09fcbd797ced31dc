"""Studies of files: what a crew may fail at, and a cluster that does not see what we see."""

import importlib
import os
import re
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import pytest

from mapper.convert import Converted, Make
from mapper.errors import SettingError, SourceBusy, Unreadable
from mapper.jobs import of_files
from mapper.jobs.executors import Crew
from mapper.jobs.of_files import KILLED, NOTHING_LEFT, Done, OfFiles, Whose, done, whose
from mapper.maps.site import Site
from mapper.sources.file_index import FileIndex
from mapper.sources.files import NO_FILE, Skipped, files_under, read_file
from tests.support.part10 import instance, save


class Inline:
    """A crew that does at once what it is asked for, and says of one call what the test says."""

    size = 2

    def __init__(self, do: Callable[..., Any] | None = None, answer: Any = None) -> None:
        self._do, self._answer = do, answer

    def submit(self, do: Callable[..., Any], call: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        if do is not self._do:
            future.set_result(do(call))
        elif isinstance(self._answer, Exception):
            future.set_exception(self._answer)
        else:
            future.set_result(self._answer if isinstance(self._answer, Done) else [self._answer] * len(call))
        return future

    def check(self) -> None:
        """Nothing is lost."""

    def result(self, future: "Future[Any]") -> Any:
        return future.result()


def job(folder: Path, crew: Inline, skipped: list[str]) -> tuple[OfFiles, int]:
    index = FileIndex()
    files = index.add(files_under([folder]))

    def skip(one: Skipped) -> None:
        skipped.append(str(one))

    return OfFiles(index, cast(Crew, crew), Make(Site()), skip), files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for uid in ("1.2.1", "1.2.2"):
        save(tmp_path / f"{uid}.dcm", instance(uid))
    return tmp_path


def test_a_worker_that_does_not_see_a_file_ends_it(folder: Path) -> None:
    made, files = job(folder, Inline(whose, Whose(why_not=NO_FILE)), [])
    with pytest.raises(SettingError, match=r"1\.2\.1\.dcm: workers need the folders at the same place"):
        made.look(files)


def test_a_worker_that_does_not_see_a_file_of_a_study_ends_it_too(folder: Path) -> None:
    made, files = job(folder, Inline(done, Done(skipped=[f"{folder}/1.2.1.dcm: {NO_FILE}"])), [])
    made.look(files)
    with pytest.raises(SettingError, match="workers need the folders at the same place"):
        list(made.studies())


def test_what_nobody_sees_is_skipped(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    skipped: list[str] = []
    made, files = job(folder, Inline(), skipped)
    made.look(files)
    assert skipped == [f"{folder}/pipe: {NO_FILE}"]
    assert made.index.count() == 2


def test_files_that_kill_whoever_looks_at_them_end_it_with_their_names(folder: Path) -> None:
    made, files = job(folder, Inline(whose, SourceBusy("killed")), [])
    with pytest.raises(Unreadable, match=r"1\.2\.1\.dcm to .*1\.2\.2\.dcm"):
        made.look(files)


def test_a_study_that_kills_whoever_reads_it_is_left_out(folder: Path) -> None:
    made, files = job(folder, Inline(done, SourceBusy("killed")), [])
    made.look(files)
    assert [text for _, text in made.studies()] == [f"study {uid} is left out: {KILLED}" for uid in ("1.2.1", "1.2.2")]


def test_a_file_that_goes_between_the_passes_is_skipped(folder: Path) -> None:
    skipped: list[str] = []
    made, files = job(folder, Inline(), skipped)
    made.look(files)
    (folder / "1.2.1.dcm").unlink()
    found = list(made.studies())
    assert [one.study_uid for _, one in found if isinstance(one, Converted)] == ["1.2.2"]
    assert [text for _, text in found if isinstance(text, str)] == [f"study 1.2.1 is left out: {NOTHING_LEFT}"]
    assert skipped == [f"{folder}/1.2.1.dcm: {NO_FILE}"]


PLACES: dict[str, str] = {
    "at its size before it is read": "os.path.getsize",
    "as it is opened": "mapper.sources.files.dcmread",
    "at its size after it was read": "mapper.jobs.of_files.os.stat",
}


@pytest.mark.parametrize("name", PLACES)
def test_a_file_that_goes_while_it_is_looked_at_is_skipped(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, function = PLACES[name].rpartition(".")
    place = importlib.import_module(module) if module != "mapper.jobs.of_files.os" else os
    real = getattr(place, function)

    def going(path: Any, *others: Any, **named: Any) -> Any:
        if str(path).endswith("1.2.1.dcm") and sys._getframe(1).f_code.co_name in ("_whose", "_read"):
            Path(path).unlink(missing_ok=True)
        return real(path, *others, **named)

    monkeypatch.setattr(place, function, going)
    skipped: list[str] = []
    made, files = job(folder, Inline(), skipped)
    made.look(files)
    assert skipped == [f"{folder}/1.2.1.dcm: {NO_FILE}"]
    assert made.index.count() == 1


@pytest.mark.parametrize("where", ["mapper.jobs.of_files.collect", "mapper.convert.study_to_fhir"])
def test_what_nobody_expects_costs_its_study_alone_and_no_value_is_told(
    folder: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, function = where.rpartition(".")
    real = getattr(importlib.import_module(module), function)

    def broken(of: Any, *others: Any) -> Any:
        if "1.2.1" in str(getattr(of, "uid", of)):
            raise KeyError("Secret^Name")
        return real(of, *others)

    monkeypatch.setattr(f"{module}.{function}", broken)
    made, files = job(folder, Inline(), [])
    made.look(files)
    (_, failure), (_, found) = made.studies()
    assert re.fullmatch(r"study 1\.2\.1 is left out: unexpected KeyError in [a-z_.]+:\d+", str(failure))
    assert isinstance(found, Converted)


def test_a_file_at_which_something_fails_that_nobody_expects_is_skipped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: str, *others: Any) -> Any:
        if path.endswith("1.2.1.dcm"):
            raise KeyError("Secret^Name")
        return read_file(path, *others)

    monkeypatch.setattr(of_files, "read_file", broken)
    skipped: list[str] = []
    made, files = job(folder, Inline(), skipped)
    made.look(files)
    assert made.index.count() == 1
    (one,) = skipped
    assert re.fullmatch(r".*1\.2\.1\.dcm: unexpected KeyError in [a-z_.]+:\d+", one)
