"""docs/extending.md: the code of each extension point, taken from the page, does what the page says."""

import inspect
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from mapper.commands.cli import COMMANDS
from mapper.dicom.item import Item
from mapper.dicom.reader import Reader
from mapper.dicom.study import Study
from mapper.errors import BundleRejected, SinkDown, SourceDown, StudyGone
from mapper.maps import INSTANCE_KEYWORDS, KEYWORDS, engine
from mapper.maps.printed import markdown
from mapper.sinks.sink import Sink
from mapper.sources.source import Feed, Source
from mapper.sync.sweep import sweep
from tests.support.datasets import dataset
from tests.support.extending import blocks, extending
from tests.support.fakes import SITE, World, study_key
from tests.support.http_fake import Answer, HttpFake
from tests.support.protocols import offered

A, B = "1.2.1", "1.2.2"


@pytest.fixture
def page() -> ModuleType:
    return extending()


@pytest.fixture
def folder(page: ModuleType, tmp_path: Path) -> Any:
    place = tmp_path / "studies"
    place.mkdir()
    return page.Folder(place, Reader(KEYWORDS, INSTANCE_KEYWORDS))


@pytest.fixture
def files(page: ModuleType, tmp_path: Path) -> Any:
    place = tmp_path / "fhir"
    place.mkdir()
    return page.Files(place)


def store(folder: Any, study_uid: str, *instances: str, at: int = 0) -> None:
    """Write the metadata of a study, as WADO-RS would answer them."""
    sets = [
        dataset(
            StudyInstanceUID=study_uid,
            SeriesInstanceUID=f"{study_uid}.1",
            SOPInstanceUID=f"{study_uid}.1.{one}",
            SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
            Modality="CT",
            PatientID="P1",
            PatientName="Doe^Jane",
        )
        for one in instances
    ]
    path = folder.folder / f"{study_uid}.json"
    path.write_text(json.dumps(sets))
    if at:
        os.utime(path, ns=(at, at))


def test_the_page_has_every_extension_point() -> None:
    assert list(blocks()) == [
        *("A source", "Sources of a service", "A feed", "A sink", "A converter", "A rule", "A check", "A command")
    ]


@pytest.mark.parametrize(("protocol", "name"), [(Source, "Folder"), (Feed, "FolderFeed"), (Sink, "Files")])
def test_the_examples_have_the_methods_of_their_protocols(page: ModuleType, protocol: Any, name: str) -> None:
    for method in offered(protocol):
        asked, given = (inspect.signature(getattr(one, method)) for one in (protocol, getattr(page, name)))
        assert list(given.parameters) == list(asked.parameters)


def test_a_folder_is_listed_counted_and_read(folder: Any) -> None:
    store(folder, A, "1", "2")
    store(folder, B, "1")
    assert [one.study_uid for one in folder.listing()] == [A, B]
    assert folder.count() == 2
    assert folder.read(A, []).study.instances == 2
    assert folder.holds(A)
    assert not folder.holds("1.2.3")
    with pytest.raises(StudyGone):
        folder.read("1.2.3", [])
    assert [one.level for one in folder.check()] == ["ok"]
    folder.folder.rename(folder.folder.with_name("elsewhere"))
    for ask in (folder.probe, folder.count, lambda: list(folder.check())):
        with pytest.raises(SourceDown):
            ask()


def test_each_source_of_a_service_has_its_name_and_its_site(page: ModuleType, tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("north", "south")}
    sources = page.sources_of(folders)
    mapping = page.mapping_for(folders, SITE.namespace)
    systems = []
    for name, source in sources.items():
        folders[name].mkdir()
        store(source, A, "1")
        assert source.name == name
        made = mapping(source.read(A, []), source).resources
        (patient,) = [one for one in made if one["resourceType"] == "Patient"]
        systems.append(patient["identifier"][0]["system"])
    assert systems == ["urn:x-north", "urn:x-south"]


