"""dataset_description and submission: elements, values side by side, and what belongs together."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.records.sds.description import (
    Contributor,
    Description,
    Elements,
    Funding,
    RelatedIdentifier,
    Standard,
    is_orcid,
)
from mapper.records.sds.finding import Findings
from mapper.sources.sds.elements import read_elements
from tests.sds.written import Grid, delimited, places, xlsx

HEADER = ("Metadata element", "Description", "Example", "Value", "Value 2", "Value 3")


def described(path: Path) -> tuple[Description, dict[str, list[str]]]:
    findings = Findings()
    return read_elements(Description, "dataset_description", path, path.name, findings), places(findings)


def sheet(
    tmp_path: Path, *rows: tuple[Any, ...], header: tuple[Any, ...] = HEADER
) -> tuple[Description, dict[str, list[str]]]:
    return described(xlsx(tmp_path / "d.xlsx", [header, *rows]))


VALUES: dict[str, tuple[tuple[Any, ...], tuple[str, ...], dict[str, list[str]]]] = {
    # a row of keywords, what they are, what is found
    "one": (("Keywords", "words", "heart", "breast"), ("breast",), {}),
    "several": (("Keywords", "words", "heart", "a", "b", "c"), ("a", "b", "c"), {}),
    "with a gap": (("Keywords", "words", "heart", None, "b", None), ("b",), {}),
    "beyond the headers": (("Keywords", "words", "heart", "a", None, "c", "d"), ("a", "c", "d"), {}),
    "none": (("Keywords", "words", "heart"), (), {}),
    "indented": (("    Keywords", None, None, "a"), ("a",), {}),
    "in capitals": (("KEYWORDS", None, None, "a"), ("a",), {}),
    "a number": (("Keywords", None, None, 1.10), ("1.1",), {}),
    "a formula": (("Keywords", None, None, "=A1"), (), {"formula": ["d.xlsx D2"]}),
    "a formula that explains": (("Keywords", "=A1", "=A1", "a"), ("a",), {}),
    "an error": (("Keywords", None, None, "#N/A", "b"), ("b",), {"error-value": ["d.xlsx D2"]}),
}


@pytest.mark.parametrize(("row", "values", "expected"), VALUES.values(), ids=VALUES)
def test_values_side_by_side(
    tmp_path: Path, row: tuple[Any, ...], values: tuple[str, ...], expected: dict[str, list[str]]
) -> None:
    description, found = sheet(tmp_path, row)
    assert description.all("Keywords") == values
    assert description["Keywords"] == next(iter(values), None)
    assert found == expected


def test_an_element_that_no_template_has_cannot_be_asked_for(tmp_path: Path) -> None:
    description, _ = sheet(tmp_path, ("Shoes", None, None, "green"))
    with pytest.raises(KeyError):
        _ = description["Shoes"]


DIRT: dict[str, tuple[list[tuple[Any, ...]], dict[str, tuple[str | None, ...]], dict[str, list[str]]]] = {
    # rows, what is kept beside the elements, what is found
    "an unknown element": (
        [("Shoes", None, None, "green", "red")],
        {"Shoes": ("green", "red")},
        {"unknown-element": ["d.xlsx A2"]},
    ),
    "an unknown element without a value": ([("Shoes",)], {}, {}),
    "an element twice": (
        [("Title", None, None, "first"), ("Title", None, None, "second")],
        {"Title [3]": ("second",)},
        {"second-element": ["d.xlsx A3"]},
    ),
    "an element twice, once empty": ([("Title", None, None, "first"), ("Title",)], {}, {}),
    "a value without an element": ([(None, None, None, "x")], {"[2]": ("x",)}, {"no-element": ["d.xlsx A2"]}),
    "headings": ([("Basic information",), ("Title", None, None, "first"), (None,)], {}, {}),
}


@pytest.mark.parametrize(("rows", "extra", "expected"), DIRT.values(), ids=DIRT)
def test_dirt(
    tmp_path: Path,
    rows: list[tuple[Any, ...]],
    extra: dict[str, tuple[str | None, ...]],
    expected: dict[str, list[str]],
) -> None:
    description, found = sheet(tmp_path, *rows)
    assert (description.extra, found) == (extra, expected)


TOKENS = st.integers(0, 999).map(lambda number: f"t{number}") | st.just("")
LABELS = st.sampled_from(["Title", "title", "Keywords", "Shoes", "shoes", "Basic information", ""])
ABOVE = st.lists(st.sampled_from(["Value", "Value 2", "Value n", "Comments", "Notes", ""]), min_size=3, max_size=5)


@given(header=ABOVE, rows=st.lists(st.tuples(LABELS, st.lists(TOKENS, max_size=6)), max_size=6))
def test_no_value_is_lost(
    tmp_path_factory: pytest.TempPathFactory, header: list[str], rows: list[tuple[str, list[str]]]
) -> None:
    """Whatever the headers and the elements, and however often: each value is an element's or kept beside them."""
    grid = [("Metadata element", "Value", *header), *((label, "", *values) for label, values in rows)]
    description, _ = described(delimited(tmp_path_factory.mktemp("lost") / "d.csv", grid))
    kept = sorted(
        value for one in (description.values, description.extra) for row in one.values() for value in row if value
    )
    assert kept == sorted(value for _, values in rows for value in values if value)


