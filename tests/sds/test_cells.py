"""Each cell that is dropped is told by file and cell before anything is written, and no other one is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mapper.fhir import systems
from mapper.maps.research.checked import CHECKS, READERS
from mapper.maps.research.columns import BESIDE, COMPARED, USED, names
from mapper.maps.research.values import species_codes
from mapper.maps.values.pydicom_codes import cid
from mapper.records.sds.check import check
from mapper.records.sds.columns import TEMPLATES, name_key
from mapper.records.sds.finding import Finding
from mapper.records.sds.sentences import FINDINGS
from mapper.records.sds.species import NAMES
from tests.sds.folders import DESCRIPTION, Content, dataset, found, image
from tests.sds.planned import planned, read, resources

BARE = {"PatientSex": None, "PatientBirthDate": None}
Told = tuple[dict[str, list[str]], dict[str, list[dict[str, Any]]]]


def told(root: Path, files: Mapping[str, Content]) -> Told:
    """Return what the check finds of a dataset, and what it becomes."""
    dataset(root, files)
    held = read(root)
    return found(held), resources(held)


def of_subject(root: Path, column: str, cell: str) -> Told:
    return told(
        root,
        {"subjects.csv": f'subject id,{column}\nsub-1,"{cell}"\n', "primary/sub-1/a.dcm": image("1.2.1", **BARE)},
    )


SEXES = {"female": True, "F": True, "Male": True, " m ": True, "unknown": None, "": None, "n/a": None}
SEXES |= dict.fromkeys(("f.", "fem", "intersex", "f?", "female (presumed)", "O", "1", "weiblich"), False)


@pytest.mark.parametrize(("cell", "known"), SEXES.items())
def test_a_sex_is_in_fhir_or_it_is_told_by_its_cell(tmp_path: Path, cell: str, known: bool | None) -> None:
    findings, made = of_subject(tmp_path, "sex", cell)
    assert findings.get("no-sex", []) == (["subjects.csv B2"] if known is False else [])
    assert ("gender" in made["Patient"][0]) is bool(known)


DATES = {"1978-03-15": True, "1978-03": True, "1978": True, "": None, "unknown": None}
DATES |= dict.fromkeys(
    ("15/03/1978", "1961/02", "about 1978", "21989", "1978-3-15", "1978-02-30", "15.3.1978", "19780315", "0000", "78"),
    False,
)


@pytest.mark.parametrize(("cell", "known"), DATES.items())
def test_a_date_of_birth_is_in_fhir_or_it_is_told_by_its_cell(tmp_path: Path, cell: str, known: bool | None) -> None:
    findings, made = of_subject(tmp_path, "date of birth", cell)
    assert findings.get("no-date", []) == (["subjects.csv B2"] if known is False else [])
    assert ("birthDate" in made["Patient"][0]) is bool(known)


AGES = {"45 years": True, "45 years old": True, "12 weeks": True, "3.5 mo": True, "045Y": True, "": True, "n/a": True}
AGES |= dict.fromkeys(("sixty one", "1978-03-15", "45", "adult", "45 m", "45 parsecs", "45-50 years"), False)


@pytest.mark.parametrize(("cell", "known"), AGES.items())
def test_an_age_that_is_none_is_told_by_its_cell(tmp_path: Path, cell: str, known: bool) -> None:
    findings, _ = of_subject(tmp_path, "age", cell)
    assert findings.get("no-age", []) == ([] if known else ["subjects.csv B2"])


HUMAN, ANIMAL, NONE = "human", "animal", "none"
SPECIES = {  # cell -> what it is, its code in FHIR
    "Homo sapiens": (HUMAN, "337915000"),
    "homo_sapiens": (HUMAN, "337915000"),
    "Homo Sapiens (human)": (HUMAN, "337915000"),
    "Human (Homo sapiens)": (HUMAN, "337915000"),
    "human": (HUMAN, "337915000"),
    "NCBITaxon:9606": (HUMAN, "337915000"),
    "Mus musculus": (ANIMAL, "447612001"),
    "mus musculus": (ANIMAL, "447612001"),
    "NCBITaxon:10090": (ANIMAL, "447612001"),
    "Rattus norvegicus": (ANIMAL, "371565004"),
    "Sus scrofa domesticus": (ANIMAL, None),
    "Homo sapeins": (NONE, None),
    "Homo sapien": (NONE, None),
    "Homo sapiens (mouse)": (NONE, None),
    "Mus musculus (human)": (NONE, None),
    "human and mouse": (NONE, None),
    "Rat": (NONE, None),
    "pig": (NONE, None),
    "NCBITaxon:1": (NONE, None),
    "female": (NONE, None),
    "unknown": (None, None),
    "": (None, None),
}


@pytest.mark.parametrize(("cell", "kind", "code"), [(cell, *what) for cell, what in SPECIES.items()])
def test_a_species_that_is_not_known_makes_no_animal_and_is_told(
    tmp_path: Path, cell: str, kind: str | None, code: str | None
) -> None:
    findings, made = of_subject(tmp_path, "species", cell)
    where = ["subjects.csv B2"]
    assert (findings.get("no-species"), findings.get("animal")) == (
        where if kind == NONE else None,
        where if kind == ANIMAL else None,
    )
    (patient,), (group,) = made["Patient"], made["Group"]
    animals = [one for one in patient.get("extension", ()) if one["url"] == systems.PATIENT_ANIMAL]
    assert bool(animals) is (kind == ANIMAL)
    assert group["type"] == ("animal" if kind == ANIMAL else "person")
    concepts = [one["valueCodeableConcept"] for one in group.get("characteristic", ())]
    if kind is None:
        assert concepts == []
    else:
        assert [one["text"] for one in concepts] == [cell]
        assert [one["code"] for concept in concepts for one in concept.get("coding", ())] == ([code] if code else [])


def test_a_strain_beside_a_word_that_is_no_species_makes_no_animal(tmp_path: Path) -> None:
    files = {"subjects.csv": "subject id,species,strain\nsub-1,Homo sapeins,B6\nsub-2,Mus musculus,B6\nsub-3,,B6\n"}
    findings, made = told(tmp_path, files)
    assert findings["no-species"] == ["subjects.csv B2"]
    assert ["extension" in one for one in made["Patient"]] == [False, True, True]


def test_every_species_of_dicom_is_known_by_its_name() -> None:
    assert set(species_codes()) <= {*NAMES}
    assert {name_key(name) for name in cid(7454, "SCT").values()} <= set(NAMES)


RRIDS = {"RRID:RGD_70508": True, "rrid: RGD_70508": True, "see text": False, "RGD_70508": False, "": True, "n/a": True}


@pytest.mark.parametrize(("cell", "known"), RRIDS.items())
def test_an_rrid_that_is_none_is_told_by_its_cell(tmp_path: Path, cell: str, known: bool) -> None:
    findings, made = of_subject(tmp_path, "species,RRID for strain", f'Mus musculus","{cell}')
    assert findings.get("no-rrid", []) == ([] if known else ["subjects.csv C2"])
    (animal,) = made["Patient"][0]["extension"]
    assert any(part["url"] == "breed" for part in animal["extension"]) is (known and cell not in ("", "n/a"))


def of_sample(root: Path, column: str, cell: str, organ: str = "breast") -> Told:
    description = DESCRIPTION.format(version="3.0.2") + f"Study organ system,{organ}\n"
    return told(
        root,
        {
            "dataset_description.csv": description,
            "subjects.csv": "subject id\nsub-1\n",
            "samples.csv": f"sample id,subject id,{column}\nsam-1,sub-1,{cell}\n",
            "primary/sub-1/sam-1/a.dcm": image("1.2.1"),
        },
    )


PLACES = {  # cell -> its code, whether it is told
    "heart": ("80891009", False),
    "Left ventricle": ("87878005", False),
    "LVENTRICLE": ("87878005", False),
    "": ("76752008", False),
    "unknown": ("76752008", False),
    "brest": (None, True),
    "mammary gland": (None, True),
    "UBERON:0000310": (None, True),
    "https://scicrunch.org/resolve/UBERON:0000948": (None, True),
    "heart and breast": (None, True),
}


@pytest.mark.parametrize(("cell", "code", "is_told"), [(cell, *what) for cell, what in PLACES.items()])
def test_a_place_that_is_not_known_is_told_and_no_wider_one_is_taken(
    tmp_path: Path, cell: str, code: str | None, is_told: bool
) -> None:
    findings, made = of_sample(tmp_path, "sample anatomical location", cell)
    assert findings.get("no-place", []) == (["samples.csv C2"] if is_told else [])
    site = made["ImagingStudy"][0]["series"][0]["bodySite"]
    assert site.get("code") == code
    if is_told:
        assert site == {"display": cell}


def test_an_organ_system_that_is_no_place_is_told(tmp_path: Path) -> None:
    findings, made = of_sample(tmp_path, "sample type", "x", "peripheral system")
    assert findings["no-place"] == ["dataset_description.csv B8"]
    assert made["ImagingStudy"][0]["series"][0]["bodySite"] == {"display": "peripheral system"}


SIDES = {"left": True, "LEFT": True, "r": True, "both": True, "bilateral": True, "": None, "n/a": None}
SIDES |= dict.fromkeys(("LEFT side", "left breast", "left/right", "dorsal", "links"), False)


@pytest.mark.parametrize(("cell", "known"), SIDES.items())
def test_a_side_is_in_fhir_or_it_is_told_by_its_cell(tmp_path: Path, cell: str, known: bool | None) -> None:
    findings, made = of_sample(tmp_path, "laterality", cell)
    assert findings.get("no-side", []) == (["samples.csv C2"] if known is False else [])
    assert ("laterality" in made["ImagingStudy"][0]["series"][0]) is bool(known)


def test_a_side_beside_one_that_nobody_knows_is_none(tmp_path: Path) -> None:
    _, made = told(
        tmp_path,
        {
            "subjects.csv": "subject id\nsub-1\n",
            "samples.csv": "sample id,subject id,laterality\nsam-1,sub-1,left\nsam-2,sub-1,left side\n",
            "manifest.csv": "filename,entity\nprimary/a.dcm,sam-1 sam-2\n",
            "primary/a.dcm": image("1.2.1"),
        },
    )
    assert "laterality" not in made["ImagingStudy"][0]["series"][0]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_same_is_told_of_a_row_without_images_and_of_json(tmp_path: Path, form: str) -> None:
    rows = {
        "csv": {"subjects.csv": "subject id,sex\nsub-1,F\nsub-2,fem\n"},
        "json": {
            "subjects.json": json.dumps([{"subject_id": "sub-1", "sex": "F"}, {"subject_id": "sub-2", "sex": "fem"}])
        },
    }[form]
    findings, _ = told(tmp_path, rows)
    assert findings["no-sex"] == ["subjects.csv B3" if form == "csv" else "subjects.json #2 sex"]


def test_every_reader_reads_a_column_of_the_template() -> None:
    assert [one for one in READERS if one.column not in names(one.sheet)] == []


# -- measurements.json ----------------------------------------------------------------------------------------------

GOOD = {"value": {"valueQuantity": {"value": 1.5}}, "code": "1", "codeSystem": "http://loinc.org", "display": "Size"}
MEASURED = {  # observation -> finding
    "a good one": (GOOD, None),
    "without a value": ({**GOOD, "value": {}}, None),
    "a name alone": ({"value": {"valueString": "x"}, "display": "Size"}, None),
    "a value that is a word": ({**GOOD, "value": {"valueQuantity": {"value": "big"}}}, "no-measured-value"),
    "a value of no kind": ({**GOOD, "value": {"valueSize": 1}}, "no-measured-value"),
    "an empty code": ({"value": {"valueString": "x"}, "code": "", "display": ""}, "no-measured-code"),
    "no code": ({"value": {"valueString": "x"}}, "no-measured-code"),
}


def measured(*patients: tuple[str, list[Any]]) -> str:
    said = [{"uuid": "", "name": name, "observations": observations} for name, observations in patients]
    return json.dumps({"dataset": {"uuid": "", "name": "x"}, "patients": said})


@pytest.mark.parametrize(("one", "code"), MEASURED.values(), ids=MEASURED)
def test_a_measurement_is_in_fhir_or_it_is_told(tmp_path: Path, one: Any, code: str | None) -> None:
    observed = [{"resourceType": "Observation", "uuid": "", **each} for each in (GOOD, one)]
    files = {"subjects.csv": "subject id\nsub-1\n", "measurements.json": measured(("sub-1", observed))}
    findings, made = told(tmp_path, files)
    codes = {name: where for name, where in findings.items() if name.startswith("no-measured")}
    assert codes == ({code: ["measurements.json patient 1 observation 2"]} if code else {})
    assert len(made["Observation"]) == (1 if code else 2)


@pytest.mark.parametrize(
    ("name", "known"),
    [("sub-1", True), ("sub-2", True), ("sub-3", False), ("Sub-1", False), ("1", False), ("pop-sub-1", False)],
)
def test_measurements_of_nobody_are_told(tmp_path: Path, name: str, known: bool) -> None:
    files = {
        "subjects.csv": "subject id\nsub-1\n",
        "primary/sub-2/a.dcm": image("1.2.1"),
        "measurements.json": measured((name, [{"resourceType": "Observation", "uuid": "", **GOOD}]), ("nobody", [])),
    }
    findings, made = told(tmp_path, files)
    assert findings.get("no-measured-subject", []) == ([] if known else ["measurements.json patient 1"])
    assert ("Observation" in made) is known


# -- what goes nowhere ----------------------------------------------------------------------------------------------


def test_the_filled_columns_that_no_map_uses_are_named_by_sheet(tmp_path: Path) -> None:
    files = {
        "dataset_description.csv": DESCRIPTION.format(version="3.0.2")
        + "Contributor name,Eva\nContributor affiliation,Example\nFunding,x\nStudy data collection,x\n",
        "submission.csv": "Submission Item,Definition,Value\nAward number,,OT1\nMilestone achieved,x,\n",
        "subjects.csv": "subject id,age,sex,handedness\nsub-1,45 years,F,\n",
        "samples.csv": "sample id,subject id,sample type\nsam-1,sub-1,MR\n",
        "sites.csv": "site id,specimen id,site type\nsite-1,sub-1,x\n",
        "performances.csv": "performance id,participants\nperf-1,sub-1\n",
        "manifest.csv": "filename,description\nprimary,x\n",
        "primary/sub-1/a.dcm": image("1.2.1"),
    }
    dataset(tmp_path, files)
    notes = {str(one.where): one.listed for one in check(read(tmp_path), CHECKS) if one.code == "not-mapped"}
    assert notes == {
        "dataset_description.csv": ("Funding", "Study data collection", "Contributor affiliation"),
        "submission.csv": ("Award number",),
        "subjects.csv": ("age",),
        "samples.csv": ("sample type",),
        "sites.csv": ("site id", "site type"),
        "performances.csv": ("performance id",),
        "manifest.csv": ("description",),
    }


def test_a_column_of_which_no_cell_is_dropped_is_in_fhir(tmp_path: Path) -> None:
    """What the table says of a column holds: its value, or a code of it, is in what the dataset becomes."""
    files = {
        "subjects.csv": "subject id,subject experimental group,strain,pool id\nsub-1,an arm,a strain,pool-7\n",
        "samples.csv": "sample id,subject id,sample anatomical location\nsam-1,sub-1,a place\n",
        "primary/sub-1/sam-1/a.dcm": image("1.2.1"),
    }
    _, made = told(tmp_path, files)
    for value in ("sub-1", "an arm", "a strain", "pool-7", "a place"):
        assert value in str(made), value


def test_a_list_of_many_is_shown_short_and_told_whole(tmp_path: Path) -> None:
    files = {f"primary/sub-1/{number:02}.txt": "" for number in range(20)}
    dataset(tmp_path, {"subjects.csv": "subject id\nsub-1\n", "manifest.csv": "filename\nsubjects.csv\n", **files})
    (one,) = (one for one in check(read(tmp_path)) if one.code == "not-listed")
    assert isinstance(one, Finding)
    assert one.listed == tuple(sorted(files))
    assert "20 files: primary/sub-1/00.txt, " in str(one)
    assert "primary/sub-1/07.txt and 12 more; " in str(one)
    assert "08.txt" not in str(one)


def test_a_dropped_cell_is_a_problem_with_its_file_and_cell(tmp_path: Path) -> None:
    dataset(tmp_path, {"subjects.csv": "subject id,sex\nsub-1,fem\n", "primary/sub-1/a.dcm": image("1.2.1", **BARE)})
    problems = [(part.study_uid, one) for part in planned(read(tmp_path)) for one in part.problems]
    assert [(uid, one.element, one.attribute) for uid, one in problems] == [
        ("1.2.1", "Patient.gender", "subjects.csv B2: sex")
    ]


# -- the printed page -----------------------------------------------------------------------------------------------


def rows(page: str, width: int) -> list[tuple[str, ...]]:
    """Return the rows of the tables of a page that have so many columns."""
    lines = [line.strip("|").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return [tuple(cell.strip() for cell in line) for line in lines if len(line) == width]


def test_every_finding_and_every_column_stands_on_the_printed_page() -> None:
    page = (Path(__file__).parents[2] / "docs/datasets.md").read_text(encoding="utf-8")
    told = {code.strip("`"): (level, what, remedy) for code, level, what, _, remedy in rows(page, 5)}
    assert set(FINDINGS) <= set(told)
    assert all(all(told[code]) for code in FINDINGS)
    goes = {(sheet, column): where for sheet, column, where in rows(page, 3)}
    assert {(stem, name) for stem in TEMPLATES for name in names(stem)} <= set(goes)
    assert goes["subjects", "sex"] == "`Patient.gender`"
    assert goes["samples", "laterality"] == "`ImagingStudy.series.laterality`"
    assert goes["subjects", "age"] == "not mapped (compared with PatientAge)"
    assert goes["submission", "Award number"] == "not mapped"
    assert {where for (sheet, _), where in goes.items() if sheet == "sites"} == {
        "not mapped",
        "not mapped (whose a file is)",
    }


@pytest.mark.parametrize("element", sorted({one for found in BESIDE.values() for one in found}))
def test_an_element_of_the_table_is_one_of_fhir(element: str) -> None:
    kind, *path = element.split(".")
    assert kind in {"Group", "ImagingStudy", "ResearchStudy"}
    assert path


def test_what_the_table_of_columns_names_is_of_the_template() -> None:
    used = {(stem, name) for stem, found in USED.items() for name in found}
    named = {*BESIDE, *used, *COMPARED}
    assert {(stem, name) for stem, name in named if name not in names(stem)} == set()
    assert used & set(COMPARED) == set()
