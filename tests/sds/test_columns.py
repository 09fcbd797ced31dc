"""Columns by their names: everything that the templates have, and the ways in which people write it."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.records.sds.columns import FURTHER_VALUE, TEMPLATES, UNREAD, known_headers, known_names, name_key, near
from mapper.records.sds.description import Description
from mapper.records.sds.finding import Findings
from mapper.records.sds.row import Sample, Subject
from mapper.sources.sds.elements import read_elements
from mapper.sources.sds.table import read_table

LINE = re.compile(r"- \*\*(\w+)\.xlsx\*\* \(sheet `[^`]+`\): (.+)|  - (elements): (.+)")


def templates() -> list[tuple[str, str, str, bool]]:
    """Return (version, sheet, column, whether it is an element) of every name in the templates' own list."""
    found = []
    version = sheet = ""
    for line in (Path(__file__).parent / "columns.md").read_text().splitlines():
        if line.startswith("## Template "):
            version = line.removeprefix("## Template ")
        elif match := LINE.fullmatch(line):
            sheet = match[1] or sheet
            names = (match[2] or match[4]).split(" | ")
            found += [(version, sheet, name, bool(match[3])) for name in names]
    return found


def test_the_list_is_read_whole() -> None:
    assert len(templates()) == 283
    assert {version for version, *_ in templates()} == {"2.1.0", "3.0.2"}
    assert {sheet for _, sheet, *_ in templates()} == {*TEMPLATES, *UNREAD}


def test_every_column_of_both_templates_is_known() -> None:
    for _, sheet, name, element in templates():
        key = name_key(name)
        if sheet in UNREAD:
            assert key in set(map(name_key, UNREAD[sheet])) or FURTHER_VALUE.fullmatch(key), name
        elif element:
            assert known_names(sheet)[key] in TEMPLATES[sheet].elements, name
        elif TEMPLATES[sheet].elements:
            assert key in known_headers(sheet) or FURTHER_VALUE.fullmatch(key), name
        else:
            assert key in known_names(sheet)


def test_the_template_s_name_is_ours_but_for_its_case() -> None:
    """What a mapping asks for is what stands in the template, to the letter."""
    for _, sheet, name, element in templates():
        if sheet in UNREAD or FURTHER_VALUE.fullmatch(name_key(name)) or name == "more …":
            continue
        ours = TEMPLATES[sheet].elements if element else TEMPLATES[sheet].columns
        assert name in ours or name == "Metadata Version"


WAYS = {  # ways to write one column -> the column
    "subject id": "subject id",
    "Subject ID": "subject id",
    "SUBJECT_ID": "subject id",
    "subject-id": "subject id",
    "subjectId": "subject id",
    " subject  id ": "subject id",
    "subject\u00a0id": "subject id",
    "subject\nid": "subject id",
    "\ufeffsubject id": "subject id",
    "ｓｕｂｊｅｃｔ id": "subject id",
    "age range (min)": "age range (min)",
    "age_range_min": "age range (min)",
    "Age Range: Min.": "age range (min)",
    "rrid_for_strain": "RRID for strain",
    "protocol_url_or_doi": "protocol url or doi",
    "subject": "",
    "id": "",
    "subject id 2": "",
    "": "",
    "-": "",
}


@pytest.mark.parametrize(("written", "column"), WAYS.items())
def test_a_column_is_found_however_it_is_written(written: str, column: str) -> None:
    assert known_names("subjects").get(name_key(written), "") == column


def test_no_two_columns_of_a_sheet_have_one_key() -> None:
    for template in TEMPLATES.values():
        for names in (template.columns, template.elements):
            assert len(set(map(name_key, names))) == len(names)


@given(st.text(max_size=30))
def test_a_key_is_its_own_key(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)


NEAR = {  # sheet, a header -> the template's name that it may mean
    ("subjects", "gender"): "sex",
    ("subjects", "Gender"): "sex",
    ("subjects", "date_of_brith"): "date of birth",
    ("subjects", "DOB"): "date of birth",
    ("subjects", "subject experimental groups"): "subject experimental group",
    ("subjects", "specis"): "species",
    ("subjects", "laterality"): "",
    ("subjects", "shoe size"): "",
    ("subjects", "SECRET^ANNA"): "",
    ("subjects", ""): "",
    ("subjects", "a" * 40_000): "",
    ("samples", "body part"): "sample anatomical location",
    ("samples", "side"): "laterality",
    ("samples", "sample anatomical locaton"): "sample anatomical location",
    ("samples", "gender"): "",
    ("manifest", "file name"): "filename",
    ("dataset_description", "Titel"): "Title",
    ("dataset_description", "Licence"): "License",
    ("submission", "Milestone"): "",
}


@pytest.mark.parametrize(("header", "name"), NEAR.items())
def test_a_header_that_no_template_has_is_told_with_the_one_it_may_mean(header: tuple[str, str], name: str) -> None:
    assert near(*header) == name


OLD = {  # names of the template 1.2.3 -> those that are meant
    "subjects": {"experimental_group": "subject experimental group", "subject_id": "subject id"},
    "samples": {
        "experimental group": "sample experimental group",
        "specimen type": "sample type",
        "specimen_anatomical_location": "sample anatomical location",
        "anatomical_location": "sample anatomical location",
        "wasDerivedFromSample": "was derived from",
        "sample_id": "sample id",
    },
}
SAME = {"subject_id", "sample_id"}
"""Spelled otherwise, and the same name all the same."""


@pytest.mark.parametrize(("stem", "header", "name"), [(s, h, n) for s, names in OLD.items() for h, n in names.items()])
def test_a_name_of_another_version_is_read_as_what_it_is_and_told_once(
    tmp_path: Path, stem: str, header: str, name: str
) -> None:
    path = tmp_path / f"{stem}.csv"
    kind, id = {"subjects": (Subject, "subject id"), "samples": (Sample, "sample id")}[stem]
    columns = (header,) if name == id else (id, header)
    path.write_text("\n".join(",".join(f"{one}-{row}" if row else one for one in columns) for row in range(3)))
    findings = Findings()
    rows = read_table(kind, path, path.name, findings)
    assert [row[name] for row in rows] == [f"{header}-1", f"{header}-2"]
    told = [(one.code, one.near) for one in findings]
    assert told == ([] if header in SAME else [("old-column", name)])


def test_the_template_s_own_name_wins_over_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    path.write_text("sample id,specimen type,sample type\nsam-1,old,new\n")
    findings = Findings()
    (row,) = read_table(Sample, path, path.name, findings)
    assert row["sample type"] == "new"
    assert [one.code for one in findings] == ["second-column"]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_of_many_unknown_names_the_first_are_told_with_what_they_may_mean(tmp_path: Path, form: str) -> None:
    """Whoever sends very many has them counted: likeness is not sought for each."""
    names = [f"Titel{'x' * (number % 2)}{number}" for number in range(20_000)]
    path = tmp_path / f"dataset_description.{form}"
    rows = "\n".join(f"{name},x" for name in ("Titel", *names))
    path.write_text(
        f"Metadata element,Value\n{rows}\n" if form == "csv" else json.dumps(dict.fromkeys(("Titel", *names), "x"))
    )
    findings = Findings()
    read_elements(Description, "dataset_description", path, path.name, findings)
    found = list(findings)
    assert sum(1 + one.more for one in found) == 20_001
    assert found[0].near == "Title"
    assert len(found) == Findings.KEPT