@given(keys=st.lists(st.tuples(LABELS.filter(bool), st.lists(TOKENS, min_size=1, max_size=3) | TOKENS), max_size=6))
def test_no_value_of_json_is_lost(
    tmp_path_factory: pytest.TempPathFactory, keys: list[tuple[str, list[str] | str]]
) -> None:
    path = tmp_path_factory.mktemp("lost") / "d.json"
    path.write_text("{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in keys) + "}")
    description, _ = described(path)
    kept = sorted(
        value for one in (description.values, description.extra) for row in one.values() for value in row if value
    )
    meant = (value for _, values in keys for value in ([values] if isinstance(values, str) else values))
    assert kept == sorted(filter(None, meant))


HEADERS: dict[str, tuple[tuple[Any, ...], dict[str, list[str]], tuple[str, ...]]] = {
    # header of a row of Title, b, c, d; what is found; the title's values
    "of the template": (("Metadata element", "Description", "Example", "Value"), {}, ("d",)),
    "values at once": (("Metadata element", "Value"), {}, ("b", "c", "d")),
    "values with numbers": (("Metadata element", "Value", "Value 2", "Value 3"), {}, ("b", "c", "d")),
    "value n": (("metadata_element", "value", "Value n", "Extend as needed"), {}, ("b", "c", "d")),
    "values by one name": (("Metadata element", "Value", "Value", "Value"), {}, ("b", "c", "d")),
    "no example": (("Metadata element", "Description", "Value", "Value 2"), {}, ("c", "d")),
    "another column": (
        ("Metadata element", "Value", "Comments", "Value 2"),
        {"unknown-column": ["d.xlsx C1"]},
        ("b", "d"),
    ),
    "no values": (("Metadata element", "Description", "Example", "Wert"), {"no-header": ["d.xlsx row 1"]}, ()),
    "no elements": (("Element", "Value"), {"no-header": ["d.xlsx"]}, ()),
}


@pytest.mark.parametrize(("header", "expected", "values"), HEADERS.values(), ids=HEADERS)
def test_headers(
    tmp_path: Path, header: tuple[Any, ...], expected: dict[str, list[str]], values: tuple[str, ...]
) -> None:
    description, found = sheet(tmp_path, ("Title", "b", "c", "d"), header=header)
    assert (description.all("Title"), found) == (values, expected)


def test_what_stands_in_another_column_is_kept(tmp_path: Path) -> None:
    description, _ = sheet(tmp_path, ("Title", "b", "c"), header=("Metadata element", "Value", "Comments"))
    assert description.extra == {"Title [Comments]": ("c",)}


