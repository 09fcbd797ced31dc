"""`convert` over every file that pydicom ships, and HAPI's judgement of what comes out."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from pydicom import dcmread
from pydicom.uid import MediaStorageDirectoryStorage

from mapper.convert import Converted, convert, read_folders
from mapper.errors import NotOneStudy
from mapper.fhir.check import faults
from mapper.maps.site import Site
from stack import FhirServer
from tests.support.stack import orthanc_fhir
from tests.support.validator import errors

SHIPPED = Path(pydicom.data.__file__).parent
FILES = sorted(
    path for folder in ("test_files", "charset_files") for path in (SHIPPED / folder).rglob("*") if path.is_file()
)
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
SITE = Site(dicomweb="http://localhost:8042/dicom-web")


def name_of(path: Path) -> str:
    return str(path.relative_to(SHIPPED))


def has_uids(path: Path) -> bool:
    """Tell, by pydicom alone, whether a file has the UIDs of a study."""
    try:
        found = dcmread(path, force=True, stop_before_pixels=True)
        if found.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            return False
        return all(found.get(keyword) for keyword in UIDS)
    except Exception:  # pydicom raises many kinds on what is no DICOM
        return False


def converted(folder: Path) -> Converted | None:
    """Convert what lies in one folder; None when there is no study in it."""
    try:
        return convert(read_folders([folder], lambda skipped: None).only_study(), SITE)
    except NotOneStudy:
        return None


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Converted | None]:
    """Convert each file in a folder of its own."""
    made = {}
    for path in FILES:
        folder = tmp_path_factory.mktemp("convert")
        shutil.copy(path, folder)
        made[path] = converted(folder)
    return made


def test_pydicom_ships_what_these_tests_are_about() -> None:
    assert len(FILES) > 150
    assert sum(map(has_uids, FILES)) > 100


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_each_file_with_the_uids_of_a_study_becomes_a_bundle(results: dict[Path, Converted | None], path: Path) -> None:
    result = results[path]
    assert (result is not None) >= has_uids(path)
    if result is not None:
        bundle = json.loads(result.json)
        assert faults(bundle) == []
        kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
        assert {"Patient", "Endpoint", "ImagingStudy"} <= set(kinds)
        assert kinds.count("ImagingStudy") == 1


def test_hapi_finds_no_error_in_any_of_them(
    results: dict[Path, Converted | None], validating_fhir_server: FhirServer
) -> None:
    resources: dict[bytes, tuple[str, dict[str, Any]]] = {}
    for path, result in results.items():
        for entry in json.loads(result.json)["entry"] if result else ():
            resources.setdefault(json.dumps(entry["resource"]).encode(), (name_of(path), entry["resource"]))

    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda one: (one[0], errors(validating_fhir_server, one[1])), resources.values())
        wrong = {f"{name}: {error}" for name, several in found for error in several}

    assert len(resources) > 150
    assert wrong == set()


def test_all_files_at_once_are_several_studies_and_each_study_is_a_line(tmp_path: Path) -> None:
    together = orthanc_fhir("convert", str(SHIPPED / "test_files"))
    assert (together.returncode, together.stdout) == (1, "")
    assert "studies: say --each-study to convert them all" in together.stderr.splitlines()[-1]

    problems = tmp_path / "problems.ndjson"
    each = orthanc_fhir("convert", "--each-study", "--problems", str(problems), str(SHIPPED))
    assert each.returncode == 0
    uids = [identifier_of(json.loads(line)) for line in each.stdout.splitlines()]
    assert uids == sorted(set(uids))
    assert len(uids) > 20
    lines = [json.loads(line) for line in problems.read_text().splitlines()]
    assert lines
    assert all(line.keys() == {"study_uid", "element", "attribute", "reason"} for line in lines)


@pytest.mark.parametrize("name", ["test_files/README.txt", "test_files/zipMR.gz", "test_files/dicomdirtests/DICOMDIR"])
def test_what_is_no_study_is_one_clear_line(name: str) -> None:
    none = orthanc_fhir("convert", str(SHIPPED / name))
    assert (none.returncode, none.stdout) == (1, "")
    assert none.stderr.splitlines()[-1] == "orthanc-fhir: the input holds no study, exactly one is needed"


def test_the_command_and_the_library_say_the_same() -> None:
    path = SHIPPED / "test_files/CT_small.dcm"
    result = orthanc_fhir("convert", "--dicomweb", str(SITE.dicomweb), str(path))
    assert result.returncode == 0
    assert json.loads(result.stdout) == json.loads(converted(path).json)  # type: ignore[union-attr]


def identifier_of(bundle: dict[str, Any]) -> str:
    (study,) = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "ImagingStudy"]
    return str(study["identifier"][0]["value"]).removeprefix("urn:oid:")
