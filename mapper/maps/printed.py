"""The mapping tables printed for people: docs/mapping.md and `orthanc-fhir table`."""

from mapper.maps import TABLES
from mapper.maps.rule import Rule

HEAD = """# The mapping: DICOM to FHIR R4

Printed by `orthanc-fhir table` from the tables that do the work (`mapper/maps/`); a test holds this page to them.
Rows of one element stand in order: lists add up, of single values the first that can be made wins.
"""


def markdown() -> str:
    """Return the whole mapping as one Markdown page."""
    sections = [f"## {name}\n\n{table(rows)}" for name, rows in TABLES.items()]
    return "\n".join([HEAD, *sections])


def table(rows: tuple[Rule, ...]) -> str:
    """Return one mapping table in Markdown."""
    lines = ["| FHIR element | DICOM attribute | tag | rule |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.element}{' (required)' * row.required} | {attributes(row)} | {tags(row)} | {words(row)} |" for row in rows]
    return "\n".join([*lines, ""])


def attributes(row: Rule) -> str:
    """Return the keywords of a row, one a line."""
    return "<br>".join(row.keywords) or "-"


def tags(row: Rule) -> str:
    """Return the tags of a row, one a line."""
    return "<br>".join(row.tags) or "-"


def words(row: Rule) -> str:
    """Return the rule in words: the first sentence of the converter's docstring."""
    sentence = (row.by.__doc__ or row.by.__name__).strip().partition("\n")[0]
    return sentence.replace("|", "\\|")
