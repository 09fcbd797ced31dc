"""`sds --to fhir` on a real HAPI: the tutorial's searches, a second run, and what is there already."""

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mapper.fhir.bundle import dump
from samples.sds import VERSIONS, write
from samples.sds.catalogue import DATASETS
from stack import FhirServer
from tests.sds.planned import planned, read
from tests.support.stack import entries, orthanc_fhir, session
from tests.support.validator import errors

Json = dict[str, Any]
BREAST, HEART = "76752008", "80891009"


class Site:
    """Two datasets applied to a FHIR server under a namespace and a base of their own."""

    def __init__(self, folder: Path, fhir: FhirServer, version: str) -> None:
        self.fhir, self.http = fhir, session()
        self.roots = {name: write(folder, name, version) for name in DATASETS}
        self.settings = {
            "ORTHANC_FHIR_FHIR_URL": fhir.url,
            "ORTHANC_FHIR_NAMESPACE": str(uuid4()),
            "ORTHANC_FHIR_BASE": f"https://example.org/{uuid4()}",
            "ORTHANC_FHIR_PATIENT_SYSTEM": f"https://example.org/{uuid4()}",
        }

    def sds(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return orthanc_fhir("sds", *map(str, arguments), **self.settings)

    def apply(self, name: str) -> Json:
        done = self.sds(self.roots[name], "--to", "fhir", "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout)["written"])

    def search(self, kind: str, **query: str) -> list[Json]:
        return entries(self.http, f"{self.fhir.url}/{kind}", {**query, "_count": "100"})

    @property
    def anna(self) -> str:
        """Return the search for the patient who is in both datasets."""
        return f"{self.settings['ORTHANC_FHIR_PATIENT_SYSTEM']}|SYN-0001"

    def everything(self) -> dict[str, str]:
        """Return version by reference of all that both datasets made."""
        subjects = [one for name in DATASETS for one in self.research(name, "ResearchSubject")]
        found = subjects + [one for name in DATASETS for one in self.research(name, "ResearchStudy")]
        found += [self.read(one["individual"]["reference"]) for one in subjects]
        for patient in {one["individual"]["reference"] for one in subjects}:
            found += self.search("ImagingStudy", patient=patient) + self.search("Group", member=patient)
        return {f"{one['resourceType']}/{one['id']}": one["meta"]["versionId"] for one in found}

    def research(self, name: str, kind: str) -> list[Json]:
        study = self.research_study(name)
        return [study] if kind == "ResearchStudy" else self.search(kind, study=f"ResearchStudy/{study['id']}")

    def research_study(self, name: str) -> Json:
        system = f"{self.settings['ORTHANC_FHIR_BASE']}/sds/dataset"
        found = self.search("ResearchStudy", identifier=f"{system}|{self.uuids[name]}")
        (study,) = found
        return study

    uuids: dict[str, str]

    def read(self, reference: str) -> Json:
        return dict(self.http.get(f"{self.fhir.url}/{reference}", timeout=30).json())


@pytest.fixture(scope="module", params=VERSIONS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fhir_server: FhirServer) -> Site:
    made = Site(tmp_path_factory.mktemp("datasets"), fhir_server, request.param)
    made.uuids = {name: made.apply(name)["dataset_uuid"] for name in DATASETS}
    return made


def uids(studies: list[Json]) -> set[str]:
    return {one["identifier"][0]["value"].removeprefix("urn:oid:") for one in studies}


def uids_of(site: Site, *names: str) -> dict[tuple[str, str], str]:
    return {(name, str(one.subject)): one.study.uid for name in names for one in read(site.roots[name]).studies}


def test_the_studies_of_a_patient_are_found_across_datasets(site: Site) -> None:
    known = uids_of(site, "breast", "heart")
    found = uids(site.search("ImagingStudy", **{"patient.identifier": site.anna}))
    assert found == {known["breast", "sub-1"], known["heart", "sub-1"]}


def test_the_datasets_of_a_patient_are_found(site: Site) -> None:
    subjects = site.search("ResearchSubject", **{"patient.identifier": site.anna})
    assert {site.read(one["study"]["reference"])["title"] for one in subjects} == {
        "Synthetic MR images of the breast",
        "Synthetic MR images of the heart",
    }
    (patient,) = site.search("Patient", identifier=site.anna)
    through = site.search("ResearchStudy", **{"_has:ResearchSubject:study:patient": f"Patient/{patient['id']}"})
    assert {one["id"] for one in through} == {one["study"]["reference"].partition("/")[2] for one in subjects}


@pytest.mark.parametrize(("code", "name"), [(BREAST, "breast"), (HEART, "heart")])
def test_the_studies_of_a_part_of_the_body_are_found(site: Site, code: str, name: str) -> None:
    ours = set(uids_of(site, "breast", "heart").values())
    found = uids(site.search("ImagingStudy", bodysite=code)) & ours
    assert found == set(uids_of(site, name).values())
    assert uids(site.search("ImagingStudy", bodysite=f"http://snomed.info/sct|{code}")) & ours == found


@pytest.mark.parametrize("name", DATASETS)
def test_the_studies_of_a_dataset_are_found_by_its_identifier(site: Site, name: str) -> None:
    value = f"urn:uid:{name}-{site.uuids[name]}"
    for asked in (value, f"urn:sparc_dataset:uid|{value}"):
        assert uids(site.search("ImagingStudy", identifier=asked)) == set(uids_of(site, name).values())
    if name == "breast":
        (study,) = site.search(
            "ResearchStudy", identifier="https://doi.org/10.5555/breast", _id=site.research_study(name)["id"]
        )
        assert study["title"] == "Synthetic MR images of the breast"


def test_a_study_is_found_by_either_of_its_identifiers(site: Site) -> None:
    for (_, subject), uid in uids_of(site, "breast", "heart").items():
        for asked in (f"urn:dicom:uid|urn:oid:{uid}", f"urn:uid:{subject}-{uid}"):
            found = site.search("ImagingStudy", identifier=asked, **{"patient.identifier": patient_of(site, uid)})
            assert uids(found) == {uid}


def patient_of(site: Site, uid: str) -> str:
    study = next(one for name in DATASETS for one in read(site.roots[name]).studies if one.study.uid == uid)
    return f"{site.settings['ORTHANC_FHIR_PATIENT_SYSTEM']}|{study.study.item['PatientID']}"


def test_the_animals_of_a_dataset_are_found_by_their_group(site: Site) -> None:
    (pig,) = site.search("Patient", identifier=f"{site.settings['ORTHANC_FHIR_PATIENT_SYSTEM']}|PIG-7")
    (group,) = site.search("Group", member=f"Patient/{pig['id']}")
    assert (group["type"], group["characteristic"][0]["valueCodeableConcept"]["text"]) == (
        "animal",
        "Sus scrofa domesticus",
    )


def test_a_second_run_makes_no_new_version(site: Site) -> None:
    before = site.everything()
    for name in DATASETS:
        again = site.apply(name)
        assert (again["made"], again["changed"], again["differ"]) == (0, 0, [])
        assert again["same"] > 5
    assert site.everything() == before


def test_what_others_wrote_of_a_patient_is_compared_and_left_alone(site: Site) -> None:
    (patient,) = site.search("Patient", identifier=f"{site.settings['ORTHANC_FHIR_PATIENT_SYSTEM']}|SYN-0002")
    changed = {**patient, "gender": "other", "birthDate": "1963-01-01"}
    url = f"{site.fhir.url}/Patient/{patient['id']}"
    site.http.put(url, json=changed, timeout=30).raise_for_status()
    try:
        done = site.sds(site.roots["breast"], "--to", "fhir")
        assert done.returncode == 1, "something of the dataset is not in FHIR"
        assert f": Patient/{patient['id']} in FHIR says otherwise (gender) and is left alone" in done.stdout
        assert "1963" not in done.stdout + done.stderr
        assert site.read(f"Patient/{patient['id']}")["gender"] == "other"
    finally:
        site.http.put(url, json=patient, timeout=30).raise_for_status()


def test_what_a_dataset_says_of_itself_is_brought_in_line(site: Site, tmp_path: Path) -> None:
    before = site.everything()
    study = site.research_study("breast")
    edited = {**study, "title": "Somebody's words"}
    site.http.put(f"{site.fhir.url}/ResearchStudy/{study['id']}", json=edited, timeout=30).raise_for_status()
    again = site.apply("breast")
    assert (again["made"], again["changed"], again["differ"]) == (0, 1, [])
    after = site.everything()
    assert {one for one in after if after[one] != before[one]} == {f"ResearchStudy/{study['id']}"}
    assert site.research_study("breast")["title"] == study["title"]


@pytest.mark.parametrize("name", DATASETS)
def test_hapi_finds_no_error_in_any_of_it(name: str, tmp_path: Path, validating_fhir_server: FhirServer) -> None:
    for part in planned(read(write(tmp_path, name))):
        for one in part.resources:
            assert errors(validating_fhir_server, json.loads(dump(one))) == [], one["resourceType"]