def test_a_feed_tells_what_moved(page: ModuleType, folder: Any) -> None:
    feed = page.FolderFeed(folder)
    store(folder, A, "1", at=1_000)
    cursor = feed.changes(None).cursor
    assert feed.changes(cursor).study_uids == ()
    store(folder, B, "1", at=2_000)
    assert feed.changes(cursor).study_uids == (B,)
    newest = max(one.fingerprint for one in folder.listing())
    assert [one.study_uid for one in feed.recent(newest)] == [B]
    assert [one.study_uid for one in feed.recent(min(one.fingerprint for one in folder.listing()))] == [B, A]
    assert feed.recent("") is None


def test_from_a_folder_into_files_through_everything_between(
    page: ModuleType, folder: Any, files: Any, ledger_url: str
) -> None:
    """The page's source and sink, with the ledger, the worker and the check that always stand between them."""
    world = World(ledger_url, folder)
    world.sink = files
    world.worker = world.new_worker()

    def synced() -> dict[str, str]:
        sweep(world.ledger, folder, vanishing_allowed=True)
        world.work()
        return {one["id"]: one["status"] for one in files.all("ImagingStudy")}

    a, b = study_key(A)[1], study_key(B)[1]
    store(folder, A, "1", at=1_000)
    store(folder, B, "1", at=1_000)
    assert synced() == {a: "available", b: "available"}
    (patient,) = files.all("Patient")
    assert patient["name"][0]["family"] == "Doe"
    before = files.version(("ImagingStudy", a))
    assert synced() == {a: "available", b: "available"}
    assert files.version(("ImagingStudy", a)) == before
    store(folder, A, "1", "2", at=2_000)
    synced()
    assert files.version(("ImagingStudy", a)) != before
    (folder.folder / f"{B}.json").unlink()
    assert synced() == {a: "available", b: "unknown"}
    world.database.close()


def test_a_folder_of_resources_that_is_not_there_is_down(files: Any) -> None:
    files.folder.rmdir()
    with pytest.raises(SinkDown):
        files.put([{"resourceType": "Patient", "id": "p1"}])


@pytest.mark.parametrize(
    ("value", "made", "recorded"),
    [
        ("MONOCHROME2", {"text": "grayscale"}, []),
        ("RGB", {"text": "colour"}, []),
        ("ARGB", {"text": "colour"}, ["retired since 2001"]),
        ("rgb", None, ["not a defined term"]),
        ("", None, []),
        (None, None, []),
    ],
)
def test_a_rule_and_its_converter(page: ModuleType, value: Any, made: Any, recorded: list[str]) -> None:
    item = Item(dataset(PhotometricInterpretation=value))
    cx = engine.Context(SITE, Study(A, ()))
    found = engine.apply(page.RULES, cx, item, "ImagingStudy")
    assert found.get("reasonCode") == made
    assert [one.reason for one in cx.problems] == recorded
    (rule,) = page.RULES
    assert rule.words == "PhotometricInterpretation -> CodeableConcept: whether images have colours."
    assert rule.element not in markdown() or rule.keywords[0] not in markdown(), "the example is no row already"


def test_a_check_of_a_site_stands_before_the_sink(page: ModuleType, folder: Any, files: Any, ledger_url: str) -> None:
    world = World(ledger_url, folder)
    world.sink = files
    world.worker = world.new_worker(check=page.with_names)
    store(folder, A, "1")
    path = folder.folder / f"{B}.json"
    path.write_text((folder.folder / f"{A}.json").read_text().replace(A, B).replace("Doe^Jane", "").replace("P1", "P2"))
    sweep(world.ledger, folder)
    world.work()
    assert (world.state(A), world.state(B)) == ("synced", "parked")
    assert world.ledger.rows.parked_by_failure() == {BundleRejected.__name__: 1}
    world.database.close()


def test_a_command(page: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    for command in (*COMMANDS, page.count):
        app.command()(command)
    with HttpFake(Answer(200, {"CountStudies": 3})) as http:
        monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", http.url)
        said = CliRunner().invoke(app, ["count"])
    assert (said.exit_code, said.stdout) == (0, "orthanc: 3\n")
    with HttpFake(Answer(401)) as http:
        monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", http.url)
        assert CliRunner().invoke(app, ["count"]).exit_code == 1
