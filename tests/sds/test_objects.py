"""JSON as sheets: the shapes in which SDS has them, and what is none of these."""

from pathlib import Path

import pytest

from mapper.records.sds.row import ManifestEntry, Performance
from tests.sds.written import cells, read

SHAPES = {
    "a list": '[{"subject_id": "sub-1"}]',
    "under its name": '{"subjects": [{"subject_id": "sub-1"}]}',
    "under its name in capitals": '{"Subjects": [{"subject_id": "sub-1"}]}',
    "with more beside it": '{"errors": [], "subjects": [{"subject_id": "sub-1"}], "software": []}',
    "keys with blanks": '[{"subject id": "sub-1"}]',
    "keys in camel case": '[{"subjectId": "sub-1"}]',
    "a mark of the byte order": '\ufeff[{"subject_id": "sub-1"}]',
    "empty objects": '[{}, {"subject_id": "sub-1"}, {"subject_id": null}]',
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_shapes(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    rows, found = read(tmp_path / "s.json")
    assert (cells(rows), found) == ([{"subject id": "sub-1"}], {})


NO_SHEETS: dict[str, tuple[str, str]] = {
    "nothing": ("", "no-json"),
    "no JSON": ("{", "no-json"),
    "a number": ("1", "no-json"),
    "a list of texts": ('["sub-1"]', "no-json"),
    "a list of lists": ('[["subject id"], ["sub-1"]]', "no-json"),
    "an object of another sheet": ('{"samples": [{"sample_id": "sam-1"}]}', "no-json"),
    "objects by their ids": ('{"sub-1": {"age": "1"}}', "no-json"),
    "not a number": ('[{"subject_id": NaN}]', "no-json"),
    "an infinite number": ('[{"subject_id": -Infinity}]', "no-json"),
    "too deep": ("[" * 200_000, "no-json"),
    "too deep within a cell": ('[{"subject_id": ' + "[" * 100_000 + "]" * 100_000 + "}]", "no-json"),
    "no id": ('[{"age": "1"}]', "no-header"),
    "an empty list": ("[]", "no-header"),
}


@pytest.mark.parametrize(("text", "code"), NO_SHEETS.values(), ids=NO_SHEETS)
def test_what_is_no_sheet_is_told(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "s.json").write_text(text)
    assert read(tmp_path / "s.json") == ((), {code: ["s.json"]})


VALUES: dict[str, tuple[str, str | None]] = {
    "a text": ('"45 years"', "45 years"),
    "a number": ("45", "45"),
    "a number to its last digit": ("1.10", "1.10"),
    "a long number": ("0.123456789012345678901234567890", "0.123456789012345678901234567890"),
    "a huge number": ("1" * 5000, "1" * 5000),
    "a power": ("1E400", "1E400"),
    "true": ("true", "TRUE"),
    "false": ("false", "FALSE"),
    "null": ("null", None),
    "an empty text": ('""', None),
    "an empty list": ("[]", None),
    "a list": ('["a b", "c"]', "a b; c"),
    "a list with nothing in it": ('[null, ""]', None),
    "half of a pair": ('"\\ud83e"', "\ufffd"),
    "a zero": ('"4\\u00005"', "45"),
}


@pytest.mark.parametrize(("value", "text"), VALUES.values(), ids=VALUES)
def test_values(tmp_path: Path, value: str, text: str | None) -> None:
    (tmp_path / "s.json").write_text(f'[{{"subject_id": "sub-1", "age": {value}}}]')
    (row,), found = read(tmp_path / "s.json")
    assert (row["age"], found) == (text, {})


NESTED = {
    "an object": ('{"value": 4.50, "unit": "weeks"}', '{"value": "4.50", "unit": "weeks"}'),
    "objects": ('[{"a": 1}, {"b": [2]}]', '[{"a": "1"}, {"b": ["2"]}]'),
    "lists": ('[["a"], [{"b": null}]]', '[["a"], [{"b": null}]]'),
}


@pytest.mark.parametrize(("value", "kept"), NESTED.values(), ids=NESTED)
def test_an_object_within_a_cell_is_kept_beside(tmp_path: Path, value: str, kept: str) -> None:
    (tmp_path / "s.json").write_text(f'[{{"subject_id": "sub-1", "age": {value}}}]')
    (row,), found = read(tmp_path / "s.json")
    assert (row["age"], row.extra) == (None, {"age": kept})
    assert found == {"nested": ["s.json #1 age"]}


def test_a_key_twice_is_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('[{"subject_id": "sub-1", "age": "1", "age": "2", "Age": "3"}]')
    (row,), found = read(tmp_path / "s.json")
    assert row["age"] == "1"
    assert row.extra == {"age [C]": "2", "Age [D]": "3"}
    assert found == {"second-column": ["s.json key 3", "s.json key 4"]}


def test_lists_of_ids_are_ids(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(
        '{"performances": [{"performance_id": "perf-1", "participants": ["sub-1", "sub-2"]}]}'
    )
    (row,), _ = read(tmp_path / "s.json", Performance)
    assert row.words("participants") == ("sub-1", "sub-2")


@pytest.mark.parametrize("name", ["manifest", "manifest_records"])
def test_a_manifest_by_either_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "s.json").write_text(f'{{"{name}": [{{"filename": "a.dcm", "entity": ["sam-1"]}}]}}')
    (entry,), _ = read(tmp_path / "s.json", ManifestEntry)
    assert (entry.id, entry.entities) == ("a.dcm", ("sam-1",))
