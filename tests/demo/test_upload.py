"""Uploading and following: against answers that a server may give, and against a real Orthanc."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.uid import SecondaryCaptureImageStorage
from rich.console import Console

from demo import show
from demo.follow import Follower
from demo.server import Server, Unanswered
from demo.upload import BATCH_BYTES, BATCH_INSTANCES, Stow, UploadRefused, batches, confirm, upload
from samples.dataset import dataset, part10, uid
from samples.studies import DemoStudy, studies
from stack import Orthanc

STUDY = "2.25.1"


def answer(stored: str = "", failed: str = "") -> dict[str, Any]:
    """Return a Store answer in DICOM JSON; each letter is an instance."""

    def items(letters: str, **more: int) -> dict[str, Any]:
        values: list[dict[str, Any]] = [{"ReferencedSOPInstanceUID": letter, **more} for letter in letters]
        return {"vr": "SQ", "Value": [{_tag(k): {"Value": [v]} for k, v in item.items()} for item in values]}

    made = {}
    if stored:
        made[_tag("ReferencedSOPSequence")] = items(stored)
    if failed:
        made[_tag("FailedSOPSequence")] = items(failed, FailureReason=0x0110)
    return made


def _tag(keyword: str) -> str:
    return f"{tag_for_keyword(keyword):08X}"


def test_an_answer_that_confirms_everything_is_taken() -> None:
    confirm(200, answer(stored="abc"), STUDY, set("abc"))


REFUSED: tuple[tuple[str, int, dict[str, Any], str], ...] = (
    ("one is not mentioned", 200, answer(stored="ab"), "1 of 3 instances not confirmed, HTTP 200"),
    ("nothing is mentioned", 200, {}, "3 of 3"),
    (
        "one failed",
        202,
        answer(stored="ab", failed="c"),
        "1 of 3 instances not confirmed, HTTP 202, failure reasons 0x0110",
    ),
    ("one both stored and failed", 200, answer(stored="abc", failed="c"), "1 of 3"),
    ("everything failed", 409, answer(failed="abc"), "3 of 3 instances not confirmed, HTTP 409"),
    ("others were stored", 200, answer(stored="xyz"), "3 of 3"),
    ("the status says no", 503, answer(stored="abc"), "HTTP 503"),
)


@pytest.mark.parametrize(("case", "status", "body", "says"), REFUSED, ids=[row[0] for row in REFUSED])
def test_any_other_answer_is_refused(case: str, status: int, body: dict[str, Any], says: str) -> None:
    with pytest.raises(UploadRefused) as caught:
        confirm(status, body, STUDY, set("abc"))
    assert says in str(caught.value)
    assert STUDY in str(caught.value)


def instance(number: int, size: int) -> Dataset:
    return dataset(
        {
            "SOPClassUID": SecondaryCaptureImageStorage,
            "SOPInstanceUID": uid("upload", number),
            "StudyInstanceUID": uid("upload"),
            "EncapsulatedDocument": b"\0" * size,
        }
    )


def test_batches_hold_every_instance_once_and_are_bounded() -> None:
    sizes = [1000] * (2 * BATCH_INSTANCES + 1) + [BATCH_BYTES // 2] * 3 + [BATCH_BYTES + 1000, 1000]
    sent = [instance(number, size) for number, size in enumerate(sizes)]
    made = list(batches(sent))
    assert [name for files in made for name in files] == [data.SOPInstanceUID for data in sent]
    for files in made:
        assert len(files) <= BATCH_INSTANCES
        assert len(files) == 1 or sum(map(len, files.values())) <= BATCH_BYTES
    assert list(batches([])) == []


class FakeServer(Server):
    """Answer the paths it was told of, and refuse all others."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        super().__init__("http://fake")
        self.answers = answers or {}

    def get(self, path: str, parameters: Any = None) -> Any:
        """Return the answer for a path with its first parameter's value."""
        key = f"{path} {next(iter(parameters.values()))}" if parameters else path
        if key not in self.answers:
            raise AssertionError(f"unexpected: {key}")
        given = self.answers[key]
        if isinstance(given, Exception):
            raise given
        return given


