"""Columns by their names: everything that the templates have, and the ways in which people write it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.records.sds.columns import FURTHER_VALUE, TEMPLATES, UNREAD, known_headers, known_names, name_key

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
