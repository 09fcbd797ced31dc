"""Everything that `check` says: for each finding datasets that have it, and their neighbours that do not."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mapper.records.sds.check import check, is_number
from mapper.records.sds.finding import Finding, Where, letters
from mapper.records.sds.sentences import FINDINGS, LEVELS
from tests.sds.folders import DESCRIPTION, Content, dataset, found, image

HERE = Path(__file__).parent
A = "1.2.1"
IMAGE = {"primary/sub-1/a": image(A)}
QUIET = {"no-images", "patient-id", "not-listed", "not-mapped"}
"""Notes that are not what a case is about."""


def subjects(*rows: str, header: str = "subject id") -> Mapping[str, Content]:
    return {"subjects.csv": "\n".join((header, *rows))}


def samples(*rows: str, header: str = "sample id,subject id,was derived from") -> Mapping[str, Content]:
    return {**subjects("sub-1"), "samples.csv": "\n".join((header, *rows))}


def stated(element: str, value: str, version: str = "3.0.2") -> Mapping[str, Content]:
    return {"dataset_description.csv": f"{DESCRIPTION.format(version=version)}{element},{value}\n"}


def versioned(version: str) -> Mapping[str, Content]:
    return {**stated("Subtitle", "x", version), **subjects("sub-1")}


def person(**attributes: Any) -> Mapping[str, Content]:
    return {"primary/sub-1/a": image(A, **attributes)}


COLUMNS = "subject id,sex,age,date of birth,laboratory internal id,species,metadata only"
NAMES = dict.fromkeys(("docs/a (1).md", "docs/a-1_b.c, d.md", "docs/é.md", "docs/ a.md"), "")
CASES: dict[str, tuple[Mapping[str, Content], dict[str, list[str]]]] = {
    "nothing wrong": ({**subjects("sub-1"), **IMAGE}, {}),
    # description
    "no description": (
        {"dataset_description.txt": "", **subjects("sub-1"), **IMAGE},
        {"other-format": ["dataset_description.txt"], "no-description": ["the dataset"]},
    ),
    "no version": (
        {"dataset_description.csv": "Metadata element,Value\nTitle,x\n", **subjects("sub-1"), **IMAGE},
        {"no-version": ["dataset_description.csv"], "no-doi": ["the dataset"]},
    ),
    "version 1": ({**versioned("1.2.3"), **IMAGE}, {"other-version": ["dataset_description.csv B2"]}),
    "version 2": ({**versioned("2.0.0"), **IMAGE}, {}),
    "version 3": ({**versioned("3.1"), **IMAGE}, {}),
    "version 4": ({**versioned("4.0.0"), **IMAGE}, {"other-version": ["dataset_description.csv B2"]}),
    "no version at all": ({**versioned("three"), **IMAGE}, {"other-version": ["dataset_description.csv B2"]}),
    "no title": (
        {"dataset_description.csv": "Metadata element,Value\nMetadata version,3.0.2\n", **IMAGE, **subjects("sub-1")},
        {"no-title": ["the dataset"], "no-doi": ["the dataset"]},
    ),
    "a contributor without a name": (
        {**stated("Contributor ORCiD", "0000-0002-1825-0097"), **IMAGE, **subjects("sub-1")},
        {"no-contributor-name": ["dataset_description.csv"]},
    ),
    "an ORCID iD that is none": (
        {**stated("Contributor name,Eva\nContributor ORCiD", "0000-0002-1825-0098"), **IMAGE, **subjects("sub-1")},
        {"orcid": ["dataset_description.csv B9"]},
    ),
    "a DOI that is called the dataset's": (
        {**stated("Subtitle", "x"), **subjects("sub-1"), **IMAGE}, {},
    ),
    **{
        f"a DOI that is called the dataset's and {said}": (
            {**subjects("sub-1"), **IMAGE,
             "dataset_description.csv": DESCRIPTION.format(version="3.0.2").replace(*other)},
            {"other-doi": ["dataset_description.csv B4"], "no-doi": ["the dataset"]},
        )
        for said, other in {
            "describes it": ("HasMetadata", "IsDescribedBy"),
            "has no relation": ("HasMetadata", ""),
            "is no DOI": ("type,DOI", "type,URL"),
        }.items()
    },
    "a role without a name": ({**stated("Contributor role", "Other"), **IMAGE, **subjects("sub-1")}, {}),
    "no sheet of subjects": (IMAGE, {"no-subjects": ["the dataset"], "unknown-entity": ["primary/sub-1"]}),
    "a sheet without rows": (
        {**subjects(), **IMAGE}, {"no-subjects": ["the dataset"], "unknown-entity": ["primary/sub-1"]},
    ),
    # numbers
    "as many as stated": ({**stated("Number of subjects", "1"), **subjects("sub-1"), **IMAGE}, {}),
    "as many as stated, as a float": ({**stated("Number of subjects", "1.0"), **subjects("sub-1"), **IMAGE}, {}),
    "fewer than stated": (
        {**stated("Number of subjects", "2"), **subjects("sub-1"), **IMAGE},
        {"count-differs": ["dataset_description.csv B8"]},
    ),
    "samples, sites and performances": (
        {**stated("Number of samples,1\nNumber of sites,1\nNumber of performances", "1"), **subjects("sub-1"), **IMAGE},
        {"count-differs": [f"dataset_description.csv B{row}" for row in (8, 9, 10)]},
    ),
    "a population is no subject": (
        {**stated("Number of subjects", "1"), **subjects("sub-1", "pop-sub-1"), **IMAGE}, {},
    ),
    "words for a number": (
        {**stated("Number of subjects", "one"), **subjects("sub-1"), **IMAGE},
        {"no-count": ["dataset_description.csv B8"]},
    ),
    "derived samples": (
        {
            **samples("sam-1,sub-1,,1", "sam-2,,sam-1,0", "sam-3,sub-1,sam-2,", header="sample id,subject id,"
                      "was derived from,number of directly derived samples"),
            **subjects("sub-1,2", header="subject id,number of directly derived samples"),
            **IMAGE,
        },
        {"derived-count-differs": ["samples.csv D3", "subjects.csv B2"]},
    ),
    "derived samples that nobody counted": (
        {**subjects("sub-1,unknown", "sub-2,some", header="subject id,number of directly derived samples"), **IMAGE},
        {"no-count": ["subjects.csv B3"]},
    ),
    # ids
    "ids of every form": (
        {**subjects("sub-1", "1", "subject-2", "sam-3", "pop-sub-4", "sub_5", "Sub-6"), **IMAGE},
        {"id-prefix": [f"subjects.csv A{row}" for row in (3, 4, 5, 7)], "id-case": ["subjects.csv A8"]},
    ),
    "ids with other characters": (
        {**subjects("sub-1", "sub-2_3", "sub-é", "sub-4-", "sub-"), **IMAGE},
        {"id-form": [f"subjects.csv A{row}" for row in (3, 4, 5, 6)]},
    ),
    "an id in two sheets": (
        {**samples("sam-1,sub-1,"), **subjects("sub-1", "sam-1"), **IMAGE},
        {"id-prefix": ["subjects.csv A3"], "id-twice": ["samples.csv A2"]},
    ),
    "a sample of nobody": ({**samples("sam-1,sub-9,"), **IMAGE}, {"unknown-entity": ["samples.csv B2"]}),
    "a sample of a sample that is not there": (
        {**samples("sam-1,sub-1,sam-9"), **IMAGE}, {"unknown-entity": ["samples.csv C2"]},
    ),
    "a sample of one in other letters": ({**samples("sam-1,Sub-1,"), **IMAGE}, {"entity-case": ["samples.csv B2"]}),
    "a manifest about one in other letters": (
        {**subjects("sub-1"), "manifest.csv": "filename,entity\nprimary,SUB-1\n", **IMAGE},
        {"entity-case": ["manifest.csv B2"]},
    ),
    "a sample of no subject": (
        {**samples("sam-1,,", "sam-2,sub-1,", "sam-3,,sam-2"), **IMAGE}, {"no-parent": ["samples.csv B2"]},
    ),
    "a subject whose row is gone": (
        {**samples("sam-1,sub-2,"), "manifest.csv": "filename,entity\nprimary,sam-1\n",
         "primary/sub-2/sam-1/a": image(A)},
        {"unknown-entity": ["primary/sub-2", "samples.csv B2"]},
    ),
    "a folder deep in one that nobody knows": (
        {**subjects("sub-1"), "primary/sub-2/sam-3/deep/a": image(A), "primary/sub-2/sam-4/a": image("1.9")},
        {"unknown-entity": ["primary/sub-2", "primary/sub-2/sam-3", "primary/sub-2/sam-4"]},
    ),
    "an instance in two files": (
        {**subjects("sub-1"), **IMAGE, "primary/sub-1/b": image(A)}, {"same-instance": [f"study {A}"]},
    ),
    "a sample of itself": ({**samples("sam-1,sub-1,sam-1"), **IMAGE}, {"circle": ["samples.csv C2"]}),
    "samples of each other": (
        {**samples("sam-1,,sam-2", "sam-2,,sam-1"), **IMAGE}, {"circle": ["samples.csv C2", "samples.csv C3"]},
    ),
    "a site on nothing": (
        {**subjects("sub-1"), "sites.csv": "site id,specimen id\nsite-1,sub-1\nsite-2,sub-2\n", **IMAGE},
        {"unknown-entity": ["sites.csv B3"]},
    ),
    "a performance of nobody": (
        {**subjects("sub-1"), "performances.csv": "performance id,participants\nperf-1,sub-1 sub-2\n", **IMAGE},
        {"unknown-entity": ["performances.csv B2"]},
    ),
    "a manifest about nobody": (
        {**subjects("sub-1"), "manifest.csv": "filename,entity\ndocs,sub-2\n", "docs/a.md": "", **IMAGE},
        {"unknown-entity": ["manifest.csv B2"]},
    ),
    "a manifest about two": (
        {**subjects("sub-1", "sub-2"), "manifest.csv": "filename,entity\nprimary,sub-1 sub-2\n", **IMAGE},
        {"two-subjects": [f"study {A}"]},
    ),
    # paths
    "paths of every form": (
        {**subjects("sub-1"), **IMAGE, **NAMES},
        {"path-form": ["docs/ a.md", "docs/a (1).md", "docs/é.md"]},
    ),
    "paths of SDS 2": ({**stated("Subtitle", "x", "2.1.0"), **subjects("sub-1"), **IMAGE, "docs/a (1).md": ""}, {}),
    # files
    "other images": (
        {**subjects("sub-1"), **IMAGE, "primary/sub-1/a.nii.gz": "x", "primary/sub-1/b.nrrd": "x"},
        {"image-no-dicom": ["the dataset"]},
    ),
    "no DICOM": (
        {**subjects("sub-1"), "primary/sub-1/b.nrrd": "x"},
        {"no-dicom": ["the dataset"], "image-no-dicom": ["the dataset"]},
    ),
    "no DICOM behind its name": (
        {**subjects("sub-1"), **IMAGE, "primary/sub-1/b.dcm": "x"}, {"not-dicom": ["primary/sub-1/b.dcm"]},
    ),
    "no study": (
        {**subjects("sub-1"), **IMAGE, "primary/sub-1/b": image(A, StudyInstanceUID=None)},
        {"no-study-uid": ["primary/sub-1/b"]},
    ),
    "an empty study UID": (
        {**subjects("sub-1"), **IMAGE, "primary/sub-1/b": image(A, StudyInstanceUID="")}, {"no-study-uid": ["1 files"]},
    ),
    "no series": (
        {**subjects("sub-1"), **IMAGE, "primary/sub-1/b": image("1.9", SeriesInstanceUID=None)},
        {"no-instances": ["study 1.9"]},
    ),
    "two patients": (
        {**subjects("sub-1"), **IMAGE, "primary/sub-1/b": image("1.9", 1, PatientID="1"),
         "primary/sub-1/c": image("1.9", 2, PatientID="2")},
        {"two-patients": ["study 1.9"]},
    ),
    "measurements of another kind": (
        {**subjects("sub-1"), **IMAGE, "measurements.json": "[]"}, {"no-measurements": ["measurements.json"]},
    ),
    # header and sheet
    "the same sex": ({**subjects("sub-1,F", header="subject id,sex"), **person(PatientSex="F")}, {}),
    "the same sex in words": ({**subjects("sub-1,Female", header="subject id,sex"), **person(PatientSex="F")}, {}),
    "another sex": (
        {**subjects("sub-1,male", header="subject id,sex"), **person(PatientSex="F")}, {"sex-differs": [f"study {A}"]},
    ),
    "a sex that is neither": ({**subjects("sub-1,male", header="subject id,sex"), **person(PatientSex="O")}, {}),
    "a sex that nobody knows": ({**subjects("sub-1,unknown", header="subject id,sex"), **person(PatientSex="F")}, {}),
    "no sex in the header": ({**subjects("sub-1,male", header="subject id,sex"), **person()}, {}),
    "the same birth date": (
        {**subjects("sub-1,1978-03-15", header="subject id,date of birth"), **person(PatientBirthDate="19780315")}, {},
    ),
    "another birth date": (
        {**subjects("sub-1,1978-03-16", header="subject id,date of birth"), **person(PatientBirthDate="19780315")},
        {"birth-date-differs": [f"study {A}"]},
    ),
    "half a birth date": (
        {**subjects("sub-1,1979", header="subject id,date of birth"), **person(PatientBirthDate="19780315")}, {},
    ),
    "a birth date that is none": (
        {**subjects("sub-1,1978-03-15", header="subject id,date of birth"), **person(PatientBirthDate="1978")}, {},
    ),
    "the laboratory's id": (
        {**subjects("sub-1,SYN-1", header="subject id,laboratory internal id"), **person(PatientID="SYN-1")}, {},
    ),
    "the whole id": ({**subjects("sub-1"), **person(PatientID="sub-1")}, {}),
    "another's id": ({**subjects("sub-1", "sub-2"), **person(PatientID="2")}, {"other-patient-id": [f"study {A}"]}),
    "another's laboratory id": (
        {**subjects("sub-1,X", "sub-2,Y", header="subject id,laboratory internal id"), **person(PatientID="Y")},
        {"other-patient-id": [f"study {A}"]},
    ),
    "two PatientIDs": (
        {**subjects("sub-1"), **person(PatientID="X"), "primary/sub-1/b": image("1.9", PatientID="Y")},
        {"several-patient-ids": ["subjects.csv A2"]},
    ),
    "another species": (
        {**subjects("sub-1,Mus musculus", header="subject id,species"), **person(PatientSpeciesDescription="Rattus")},
        {"species-differs": [f"study {A}"], "animal": ["subjects.csv B2"]},
    ),
    "a human by two names": (
        {**subjects("sub-1,Homo sapiens", header="subject id,species"), **person(PatientSpeciesDescription="human")},
        {},
    ),
    "a species in the sheet alone": (
        {**subjects("sub-1,Homo sapiens", header="subject id,species"), **person()}, {},
    ),
    "one PatientID of two subjects": (
        {**subjects("sub-1", "sub-2"), **person(PatientID="X"), "primary/sub-2/b": image("1.9", PatientID="X")},
        {"shared-patient-id": ["subjects.csv A3"]},
    ),
    "another side": (
        {**subjects("sub-1"), "samples.csv": "sample id,subject id,laterality\nsam-1,sub-1,right\n",
         "primary/sub-1/sam-1/a": image(A, Laterality="L")},
        {"laterality-differs": [f"study {A}"]},
    ),
    "the same side": (
        {**subjects("sub-1"), "samples.csv": "sample id,subject id,laterality\nsam-1,sub-1,Left\n",
         "primary/sub-1/sam-1/a": image(A, Laterality="L")}, {},
    ),
    "an animal": (
        {**subjects("sub-1,Mus musculus", header="subject id,species"), **IMAGE}, {"animal": ["subjects.csv B2"]},
    ),
    "a human": ({**subjects("sub-1,homo_sapiens", header="subject id,species"), **IMAGE}, {}),
    "a species that nobody knows": ({**subjects("sub-1,n/a", header="subject id,species"), **IMAGE}, {}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize("name", CASES)
def test_what_is_found(tmp_path: Path, name: str) -> None:
    files, expected = CASES[name]
    told = found(dataset(tmp_path, files))
    assert {code: places for code, places in told.items() if code not in QUIET} == expected


NOTES: dict[str, tuple[Mapping[str, Content], dict[str, list[str]]]] = {
    "a subject without images": ({**subjects("sub-1", "sub-2"), **IMAGE}, {"no-images": ["subjects.csv row 3"]}),
    "one that has metadata only": (
        {**subjects("sub-1,", "sub-2,yes", "sub-3,no", header="subject id,metadata only"), **IMAGE},
        {"no-images": ["subjects.csv row 4"]},
    ),
    "a population": ({**subjects("sub-1", "pop-sub-1"), **IMAGE}, {}),
    "a PatientID that no sheet has": (
        {**subjects("sub-1"), **person(PatientID="X")}, {"patient-id": [f"study {A}"]},
    ),
    "a file that no manifest has": (
        {**subjects("sub-1"), **IMAGE, "manifest.csv": "filename\nprimary/sub-1/a\n", "docs/x.md": ""},
        {"not-listed": ["the dataset"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTES)
def test_what_is_noted(tmp_path: Path, name: str) -> None:
    files, expected = NOTES[name]
    told = found(dataset(tmp_path, files))
    assert told == expected


AGES: dict[tuple[str, str], bool] = {
    # the sheet's age, PatientAge -> whether they differ
    ("45 years", "045Y"): False,
    ("45 years old", "045Y"): False,
    ("45y", "045Y"): False,
    ("45.9 years", "045Y"): False,
    ("46 years", "045Y"): False,
    ("47 years", "045Y"): True,
    ("54 years", "045Y"): True,
    ("12 weeks", "012W"): False,
    ("12 weeks", "003M"): False,
    ("12 weeks", "005M"): True,
    ("84 days", "012W"): False,
    ("18 months", "001Y"): False,
    ("18 months", "003Y"): True,
    ("45", "047Y"): False,
    ("45 m", "047Y"): False,
    ("adult", "045Y"): False,
    ("unknown", "045Y"): False,
    ("45 years", "45"): False,
    ("45 years", "045X"): False,
    ("45 years", ""): False,
    ("forty years", "045Y"): False,
    ("45 parsecs", "010Y"): False,
    ("99999 years", "045Y"): True,
}


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(("ages", "differ"), AGES.items())
def test_ages_are_compared_where_both_have_a_unit(tmp_path: Path, ages: tuple[str, str], differ: bool) -> None:
    age, patient_age = ages
    told = found(
        dataset(tmp_path, {**subjects(f"sub-1,{age}", header="subject id,age"), **person(PatientAge=patient_age)})
    )
    assert ("age-differs" in told) == differ


def test_an_unreadable_attribute_is_compared_with_nothing(tmp_path: Path) -> None:
    files = {**subjects("sub-1,male", header="subject id,sex"), **person(PatientSex="F\\M")}
    assert "sex-differs" in found(dataset(tmp_path / "a", files))  # the first value counts
    files = {**subjects("sub-1,male,1 year,1978-03-15", header="subject id,sex,age,date of birth"), **person()}
    assert set(found(dataset(tmp_path / "b", files))) == {"not-mapped"}


NUMBERS = {
    "0": True,
    "12": True,
    "3.0": True,
    "3.": False,
    "3.5": False,
    "-1": False,
    "": False,
    "١": False,
    "1" * 400: False,
}


@pytest.mark.parametrize(("text", "good"), NUMBERS.items())
def test_numbers_of_things(text: str, good: bool) -> None:
    assert is_number(text) == good


def test_the_gravest_comes_first(tmp_path: Path) -> None:
    files = {**subjects("sub-1,Mus musculus", "sub-1,", "sub-2,", header="subject id,species"), "primary/a": image(A)}
    levels = [one.level for one in check(dataset(tmp_path, files))]
    assert levels == sorted(levels, key=LEVELS.index)
    assert set(levels) == set(LEVELS)


def test_every_finding_has_a_case() -> None:
    """Each code stands in some table of these tests, as one that is found."""
    tests = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    missing = [code for code in FINDINGS if f'"{code}"' not in tests]
    assert missing == []


def test_every_code_that_is_raised_is_in_the_table() -> None:
    sources = [*Path("mapper/records/sds").glob("*.py"), *Path("mapper/sources/sds").glob("*.py")]
    root = HERE.parents[1]
    text = "".join((root / path).read_text() for path in sources)
    raised = set(re.findall(r'findings\.add\(\s*"([a-z0-9-]+)"', text))
    assert raised
    assert raised <= set(FINDINGS)


@pytest.mark.parametrize("code", FINDINGS)
def test_a_sentence_says_where_and_what(code: str) -> None:
    said = FINDINGS[code]
    assert said.level in LEVELS
    assert said.text
    assert said.remedy
    assert not said.text.endswith(".")
    assert not said.remedy.endswith(".")
    one = Finding(code, Where("subjects.xlsx", 7, 2), 3, Where("samples.csv", 2))
    assert str(one) == f"subjects.xlsx B7: {one.reason}; {one.remedy}"
    assert "{" not in one.reason
    assert "{other}" not in one.remedy
    assert "None" not in str(one)


WHERES = {
    Where("subjects.xlsx"): "subjects.xlsx",
    Where("subjects.xlsx", 7): "subjects.xlsx row 7",
    Where("subjects.xlsx", 7, 2): "subjects.xlsx B7",
    Where("subjects.xlsx", 0, 2): "subjects.xlsx column B",
    Where("subjects.json", 7, 0, "", True): "subjects.json #7",
    Where("subjects.json", 7, 2, "age", True): "subjects.json #7 age",
    Where("subjects.json", 7, 2, "", True): "subjects.json #7 key 2",
    Where("subjects.json", 0, 2, "", True): "subjects.json key 2",
    Where("a\x1b[31m\n\udce9"): "a\ufffd[31m\ufffd\ufffd",
}


@pytest.mark.parametrize(("where", "text"), WHERES.items())
def test_a_place_in_words(where: Where, text: str) -> None:
    assert str(where) == text


LETTERS = {1: "A", 26: "Z", 27: "AA", 52: "AZ", 702: "ZZ", 703: "AAA", 16384: "XFD", 0: ""}


@pytest.mark.parametrize(("column", "text"), LETTERS.items())
def test_letters_of_a_column(column: int, text: str) -> None:
    assert letters(column) == text
