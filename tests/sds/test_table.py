"""Rows as records: the same from every format, unknown columns kept, everything wrong told by its cell."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.dicom.characters import clean
from mapper.records.sds.row import ManifestEntry, Performance, Resource, Sample, Site, Subject
from tests.sds.written import WRITERS, Grid, cells, delimited, keyed, read, xlsx

HEADER = ("subject id", "age", "sex", "eye colour")


@pytest.fixture(params=sorted(WRITERS))
def form(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def at(form: str, number: int, column: int, name: str = "") -> str:
    """Return how a cell's place is told in a file of a form: JSON has records, no letters and no header row."""
    if form == "json":
        return f"s.json #{number - 1} {name or f'key {column}'}"
    return f"s.{form} {'ABCDEFGH'[column - 1]}{number}"


def test_a_row_is_a_record(tmp_path: Path, form: str) -> None:
    path = WRITERS[form](
        tmp_path / f"s.{form}", [HEADER, ("sub-1", "45 years", "F", "green"), ("sub-2", None, "M", None)]
    )
    (first, second), found = read(path)
    assert (first.id, first["age"], first["sex"], first["strain"]) == ("sub-1", "45 years", "F", None)
    assert first.extra == {"eye colour": "green"}
    assert (second.id, second["age"], second.extra) == ("sub-2", None, {})
    assert str(first.at("age")) == at(form, 2, 2, "age")
    assert list(found) == ["unknown-column"]


def test_a_column_that_no_template_has_cannot_be_asked_for(tmp_path: Path, form: str) -> None:
    (row,), _ = read(WRITERS[form](tmp_path / f"s.{form}", [HEADER, ("sub-1", "1", "F", "green")]))
    with pytest.raises(KeyError):
        _ = row["eye colour"]
    with pytest.raises(KeyError):
        _ = row["Age"]


