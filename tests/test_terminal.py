"""What came from outside reaches a terminal as text alone: no control character does anything there."""

import ast
import io
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from mapper.commands.progress import Progress
from mapper.terminal import say, shown, shown_json

MAPPER = Path(__file__).resolve().parents[1] / "mapper"

CASES: dict[str, tuple[str, str]] = {
    "plain": ("1.2.840.10008", "1.2.840.10008"),
    "other scripts": ("Müller 山田 יוסף محمد", "Müller 山田 יוסף محمد"),
    "an emoji of several parts": ("👩\u200d⚕️", "👩\u200d⚕️"),
    "a colour": ("\x1b[31mred", r"\x1b[31mred"),
    "the title of the window": ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
    "a C1 sequence": ("\x9b31mred", r"\x9b31mred"),
    "a C1 string": ("\x90q\x9c", r"\x90q\x9c"),
    "a line over the last one": ("safe\rgone", r"safe\rgone"),
    "backspaces": ("rm\b\bls", r"rm\x08\x08ls"),
    "two lines": ("one\ntwo", r"one\ntwo"),
    "a tab": ("one\ttwo", r"one\ttwo"),
    "NUL": ("a\0b", r"a\x00b"),
    "DEL": ("a\x7fb", r"a\x7fb"),
    "NEL": ("a\x85b", r"a\x85b"),
    "right to left": ("cod\u202efdp", r"cod\u202efdp"),
    "an isolate": ("\u2066x\u2069", r"\u2066x\u2069"),
    "marks": ("\u200e\u200f\u061c", r"\u200e\u200f\u061c"),
    "line and paragraph": ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
    "a file name that is no UTF-8": ("a\udcffb", r"a\udcffb"),
    "nothing": ("", ""),
}
cases = pytest.mark.parametrize(("text", "seen"), CASES.values(), ids=CASES)
CONTROL_CLASSES = frozenset({"Cc", "Zl", "Zp", "Cs"})
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmless(text: str) -> bool:
    return not any(unicodedata.category(one) in CONTROL_CLASSES or one in BIDI for one in text)


@cases
def test_a_control_character_becomes_visible(text: str, seen: str) -> None:
    assert shown(text) == seen


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_nothing_but_text_is_left(text: str) -> None:
    assert harmless(shown(text))
    assert shown(shown(text)) == shown(text)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_json_says_the_same_and_holds_no_control_character(text: str) -> None:
    told = shown_json(json.dumps({"text": text}, ensure_ascii=False).encode())
    assert json.loads(told) == {"text": text}
    assert harmless(told.decode())


@cases
def test_a_line_is_said_harmlessly(text: str, seen: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(text)
    say(text, err=True)
    assert capsys.readouterr() == (f"{seen}\n", f"{seen}\n")


@cases
def test_a_line_beside_a_bar_is_said_harmlessly(text: str, seen: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("files") as progress:
        progress.say(text)
    assert capsys.readouterr().err == f"{seen}\n"


@cases
def test_a_table_on_a_terminal_holds_only_its_own_control_characters(text: str, seen: str) -> None:
    """Rich itself lets most of them pass."""
    plain, hostile = (io.StringIO(), io.StringIO())
    for file, cell in ((plain, "x" * len(seen)), (hostile, shown(text))):
        table = Table("study", box=None)
        table.add_row(cell)
        Console(file=file, force_terminal=True, markup=False, highlight=False, width=80).print(table)
    assert hostile.getvalue().count("\x1b") == plain.getvalue().count("\x1b")
    assert seen in hostile.getvalue()


OUTPUTS = ("print", "typer.echo", "click.echo", "sys.stdout.write")


def test_everything_is_printed_by_one_function() -> None:
    for path in (one for one in sorted(MAPPER.rglob("*.py")) if one.name != "terminal.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("print", "typer.echo", "click.echo", "sys.stdout.write"), (
                    f"{path}:{node.lineno}"
                )
