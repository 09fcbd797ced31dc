"""The DICOMweb source against an archive by another hand: what is mapped equals what is mapped of the files."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapper.convert import convert, read_folders
from mapper.dicom.reader import Reader
from mapper.errors import StudyGone
from mapper.http.peer import Bound
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.site import Site
from mapper.sources.dicomweb import search
from mapper.sources.dicomweb.client import DicomwebClient
from mapper.sources.dicomweb.search import Search
from mapper.sources.dicomweb.source import Dicomweb
from tests.support.file_archive import FileArchive
from tests.support.http_fake import HttpFake
from tests.support.study import study

STUDIES = 23
BOUND = Bound(8, 10.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of studies of one to three series."""
    made = tmp_path_factory.mktemp("files")
    for number in range(STUDIES):
        sample = study(series=1 + number % 3, instances=2, StudyDate=f"202401{1 + number:02}", PatientName="Ä^Ö")
        for one, file in enumerate(sample.files):
            (made / f"{number}-{one}.dcm").write_bytes(file)
    return made


@pytest.fixture(scope="module")
def front(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpFake]:
    archive = FileArchive(folder, tmp_path_factory.mktemp("database") / "db")
    with HttpFake(answering=archive) as server:
        yield server
    archive.close()


@pytest.fixture
def source(front: HttpFake) -> Dicomweb:
    client = DicomwebClient(f"{front.url}/rs", BOUND)
    return Dicomweb(Search(client), client, Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS))


@pytest.mark.parametrize("page", [500, 7])
def test_every_study_is_listed_once(source: Dicomweb, folder: Path, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PAGE", page)
    uids = read_folders([folder], pytest.fail).study_uids
    listed = list(source.listing())
    assert sorted(one.study_uid for one in listed) == uids
    assert source.count() == STUDIES
    assert {one.fingerprint for one in listed} == {f"{2 * series:010}/{series:010}" for series in (1, 2, 3)}, (
        "it tells how many series and instances a study has"
    )


def test_each_study_says_what_its_files_say(source: Dicomweb, folder: Path) -> None:
    files = read_folders([folder], pytest.fail)
    site = Site(dicomweb="https://archive.example.org/rs")
    for uid in files.study_uids:
        assert source.holds(uid)
        read = convert(source.read(uid, []).study, site)
        assert json.loads(read.json) == json.loads(convert(files.study(uid), site).json)


def test_what_is_not_there_is_gone(source: Dicomweb) -> None:
    assert not source.holds("1.2.3")
    with pytest.raises(StudyGone):
        source.read("1.2.3", [])
    source.probe()
    assert all(one.level == "ok" for one in source.check())
