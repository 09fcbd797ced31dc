"""Mistakes of the tutorial that SPARC's users follow: each is one that our command must not make."""

import json
from pathlib import Path
from typing import Any

import pytest

from mapper.fhir.check import faults
from mapper.maps.site import Site
from tests.sds.folders import image
from tests.sds.planned import SITE, made, planned, read

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")
SHEET = {"subjects.csv": "subject id\nsub-1\n"}
Json = dict[str, Any]


def study_of(root: Path, site: Site = SITE, folder: str = "primary/sub-1/sam-1", **attributes: Any) -> Json:
    files = {**SHEET, f"{folder}/a.dcm": image("1.2.1", **attributes)}
    (study,) = made(root, files, site=site)["ImagingStudy"]
    return study


def test_birth_date_is_spelt_as_fhir_spells_it(tmp_path: Path) -> None:
    (patient,) = made(tmp_path, {**SHEET, "primary/sub-1/a.dcm": image("1.2.1", PatientBirthDate="19780315")})[
        "Patient"
    ]
    assert patient["birthDate"] == "1978-03-15"
    assert "brithDate" not in json.dumps(patient)


def test_an_element_that_fhir_does_not_know_is_refused_before_it_is_sent() -> None:
    patient = {"resourceType": "Patient", "id": "a", "brithDate": "1978-03-15"}
    assert faults({"entry": [{"resource": patient}]})


@pytest.mark.parametrize("name", ["Doe^Jane", "Doe^Jane^^^", "^Jane", "Doe", "", None])
@pytest.mark.parametrize("sex", ["F", "M", None])
def test_nobody_gets_a_prefix_and_no_name_has_an_empty_part(tmp_path: Path, name: str | None, sex: str | None) -> None:
    (patient,) = made(tmp_path, {**SHEET, "primary/sub-1/a.dcm": image("1.2.1", PatientName=name, PatientSex=sex)})[
        "Patient"
    ]
    for one in patient.get("name", []):
        assert "prefix" not in one
        assert all(one[part] for part in one)


@pytest.mark.parametrize(
    ("day", "time", "zone", "started"),
    [
        ("20240229", "101500.123456", "Europe/Berlin", "2024-02-29T10:15:00.123+01:00"),
        ("20240229", "101500", None, "2024-02-29"),
        ("20240229", None, "Europe/Berlin", "2024-02-29"),
        (None, "101500", "Europe/Berlin", None),
        (None, None, None, None),
        ("not a date", "101500", "Europe/Berlin", None),
    ],
)
def test_started_is_the_studys_own_date_with_a_zone_and_never_made_up(
    tmp_path: Path, day: str | None, time: str | None, zone: str | None, started: str | None
) -> None:
    """Neither 1900-01-01 from a time alone, nor a time without a zone, nor the moment of the run."""
    study = study_of(tmp_path, Site(timezone=zone), StudyDate=day, StudyTime=time)
    assert study.get("started") == started


def test_one_unreadable_value_loses_itself_and_nothing_else(tmp_path: Path) -> None:
    """A bare except swallowed whole studies."""
    made(tmp_path, {**SHEET, "primary/sub-1/a.dcm": image("1.2.1", StudyDate="20241350")})
    (part, _) = planned(read(tmp_path))
    assert [one["resourceType"] for one in part.resources][-1] == "ImagingStudy"
    assert [one.attribute.split()[0] for one in part.problems] == ["StudyDate"]


@pytest.mark.parametrize("modality", ["CT", "US", "MR"])
def test_the_modality_is_the_headers_of_study_and_series(tmp_path: Path, modality: str) -> None:
    study = study_of(tmp_path, Modality=modality)
    assert [one["code"] for one in study["modality"]] == [modality]
    assert [one["modality"]["code"] for one in study["series"]] == [modality]


def test_every_instance_says_its_sop_class_and_numbers_are_numbers(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    (series,) = study["series"]
    (instance,) = series["instance"]
    assert instance["sopClass"]["code"] == "urn:oid:1.2.840.10008.5.1.4.1.1.2"
    assert (type(series["number"]), type(instance["number"])) == (int, int)
    assert (type(series["uid"]), type(instance["uid"])) == (str, str)


def test_series_and_instances_are_counted_not_believed(tmp_path: Path) -> None:
    """(0020,1206) and (0020,1208) are answers to a query; stored objects that have them may lie."""
    study = study_of(tmp_path, NumberOfStudyRelatedSeries=7, NumberOfStudyRelatedInstances=70)
    assert (study["numberOfSeries"], study["numberOfInstances"]) == (1, 1)


def test_a_folder_is_no_study(tmp_path: Path) -> None:
    """One study in two folders is one, two in one folder are two, and names of folders are no keys."""
    files = {
        **SHEET,
        "primary/sub-1/sam-1/a.dcm": image("1.2.1", 1),
        "primary/sub-1/sam-2/b.dcm": image("1.2.1", 2, series=2),
        "primary/sub-1/sam-2/c.dcm": image("1.2.2"),
    }
    found = made(tmp_path, files)["ImagingStudy"]
    assert {one["identifier"][0]["value"]: one["numberOfSeries"] for one in found} == {
        "urn:oid:1.2.1": 2,
        "urn:oid:1.2.2": 1,
    }


def test_two_studies_of_one_dataset_share_its_identifier_in_every_run(tmp_path: Path) -> None:
    """A uuid4 a study made the search for a dataset useless."""
    files = {**SHEET, "primary/sub-1/a.dcm": image("1.2.1"), "primary/sub-1/b.dcm": image("1.2.2")}
    first, second = (made(tmp_path, files)["ImagingStudy"] for _ in range(2))
    assert first == second
    assert len({one["identifier"][1]["value"] for one in first}) == 1


def test_the_body_site_is_the_headers_whatever_the_dataset_is_called(tmp_path: Path) -> None:
    study = study_of(tmp_path / "breast", BodyPartExamined="HEART")
    assert study["series"][0]["bodySite"]["code"] == "80891009"
    assert "bodySite" not in study_of(tmp_path / "breast too")["series"][0]


def test_a_subject_is_found_by_its_number_not_by_the_first_name_that_fits(tmp_path: Path) -> None:
    files = {
        "subjects.csv": "subject id\nsub-1\nsub-2\n",
        "primary/sub-1/a.dcm": image("1.2.1", PatientID="1", PatientName="Doe^Jane"),
        "primary/sub-2/b.dcm": image("1.2.2", PatientID="2", PatientName="Doe^Jane"),
    }
    found = made(tmp_path, files)
    of = {f"Patient/{one['id']}": one["identifier"][0]["value"] for one in found["Patient"]}
    assert {one["identifier"][0]["value"]: of[one["subject"]["reference"]] for one in found["ImagingStudy"]} == {
        "urn:oid:1.2.1": "1",
        "urn:oid:1.2.2": "2",
    }


def test_everything_is_put_under_an_id_of_its_own_so_that_no_run_makes_another(tmp_path: Path) -> None:
    """Each run of the tutorial posts, and pages of a fixed size miss what is beyond them."""
    files = {**SHEET, "primary/sub-1/a.dcm": image("1.2.1")}
    made(tmp_path, files)
    first, second = (
        [(one["resourceType"], one["id"]) for part in planned(read(tmp_path)) for one in part.resources]
        for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == len(first)