DIRT: dict[str, tuple[Grid, list[str], dict[str, tuple[int, int, str]]]] = {
    # a grid, the ids of what is read, and what is found where: row, column, the column's name
    "nothing wrong": ([("subject id",), ("sub-1",)], ["sub-1"], {}),
    "blank rows": (
        [("subject id", "age"), (None, None), ("sub-1", "1"), (" ", "\t"), ("sub-2", "2")],
        ["sub-1", "sub-2"],
        {},
    ),
    "blanks around": ([("subject id",), ("  sub-1\u00a0",), ("\ufeffsub-2",)], ["sub-1", "sub-2"], {}),
    "an id twice": (
        [("subject id", "age"), ("sub-1", "1"), ("sub-1", "2"), ("sub-2", "3")],
        ["sub-1", "sub-2"],
        {"same-id": (3, 1, "subject id")},
    ),
    "no id": ([("subject id", "age"), (None, "1"), ("sub-2", "3")], ["sub-2"], {"no-id": (2, 0, "")}),
    "ids in capitals are others": ([("subject id",), ("sub-1",), ("SUB-1",)], ["sub-1", "SUB-1"], {}),
    "the columns the other way round": ([("age", "subject id"), ("1", "sub-1")], ["sub-1"], {}),
    "the template's explanation": (
        [("subject id", "age"), ("Lab-based schema for identifying each subject, should match", "Age"), ("sub-1", "1")],
        ["sub-1"],
        {"hint": (2, 0, "")},
    ),
    "the template's example": (
        [
            ("subject id", "pool id", "reference atlas", "handedness"),
            ("sub-1", "pool-1", "Paxinos Rat V3", "right"),
            ("sub-2", "pool-1", "Paxinos Rat V3", "right"),
        ],
        ["sub-2"],
        {"hint": (2, 0, "")},
    ),
    "a subject that only has the example's id": (
        [("subject id", "pool id", "reference atlas", "handedness"), ("sub-1", "pool-1", None, "right")],
        ["sub-1"],
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("grid", "ids", "expected"), DIRT.values(), ids=DIRT)
def test_dirt_is_told_by_its_cell(
    tmp_path: Path, form: str, grid: Grid, ids: list[str], expected: dict[str, tuple[int, int, str]]
) -> None:
    rows, found = read(WRITERS[form](tmp_path / f"s.{form}", grid))
    assert [row.id for row in rows] == ids
    where = {}
    for code, (number, column, name) in expected.items():
        place = at(form, number, column, name)
        whole = f"s.json #{number - 1}" if form == "json" else f"s.{form} row {number}"
        where[code] = [place if column else whole]
    assert found == where


HEADERS: dict[str, tuple[tuple[Any, ...], dict[str, str], dict[str, str], dict[str, list[str]]]] = {
    # header of a row of 1, 2, 3; its cells, what is kept beside them, what is found
    "known": (("subject id", "age", "sex"), {"subject id": "1", "age": "2", "sex": "3"}, {}, {}),
    "a column twice": (
        ("subject id", "age", "Age"),
        {"subject id": "1", "age": "2"},
        {"Age [C]": "3"},
        {"second-column": ["s.xlsx C1"]},
    ),
    "an unknown one": (
        ("subject id", "age", "shoes"),
        {"subject id": "1", "age": "2"},
        {"shoes": "3"},
        {"unknown-column": ["s.xlsx C1"]},
    ),
    "an unknown one twice": (
        ("subject id", "shoes", "shoes"),
        {"subject id": "1"},
        {"shoes": "2", "shoes [C]": "3"},
        {"unknown-column": ["s.xlsx B1"], "second-column": ["s.xlsx C1"]},
    ),
    "none": (
        ("subject id", None, "sex"),
        {"subject id": "1", "sex": "3"},
        {"[B]": "2"},
        {"no-column-name": ["s.xlsx B2"]},
    ),
    "a number": (
        ("subject id", 2024, "sex"),
        {"subject id": "1", "sex": "3"},
        {"2024": "2"},
        {"unknown-column": ["s.xlsx B1"]},
    ),
    "the id last": (("age", "sex", "SUBJECT_ID"), {"age": "1", "sex": "2", "subject id": "3"}, {}, {}),
    "the id twice": (
        ("subject id", "Subject_ID", "sex"),
        {"subject id": "1", "sex": "3"},
        {"Subject_ID [B]": "2"},
        {"second-column": ["s.xlsx B1"]},
    ),
}


@pytest.mark.parametrize(("header", "known", "extra", "expected"), HEADERS.values(), ids=HEADERS)
def test_headers(
    tmp_path: Path,
    header: tuple[Any, ...],
    known: dict[str, str],
    extra: dict[str, str],
    expected: dict[str, list[str]],
) -> None:
    (row,), found = read(xlsx(tmp_path / "s.xlsx", [header, (1, 2, 3)]))
    assert (row.cells, row.extra, found) == (known, extra, expected)


ABOVE: dict[str, tuple[Grid, int, dict[str, list[str]]]] = {
    "nothing": ([], 1, {}),
    "a blank row": ([(None,)], 1, {}),
    "a title": ([("Our subjects",)], 1, {"late-header": ["s.xlsx row 2"]}),
    "a title and a blank row": ([("Our subjects",), (None,)], 1, {"late-header": ["s.xlsx row 3"]}),
    "nineteen lines": ([("words",)] * 19, 1, {"late-header": ["s.xlsx row 20"]}),
    "twenty lines": ([("words",)] * 20, 0, {"no-header": ["s.xlsx"]}),
}


@pytest.mark.parametrize(("above", "rows", "expected"), ABOVE.values(), ids=ABOVE)
def test_what_stands_above_the_header(tmp_path: Path, above: Grid, rows: int, expected: dict[str, list[str]]) -> None:
    read_rows, found = read(xlsx(tmp_path / "s.xlsx", [*above, ("subject id",), ("sub-1",)]))
    assert len(read_rows) == rows
    assert found == expected


@pytest.mark.parametrize("grid", [[], [("age", "sex")], [("name",), ("sub-1",)], [(None,), ("1",)]])
def test_a_sheet_without_its_id_is_not_read(tmp_path: Path, form: str, grid: Grid) -> None:
    path = WRITERS[form](tmp_path / f"s.{form}", grid or [()])
    assert read(path) == ((), {"no-header": [f"s.{form}"]})


KINDS = {
    Sample: ("sample id", "sam-1", 1, {"same-id": 1}),
    Site: ("site id", "site-1", 1, {"same-id": 1}),
    Performance: ("performance id", "perf-1", 1, {"same-id": 1}),
    Resource: ("RRID", "RRID:1", 2, {}),
    ManifestEntry: ("filename", "a.dcm", 2, {}),
}


@pytest.mark.parametrize(("kind", "column", "text", "rows", "codes"), [(kind, *rest) for kind, rest in KINDS.items()])
def test_every_kind_of_row_has_its_id(
    tmp_path: Path, form: str, kind: Any, column: str, text: str, rows: int, codes: dict[str, int]
) -> None:
    """A file may stand in two manifests and a resource may be used twice; subjects and samples are there once."""
    read_rows, found = read(WRITERS[form](tmp_path / f"s.{form}", [(column,), (text,), (text,)]), kind)
    assert [row.id for row in read_rows] == [text] * rows
    assert {code: len(places) for code, places in found.items()} == codes


def test_a_resource_needs_no_id(tmp_path: Path, form: str) -> None:
    path = WRITERS[form](
        tmp_path / f"s.{form}", [("RRID", "Name", "Vendor"), (None, None, "Example"), (None, "x", None)]
    )
    rows, found = read(path, Resource)
    assert cells(rows) == [{"Vendor": "Example"}, {"Name": "x"}]
    assert found == {}


MISSING = {
    "45 years": "45 years",
    "0": "0",
    "no": "no",
    "unknown": None,
    "Unknown": None,
    "N/A": None,
    "n/a": None,
    "none": None,
    "not-applicable": None,
    "not available": None,
    "asked-answered-unknown": None,
    "not_asked": None,
    "unknown sex": "unknown sex",
}


@pytest.mark.parametrize(("text", "stated"), MISSING.items())
def test_a_word_for_a_missing_value_is_none(tmp_path: Path, text: str, stated: str | None) -> None:
    (row,), _ = read(delimited(tmp_path / "s.csv", [("subject id", "age"), ("sub-1", text)]))
    assert row.stated("age") == stated
    assert row["age"] == text


WORDS = {"sub-1": ("sub-1",), "sub-1 sub-2": ("sub-1", "sub-2"), " sub-1\n sub-2 ": ("sub-1", "sub-2"), "": ()}


@pytest.mark.parametrize(("cell", "words"), WORDS.items())
def test_ids_in_one_cell_stand_apart_by_blanks(tmp_path: Path, cell: str, words: tuple[str, ...]) -> None:
    (row,), _ = read(xlsx(tmp_path / "s.xlsx", [("performance id", "participants"), ("perf-1", cell)]), Performance)
    assert row.words("participants") == words


ENTITIES: dict[str, tuple[tuple[Any, ...], tuple[str, ...]]] = {
    "entity": (("sam-1", None, None), ("sam-1",)),
    "two entities": (("sam-1 sub-1", None, None), ("sam-1", "sub-1")),
    "by kind": ((None, "sub-1", "sam-1"), ("sub-1", "sam-1")),
    "one said twice": (("sam-1", "sub-1", "sam-1"), ("sam-1", "sub-1")),
    "none": ((None, None, None), ()),
}


@pytest.mark.parametrize(("row", "entities"), ENTITIES.values(), ids=ENTITIES)
def test_what_a_manifest_says_a_file_is_about(tmp_path: Path, row: tuple[Any, ...], entities: tuple[str, ...]) -> None:
    grid = [("filename", "entity", "subject", "sample"), ("a.dcm", *row)]
    (entry,), _ = read(xlsx(tmp_path / "s.xlsx", grid), ManifestEntry)
    assert entry.entities == entities


PRINTED = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)