PEOPLE: Grid = [
    HEADER,
    ("Contributor name", None, "Last, First", "Example, Eva", None, "Example, Otto"),
    ("Contributor ORCiD", None, None, "https://orcid.org/0000-0002-1825-0097"),
    ("Contributor role", None, "DataCollector", "PrincipalInvestigator", "CorrespondingAuthor", "DataCollector; Other"),
    ("Contributor affiliation", None, None, None, None, "Example Hospital"),
]
RELATED: Grid = [
    HEADER,
    ("Identifier description", None, None, "DOI for this dataset", "Protocol for dataset", "Paper for dataset"),
    ("Relation type", None, None, "HasMetadata", "HasProtocol", "IsDescribedBy"),
    ("Identifier", None, "https://doi.org/10.13003/5jchdy", "10.5555/data", None, "10.5555/paper"),
    ("Identifier type", None, None, "DOI", "DOI", "DOI"),
]


def test_contributors_have_names(tmp_path: Path) -> None:
    """The template brings roles for people who are not there yet."""
    description, found = described(xlsx(tmp_path / "d.xlsx", PEOPLE))
    assert description.contributors == (
        Contributor("Example, Eva", "https://orcid.org/0000-0002-1825-0097", None, ("PrincipalInvestigator",)),
        Contributor("Example, Otto", None, "Example Hospital", ("DataCollector", "Other")),
    )
    assert [str(one.where) for one in description.contributors] == ["d.xlsx D2", "d.xlsx F2"]
    assert found == {}


def test_related_identifiers_have_identifiers(tmp_path: Path) -> None:
    description, _ = described(xlsx(tmp_path / "d.xlsx", RELATED))
    assert description.related_identifiers == (
        RelatedIdentifier("10.5555/data", "DOI", "HasMetadata", "DOI for this dataset"),
        RelatedIdentifier("10.5555/paper", "DOI", "IsDescribedBy", "Paper for dataset"),
    )
    assert description.doi == "10.5555/data"


DOIS: dict[str, tuple[tuple[str | None, ...], str | None]] = {
    # description, relation, identifier, type; the dataset's own DOI
    "its own": (("DOI for this dataset", "HasMetadata", "10.5555/x", "DOI"), "10.5555/x"),
    "in other letters": (("doi for this Dataset.", "hasMetadata", "10.5555/x", "doi"), "10.5555/x"),
    "of a paper": (("Paper for dataset", "IsDescribedBy", "10.5555/x", "DOI"), None),
    "of metadata elsewhere": (("Another dataset", "HasMetadata", "10.5555/x", "DOI"), None),
    "no DOI": (("DOI for this dataset", "HasMetadata", "https://example.org", "URL"), None),
    "none yet": (("DOI for this dataset", "HasMetadata", None, "DOI"), None),
}


@pytest.mark.parametrize(("row", "doi"), DOIS.values(), ids=DOIS)
def test_the_dataset_s_own_doi(tmp_path: Path, row: tuple[str | None, ...], doi: str | None) -> None:
    names = ("Identifier description", "Relation type", "Identifier", "Identifier type")
    description, _ = sheet(tmp_path, *((name, None, None, value) for name, value in zip(names, row, strict=True)))
    assert description.doi == doi


def test_funding_and_standards_of_sds_3(tmp_path: Path) -> None:
    description, _ = sheet(
        tmp_path,
        ("Data standard", None, None, "SPARC", "BIDS", None),
        ("Data standard version", None, None, "2025.05.01", None, "1.0"),
        ("Funding", None, None, "free text"),
        ("Funding consortium", None, None, "SPARC"),
        ("Award number", None, None, "OT2OD025349", "U01"),
    )
    assert description.standards == (Standard("SPARC", "2025.05.01"), Standard("BIDS", None))
    assert description.funding == (Funding("SPARC", None, "OT2OD025349"), Funding(None, None, "U01"))
    assert description["Funding"] == "free text"


