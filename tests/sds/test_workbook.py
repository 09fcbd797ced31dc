"""Cells of workbooks: numbers to their last digit, dates as dates, formulas by their values, and what is broken."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart
from xlsxwriter import Workbook as OtherWorkbook

from mapper.records.sds.columns import TEMPLATES
from mapper.records.sds.finding import Findings
from mapper.sources.sds import sheet as sheets
from mapper.sources.sds import workbook
from mapper.sources.sds.sheet import open_sheet
from mapper.sources.sds.worksheet import digits
from tests.sds.written import read, xlsx

HEADER = ("subject id", "age")


def cell(path: Path) -> str | None:
    """Return the age of the only subject."""
    (row,), _ = read(path)
    return row["age"]


VALUES: dict[str, tuple[Any, str | None]] = {
    "a text": ("45 years", "45 years"),
    "a text that is a number": ("045", "045"),
    "a text that looks like a number with a blank": (" 45 ", "45"),
    "a whole number": (45, "45"),
    "zero": (0, "0"),
    "a negative number": (-3, "-3"),
    "a fraction": (0.1, "0.1"),
    "a float that is whole": (5.0, "5"),
    "a power": (1e-7, "1e-07"),
    "true": (True, "TRUE"),
    "false": (False, "FALSE"),
    "a date": (date(2024, 2, 29), "2024-02-29"),
    "a date with a time": (datetime(2024, 2, 29, 8, 30, 15), "2024-02-29T08:30:15"),
    "a date with milliseconds": (datetime(2024, 2, 29, 8, 30, 15, 250000), "2024-02-29T08:30:15.250"),
    "midnight is a date": (datetime(2024, 2, 29), "2024-02-29"),
    "a time": (time(8, 30), "08:30:00"),
    "a span": (timedelta(hours=26, minutes=30), "26:30:00"),
    "the last day before the leap day that never was": (date(1900, 2, 28), "1900-02-28"),
    "and the first after it": (date(1900, 3, 1), "1900-03-01"),
    "an empty text": ("", None),
    "blanks": ("  \n ", None),
    "lines": ("one\ntwo", "one\ntwo"),
    "a carriage return": ("one_x000D_\ntwo", "one\ntwo"),
    "an emoji": ("\U0001f9e0", "\U0001f9e0"),
    "rich text": (CellRichText("45", TextBlock(InlineFont(b=True), " years")), "45 years"),
    "an error": ("#N/A", None),
    "a formula without a value": ("=1+1", None),
}


@pytest.mark.parametrize(("value", "text"), VALUES.values(), ids=VALUES)
def test_a_cell_is_a_text(tmp_path: Path, value: Any, text: str | None) -> None:
    assert cell(xlsx(tmp_path / "s.xlsx", [HEADER, ("sub-1", value)])) == text


FLAWS = {
    "an error": ("#N/A", {"error-value": ["s.xlsx B2"]}),
    "another error": ("#DIV/0!", {"error-value": ["s.xlsx B2"]}),
    "a formula": ("=1+1", {"formula": ["s.xlsx B2"]}),
    "a text that begins like one": ("= ", {"formula": ["s.xlsx B2"]}),
    "a text with one in it": ("1+1=2", {}),
    "an empty text": ("", {}),
}


@pytest.mark.parametrize(("value", "expected"), FLAWS.values(), ids=FLAWS)
def test_a_cell_without_a_value_is_told(tmp_path: Path, value: Any, expected: dict[str, list[str]]) -> None:
    _, found = read(xlsx(tmp_path / "s.xlsx", [HEADER, ("sub-1", value)]))
    assert found == expected


DIGITS = {
    "1.10": "1.10",
    "0.1": "0.1",
    "1.1000000000000001": "1.1",
    "0.30000000000000004": "0.30000000000000004",
    "0.12345678901234567890": "0.12345678901234567890",
    "1234567890123456": "1234567890123456",
    "12345678901234567890": "12345678901234567890",
    "-2.2000000000000002": "-2.2",
    "1.0000000000000001E-5": "1e-05",
    "1E-5": "1E-5",
    "5.0": "5.0",
    "0.00012": "0.00012",
}


@pytest.mark.parametrize(("written", "kept"), DIGITS.items())
def test_a_number_keeps_its_digits(written: str, kept: str) -> None:
    assert digits(written) == kept


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_excel_writes_it_is_the_same_number(number: float) -> None:
    """Excel writes 17 significant digits; the shortest text that is the same number is what was typed."""
    assert float(digits(f"{number:.17G}")) == number
    assert float(digits(repr(number))) == number


RAW: dict[str, tuple[str, str | None, dict[str, list[str]]]] = {
    # a cell of SpreadsheetML, its text, what is found
    "a shared text": ('<c r="B2" t="s"><v>0</v></c>', "shared", {}),
    "a shared text that is not there": ('<c r="B2" t="s"><v>7</v></c>', None, {"error-value": ["s.xlsx B2"]}),
    "a negative shared text": ('<c r="B2" t="s"><v>x</v></c>', None, {"error-value": ["s.xlsx B2"]}),
    "an inline text": ('<c r="B2" t="inlineStr"><is><t>in</t></is></c>', "in", {}),
    "an inline text in runs": (
        '<c r="B2" t="inlineStr"><is><r><t>45 </t></r><r><rPr><b/></rPr><t>years</t></r>'
        '<rPh sb="0" eb="1"><t>x</t></rPh></is></c>',
        "45 years",
        {},
    ),
    "an inline text without words": ('<c r="B2" t="inlineStr"><is><r><rPr/></r><t/></is></c>', None, {}),
    "an inline text that is none": ('<c r="B2" t="inlineStr"/>', None, {}),
    "the value of a formula": ('<c r="B2"><f>A1+1</f><v>46</v></c>', "46", {}),
    "the text of a formula": ('<c r="B2" t="str"><f>A1</f><v>46 years</v></c>', "46 years", {}),
    "the empty text of a formula": ('<c r="B2" t="str"><f>A1</f><v></v></c>', None, {}),
    "the error of a formula": ('<c r="B2" t="e"><f>A1</f><v>#REF!</v></c>', None, {"error-value": ["s.xlsx B2"]}),
    "a formula without a value": ('<c r="B2"><f>A1</f></c>', None, {"formula": ["s.xlsx B2"]}),
    "no number": ('<c r="B2"><v>45 years</v></c>', None, {"error-value": ["s.xlsx B2"]}),
    "no number at all": ('<c r="B2"><v>NaN</v></c>', None, {"error-value": ["s.xlsx B2"]}),
    "a number of a hundred digits": (f'<c r="B2"><v>{"9" * 100}</v></c>', "9" * 100, {}),
    "a decimal": ('<c r="B2"><v>1.10</v></c>', "1.10", {}),
    "a fraction as Excel writes it": ('<c r="B2"><v>1.1000000000000001</v></c>', "1.1", {}),
    "a date of ISO 8601": ('<c r="B2" t="d"><v>2024-02-29</v></c>', "2024-02-29", {}),
    "a time of ISO 8601": ('<c r="B2" t="d"><v>2024-02-29T08:30:00</v></c>', "2024-02-29T08:30:00", {}),
    "no date": ('<c r="B2" t="d"><v>yesterday</v></c>', None, {"error-value": ["s.xlsx B2"]}),
    "a date": ('<c r="B2" s="1"><v>45351</v></c>', "2024-02-29", {}),
    "a date beyond dates": ('<c r="B2" s="1"><v>99999999</v></c>', None, {"error-value": ["s.xlsx B2"]}),
    "a date beyond numbers": ('<c r="B2" s="1"><v>1E300</v></c>', None, {"error-value": ["s.xlsx B2"]}),
    "a style that is not there": ('<c r="B2" s="99"><v>45</v></c>', "45", {}),
    "a type that is not there": ('<c r="B2" t="q"><v>45</v></c>', None, {"error-value": ["s.xlsx B2"]}),
    "no place": ('<c r="A2" t="s"><v>1</v></c><c><v>45</v></c>', "45", {}),
    "true": ('<c r="B2" t="b"><v>1</v></c>', "TRUE", {}),
}
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
START = f'<worksheet xmlns="{NAMESPACE}"><dimension ref="A1:B2"/><sheetData>'
HEADER_XML = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>subject id</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>age</t></is></c></row>'
)
ID = '<c r="A2" t="inlineStr"><is><t>sub-1</t></is></c>'


def made(path: Path, parts: dict[str, str | bytes]) -> Path:
    """Write a workbook with parts of it replaced; it has two shared texts, and style 1 shows dates."""
    book = io.BytesIO()
    written = OtherWorkbook(book)
    first = written.add_worksheet()
    first.write_row(0, 0, ["shared", "sub-1"])
    first.write_datetime(1, 0, datetime(2024, 2, 29), written.add_format({"num_format": "yyyy-mm-dd"}))
    written.close()
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in {*source.namelist(), *parts}:
            target.writestr(name, parts[name] if name in parts else source.read(name))
    return path


@pytest.mark.parametrize(("xml", "text", "expected"), RAW.values(), ids=RAW)
def test_cells_as_programs_write_them(
    tmp_path: Path, xml: str, text: str | None, expected: dict[str, list[str]]
) -> None:
    whole = xml if xml.startswith('<c r="A2"') else ID + xml
    sheet = f'{START}{HEADER_XML}<row r="2">{whole}</row></sheetData></worksheet>'
    (row,), found = read(made(tmp_path / "s.xlsx", {"xl/worksheets/sheet1.xml": sheet}))
    assert (row["age"], found) == (text, expected)


def test_rows_without_numbers_are_counted(tmp_path: Path) -> None:
    header, first = HEADER_XML.replace(' r="1"', ""), ID.replace(' r="A2"', "")
    sheet = f"{START}{header}<row/><row>{first}</row></sheetData></worksheet>"
    (row,), _ = read(made(tmp_path / "s.xlsx", {"xl/worksheets/sheet1.xml": sheet}))
    assert (row.id, row.number) == ("sub-1", 3)


def test_dates_count_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    book = Workbook()
    book.epoch = datetime(1904, 1, 1)
    sheet = book.active
    assert sheet is not None
    for row in (HEADER, ("sub-1", date(2024, 2, 29))):
        sheet.append(row)
    book.save(tmp_path / "s.xlsx")
    assert cell(tmp_path / "s.xlsx") == "2024-02-29"


MERGES = {
    "two cells below each other": ("B2:B3", {"merged": ["s.xlsx B2"]}),
    "two cells beside each other": ("A3:B3", {"merged": ["s.xlsx A3"]}),
    "headers": ("B1:C1", {"merged": ["s.xlsx B1"]}),
}


@pytest.mark.parametrize(("area", "expected"), MERGES.values(), ids=MERGES)
def test_merged_cells_are_told_and_not_filled(tmp_path: Path, area: str, expected: dict[str, list[str]]) -> None:
    path = xlsx(tmp_path / "s.xlsx", [HEADER, ("sub-1", 45), ("sub-2", None)])
    book = load_workbook(path)
    book.active.merge_cells(area)
    book.save(path)
    rows, found = read(path)
    assert [row["age"] for row in rows] == ["45", None]
    assert found == expected


def several(path: Path, *grids: list[tuple[Any, ...]], chart: bool = False) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    if chart:
        book.create_chartsheet().add_chart(BarChart())
    for grid in grids:
        sheet = book.create_sheet()
        for row in grid:
            sheet.append(row)
    book.save(path)
    return path


SHEETS: dict[str, tuple[list[list[tuple[Any, ...]]], str | None, dict[str, list[str]]]] = {
    "one": ([[HEADER, ("sub-1", 1)]], "sub-1", {}),
    "an empty one too": ([[HEADER, ("sub-1", 1)], []], "sub-1", {}),
    "instructions first": (
        [[("Please fill in",)], [HEADER, ("sub-1", 1)]],
        "sub-1",
        {"other-sheets": ["s.xlsx"]},
    ),
    "two of them": ([[HEADER, ("sub-1", 1)], [HEADER, ("sub-2", 1)]], "sub-1", {"other-sheets": ["s.xlsx"]}),
    "none of them": ([[("a",)], [("b",)]], None, {"no-header": ["s.xlsx"]}),
    "empty": ([[], []], None, {"no-header": ["s.xlsx"]}),
}


@pytest.mark.parametrize(("grids", "first", "expected"), SHEETS.values(), ids=SHEETS)
@pytest.mark.parametrize("chart", [False, True])
def test_the_first_sheet_with_the_header_is_read(
    tmp_path: Path, grids: list[list[tuple[Any, ...]]], first: str | None, expected: dict[str, list[str]], chart: bool
) -> None:
    rows, found = read(several(tmp_path / "s.xlsx", *grids, chart=chart))
    assert next((row.id for row in rows), None) == first
    assert found == expected


@pytest.mark.parametrize("constant_memory", [False, True], ids=["shared texts", "inline texts"])
def test_another_program_s_workbook(tmp_path: Path, constant_memory: bool) -> None:
    book = OtherWorkbook(tmp_path / "s.xlsx", {"constant_memory": constant_memory})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Subject_ID", "Age", "date of birth", "sex", "strain", "species"])
    sheet.write_string(1, 0, "sub-1")
    sheet.write_number(1, 1, 1.1)
    sheet.write_datetime(1, 2, datetime(1978, 3, 15), book.add_format({"num_format": "dd/mm/yy"}))
    sheet.write_formula(1, 3, '="F"', None, "F")
    sheet.write_boolean(1, 4, True)
    sheet.write_string(1, 5, escape("<Homo & sapiens>"))
    sheet.write_blank(2, 0, None, book.add_format({"bold": True}))
    sheet.merge_range("A5:B5", "sub-2")
    book.close()
    rows, found = read(tmp_path / "s.xlsx")
    assert [row.cells for row in rows] == [
        {
            "subject id": "sub-1",
            "age": "1.1",
            "date of birth": "1978-03-15",
            "sex": "F",
            "strain": "TRUE",
            "species": "&lt;Homo &amp; sapiens&gt;",
        },
        {"subject id": "sub-2"},
    ]
    assert found == {"merged": ["s.xlsx A5"]}


def cut(path: Path) -> None:
    xlsx(path, [HEADER, ("sub-1", 1)])
    path.write_bytes(path.read_bytes()[:-200])


def encrypted(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000))


def another_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")


def no_xml(path: Path) -> None:
    made(path, {"xl/workbook.xml": "<"})


def entities(codec: str) -> Callable[[Path], None]:
    """Return what writes a workbook whose texts grow out of entities."""

    def write(path: Path) -> None:
        declared = "".join(
            f'<!ENTITY e{number} "{f"&e{number - 1};" * 10 if number else "ten"}">' for number in range(9)
        )
        texts = f'<!DOCTYPE sst [{declared}]><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        xml = f'<?xml version="1.0" encoding="{codec}"?>{texts}<si><t>&e8;</t></si></sst>'
        made(path, {"xl/sharedStrings.xml": xml.encode(codec)})

    return write


BROKEN: dict[str, Callable[[Path], Any]] = {
    "nothing": lambda path: path.write_bytes(b""),
    "a text": lambda path: path.write_text("subject id,age\nsub-1,1\n"),
    "an old or an encrypted workbook": encrypted,
    "another zip": another_zip,
    "cut off": cut,
    "no XML": no_xml,
    "entities": entities("utf-8"),
    "entities in UTF-16": entities("utf-16"),
    "zeros": lambda path: path.write_bytes(bytes(5000)),
}


@pytest.mark.parametrize("write", BROKEN.values(), ids=BROKEN)
def test_what_is_no_workbook_is_told(tmp_path: Path, write: Callable[[Path], Any]) -> None:
    write(tmp_path / "s.xlsx")
    assert read(tmp_path / "s.xlsx") == ((), {"no-workbook": ["s.xlsx"]})


TAILS = {
    "broken XML": "<row r='3'><c r='A3'",
    "a row of another kind": "<row r='x'/></sheetData></worksheet>",
    "a place of another kind": "<row r='3'><c r='??'><v>1</v></c></row></sheetData></worksheet>",
}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS)
def test_rows_before_a_break_are_read(tmp_path: Path, tail: str) -> None:
    sheet = f'{START}{HEADER_XML}<row r="2">{ID}</row>{tail}'
    rows, found = read(made(tmp_path / "s.xlsx", {"xl/worksheets/sheet1.xml": sheet}))
    assert [row.id for row in rows] == ["sub-1"]
    assert found == {"broken-off": ["s.xlsx row 3"]}


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_workbook_is_read_or_told(tmp_path: Path, seed: int) -> None:
    """Flip bytes all over a workbook that is not packed, so that the damage reaches its XML."""
    packed = xlsx(tmp_path / "whole.xlsx", [HEADER, *((f"sub-{number}", number) for number in range(20))])
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(tmp_path / "s.xlsx", "w") as target:
        for name in source.namelist():
            raw = bytearray(source.read(name))
            for place in range(seed * 7, len(raw), 97):
                raw[place] ^= 1 << seed % 8
            target.writestr(name, bytes(raw))
    rows, found = read(tmp_path / "s.xlsx")
    assert len(rows) == 20 or found


CELLS = workbook.ELEMENTS["spreadsheetml.worksheet+xml"]
TEXTS = workbook.ELEMENTS["spreadsheetml.sharedStrings+xml"]
OBJECTS = workbook.OTHER_ELEMENTS
WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"


def typed(*kinds: str) -> str:
    """Return content types that say several things of one part."""
    overrides = "".join(f'<Override PartName="/xl/workbook.xml" ContentType="{kind}"/>' for kind in kinds)
    return f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{overrides}</Types>'


BOMBS: dict[str, dict[str, str | bytes]] = {
    "zeros": {"xl/media/image1.png": bytes(workbook.UNPACKED + 1)},
    "blanks in a sheet": {"xl/worksheets/sheet1.xml": b" " * (workbook.UNPACKED + 1)},
    "cells": {"xl/worksheets/sheet1.xml": START + "<row>" + "<c/>" * CELLS},
    "cells in two sheets": {
        "xl/worksheets/sheet1.xml": START + "<row>" + "<c/>" * (CELLS // 2 + 1),
        "xl/worksheets/sheet2.xml": START + "<row>" + "<c/>" * (CELLS // 2 + 1),
        "[Content_Types].xml": typed().replace(
            "</Types>",
            "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{SHEET_TYPE}"/>' for n in (1, 2))
            + "</Types>",
        ),
    },
    "texts": {"xl/sharedStrings.xml": "<sst>" + "<si/>" * TEXTS},
    "styles": {"xl/styles.xml": "<styleSheet><cellXfs>" + "<xf/>" * OBJECTS},
    "sheets": {"xl/workbook.xml": "<workbook><sheets>" + "<sheet/>" * OBJECTS},
    "sheets in a workbook that says it is a sheet too": {
        "xl/workbook.xml": "<workbook><sheets>" + "<sheet/>" * OBJECTS,
        "[Content_Types].xml": typed(WORKBOOK_TYPE, SHEET_TYPE),
    },
    "content types": {"[Content_Types].xml": "<Types>" + "<Override/>" * OBJECTS},
    "parts": {f"xl/media/{number}.png": "" for number in range(workbook.PARTS)},
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_not_unpacked(tmp_path: Path, name: str) -> None:
    path = made(tmp_path / "s.xlsx", BOMBS[name])
    assert path.stat().st_size < 2_000_000
    assert read(path) == ((), {"too-large": ["s.xlsx"]})


def test_a_size_that_lies_unpacks_to_no_more_than_it_says(tmp_path: Path) -> None:
    """The directory of a zip claims ten bytes for a part of many: what comes is cut there."""
    path = made(tmp_path / "s.xlsx", {"xl/worksheets/sheet1.xml": " " * 5_000_000})
    raw = path.read_bytes()
    true, lie = (5_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert raw.count(true) == 2
    path.write_bytes(raw.replace(true, lie))
    assert read(path) == ((), {"no-workbook": ["s.xlsx"]})


def test_a_claimed_size_costs_nothing(tmp_path: Path) -> None:
    """Cells at the far corner of a sheet that claims to be full: only what is there is read."""
    dimension = START.replace("A1:B2", "A1:XFD1048576")
    sheet = f'{dimension}{HEADER_XML}<row r="2">{ID}</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    (row,), found = read(made(tmp_path / "s.xlsx", {"xl/worksheets/sheet1.xml": sheet + "</sheetData></worksheet>"}))
    assert row.id == "sub-1"
    assert found == {"too-many-columns": ["s.xlsx row 1048576"]}


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = xlsx(tmp_path / "s.xlsx", [HEADER, ("sub-1", 1)])
    monkeypatch.setattr(sheets, "LARGEST", path.stat().st_size - 1)
    assert read(path) == ((), {"too-large": ["s.xlsx"]})
    monkeypatch.setattr(sheets, "LARGEST", path.stat().st_size)
    assert read(path)[1] == {}


def test_without_openpyxl_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from mapper.errors import SettingError

    path = xlsx(tmp_path / "s.xlsx", [HEADER, ("sub-1", 1)])
    for name in [name for name in sys.modules if name.split(".")[0] == "openpyxl"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("workbook", "worksheet"):
        monkeypatch.delitem(sys.modules, f"mapper.sources.sds.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(SettingError, match=r"orthanc-fhir\[sds\]"):
        open_sheet(path, "s.xlsx", TEMPLATES["subjects"], Findings())
