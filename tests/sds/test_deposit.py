"""A dataset goes into Orthanc: what is sent, what Orthanc is to keep, and what it refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest
from pydicom import dcmread

from mapper.errors import SourceBusy, SourceDown
from mapper.http.target import Target
from mapper.jobs.sds.deposit import Deposited, deposit
from mapper.jobs.sds.identified import identifiers
from mapper.records.sds.dataset import Dataset
from mapper.sources.orthanc.api import Api
from mapper.sources.orthanc.kept import read as identifiers_in
from mapper.sources.orthanc.kept import written
from samples.sds import write
from tests.sds.planned import read

ONE = UUID("11111111-2222-4333-8444-555555555555")
OTHER = UUID("66666666-7777-4888-8999-aaaaaaaaaaaa")
FOREIGN = ("https://example.org/trial", "T-1")


class OrthancFake:
    """An Orthanc as the job asks it; a study's id is its UID behind a letter. It refuses every other question."""

    def __init__(self) -> None:
        self.studies: dict[str, set[str]] = {}
        self.metadata: dict[str, str] = {}
        self.log: list[str] = []
        self.refuses: set[str] = set()
        self.down_after: int | None = None
        self.forgets_once = False
        self.client = self

    def ids(self, level: str, uid: str) -> list[str]:
        assert level == "Study"
        return [f"s{uid}"] if f"s{uid}" in self.studies else []

    def kept(self, id: str) -> str | None:
        return self.metadata.get(id)

    def json(self, method: str, target: Target, kind: Any) -> Any:
        assert (method, target.template) == ("GET", "/studies/{study}/instances")
        id = str(target).split("/")[2]
        tags = [{"MainDicomTags": {"SOPInstanceUID": uid}} for uid in sorted(self.studies[id])]
        return msgspec.convert(tags, kind)

    def must(self, method: str, target: Target, kind: Any, data: bytes) -> Any:
        assert (method, str(target)) == ("POST", "/instances")
        if self.down_after is not None and len(self.log) >= self.down_after:
            raise SourceDown("away")
        found = dcmread(BytesIO(data), stop_before_pixels=True)
        if found.SOPInstanceUID in self.refuses:
            raise SourceBusy("answers 400 to POST /instances")
        id = f"s{found.StudyInstanceUID}"
        self.studies.setdefault(id, set()).add(str(found.SOPInstanceUID))
        self.log.append("instance")
        if self.forgets_once and id in self.metadata:
            self.forgets_once = False
            del self.metadata[id]
        return msgspec.convert({"ParentStudy": id}, kind)

    @contextmanager
    def answer(self, method: str, target: Target, data: bytes) -> Iterator[None]:
        assert method == "PUT"
        assert str(target).endswith("/metadata/5290")
        self.metadata[str(target).split("/")[2]] = data.decode()
        self.log.append("identifiers")
        yield


def put(told: Dataset, orthanc: OrthancFake, uuid: UUID = ONE) -> Deposited:
    return deposit(told, uuid, cast(Api, orthanc))


@pytest.fixture
def told(tmp_path: Path) -> Dataset:
    return read(write(tmp_path, "breast"))


def test_the_identifiers_are_written_with_the_first_instance_of_a_study(told: Dataset) -> None:
    orthanc = OrthancFake()
    done = put(told, orthanc)
    assert (done.sent, done.there, done.refused) == (6, 0, {})
    assert sorted(done.changed) == sorted(done.kept) == [one.study.uid for one in told.studies]
    sizes = [one.study.instances for one in told.studies]
    assert orthanc.log == [step for size in sizes for step in ("instance", "identifiers", *["instance"] * (size - 1))]
    for one in told.studies:
        assert identifiers_in(orthanc.metadata[f"s{one.study.uid}"]) == identifiers(told, one, ONE)


def test_a_second_run_sends_and_writes_nothing(told: Dataset) -> None:
    orthanc = OrthancFake()
    put(told, orthanc)
    again = put(told, orthanc)
    assert (again.sent, again.there, again.kept, again.changed) == (0, 6, [], [])


def test_what_went_with_an_overwritten_instance_is_written_again(told: Dataset) -> None:
    orthanc = OrthancFake()
    orthanc.forgets_once = True
    put(told, orthanc)
    assert len(orthanc.metadata) == 2
    orthanc.metadata.clear()
    again = put(told, orthanc)
    assert (again.sent, len(again.kept)) == (0, 2)
    assert len(orthanc.metadata) == 2


def test_identifiers_of_others_stay_and_no_order_of_runs_makes_another_text(told: Dataset, tmp_path: Path) -> None:
    orthanc = OrthancFake()
    put(told, orthanc)
    first = next(iter(orthanc.metadata))
    orthanc.metadata[first] = written([FOREIGN, *identifiers_in(orthanc.metadata[first])])
    put(told, orthanc)
    both = orthanc.metadata[first]
    assert FOREIGN in identifiers_in(both)
    put(told, orthanc)
    assert orthanc.metadata[first] == both


def test_another_uuid_of_the_same_dataset_takes_the_place_of_the_first(told: Dataset) -> None:
    orthanc = OrthancFake()
    put(told, orthanc)
    put(told, orthanc, OTHER)
    assert all(str(ONE) not in text and str(OTHER) in text for text in orthanc.metadata.values())


RENAMED = {  # names and UUIDs of both runs -> whether the first gives way
    "the same": (("breast", ONE), ("breast", ONE), False),
    "another name": (("breast", ONE), ("chest", ONE), True),
    "another UUID": (("breast", ONE), ("breast", OTHER), True),
    "another dataset": (("breast", ONE), ("chest", OTHER), False),
}


@pytest.mark.parametrize(("first", "then", "away"), RENAMED.values(), ids=RENAMED)
def test_a_dataset_of_another_name_or_uuid_takes_its_own_place_and_says_so(
    told: Dataset, first: tuple[str, UUID], then: tuple[str, UUID], away: bool
) -> None:
    orthanc = OrthancFake()
    for name, uuid in (first, then):
        done = put(replace(told, name=name), orthanc, uuid)
    before, after = (f"urn:uid:{name}-{uuid}" for name, uuid in (first, then))
    assert done.replaced == ([before] if away else [])
    for text in orthanc.metadata.values():
        assert after in text
        assert (before in text) is not away
    again = put(replace(told, name=then[0]), orthanc, then[1])
    assert (again.kept, again.replaced) == ([], [])


def test_what_is_no_list_of_identifiers_is_replaced(told: Dataset) -> None:
    orthanc = OrthancFake()
    put(told, orthanc)
    good = dict(orthanc.metadata)
    orthanc.metadata = dict.fromkeys(good, "somebody's note")
    put(told, orthanc)
    assert orthanc.metadata == good


def test_an_instance_that_orthanc_refuses_is_told_and_the_rest_goes_on(told: Dataset) -> None:
    orthanc = OrthancFake()
    study = told.studies[0].study
    orthanc.refuses = {study.series[0].instances[0].uid}
    done = put(told, orthanc)
    assert (done.sent, done.refused) == (5, {study.uid: 1})
    assert put(told, orthanc).refused == {study.uid: 1}
    orthanc.refuses = set()
    assert put(told, orthanc).sent == 1


def test_an_orthanc_that_goes_away_ends_the_run_and_the_next_one_goes_on(told: Dataset) -> None:
    orthanc = OrthancFake()
    orthanc.down_after = 3
    with pytest.raises(SourceDown):
        put(told, orthanc)
    orthanc.down_after = None
    assert put(told, orthanc).sent == 6 - 2