JSONS: dict[str, tuple[str, dict[str, Any], dict[str, list[str]]]] = {
    "flat": (
        '{"metadata_version": "3.0.2", "keywords": ["a", "b"]}',
        {"Metadata version": "3.0.2", "Keywords": "a"},
        {},
    ),
    "the curators' names": (
        '{"template_schema_version": "2.1.0", "dataset_type": "experimental", "funding_freetext": ["x"]}',
        {"Metadata version": "2.1.0", "Type": "experimental", "Funding": "x"},
        {},
    ),
    "groups": (
        '{"study": {"study_purpose": "to test", "study_organ_system": ["heart"]}}',
        {"Study purpose": "to test", "Study organ system": "heart"},
        {},
    ),
    "elements as rows": (
        '[{"metadata_element": "Title", "value": "first"}]',
        {"Title": "first"},
        {},
    ),
    "a number": ('{"number_of_subjects": 2}', {"Number of subjects": "2"}, {}),
    "unknown": ('{"shoes": "green"}', {}, {"unknown-element": ["d.json #1"]}),
    "twice": ('{"title": "first", "Title": "second"}', {"Title": "first"}, {"second-element": ["d.json #2 Title"]}),
    "nothing": ("{}", {}, {}),
    "no JSON": ("{", {}, {"no-json": ["d.json"]}),
    "no object": ("1", {}, {"no-json": ["d.json"]}),
    "too deep": ('{"a":' * 100_000, {}, {"no-json": ["d.json"]}),
}


@pytest.mark.parametrize(("text", "values", "expected"), JSONS.values(), ids=JSONS)
def test_json(tmp_path: Path, text: str, values: dict[str, Any], expected: dict[str, list[str]]) -> None:
    (tmp_path / "d.json").write_text(text)
    description, found = described(tmp_path / "d.json")
    assert {name: description[name] for name in description.values} == values
    assert found == expected


def test_groups_of_json_are_what_columns_are_in_a_sheet(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(
        '{"contributors": [{"contributor_name": "Example, Eva", "contributor_role": ["Creator", "Other"]},'
        ' {"contributor_role": ["DataCollector"]}, {"contributor_name": "Example, Otto"}],'
        ' "related_identifiers": [{"related_identifier": "10.5555/data", "related_identifier_type": "DOI",'
        ' "relation_type": "HasMetadata", "related_identifier_description": "DOI for this dataset"}],'
        ' "funding": [{"award_number": "U01"}]}'
    )
    description, found = described(tmp_path / "d.json")
    assert description.contributors == (
        Contributor("Example, Eva", roles=("Creator", "Other")),
        Contributor("Example, Otto"),
    )
    assert description.doi == "10.5555/data"
    assert description.funding == (Funding(None, None, "U01"),)
    assert found == {}


def test_submission(tmp_path: Path) -> None:
    """What stands under `Definition` is the template's; SDS 2.0 had another name for the award."""
    path = delimited(
        tmp_path / "submission.csv",
        [
            ("Submission Item", "Definition", "Value"),
            ("SPARC award number", "Grant number", "OT2"),
            ("Milestone achieved", "From milestones", ""),
        ],
    )
    findings = Findings()
    submission = read_elements(Elements, "submission", path, "submission.csv", findings)
    assert (submission["Award number"], submission["Milestone achieved"]) == ("OT2", None)
    assert places(findings) == {}


ORCIDS = {
    "0000-0002-1825-0097": True,
    "https://orcid.org/0000-0002-1825-0097": True,
    "http://orcid.org/0000-0002-1825-0097": True,
    "ORCID:0000-0002-1694-233X": True,
    " 0000-0002-1694-233x ": True,
    "0000-0002-1825-0098": False,
    "0000-0002-1694-2330": False,
    "0000000218250097": False,
    "0000-0002-1825-009": False,
    "https://example.org/0000-0002-1825-0097": False,
    "٠٠٠٠-0002-1825-0097": False,
    "": False,
    "n/a": False,
}


@pytest.mark.parametrize(("text", "good"), ORCIDS.items())
def test_an_orcid_has_a_check_digit(text: str, good: bool) -> None:
    assert is_orcid(text) == good
