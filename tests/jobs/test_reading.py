"""What a process makes once to read studies, and when it makes it anew."""

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any
from uuid import UUID

import distributed
import pytest

from mapper.errors import SettingError, SourceDown
from mapper.jobs import cluster as dask
from mapper.jobs import reading
from mapper.jobs.executors import Crew, crew_of
from mapper.jobs.reading import Recipe, read
from mapper.settings import Settings

SOURCE = {"name": "a", "url": "http://127.0.0.1:1", "patient_system": "urn:x", "user": "u"}
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "nothing": ({}, {}, True),
    "a password": ({"orthanc_password": "one"}, {"orthanc_password": "two"}, False),
    "a password of a source": (
        {"sources": [{**SOURCE, "password": "one"}]},
        {"sources": [{**SOURCE, "password": "two"}]},
        False,
    ),
    "a password that is as JSON shows one": ({"orthanc_password": "one"}, {"orthanc_password": "**********"}, False),
    "an address": ({"orthanc_url": "http://127.0.0.1:1"}, {"orthanc_url": "http://127.0.0.1:2"}, False),
}


def recipe(choices: dict[str, Any], **others: Any) -> Recipe:
    settings = Settings(**choices)
    return Recipe(settings, settings.all_sources[0].name, UUID(int=0), **others)


@pytest.mark.parametrize("name", CHANGES)
def test_a_source_is_made_anew_when_anything_of_its_settings_is_another(name: str) -> None:
    first, second, same = CHANGES[name]
    made = pickle.loads(pickle.dumps(recipe(first))).made()[0]
    assert recipe(first).made()[0] is made
    assert (recipe(second).made()[0] is made) == same


def test_no_secret_is_kept_to_know_settings_by() -> None:
    recipe({"orthanc_password": "keep-me-nowhere"}).made()
    assert "keep-me-nowhere" not in str(list(reading._made))


def test_a_process_of_another_release_reads_nothing_and_ends_it() -> None:
    with crew_of(1) as crew:
        future = crew.submit(read, recipe({}, release="orthanc-fhir 0.0.1, mapping 1"), "1.2.3", [])
        with pytest.raises(SourceDown, match="another release"):
            crew.result(future)
        with pytest.raises(SettingError, match="another release"):
            crew.check()


def is_here() -> bool:
    return threading.current_thread() is threading.main_thread()


def same() -> str:
    return "ours"


def another() -> str:
    return "ours" if is_here() else "theirs"


def none() -> str:
    if is_here():
        return "ours"
    raise AttributeError("release")


@pytest.mark.parametrize("release", [same, another, none])
def test_a_cluster_of_another_release_is_refused(release: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "release", release)
    with distributed.LocalCluster(1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0") as local:
        if release is same:
            assert dask.cluster(local.scheduler_address)[1] == 2
        else:
            with pytest.raises(SettingError, match="another release"):
                dask.cluster(local.scheduler_address)


class Silent(Executor):
    """A pool that never says what came of anything, as Dask's once its scheduler is gone."""

    def submit(self, *_: Any, **__: Any) -> "Future[Any]":
        return Future()


def test_who_waits_for_a_cluster_that_is_gone_is_told_and_does_not_wait_for_ever() -> None:
    looks = iter([False, True])
    crew = Crew(Silent, 1, lambda: next(looks))
    with pytest.raises(SourceDown, match="scheduler is gone"):
        crew.result(crew.submit(len, ""))
    with pytest.raises(SettingError, match="scheduler is gone"):
        crew.submit(len, "")
