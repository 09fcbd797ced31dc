"""`sds --to fhir` once more on a real HAPI: after a correction, a new name, a second dataset, and with things gone."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mapper.commands.cli import app
from stack import FhirServer
from tests.sds.folders import dataset, image
from tests.support.stack import entries, session

Json = dict[str, Any]
SUBJECTS = "subject id,sex,species,subject experimental group\n"
DESCRIPTION = "Metadata element,Value\nMetadata version,3.0.2\nTitle,{title}\n"
DOI = "Identifier,{doi}\nIdentifier type,DOI\nRelation type,HasMetadata\nIdentifier description,DOI for this dataset\n"


class Written:
    """Datasets in one folder, applied to a FHIR server under a namespace and a base of their own."""

    def __init__(self, folder: Path, fhir: FhirServer) -> None:
        self.folder, self.fhir, self.http = folder, fhir, session()
        self.study_uid, self.patient_id = f"2.25.{uuid4().int >> 32}", uuid4().hex
        self.settings = {
            "ORTHANC_FHIR_FHIR_URL": fhir.url,
            "ORTHANC_FHIR_NAMESPACE": str(uuid4()),
            "ORTHANC_FHIR_BASE": f"https://example.org/{uuid4().hex[:8]}",
            "ORTHANC_FHIR_PATIENT_SYSTEM": f"https://example.org/{uuid4()}",
        }

    def dataset(self, name: str, subjects: str, title: str = "", doi: str = "", images: bool = True) -> Path:
        """Write a dataset; its one study is the same in all that have images."""
        header = {"PatientID": self.patient_id, "PatientSex": None, "PatientBirthDate": None}
        described = DESCRIPTION.format(title=f"{title or name} {self.patient_id}") + (
            DOI.format(doi=doi) if doi else ""
        )
        files: dict[str, Any] = {"dataset_description.csv": described, "subjects.csv": SUBJECTS + subjects}
        if images:
            files["primary/sub-1/a.dcm"] = image(self.study_uid, **header)
        dataset(self.folder / name, files)
        return self.folder / name

    def sds(self, root: Path, *options: str) -> Result:
        return CliRunner().invoke(app, ["sds", str(root), "--to", "fhir", *options], env=self.settings)

    def apply(self, root: Path, *options: str, code: int = 0) -> Json:
        done = self.sds(root, "--json", *options)
        assert done.exit_code == code, (done.stdout, done.stderr)
        return dict(json.loads(done.stdout)["written"])

    def search(self, kind: str, **query: str) -> list[Json]:
        return entries(self.http, f"{self.fhir.url}/{kind}", {**query, "_count": "100"})

    @property
    def patient(self) -> Json:
        (one,) = self.search("Patient", identifier=f"{self.settings['ORTHANC_FHIR_PATIENT_SYSTEM']}|{self.patient_id}")
        return one

    @property
    def study(self) -> Json:
        (one,) = self.search("ImagingStudy", identifier=f"urn:dicom:uid|urn:oid:{self.study_uid}")
        return one

    def of_dataset(self, kind: str, thing: str, uuid: str) -> list[Json]:
        return self.search(kind, identifier=f"{self.settings['ORTHANC_FHIR_BASE']}/sds/{thing}/{uuid}|")

    def put(self, resource: Json) -> Json:
        url = f"{self.fhir.url}/{resource['resourceType']}/{resource['id']}"
        self.http.put(url, json=resource, timeout=30).raise_for_status()
        return dict(self.http.get(url, timeout=30).json())

    def versions(self) -> list[str]:
        return [one["meta"]["versionId"] for one in (self.patient, self.study)]


@pytest.fixture
def written(tmp_path: Path, fhir_server: FhirServer) -> Written:
    return Written(tmp_path, fhir_server)


def numbers(outcome: Json) -> tuple[int, int, list[str]]:
    return outcome["made"], outcome["changed"], [one["resource"].partition("/")[0] for one in outcome["differ"]]


def test_a_corrected_cell_reaches_fhir_and_the_next_run_moves_nothing(written: Written) -> None:
    root = written.dataset("a", "sub-1,female,Homo sapiens,\n")
    uuid = written.apply(root)["dataset_uuid"]
    source = written.patient["meta"]["source"]
    assert source.startswith(f"{written.settings['ORTHANC_FHIR_BASE']}/sds/{uuid}/")
    written.dataset("a", "sub-1,male,Homo sapiens,\n")
    told = written.sds(root)
    assert (told.exit_code, written.patient["gender"]) == (1, "female")
    assert "subjects.csv B2: Patient/" in told.stdout
    assert "--correct brings it in line" in told.stdout
    assert numbers(written.apply(root, "--correct")) == (0, 1, [])
    assert written.patient["gender"] == "male"
    before = written.versions()
    assert numbers(written.apply(root)) == (0, 0, [])
    assert written.versions() == before


TAKEN_OVER = {  # how somebody else writes the Patient -> whether the next correction reaches it
    "without the signature": (lambda patient: {**bare(patient), "gender": "other"}, False),
    "with the signature": (lambda patient: {**patient, "gender": "other"}, False),
    "as it is": (lambda patient: patient, True),
    "as it is, without the signature: the server makes no version": (lambda patient: bare(patient), True),
}


def bare(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if name != "meta"}


@pytest.mark.parametrize(("change", "ours"), TAKEN_OVER.values(), ids=TAKEN_OVER)
def test_what_somebody_else_wrote_is_told_by_its_cell_and_left_alone(written: Written, change: Any, ours: bool) -> None:
    root = written.dataset("a", "sub-1,female,Homo sapiens,\n")
    written.apply(root)
    theirs = written.put(change(written.patient))
    written.dataset("a", "sub-1,male,Homo sapiens,\n")
    done = written.sds(root, "--correct")
    if ours:
        assert (done.exit_code, written.patient["gender"]) == (0, "male")
        return
    assert done.exit_code == 1
    assert (
        f"subjects.csv B2: Patient/{theirs['id']} in FHIR says otherwise (gender) and is left alone, as it was not "
        "written by a dataset" in done.stdout
    )
    assert written.patient == theirs


def test_two_datasets_of_one_study_are_both_found_and_nothing_flaps(written: Written) -> None:
    roots = [written.dataset(name, "sub-1,female,Homo sapiens,\n") for name in ("a", "b")]
    uuids = [written.apply(root, "--correct")["dataset_uuid"] for root in roots]
    for root, uuid in zip(roots, uuids, strict=True):
        found = written.search("ImagingStudy", identifier=f"urn:uid:{root.name}-{uuid}")
        assert [one["id"] for one in found] == [written.study["id"]]
    before = written.versions()
    for root in (*roots, *roots):
        assert numbers(written.apply(root)) == (0, 0, [])
        assert written.versions() == before
    written.dataset("b", "sub-1,male,Homo sapiens,\n")
    told = written.apply(roots[1], "--correct", code=1)
    assert [(one["elements"], one["whose"], one["cells"]) for one in told["differ"]] == [
        (["gender"], "dataset", ["subjects.csv B2"])
    ]
    assert written.versions() == before


def test_a_renamed_folder_with_a_doi_takes_its_identifiers_along(written: Written) -> None:
    root = written.dataset("lung", "sub-1,female,Homo sapiens,\n", doi=f"10.5555/{uuid4()}")
    uuid = written.apply(root)["dataset_uuid"]
    moved = root.rename(root.with_name("lung-v2"))
    done = written.sds(moved, "--correct")
    assert done.exit_code == 0, done.stdout
    assert "it was written from a folder of another name before" in done.stdout
    for kind in ("ImagingStudy", "ResearchStudy"):
        assert len(written.search(kind, identifier=f"urn:uid:lung-v2-{uuid}")) == 1
        assert written.search(kind, identifier=f"urn:uid:lung-{uuid}") == []
    again = written.apply(moved)
    assert (numbers(again), again["renamed"]) == ((0, 0, []), False)


TWINS = {  # name, title, DOI the second time
    "a corrected title": ("a", "Corrected", ""),
    "a renamed folder": ("b", "Title", ""),
    "a DOI that is given later": ("a", "Title", "10.5555/later"),
}


@pytest.mark.parametrize(("name", "title", "doi"), TWINS.values(), ids=TWINS)
def test_no_second_dataset_is_made_in_silence(written: Written, name: str, title: str, doi: str) -> None:
    one = written.apply(written.dataset("a", "sub-1,female,Homo sapiens,\n", title="Title"))["dataset_uuid"]
    root = written.dataset(name, "sub-1,female,Homo sapiens,\n", title=title, doi=doi)
    refused = written.sds(root)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"--dataset-uuid {one} goes on with it" in refused.stderr
    assert len(written.of_dataset("ResearchSubject", "subject", one)) == 1
    assert numbers(written.apply(root, "--correct", "--dataset-uuid", one))[0] == 0
    other = str(uuid4())
    assert written.apply(root, "--correct", "--dataset-uuid", other)["dataset_uuid"] == other
    assert numbers(written.apply(root, "--dataset-uuid", other)) == (0, 0, [])


def test_what_is_no_longer_in_the_dataset_is_told_each_time_and_removed_on_wish(written: Written) -> None:
    rows = "sub-1,female,Homo sapiens,\nsub-2,male,{},\n"
    root = written.dataset("a", rows.format("Mus musculus"))
    other = written.dataset("b", rows.format("Mus musculus"), images=False)
    uuid, theirs = written.apply(root)["dataset_uuid"], written.apply(other)["dataset_uuid"]
    written.dataset("a", "sub-1,female,Homo sapiens,\n")
    for _ in range(2):
        done = written.sds(root)
        assert done.exit_code == 0
        assert (
            "in FHIR and no longer in the dataset: 1 Group, 1 Patient, 1 ResearchSubject; --prune removes them "
            "(--to fhir)" in done.stdout.splitlines()
        )
    pruned = written.sds(root, "--prune")
    assert "removed, as no longer in the dataset: 1 Group, 1 Patient, 1 ResearchSubject" in pruned.stdout.splitlines()
    kinds = (("ResearchSubject", "subject"), ("Group", "group"), ("Patient", "subject"))
    assert [len(written.of_dataset(kind, thing, uuid)) for kind, thing in kinds] == [1, 1, 0]
    assert [len(written.of_dataset(kind, thing, theirs)) for kind, thing in kinds] == [2, 2, 2]
    again = written.apply(root, "--prune")
    assert (numbers(again), again["gone"], again["removed"]) == ((0, 0, []), [], [])


def test_what_others_refer_to_is_not_removed_and_nothing_is_while_the_dataset_has_an_error(written: Written) -> None:
    root = written.dataset("a", "sub-1,,,\nsub-2,,,\n")
    uuid = written.apply(root)["dataset_uuid"]
    (subject,) = [
        one
        for one in written.of_dataset("ResearchSubject", "subject", uuid)
        if one["identifier"][0]["value"] == "sub-2"
    ]
    comment = {
        "resourceType": "Basic",
        "id": str(uuid4()),
        "code": {"text": "a comment"},
        "subject": {"reference": f"ResearchSubject/{subject['id']}"},
    }
    written.put(comment)
    written.dataset("a", "sub-1,,,\n")
    done = written.sds(root, "--prune")
    assert f"ResearchSubject/{subject['id']} cannot be removed: something else refers to it" in done.stdout
    (root / "subjects.csv").rename(root / "subjects.xlsx")
    refused = written.sds(root, "--prune")
    assert refused.exit_code == 1
    assert "--prune removes nothing while the dataset has an error" in refused.stderr


UNSURE = {  # name, title, subjects of the run that is to remove -> what it says instead
    "a warning": ("a", "Title", "sub-1,fem,,\n", "while the dataset has an error or a warning"),
    "another title": ("a", "Other", "sub-1,,,\n", "by another name of its folder or another title"),
    "another folder": ("b", "Title", "sub-1,,,\n", "by another name of its folder or another title"),
}


@pytest.mark.parametrize(("name", "title", "subjects", "said"), UNSURE.values(), ids=UNSURE)
def test_nothing_is_removed_by_what_may_be_a_slip(
    written: Written, name: str, title: str, subjects: str, said: str
) -> None:
    uuid = written.apply(written.dataset("a", "sub-1,,,\nsub-2,,,\n", title="Title"))["dataset_uuid"]
    root = written.dataset(name, subjects, title=title)
    refused = written.sds(root, "--prune", "--dataset-uuid", uuid)
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert len(written.of_dataset("ResearchSubject", "subject", uuid)) == 2
