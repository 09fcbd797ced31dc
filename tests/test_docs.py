"""Pages that the code prints say what the code says; the page of questions answers each of them.

Resource types and bounds that pages for people name are those of the code.
"""

import ast
import importlib.util
import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from mapper.dicom import data_sets, documents, picker
from mapper.dicom.sr import tree
from mapper.maps import OF_DOCUMENTS, TABLES
from mapper.maps import documents as derived
from mapper.maps.tables import diagnostic_report
from mapper.maps.values import content
from mapper.sources.orthanc import raw_texts
from mapper.web.paths import OPEN
from tests.support.questions import parameters, questions, sections
from tests.support.readme import text

DOCS = Path(__file__).parent.parent / "docs"
TYPES = {re.split(r"[ .]", name)[0] for name in (*TABLES, *OF_DOCUMENTS)}
BOUNDS = {  # how a row of docs/operations.md begins, and what it says
    "one data set of metadata": {f"{data_sets.LARGEST >> 20} MB"},
    "one attribute": {f"{picker.LARGEST >> 20} MB", f"ContentSequence {documents.LARGEST_CONTENT >> 20} MB"},
    "the documents of one study": {f"{documents.LARGEST_TOGETHER >> 20} MB"},
    "the content tree of one report": {f"{tree.ITEMS:,} items", f"{tree.DEPTH} levels"},
    "measurements, evaluations and their groups": {f"{derived.MOST_OBSERVATIONS:,} Observations"},
    "the page of one report": {f"{diagnostic_report.LONGEST_PAGE >> 20} MB"},
    "a text, the conclusion": {f"{content.LONGEST:,} characters"},
    "texts that are [read again]": {f"{raw_texts.MOST:,} of one study"},
}


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "docs/images/flow.svg"])
def test_every_type_of_resource_is_named_where_the_flow_is_told(page: str) -> None:
    assert TYPES - set(re.findall(r"\w+", text(page).partition("\n## ")[0])) == set()


@pytest.mark.parametrize("begins", BOUNDS)
def test_a_bound_of_what_is_read_is_that_of_the_code(begins: str) -> None:
    (row,) = re.findall(rf"^\| {re.escape(begins)}.*$", text("docs/operations.md"), re.MULTILINE)
    assert {words for words in BOUNDS[begins] if words not in row} == set()


def test_printed_pages_are_up_to_date():
    spec = importlib.util.spec_from_file_location("printed", DOCS / "printed.py")
    assert spec is not None
    assert spec.loader is not None
    printed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(printed)
    assert printed.stale() == [], "run `make docs`"


def test_every_question_has_a_request_and_its_answer():
    asked = [one for one in questions() if one.method == "GET"]
    assert list(dict.fromkeys(one.heading for one in asked)) == list(sections())
    assert all(one.answer for one in asked)


def test_every_search_parameter_that_is_asked_with_is_in_the_table():
    known = {kind: named | {"body-structure"} for kind, named in parameters().items()}
    for one in questions():
        kind, _, query = one.url.partition("?")
        for name, _ in parse_qsl(query):
            assert name.startswith("_") or name.partition(".")[0] in known[kind], one.url


def table_of(heading: str, first: str) -> dict[str, str]:
    """Return the rows of the table in docs/operations.md that begins so, by each name of their first cell."""
    part = text("docs/operations.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = part.partition(f"| {first} |")[2].partition("\n\n")[0].splitlines()[2:]
    return {name: row for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def logged() -> dict[str, set[str]]:
    """Return every event that the code logs, with the names of its fields."""
    found: dict[str, set[str]] = {}
    for path in (DOCS.parent / "mapper").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            of_log = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "log"
            by_name = isinstance(node.func, ast.Name) and node.func.id == "say" and path.parent.name == "sync"
            if of_log or by_name:
                names = {one.arg for one in node.keywords if one.arg}
                found.setdefault(str(node.args[0].value), set()).update(names)
    return found


def test_every_field_of_a_line_of_the_log_is_explained() -> None:
    events, fields = table_of("Log", "`event`"), table_of("Log", "field")
    said = logged()
    assert len(said) > 10
    assert set(said) | {"library"} == set(events)
    for event, names in said.items():
        told = set(re.findall(r"`([a-z_]+)`", events[event].rpartition(" | ")[2]))
        assert names <= told <= set(fields), event
    every = {name for row in events.values() for name in re.findall(r"`([a-z_]+)`", row.rpartition(" | ")[2])}
    assert set(fields) == every | {"timestamp", "level", "event"}


def audited() -> set[str]:
    """Return every `what` that the code writes into the audit log."""
    found: set[str] = set()
    writers = {"web.audit": {"record", "record_done", "done", "may_see"}, "commands.trail": {"record", "leave"}}
    for module, known in writers.items():
        folder, _, name = module.partition(".")
        for path in (DOCS.parent / "mapper" / folder).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if module not in source and path.stem != name:
                continue
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call):
                    names = {getattr(one, "id", getattr(one, "attr", "")) for one in (node.func, *node.args)}
                    if names & known:
                        found |= {str(one.value) for one in node.args if isinstance(one, ast.Constant)}
    return found


def test_every_word_of_the_audit_log_is_explained() -> None:
    words = audited()
    assert {"logged out", "looked at the header", "refused"} <= words
    part = text("docs/operations.md").partition("\n### The audit log\n")[2].partition("\n## ")[0]
    rows = part.partition("| `what` |")[2].partition("\n\n")[0].splitlines()[2:]
    assert words == {word for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_every_path_that_is_open_is_told() -> None:
    part = text("docs/privacy.md").partition("\n## Who gets in\n")[2].partition("\n## ")[0]
    told = set(re.findall(r"`(/[^`]*)`", part))
    assert told == {re.sub(r"^(/static/).*", r"\1", path) for path in OPEN}
