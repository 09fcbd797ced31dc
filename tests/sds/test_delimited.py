"""csv as people's programs write it: separators, encodings, quotes."""

import codecs
from pathlib import Path

import pytest

from mapper.records.sds.columns import TEMPLATES
from mapper.sources.sds import sheet as sheets
from mapper.sources.sds.delimited import open_delimited
from mapper.sources.sds.objects import refuse
from tests.sds.written import cells, delimited, read

GRID = [("subject id", "age", "sex"), ("sub-1", "4,5 years; or so", "F")]
ROW = {"subject id": "sub-1", "age": "4,5 years; or so", "sex": "F"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_separators(tmp_path: Path, separator: str, suffix: str) -> None:
    rows, found = read(delimited(tmp_path / f"s{suffix}", GRID, separator))
    assert (cells(rows), found) == ([ROW], {})


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_line_for_excel_names_the_separator(tmp_path: Path, separator: str) -> None:
    path = delimited(tmp_path / "s.csv", GRID, separator)
    path.write_bytes(f"sep={separator}\r\n".encode() + path.read_bytes())
    rows, found = read(path)
    assert (cells(rows), found, rows[0].number) == ([ROW], {}, 3)


TEXT = [("subject id", "strain"), ("sub-1", "Größe µ"), ("sub-2", "x")]
ENCODINGS: dict[str, tuple[bytes, str, dict[str, list[str]]]] = {
    "UTF-8": (b"", "utf-8", {}),
    "UTF-8 with its mark": (codecs.BOM_UTF8, "utf-8", {}),
    "UTF-16": (codecs.BOM_UTF16_LE, "utf-16-le", {}),
    "UTF-16, big end first": (codecs.BOM_UTF16_BE, "utf-16-be", {}),
    "UTF-16 without its mark": (b"", "utf-16-le", {}),
    "UTF-16 without its mark, big end first": (b"", "utf-16-be", {}),
    "UTF-32": (codecs.BOM_UTF32_LE, "utf-32-le", {}),
    "Windows-1252": (b"", "cp1252", {"windows-1252": ["s.csv"]}),
}


@pytest.mark.parametrize(("mark", "codec", "expected"), ENCODINGS.values(), ids=ENCODINGS)
def test_encodings(tmp_path: Path, mark: bytes, codec: str, expected: dict[str, list[str]]) -> None:
    path = delimited(tmp_path / "s.csv", TEXT, codec=codec)
    path.write_bytes(mark + path.read_bytes())
    rows, found = read(path)
    assert [row["strain"] for row in rows] == ["Größe µ", "x"]
    assert found == expected


NO_TEXT = {
    "half of UTF-16": codecs.BOM_UTF16_LE + "subject id,age\n".encode("utf-16-le")[:-1],
    "a mark and something else": codecs.BOM_UTF8 + b"\xff\xff",
    "neither UTF-8 nor Windows-1252": b"subject id,strain\nsub-1,\x81\x9d\n",
    "nothing but zeros": bytes(401),
}


@pytest.mark.parametrize("raw", NO_TEXT.values(), ids=NO_TEXT)
def test_what_is_no_text_is_told(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "s.csv").write_bytes(raw)
    assert read(tmp_path / "s.csv") == ((), {"no-text": ["s.csv"]})


LINES: dict[str, tuple[str, list[tuple[int, str, str | None]]]] = {
    # a file; its rows as number, id, age
    "lines of Unix": ("subject id,age\nsub-1,1\nsub-2,2\n", [(2, "sub-1", "1"), (3, "sub-2", "2")]),
    "lines of Windows": ("subject id,age\r\nsub-1,1\r\nsub-2,2\r\n", [(2, "sub-1", "1"), (3, "sub-2", "2")]),
    "lines of old Macs": ("subject id,age\rsub-1,1\rsub-2,2\r", [(2, "sub-1", "1"), (3, "sub-2", "2")]),
    "no last line end": ("subject id,age\nsub-1,1", [(2, "sub-1", "1")]),
    "blank lines": ("\nsubject id,age\n\n,\nsub-1,1\n", [(5, "sub-1", "1")]),
    "a short row": ("subject id,age\nsub-1\nsub-2,2\n", [(2, "sub-1", None), (3, "sub-2", "2")]),
    "quotes": ('"subject id","age"\n"sub-1","1"\n', [(2, "sub-1", "1")]),
    "a quote within": ('subject id,age\nsub-1,"1 ""or"" 2"\n', [(2, "sub-1", '1 "or" 2')]),
    "a line end within": ('subject id,age\nsub-1,"1\n2"\nsub-2,3\n', [(2, "sub-1", "1\n2"), (3, "sub-2", "3")]),
    "a quote that never ends": ('subject id,age\nsub-1,"1\nsub-2,2\n', [(2, "sub-1", "1\nsub-2,2")]),
    "a separator within": ('subject id,age\nsub-1,"1,5"\n', [(2, "sub-1", "1,5")]),
    "a zero": ("subject id,age\nsub-1,1\0\n", [(2, "sub-1", "1")]),
    "a formula stays text": ("subject id,age\nsub-1,=1+1\n", [(2, "sub-1", "=1+1")]),
    "numbers stay text": ("subject id,age\nsub-1,007.10\n", [(2, "sub-1", "007.10")]),
    "one column": ("subject id\nsub-1\n", [(2, "sub-1", None)]),
}


@pytest.mark.parametrize(("text", "expected"), LINES.values(), ids=LINES)
def test_lines_and_quotes(tmp_path: Path, text: str, expected: list[tuple[int, str, str | None]]) -> None:
    (tmp_path / "s.csv").write_bytes(text.encode())
    rows, _ = read(tmp_path / "s.csv")
    assert [(row.number, row.id, row["age"]) for row in rows] == expected


def test_more_cells_than_headers_are_kept(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("subject id,age\nsub-1,1,two,three\n")
    (row,), found = read(tmp_path / "s.csv")
    assert row.extra == {"[C]": "two", "[D]": "three"}
    assert found == {"no-column-name": ["s.csv C2", "s.csv D2"]}


def test_a_field_that_csv_refuses_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(f"subject id,age\nsub-1,1\nsub-2,{'x' * 200_000}\nsub-3,3\n")
    rows, found = read(tmp_path / "s.csv")
    assert [row.id for row in rows] == ["sub-1"]
    assert found == {"broken-off": ["s.csv row 3"]}


def test_a_header_that_csv_refuses_is_none(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(f"{'x' * 200_000},subject id\nsub-1,1\n")
    assert read(tmp_path / "s.csv") == ((), {"no-header": ["s.csv"]})


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = delimited(tmp_path / "s.csv", GRID)
    monkeypatch.setattr(sheets, "LARGEST", path.stat().st_size - 1)
    assert read(path) == ((), {"too-large": ["s.csv"]})


def test_the_separator_is_the_one_under_which_most_names_are_known() -> None:
    """The key alone would be found under another one too, where the header has that within a name."""
    found = open_delimited("subject id;age, in years;sex;species\nsub-1;1;F;x\n", TEMPLATES["subjects"])
    assert found is not None
    assert list(found.header.values()) == ["subject id", "age, in years", "sex", "species"]


def test_no_number_of_json_is_infinite() -> None:
    with pytest.raises(ValueError, match="no JSON"):
        refuse("NaN")
