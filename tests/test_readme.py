"""What the pages for people name is there: targets, commands, paths, settings, links, tests; CI runs what they say."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from demo.environment import kept
from mapper.commands.cli import app
from mapper.configuration import CONFIG, PREFIX
from mapper.settings import Settings
from tests.support.readme import ROOT, first_study, text

HAND_WRITTEN = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/operations.md",
    "docs/privacy.md",
    "docs/security.md",
    "docs/faults.md",
    "docs/extending.md",
    "docs/fhir-questions.md",
)
MADE_HERE = (".run/", ".venv/", "FOLDER", "http")
"""Paths that only a run makes."""


@cache
def pages() -> tuple[Path, ...]:
    """Return every Markdown page of the project."""
    folders = [path for path in sorted(ROOT.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    found = [*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))]
    return tuple(page for page in found if "target" not in page.parts)


def code(page: str) -> list[str]:
    """Return what stands in code, line by line: blocks and spans."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text(page), re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text(page), flags=re.DOTALL | re.MULTILINE))
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()] + spans


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_every_request_of_the_readme_is_among_those_that_are_run() -> None:
    assert re.findall(r"^ *curl .*$", text("README.md"), re.MULTILINE)
    for line in re.findall(r"^ *(curl .*)$", text("README.md"), re.MULTILINE):
        assert line in "".join(first_study())


@pytest.mark.parametrize("page", HAND_WRITTEN)
def test_no_login_stands_in_a_page(page: str) -> None:
    """Neither as an option of curl nor in a URL: what a page tells is what everybody knows."""
    assert not re.findall(r"(?:-u|--user)[ =]?(?!\$)\S+:\S+|://[^\s/@`]+:[^\s/@$`]+@(?!host/)", text(page))
    assert not re.findall(r"password `\w+`", text(page))


# -- make ----------------------------------------------------------------------------------------


@cache
def targets() -> dict[str, tuple[list[str], str]]:
    """Return the Makefile's targets: what each needs, and its recipe."""
    found = re.findall(r"^([a-z]+):([^#\n]*)(?:##.*)?\n((?:\t.*\n)*)", text("Makefile"), re.MULTILINE)
    return {name: (needs.split(), recipe) for name, needs, recipe in found}


@cache
def reached() -> str:
    """Return every line that .ci/run leads to, by way of the Makefile."""
    todo, done, lines = re.findall(r"\bmake ([a-z]+)", text(".ci/run")), set[str](), text(".ci/run")
    while todo:
        target = todo.pop()
        if target not in done:
            done.add(target)
            needs, recipe = targets()[target]
            todo += needs
            lines += f"make {target}\n{recipe}"
    return lines


@pytest.mark.parametrize("page", HAND_WRITTEN)
def test_every_target_that_is_named_exists(page: str) -> None:
    named = {target for line in code(page) for target in re.findall(r"\bmake ([a-z]+)", line)}
    assert named <= targets().keys()


def test_every_target_says_what_it_does() -> None:
    helped = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert re.findall(r"^ +make ([a-z]+) +\w", helped, re.MULTILINE) == list(targets())


def test_ci_runs_what_contributors_are_told_to_run() -> None:
    told = re.findall(r"^```sh\n(.*?)^```", text("CONTRIBUTING.md"), re.DOTALL | re.MULTILINE)
    commands = [line.partition("#")[0].strip() for block in told for line in block.splitlines()]
    assert commands
    for command in commands:
        assert command in reached(), f"{command!r} is not run by .ci/run"


def test_ci_runs_the_tests() -> None:
    assert "make test" in reached()
    assert "pytest" in reached()


# -- commands and settings -----------------------------------------------------------------------


@pytest.mark.parametrize("page", HAND_WRITTEN)
def test_every_command_and_option_that_is_named_exists(page: str) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]  # a click group
    for line in code(page):
        for called in re.findall(r"(?<![\w/.-])(?:orthanc-fhir|\S*/bin/orthanc-fhir|make cli) +(.*)", line):
            words = re.sub(r'^ARGS="|"`?$', "", called.partition("#")[0].strip()).split()
            command = known[words[0].strip("`.,;")]
            options = {option for parameter in command.params for option in parameter.opts}
            assert {word.partition("=")[0] for word in words[1:] if word.startswith("--")} <= options, line


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_variable_that_is_named_is_a_setting_or_the_stacks(page: Path) -> None:
    settings = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG}
    compose, orthanc = text("docker-compose.yml"), text("orthanc.json")
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+", page.read_text(encoding="utf-8")))
    stack = set(re.findall(rf"\b{PREFIX}[A-Z_]+", compose + orthanc)) | kept_names()
    assert named <= settings | stack


def kept_names() -> set[str]:
    """Return what the demo keeps in its file of secrets."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return set(kept(Path(folder) / "demo.env"))


@pytest.mark.parametrize("page", HAND_WRITTEN)
def test_every_setting_that_a_table_or_a_file_names_exists(page: str) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", text(page), re.DOTALL | re.MULTILINE)
    fields = Settings.model_fields.keys() | set(Settings.model_fields["sources"].annotation.__args__[0].model_fields)  # type: ignore[union-attr]
    for block in blocks:
        named = set(re.findall(r"^(\w+) =", block, re.MULTILINE)) | set(
            re.findall(r"^\[+(\w+)\]+", block, re.MULTILINE)
        )
        assert named <= fields


def test_every_metric_that_is_named_is_told(ledger_url: str) -> None:
    from mapper.ledger.database import Database
    from mapper.ledger.ledger import Ledger
    from mapper.web.prometheus import Prometheus

    metrics = Prometheus()
    metrics.watch(Ledger(Database(ledger_url)))
    told = metrics.text().decode()
    for name in set(re.findall(r"\borthanc_fhir_\w+", text("docs/operations.md"))):
        assert f"# TYPE {name} " in told


# -- paths, links, tests -------------------------------------------------------------------------


def is_path(span: str) -> bool:
    """Tell whether a span of code names a file or folder of the checkout."""
    return bool(re.fullmatch(r"\.?[\w.-]+(/[\w.<>-]*)*", span)) and (
        "/" in span or span.endswith((".md", ".json", ".yml"))
    )


@pytest.mark.parametrize("page", HAND_WRITTEN)
def test_every_path_that_is_named_exists(page: str) -> None:
    top = {path.name for path in ROOT.iterdir()}
    for span in code(page):
        if not is_path(span) or span.startswith(MADE_HERE) or span.split("/")[0] not in top:
            continue
        pattern = re.sub(r"<[^>]+>", "*", span).rstrip("/")
        assert list(ROOT.glob(pattern)), f"{page} names {span}"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and others make them."""
    heads = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", head).lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"(https?|mailto):", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert ROOT in there.parents, target
        if anchor:
            assert anchor in anchors(there), target


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_test_that_is_named_exists(page: Path) -> None:
    for file, test in re.findall(r"(tests/[\w/]+\.py)::(\w+)", page.read_text(encoding="utf-8")):
        defined = {node.name for node in ast.parse(text(file)).body if isinstance(node, ast.FunctionDef)}
        assert test in defined, f"{file}::{test}"


def test_every_fault_is_shown_by_a_test() -> None:
    rows = [line for line in text("docs/faults.md").splitlines() if line.startswith("| ") and "---" not in line]
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4, row
        assert cells[3] == "shown by" or "`tests/" in cells[3], row


def test_pictures_are_small() -> None:
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.stat().st_size < 150_000, picture.name
