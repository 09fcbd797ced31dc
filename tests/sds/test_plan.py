"""What a dataset becomes in FHIR: its identity, its subjects, its studies with their places, who made it."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from mapper.fhir import systems
from mapper.records.sds.identity import dataset_uuid, doi_of
from samples.sds import VERSIONS, write
from samples.sds.catalogue import LICENSE
from samples.sds.sheets import FORMS
from tests.sds.folders import DESCRIPTION, dataset, image
from tests.sds.planned import made, planned, read, resources

ONE_STUDY = {"primary/sub-1/sam-1/a.dcm": image("1.2.1")}
SUBJECT = "subject id,{}\nsub-1,{}\n"
Json = dict[str, Any]


def only(found: dict[str, list[Json]], kind: str) -> Json:
    (one,) = found[kind]
    return one


def identifiers(resource: Json, system: str) -> list[str]:
    return [one["value"] for one in resource["identifier"] if one.get("system") == system]


# -- the whole ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["breast", "heart"])
def test_every_layout_and_form_of_a_dataset_becomes_the_same(tmp_path: Path, name: str) -> None:
    told = []
    for version in VERSIONS:
        for form in FORMS:
            told.append(resources(read(write(tmp_path / version / form, name, version, form))))
            artifacts = told[-1]["ResearchStudy"][0].get("relatedArtifact", [])
            licences = [one for one in artifacts if one.get("label") == "License"]
            assert [one["url"] for one in licences] == ([LICENSE] if version.startswith("3") else [])
            told[-1]["ResearchStudy"][0]["relatedArtifact"] = [one for one in artifacts if one not in licences]
    assert all(one == told[0] for one in told)
    assert {kind: len(several) for kind, several in told[0].items()} == {
        "Patient": 2,
        "ImagingStudy": 2,
        "ResearchStudy": 1,
        "ResearchSubject": 2,
        "Group": 1 if name == "breast" else 2,
        "Practitioner": 1,
        **({"Observation": 1} if name == "breast" else {}),
    }


def test_each_part_refers_to_nothing_that_comes_later(tmp_path: Path) -> None:
    sent: set[str] = set()
    for part in planned(read(write(tmp_path, "heart"))):
        sent |= {f"{one['resourceType']}/{one['id']}" for one in part.resources}
        for one in part.resources:
            for reference in references(one):
                assert reference in sent


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [one for child in value.values() for one in references(child)]
    return [one for child in value for one in references(child)] if isinstance(value, list) else []


def test_one_patient_of_two_studies_is_that_of_the_newest(tmp_path: Path) -> None:
    files = {
        "subjects.csv": "subject id\nsub-1\n",
        "primary/sub-1/a.dcm": image("1.2.1", StudyDate="20240101", PatientName="Old^Name"),
        "primary/sub-1/b.dcm": image("1.2.2", StudyDate="20250101", PatientName="New^Name"),
    }
    found = made(tmp_path, files)
    assert only(found, "Patient")["name"][0]["family"] == "New"
    assert len(found["ImagingStudy"]) == 2


# -- identity -------------------------------------------------------------------------------------------------------

DOIS = {
    "https://doi.org/10.5555/x": "10.5555/x",
    "http://dx.doi.org/10.5555/x": "10.5555/x",
    "doi:10.5555/x": "10.5555/x",
    "DOI: 10.5555/X": "10.5555/X",
    "10.5555/x": "10.5555/x",
    "https://doi.org/": None,
    "10.5555": None,
    "a book": None,
    "": None,
}


@pytest.mark.parametrize(("text", "doi"), DOIS.items())
def test_a_doi_is_known_however_it_is_written(text: str, doi: str | None) -> None:
    assert doi_of(text) == doi


def described(doi: str, title: str = "A dataset") -> str:
    return DESCRIPTION.format(version="3.0.2").replace("10.5555/x", doi).replace("A dataset", title)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (described("10.5555/x"), described("https://doi.org/10.5555/X", "Renamed"), True),
        (described("10.5555/x"), described("10.5555/y"), False),
        (described("", "A"), described("", " A "), True),
        (described("", "A"), described("", "B"), False),
    ],
)
def test_a_dataset_keeps_its_uuid_as_long_as_it_is_the_same(tmp_path: Path, one: str, other: str, same: bool) -> None:
    uuids = []
    for number, text in enumerate((one, other)):
        root = tmp_path / str(number) / "dataset"
        root.mkdir(parents=True)
        (root / "dataset_description.csv").write_text(text)
        uuids.append(dataset_uuid(read(root)))
    assert (uuids[0] == uuids[1]) is same
    assert all(uuid.version == 5 for uuid in uuids)


def test_all_studies_of_a_dataset_share_its_identifier_and_a_uuid_that_is_given_wins(tmp_path: Path) -> None:
    told = read(write(tmp_path, "breast"))
    given = UUID("11111111-2222-4333-8444-555555555555")
    for uuid in (None, given):
        found = resources(told, uuid=uuid)
        shared = f"urn:uid:breast-{dataset_uuid(told, uuid)}"
        everything = [*found["ImagingStudy"], *found["ResearchStudy"]]
        assert [identifiers(one, systems.SPARC_DATASET) for one in everything] == [[shared]] * 3
    assert str(given) in shared


def test_a_study_is_identified_by_its_uid_first_and_as_sparc_searches_it_second(tmp_path: Path) -> None:
    found = made(tmp_path / "scans", {"subjects.csv": "subject id\nsub-1\n", **ONE_STUDY})
    study = only(found, "ImagingStudy")
    assert study["identifier"][0]["system"] == systems.DICOM_UID
    assert identifiers(study, systems.DICOM_UID) == ["urn:oid:1.2.1"]
    assert identifiers(study, systems.SPARC_STUDY) == ["urn:uid:sub-1-1.2.1"]
    assert [one.get("use") for one in study["identifier"]] == [None, "secondary", "secondary"]


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("primary/sub-Aniyah-breast-1/sam-1/a.dcm", "sub-Aniyah-breast-1-1.2.1"),
        ("primary/scans/a.dcm", "scans-1.2.1"),
        ("source/scans/a.dcm", "1.2.1"),
        ("a.dcm", "1.2.1"),
    ],
)
def test_without_a_subject_in_the_sheet_the_folder_names_the_study(tmp_path: Path, file: str, named: str) -> None:
    study = only(made(tmp_path, {file: image("1.2.1")}), "ImagingStudy")
    assert identifiers(study, systems.SPARC_STUDY) == [f"urn:uid:{named}"]


# -- subjects -------------------------------------------------------------------------------------------------------

HEADER: Json = {"PatientSex": None, "PatientBirthDate": None}
FILLED = {  # header, columns, cells -> what the Patient says
    "sex": ({}, "sex", "female", {"gender": "female"}),
    "sex, one letter": ({}, "sex", "M", {"gender": "male"}),
    "sex that is no word of ours": ({}, "sex", "f?", {"gender": None}),
    "the header's sex counts": ({"PatientSex": "M"}, "sex", "female", {"gender": "male"}),
    "an empty sex says nothing": ({"PatientSex": ""}, "sex", "female", {"gender": "female"}),
    "sex that is unknown": ({}, "sex", "unknown", {"gender": None}),
    "birth": ({}, "date of birth", "1978-03-15", {"birthDate": "1978-03-15"}),
    "birth, a month": ({}, "date of birth", "1978-03", {"birthDate": "1978-03"}),
    "birth, no day": ({}, "date of birth", "1978-02-30", {"birthDate": None}),
    "birth, no date": ({}, "date of birth", "15.3.1978", {"birthDate": None}),
    "the header's birth counts": (
        {"PatientBirthDate": "19780314"},
        "date of birth",
        "1978-03-15",
        {"birthDate": "1978-03-14"},
    ),
    "a human": ({}, "species", "Homo sapiens", {"extension": None}),
    "a human by another name": ({}, "species", "NCBITaxon:9606", {"extension": None}),
}


@pytest.mark.parametrize(("header", "column", "cell", "says"), FILLED.values(), ids=FILLED)
def test_the_sheet_fills_what_the_header_leaves_open(
    tmp_path: Path, header: Json, column: str, cell: str, says: Json
) -> None:
    files = {
        "subjects.csv": SUBJECT.format(column, cell),
        "primary/sub-1/a.dcm": image("1.2.1", **{**HEADER, **header}),
    }
    patient = only(made(tmp_path, files), "Patient")
    assert {name: patient.get(name) for name in says} == says


UNSAID = {  # header, columns, cells -> the cells that say what no header says
    "sex and birth": ({}, "sex,date of birth", "female,1978-03-15", ["B2", "C2"]),
    "what the header says": ({"PatientSex": "F"}, "sex", "female", []),
    "what the header says otherwise": ({"PatientSex": "M"}, "sex", "female", []),
    "nothing": ({}, "sex", "", []),
    "what is no sex": ({}, "sex", "f?", []),
    "an animal": ({}, "species,strain", "Mus musculus,B6", ["B2", "C2"]),
    "a breed beside the header's species": (
        {"PatientSpeciesDescription": "Mus musculus"},
        "strain",
        "B6",
        ["B2"],
    ),
    "a human": ({}, "species", "Homo sapiens", []),
}


@pytest.mark.parametrize(("header", "columns", "cells", "unsaid"), UNSAID.values(), ids=UNSAID)
def test_cells_that_alone_say_something_of_a_patient_are_known(
    tmp_path: Path, header: Json, columns: str, cells: str, unsaid: list[str]
) -> None:
    """Once for each patient, and not of one who has no images: no archive takes that Patient over."""
    files = {
        "subjects.csv": SUBJECT.format(columns, cells) + "sub-2\n",
        "primary/sub-1/a.dcm": image("1.2.1", **{**HEADER, **header}),
        "primary/sub-1/b.dcm": image("1.2.2", **{**HEADER, **header}),
    }
    dataset(tmp_path, files)
    filled = [str(one) for part in planned(read(tmp_path)) for one in part.filled]
    assert filled == [f"subjects.csv {one}" for one in unsaid]


SPECIES = {  # header, columns, cells -> species, breed
    "a mouse": ({}, "species", "Mus musculus", ("447612001", "Mus musculus"), None),
    "in other letters": ({}, "species", "mus_musculus", ("447612001", "mus_musculus"), None),
    "without a code": ({}, "species", "Sus scrofa domesticus", (None, "Sus scrofa domesticus"), None),
    "with a strain": (
        {},
        "species,strain,RRID for strain",
        "Rattus norvegicus,SD,RRID:RGD_70508",
        ("371565004", "Rattus norvegicus"),
        ("RRID:RGD_70508", "SD"),
    ),
    "a strain alone": ({}, "strain", "SD", (None, "unknown"), (None, "SD")),
    "no RRID": (
        {},
        "species,strain,RRID for strain",
        "Mus musculus,B6,see text",
        ("447612001", "Mus musculus"),
        (None, "B6"),
    ),
    "the header's counts": (
        {"PatientSpeciesDescription": "Sus scrofa"},
        "species",
        "Mus musculus",
        (None, "Sus scrofa"),
        None,
    ),
    "a breed beside the header's species": (
        {"PatientSpeciesDescription": "Sus scrofa"},
        "species,strain",
        "Sus scrofa,Yucatan",
        (None, "Sus scrofa"),
        (None, "Yucatan"),
    ),
}


@pytest.mark.parametrize(("header", "columns", "cells", "species", "breed"), SPECIES.values(), ids=SPECIES)
def test_an_animal_is_one(tmp_path: Path, header: Json, columns: str, cells: str, species: Any, breed: Any) -> None:
    files = {"subjects.csv": SUBJECT.format(columns, cells), "primary/sub-1/a.dcm": image("1.2.1", **header)}
    patient = only(made(tmp_path, files), "Patient")
    (animal,) = patient["extension"]
    assert animal["url"] == systems.PATIENT_ANIMAL
    parts = {part["url"]: coded(part["valueCodeableConcept"]) for part in animal["extension"]}
    assert (parts["species"], parts.get("breed")) == (species, breed)


def coded(concept: Json) -> tuple[str | None, str]:
    return next((one["code"] for one in concept.get("coding", ())), None), concept["text"]


def test_a_subject_without_images_has_a_patient_of_its_own(tmp_path: Path) -> None:
    found = made(tmp_path, {"subjects.csv": "subject id,sex\nsub-1,F\npop-sub-all,\n"})
    patient, subject = only(found, "Patient"), only(found, "ResearchSubject")
    assert patient["gender"] == "female"
    assert patient["identifier"] == subject["identifier"]
    assert patient["identifier"][0]["value"] == "sub-1"
    assert subject["individual"] == {"reference": f"Patient/{patient['id']}"}


def test_subjects_that_are_alike_are_a_group_and_so_is_a_pool(tmp_path: Path) -> None:
    sheet = (
        "subject id,subject experimental group,species,strain,pool id\n"
        "sub-1,control,Mus musculus,B6,pool-1\nsub-2,control,Mus musculus,B6,\nsub-3,drug,Mus musculus,B6,pool-1\n"
        "sub-4,,Homo sapiens,,\nsub-5,,,,\n"
    )
    found = made(tmp_path, {"subjects.csv": sheet})
    ids = {one["individual"]["reference"]: one["identifier"][0]["value"] for one in found["ResearchSubject"]}
    groups = {
        (one.get("name"), one["type"]): sorted(ids[m["entity"]["reference"]] for m in one["member"])
        for one in found["Group"]
    }
    assert groups == {
        ("control", "animal"): ["sub-1", "sub-2"],
        ("drug", "animal"): ["sub-3"],
        ("Homo sapiens", "person"): ["sub-4"],
        (None, "person"): ["sub-5"],
        ("pool-1", "animal"): ["sub-1", "sub-3"],
    }
    assert all(one["actual"] is True and one["quantity"] == len(one["member"]) for one in found["Group"])
    study = only(found, "ResearchStudy")
    assert study["arm"] == [{"name": "control"}, {"name": "drug"}]
    assert len(study["enrollment"]) == len(found["Group"])


def test_a_subject_that_only_a_folder_names_is_one_too(tmp_path: Path) -> None:
    found = made(tmp_path, {"primary/sub-Aniyah-breast-1/a.dcm": image("1.2.1")})
    subject, patient = only(found, "ResearchSubject"), only(found, "Patient")
    assert subject["identifier"][0]["value"] == "sub-Aniyah-breast-1"
    assert subject["individual"] == {"reference": f"Patient/{patient['id']}"}


# -- where in the body ----------------------------------------------------------------------------------------------

PLACES = {  # header, sample's place, organ systems -> code, display
    "the header": ({"BodyPartExamined": "BREAST"}, "heart", "brain", ("76752008", "Breast")),
    "the sample": ({}, "Heart", "brain", ("80891009", "Heart")),
    "the sample, a defined term": ({}, "LVENTRICLE", "brain", None),
    "the organ system": ({}, "", "heart", ("80891009", "Heart")),
    "words of a sample before a wider code": ({}, "somewhere behind", "heart", (None, "somewhere behind")),
    "the header's code before words": (
        {"BodyPartExamined": "BREAST"},
        "somewhere behind",
        "heart",
        ("76752008", "Breast"),
    ),
    "a sample that says nothing": ({}, "unknown", "heart", ("80891009", "Heart")),
    "words": ({}, "somewhere behind", "", (None, "somewhere behind")),
    "the header's words": ({"BodyPartExamined": "FLIPPER"}, "", "", (None, "FLIPPER")),
    "several organ systems say nothing of one series": ({}, "", "heart,brain", None),
    "nothing": ({}, "", "", None),
}


@pytest.mark.parametrize(("header", "place", "organs", "site"), PLACES.values(), ids=PLACES)
def test_a_series_was_taken_where_its_header_says_else_its_sample_else_the_dataset(
    tmp_path: Path, header: Json, place: str, organs: str, site: tuple[str | None, str] | None
) -> None:
    files = {
        "dataset_description.csv": DESCRIPTION.format(version="3.0.2").replace("Value", "Value,Value 2", 1)
        + f"Study organ system,{organs}\n",
        "subjects.csv": "subject id\nsub-1\n",
        "samples.csv": f"sample id,subject id,sample anatomical location\nsam-1,sub-1,{place}\n",
        "primary/sub-1/sam-1/a.dcm": image("1.2.1", **header),
    }
    (series,) = only(made(tmp_path, files), "ImagingStudy")["series"]
    found = series.get("bodySite")
    if site is None and place == "LVENTRICLE":
        assert found["display"] == "Left ventricle"
        return
    assert (found and (found.get("code"), found["display"])) == site


@pytest.mark.parametrize(
    ("header", "cell", "code"),
    [
        ("L", "right", "7771000"),
        (None, "right", "24028007"),
        (None, "Left", "7771000"),
        (None, "both", "51440002"),
        (None, "dorsal", None),
        (None, "", None),
    ],
)
def test_a_side_is_the_headers_else_the_samples(
    tmp_path: Path, header: str | None, cell: str, code: str | None
) -> None:
    files = {
        "subjects.csv": "subject id\nsub-1\n",
        "samples.csv": f"sample id,subject id,laterality\nsam-1,sub-1,{cell}\n",
        "primary/sub-1/sam-1/a.dcm": image("1.2.1", Laterality=header),
    }
    (series,) = only(made(tmp_path, files), "ImagingStudy")["series"]
    assert series.get("laterality", {}).get("code") == code


# -- the dataset itself ---------------------------------------------------------------------------------------------


def test_the_study_says_who_made_it_under_which_licence_and_from_what(tmp_path: Path) -> None:
    description = (
        "Metadata element,Value,Value 2,Value 3\nMetadata version,3.0.2\nTitle,A title\nDescription,What it is\n"
        "License,CC-BY-4.0\nKeywords,breast; MRI,heart\nStudy purpose,To know\n"
        'Contributor name,"Doe, Jane Ann",A Laboratory,"Roe, Richard"\n'
        "Contributor ORCiD,0000-0002-1825-0097,,0000-0002-1825-0098\n"
        "Contributor role,PrincipalInvestigator | CorrespondingAuthor,,DataCollector\n"
        "Identifier,https://doi.org/10.5555/X,10.5555/paper,see the shelf\nIdentifier type,DOI,DOI,\n"
        "Relation type,HasMetadata,IsDescribedBy,\nIdentifier description,DOI for this dataset,The paper,\n"
    )
    found = made(tmp_path, {"dataset_description.csv": description})
    study, person = only(found, "ResearchStudy"), only(found, "Practitioner")
    assert (study["title"], study["description"], study["status"]) == ("A title", "What it is", "active")
    assert study["objective"] == [{"name": "To know"}]
    assert [one["text"] for one in study["keyword"]] == ["breast", "MRI", "heart"]
    assert identifiers(study, systems.URI) == ["https://doi.org/10.5555/X"]
    assert person["identifier"] == [{"system": systems.ORCID, "value": "0000-0002-1825-0097"}]
    assert person["name"] == [{"text": "Doe, Jane Ann", "family": "Doe", "given": ["Jane", "Ann"]}]
    jane = {"reference": f"Practitioner/{person['id']}", "display": "Doe, Jane Ann"}
    assert study["principalInvestigator"] == jane
    parties = [
        (
            *(part.get("valueString") or part["valueCodeableConcept"]["text"] for part in one["extension"][:2]),
            one["extension"][2]["valueReference"],
        )
        for one in study["extension"]
    ]
    assert parties == [
        ("Doe, Jane Ann", "PrincipalInvestigator", jane),
        ("Doe, Jane Ann", "CorrespondingAuthor", jane),
        ("A Laboratory", "Contributor", {"display": "A Laboratory"}),
        ("Roe, Richard", "DataCollector", {"display": "Roe, Richard"}),
    ]
    assert study["relatedArtifact"] == [
        {"type": "documentation", "label": "License", "display": "CC-BY-4.0"},
        {
            "type": "documentation",
            "label": "IsDescribedBy",
            "display": "The paper",
            "url": "https://doi.org/10.5555/paper",
        },
        {"type": "citation", "citation": "see the shelf"},
    ]


def test_what_is_dropped_of_a_sheet_is_told_by_its_cells_and_without_a_value(tmp_path: Path) -> None:
    files = {"subjects.csv": "subject id,sex,date of birth\nsub-1,SECRET,SECRET\n"}
    made(tmp_path, files)
    problems = [problem for part in planned(read(tmp_path)) for problem in part.problems]
    assert [(one.element, one.attribute) for one in problems] == [
        ("Patient.gender", "subjects.csv B2: sex"),
        ("Patient.birthDate", "subjects.csv C2: date of birth"),
    ]
    assert "SECRET" not in str(problems)