@given(text=PRINTED)
@pytest.mark.parametrize("form", sorted(WRITERS))
def test_a_text_comes_out_as_it_went_in(tmp_path_factory: pytest.TempPathFactory, form: str, text: str) -> None:
    """Blanks around it and marks of the byte order aside; a leading `=` makes a formula of it in a workbook."""
    text = text.lstrip("=")
    path = tmp_path_factory.mktemp("text") / f"s.{form}"
    (row,), _ = read(WRITERS[form](path, [("subject id", "age"), ("sub-1", text)]))
    assert row["age"] == clean(text.replace("\ufeff", ""))


@given(text=PRINTED.filter(lambda text: len(text.strip()) > 5))
@pytest.mark.parametrize("form", sorted(WRITERS))
def test_no_finding_quotes_a_cell(tmp_path_factory: pytest.TempPathFactory, form: str, text: str) -> None:
    """Wherever a text stands: as a header, an id, an id twice, under no header."""
    secret = f"SECRET{text}".replace("=", "")
    grid = [
        ("subject id", secret, secret, ""),
        (secret, secret, secret, secret),
        (secret, 1, 1, 1),
        ("", secret, "", ""),
    ]
    path = tmp_path_factory.mktemp("secret") / f"s.{form}"
    _, found = read(WRITERS[form](path, grid))
    assert found
    assert "SECRET" not in repr(found)