class Clock:
    """A clock that moves only when somebody sleeps."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class World:
    """Two studies of one instance each, and three fake servers around them."""

    def __init__(self) -> None:
        self.studies = [
            DemoStudy(name, f"2.25.{number}", name, (dataset({"Modality": "OT"}),))
            for number, name in enumerate("ab", 1)
        ]
        self.clock = Clock()
        self.orthanc = FakeServer(
            {"/changes ": {"Last": 7, "Done": True, "Changes": []}, "/changes 7": self.changes(7)}
        )
        self.fhir = FakeServer({self.search(study): {"resourceType": "Bundle"} for study in self.studies})
        self.mapper = FakeServer({f"/api/studies/{study.study_uid}": None for study in self.studies})
        self.follower = Follower(self.studies, self.orthanc, self.fhir, self.mapper, stable_age=3.0, clock=self.clock)

    @staticmethod
    def changes(last: int, *stable: str) -> dict[str, Any]:
        rows = [{"ChangeType": kind, "ID": name} for name in stable for kind in ("StableSeries", "StableStudy")]
        return {"Last": last, "Done": True, "Changes": rows}

    @staticmethod
    def search(study: DemoStudy) -> str:
        return f"/ImagingStudy urn:dicom:uid|urn:oid:{study.study_uid}"

    def in_fhir(self, study: DemoStudy, times: int = 1, **more: Any) -> None:
        resource = {"resourceType": "ImagingStudy", "id": "x", "status": "available", "numberOfInstances": 1, **more}
        resource = {element: value for element, value in resource.items() if value is not None}
        self.fhir.answers[self.search(study)] = {"entry": [{"resource": resource}] * times}

    def stable(self, study: DemoStudy) -> None:
        self.orthanc.answers["/changes 7"] = self.changes(8, study.name)
        self.orthanc.answers["/changes 8"] = self.changes(8)
        self.orthanc.answers[f"/studies/{study.name}"] = {"MainDicomTags": {"StudyInstanceUID": study.study_uid}}


@pytest.fixture
def world() -> World:
    return World()


def test_seconds_run_from_stable_to_in_fhir(world: World) -> None:
    a, b = world.studies
    world.follower.uploaded(a, 1)
    world.follower.uploaded(b, 1)
    world.clock.sleep(3)
    world.follower.look()
    world.clock.sleep(0.5)
    world.stable(a)
    world.follower.look()
    assert [study.stage for study in world.follower.followed.values()] == ["stable", "not stable yet"]
    world.clock.sleep(1.0)
    world.in_fhir(a)
    world.in_fhir(b)  # its row in /changes never came: 3 seconds after the upload it must have been stable
    world.follower.look()
    assert world.follower.waiting == []
    assert [study.seconds for study in world.follower.followed.values()] == [1.5, 1.5]  # upper bounds


def test_a_study_that_was_there_has_no_seconds(world: World) -> None:
    for study in world.studies:
        world.follower.uploaded(study, 0)
        world.in_fhir(study)
    assert world.follower.follow(sleep=world.clock.sleep)
    assert [study.seconds for study in world.follower.followed.values()] == [None, None]


NOT_YET: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("an instance is missing", {"numberOfInstances": 0}, ""),
    ("it counts no instances", {"numberOfInstances": None}, ""),
    ("the status is another", {"status": "unknown"}, ""),
    ("it is there twice", {"times": 2}, "2 ImagingStudy resources have this identifier"),
)


@pytest.mark.parametrize(("case", "more", "says"), NOT_YET, ids=[row[0] for row in NOT_YET])
def test_it_is_not_in_fhir_when(world: World, case: str, more: dict[str, Any], says: str) -> None:
    a, b = world.studies
    world.follower.uploaded(a, 1)
    world.follower.uploaded(b, 1)
    world.in_fhir(a, **more)
    world.in_fhir(b)
    assert not world.follower.follow(patience=5, sleep=world.clock.sleep)
    assert [(study.study.name, study.message) for study in world.follower.waiting] == [("a", says)]
    assert world.clock.now <= 1006


def test_patience_ends(world: World) -> None:
    for study in world.studies:
        world.follower.uploaded(study, 1)
    assert not world.follower.follow(patience=10, sleep=world.clock.sleep)
    assert 1010 <= world.clock.now <= 1011


def test_parked_studies_are_not_waited_for(world: World) -> None:
    a, b = world.studies
    world.follower.uploaded(a, 1)
    world.follower.uploaded(b, 1)
    world.in_fhir(b)
    world.mapper.answers[f"/api/studies/{a.study_uid}"] = {"state": "parked", "message": "exists twice"}
    assert not world.follower.follow(patience=300, sleep=world.clock.sleep)
    assert world.clock.now < 1010
    console = Console(file=io.StringIO(), width=100)
    show.failure(console, world.follower)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("1 of 2 studies", a.study_uid, "parked: exists twice", "make logs"):
        assert part in said


def test_a_server_that_is_away_for_a_while_is_waited_for(world: World) -> None:
    for study in world.studies:
        world.follower.uploaded(study, 1)
        world.fhir.answers[world.search(study)] = Unanswered("http://fake does not answer")
    world.follower.look()
    assert world.follower.trouble == {"FHIR server": "http://fake does not answer"}
    for study in world.studies:
        world.in_fhir(study)
    assert world.follower.follow(sleep=world.clock.sleep)
    assert world.follower.trouble == {}


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    """Run the Orthanc of this machine, without the plugin that rings the mapper."""
    if shutil.which("Orthanc", path="/usr/sbin:/usr/bin") is None:
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("Orthanc is not installed: setup/native.sh does it")
    with Orthanc(tmp_path / "orthanc", plugin_script=None, overrides={"StableAge": 1}) as server:
        yield server


@pytest.mark.live
def test_real_orthanc_takes_every_study_once(orthanc: Orthanc) -> None:
    stow, console = Stow(f"{orthanc.url}/dicom-web", orthanc.auth), Console(file=io.StringIO())
    made = list(studies())
    expected = sum(len(study.datasets) for study in made)
    ended: dict[str, int] = {}

    def last_change() -> int:
        changes = requests.get(f"{orthanc.url}/changes", params={"last": ""}, auth=orthanc.auth, timeout=10).json()
        return int(changes["Last"])

    assert upload(made, stow, console, after_study=lambda study, sent: ended.update({study.name: sent})) == expected
    assert ended == {study.name: len(study.datasets) for study in made}
    for study in made:
        assert stow.held(study.study_uid) == {data.SOPInstanceUID for data in study.datasets}
    before = last_change()
    assert upload(made[:1], stow, console) == 0
    stored = requests.get(f"{orthanc.url}/statistics", auth=orthanc.auth, timeout=10).json()
    assert stored["CountInstances"] == expected
    changes = requests.get(f"{orthanc.url}/changes", params={"since": before}, auth=orthanc.auth, timeout=10).json()
    assert {change["ChangeType"] for change in changes["Changes"]} <= {"StableStudy", "StableSeries", "StablePatient"}


@pytest.mark.live
def test_real_orthanc_gets_the_one_instance_that_lacks(orthanc: Orthanc) -> None:
    stow, console = Stow(f"{orthanc.url}/dicom-web", orthanc.auth), Console(file=io.StringIO())
    (hand,) = (study for study in studies() if study.name == "hand-cr")
    first, second = hand.datasets
    stow.store(hand.study_uid, {first.SOPInstanceUID: part10(first)})
    assert upload([hand], stow, console) == 1
    assert stow.held(hand.study_uid) == {first.SOPInstanceUID, second.SOPInstanceUID}


@pytest.mark.live
def test_real_orthanc_refuses_what_is_no_dicom(orthanc: Orthanc) -> None:
    stow = Stow(f"{orthanc.url}/dicom-web", orthanc.auth)
    with pytest.raises(UploadRefused, match=r"study 2\.25\.1"):
        stow.store(STUDY, {"2.25.2": b"no DICOM at all"})


@pytest.mark.live
def test_real_orthanc_says_that_a_study_is_stable(orthanc: Orthanc) -> None:
    (skin,) = (study for study in studies() if study.name == "skin-xc")
    stow = Stow(f"{orthanc.url}/dicom-web", orthanc.auth)
    fhir, mapper = FakeServer({World.search(skin): {"resourceType": "Bundle"}}), FakeServer()
    mapper.answers[f"/api/studies/{skin.study_uid}"] = None
    follower = Follower([skin], Server(orthanc.url, auth=orthanc.auth), fhir, mapper)
    upload([skin], stow, Console(file=io.StringIO()), after_study=follower.uploaded)
    assert not follower.follow(patience=5, show=lambda: None)
    (followed,) = follower.waiting
    assert followed.stable is not None
    assert followed.uploaded is not None
    assert 0.5 < followed.stable - followed.uploaded < 4
