"""The walls of the house: who may import whom, and what the mapping must not know."""

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAPPER = ROOT / "mapper"
LAYERS = (
    *("errors", "bug", "remedies", "finding", "nesting", "url", "terminal", "plural", "rate_limit", "log", "metrics"),
    *(
        "http",
        "dicom",
        "records",
        "fhir",
        "maps",
        "settings",
        "wrong_settings",
        "configuration",
        "namespace",
        "sources",
        "sinks",
        "ledger",
        "sync",
    ),
    *("convert", "question", "explain", "standing", "words", "wiring", "service", "jobs", "inquiry", "web", "commands"),
)
"""A package imports only from those before it. Pages are handed the service, so they stand after it."""
NEVER = [("sources", "sinks"), ("sinks", "sources"), ("web", "sources"), ("web", "sinks"), ("sync", "settings")]
NEVER += [("ledger", other) for other in LAYERS if other not in ("errors", "fhir", "ledger")]
"""Pairs that would stand in order and must not meet all the same."""
IMPURE = frozenset(
    {
        *("requests", "urllib3", "http", "socket", "ssl", "time", "random", "secrets", "os", "subprocess", "threading"),
        *("asyncio", "sqlalchemy", "structlog", "logging", "shutil", "tempfile", "pathlib", "urllib.request"),
        *("uuid1", "uuid4"),
    }
)
CLOCKS = frozenset(
    {"now", "today", "utcnow", "time", "monotonic", "perf_counter", "getenv", "environ", "open", "print"}
)
MODULES = sorted(path for path in MAPPER.rglob("*.py") if path != MAPPER / "__init__.py")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield what a module imports, wherever in it that stands, as parts of dotted names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (tuple(one.name.split(".")) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: a relative import"
            assert node.module
            yield from ((*node.module.split("."), one.name) for one in node.names)


def layer(path: Path) -> str:
    return path.relative_to(MAPPER).parts[0].removesuffix(".py")


def test_every_module_has_its_layer() -> None:
    assert {layer(path) for path in MODULES} == set(LAYERS)
    assert len(LAYERS) == len(set(LAYERS))


def test_the_page_of_the_architecture_names_every_package_and_module_in_order() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `mapper/")]
    named = [name for cell in cells for name in re.findall(r"`(?:mapper/)?(\w+)(?:/|\.py)`", cell)]
    assert sorted(named) == sorted(LAYERS), "ARCHITECTURE.md: the table of packages names what mapper/ holds"
    before = [name for name in LAYERS if name in named]
    assert named == sorted(named, key=before.index), "ARCHITECTURE.md: in the order in which they may import each other"


def test_a_module_is_one_noun() -> None:
    for path in (*MODULES, *sorted((ROOT / "orthanc_plugin").glob("*.py"))):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 200, f"{name_of(path)}: {lines} lines; cut it where its second noun begins"


NOT_HERE = re.compile(r"\bDESIGN\b|[Mm]apping reference|[Tt]he reference(?:'s)? (?:says|demands|wants|has)")
PAGES = [*MAPPER.rglob("*.py"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md"), *ROOT.glob("*.md")]


def test_nothing_cites_a_document_that_is_not_here() -> None:
    """What a rule is taken from is a standard, a page of docs/ or a test: whoever reads it can look it up."""
    for path in sorted(PAGES):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert not NOT_HERE.search(line), f"{name_of(path)}:{number}: cite the standard, or docs/mapping.md"


def test_a_package_imports_only_from_those_above_it() -> None:
    for path in MODULES:
        mine = layer(path)
        allowed = set(LAYERS[: LAYERS.index(mine)])
        if path.parent != MAPPER:
            allowed.add(mine)
        for parts in imported(path):
            if parts[0] == "mapper":
                assert len(parts) > 1, name_of(path)
                assert parts[1] in allowed, f"{name_of(path)}: {mine} stands before {parts[1]}"
                assert (mine, parts[1]) not in NEVER, f"{name_of(path)}: {mine} and {parts[1]} never meet"
            strangers = ("demo", "bench", "samples", "tests", "orthanc_plugin")
            assert parts[0] not in strangers, f"{name_of(path)}: the product knows nothing of these"


OF_PAGES = {
    "access": {"session_key", "token", "tokens_file"},
    "server": {"app", "connection", "entrance", "guard", "prometheus", "refusals", "room", "token"},
    "settings": {"settings"},
    "token": {"named_token", "visitor"},
    "trail": {"audit"},
}
"""What commands may take from the pages: who serves them, and who gets in. The words stand below both."""


def test_commands_take_no_words_from_the_pages() -> None:
    for path in (path for path in MODULES if layer(path) == "commands"):
        taken = {parts[2] for parts in imported(path) if parts[:2] == ("mapper", "web")}
        assert taken <= OF_PAGES.get(path.stem, set()), f"{name_of(path)}: mapper/words.py has the words of both"


PURE = [path for path in MODULES if layer(path) in ("dicom", "records", "fhir", "maps")]


def test_the_mapping_knows_neither_a_server_nor_a_clock() -> None:
    for path in PURE:
        for parts in imported(path):
            for length in range(1, len(parts) + 1):
                assert ".".join(parts[:length]) not in IMPURE, name_of(path)
            assert parts[-1] not in IMPURE, name_of(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                assert called not in CLOCKS, f"{name_of(path)}:{node.lineno} calls {called}"


def test_the_plugin_needs_the_standard_library_alone() -> None:
    for path in sorted((ROOT / "orthanc_plugin").glob("*.py")):
        ours = {one.stem for one in (ROOT / "orthanc_plugin").glob("*.py")} | {"orthanc_plugin"}
        for parts in imported(path):
            assert parts[0] in sys.stdlib_module_names | ours | {"orthanc"}, f"{name_of(path)}: {parts[0]}"


def test_no_test_module_imports_another() -> None:
    """What several need stands in tests/support/."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for parts in imported(path):
            strangers = [part for part in parts if part.startswith("test_")]
            assert parts[0] != "tests" or not strangers, f"{name_of(path)} imports {'.'.join(parts)}"


INDEXES = {(Path("sinks/ndjson/index.py"), "sqlite3"), (Path("sources/file_index.py"), "sqlite3")}
"""Indexes of files that can be made anew of them: no table of the ledger's, and no statement beside these modules."""


def test_the_ledger_alone_writes_sql() -> None:
    databases = ("sqlalchemy", "alembic", "sqlite3", "psycopg")
    tables = ("schema", "transition", "migrations", "known", "speaker", "own", "summons")
    free = {("known", "Known"), ("speaker", "SHARED"), ("speaker", "hash_of")}
    for path in (one for one in MODULES if layer(one) != "ledger"):
        for parts in imported(path):
            if (path.relative_to(MAPPER), parts[0]) not in INDEXES:
                assert parts[0] not in databases, f"{name_of(path)}: only mapper/ledger/ knows a database"
            if parts[:2] == ("mapper", "ledger") and parts[2] in tables:
                assert parts[2:4] in free, f"{name_of(path)}: {'.'.join(parts)} is SQL"


FLOORS = 8
"""The longest chain of imports among the modules of ledger/ and sync/ (it was ten)."""


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_ledger_and_sync_have_few_floors_and_no_circle() -> None:
    paths = {module(path): path for path in MODULES if layer(path) in ("ledger", "sync")}
    below = {
        name: {found for parts in imported(path) for found in (".".join(parts), ".".join(parts[:-1])) if found in paths}
        for name, path in paths.items()
    }
    floors: dict[str, int] = {}
    for name in TopologicalSorter(below).static_order():  # raises CycleError
        floors[name] = 1 + max((floors[one] for one in below[name] if paths[one].name != "__init__.py"), default=0)
    highest = max(floors, key=lambda name: floors[name])
    assert floors[highest] <= FLOORS, f"{highest} stands on floor {floors[highest]}"


def test_pages_only_mark_and_ring() -> None:
    """What the web package calls on ledger, worker, source and sink is this and no more."""
    reads = {"rows", "find", "page", "those_in", "counts", "oldest_wait", "parked_by_failure", "meta", "get"}
    reads |= {"chosen", "number", "of_all_sources", "counts_by_source", "failures", "known", "next_due", "sources_of"}
    reads |= {
        "about",
        "between",
        "clock",
        "ended",
        "failed",
        "history",
        "ids",
        "known_as",
        "last_sweep",
        "latest",
        "never_synced",
    }
    reads |= {"of", "offered", "seen", "sides", "spans", "states", "versions"}
    allowed = reads | {"studies", "retry", "breakers", "sink_breaker", "sources"}
    for path in (path for path in MODULES if layer(path) == "web"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
                of_ledger = isinstance(node.value, ast.Attribute) and owner in (
                    "studies",
                    "meta",
                    "rows",
                    "history",
                    "sides",
                )
                if of_ledger or owner in ("ledger", "_ledger", "worker", "source", "sink"):
                    assert node.attr in allowed, f"{name_of(path)}:{node.lineno}: {owner}.{node.attr}"


def test_the_public_names_come_lazily() -> None:
    """`import mapper` alone must be quick: what it hands on is imported when it is asked for."""
    import subprocess

    code = "import sys, mapper; print(*sorted(name for name in sys.modules if name.startswith('mapper')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert loaded.split() == ["mapper"]


def test_the_public_names() -> None:
    import mapper
    from mapper.convert import bundle_from_metadata
    from mapper.errors import NotOneStudy

    assert mapper.bundle_from_metadata is bundle_from_metadata
    assert mapper.NotOneStudy is NotOneStudy
    assert issubclass(NotOneStudy, ValueError)
    assert set(mapper.__all__) == {"NotOneStudy", "bundle_from_metadata"}
    with pytest.raises(AttributeError):
        _ = mapper.nothing_of_the_kind


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_that_is_named_is_there(path: Path) -> None:
    """Whether imported or spoken of: with dots, or as a path."""
    said = path.read_text()
    for name in [one.replace(".", "/") for one in re.findall(r"\bmapper(?:\.\w+)+", said)]:
        assert (ROOT / name).is_dir() or (ROOT / f"{name}.py").exists(), f"{name_of(path)} names {name}"
    for name in re.findall(r"\bmapper/[\w/]+\.py", said):
        assert (ROOT / name).exists(), f"{name_of(path)} names {name}"