NAMES = st.sampled_from(["age", "Age", "sex", "shoes", "Shoes", "shoes [C]", "age [D]", "[B]", ""])
TOKENS = st.integers(0, 999).map(lambda number: f"t{number}") | st.just("")


@given(header=st.lists(NAMES, max_size=6), rows=st.lists(st.lists(TOKENS, max_size=8), max_size=4))
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_cell_is_lost(
    tmp_path_factory: pytest.TempPathFactory, form: str, header: list[str], rows: list[list[str]]
) -> None:
    """Whatever the headers, and however often: each cell of a row stands under some name."""
    grid = [("subject id", *header), *((f"sub-{number}", *row) for number, row in enumerate(rows))]
    read_rows, _ = read(WRITERS[form](tmp_path_factory.mktemp("lost") / f"s.{form}", grid))
    kept = [sorted((*row.cells.values(), *row.extra.values())) for row in read_rows]
    assert kept == [sorted(filter(None, (f"sub-{number}", *row))) for number, row in enumerate(rows)]


def test_of_a_thousand_like_findings_few_are_kept_and_all_counted(tmp_path: Path) -> None:
    from mapper.records.sds.finding import Findings
    from mapper.sources.sds.table import read_table

    path = delimited(tmp_path / "s.csv", [("subject id", "age"), *([("", "1")] * 1000), ("sub-1", "1")])
    findings = Findings()
    assert len(read_table(Subject, path, "s.csv", findings)) == 1
    found = list(findings)
    assert len(found) == Findings.KEPT
    assert sum(1 + one.more for one in found) == 1000
    assert str(found[-1]) == (
        "s.csv row 11: a row without its id: left out (and 990 more like it); write the id, or empty the row"
    )


def test_keys_of_json_may_come_in_any_record(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text('[{"age": "1"}, {"sex": "F", "subject_id": "sub-1"}, {"subject_id": "sub-2", "shoes": 4}]')
    rows, found = read(path)
    assert cells(rows) == [{"sex": "F", "subject id": "sub-1"}, {"subject id": "sub-2"}]
    assert rows[1].extra == {"shoes": "4"}
    assert found == {"no-id": ["s.json #1"], "unknown-column": ["s.json key 4"]}


def test_writers_of_the_tests_agree(tmp_path: Path) -> None:
    grid: Grid = [("subject id", "age"), ("sub-1", "1")]
    assert {str(cells(read(write(tmp_path / f"s.{form}", grid))[0])) for form, write in WRITERS.items()} == {
        "[{'subject id': 'sub-1', 'age': '1'}]"
    }
    assert read(keyed(tmp_path / "t.json", grid))[1] == {}
