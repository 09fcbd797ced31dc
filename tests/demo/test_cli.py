"""A command in the demo ends with its own exit code, and what `make` makes of it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

import demo.__main__ as program

ROOT = Path(__file__).parents[2]


class Ending:
    """A stack of the demo in which every command ends with one code."""

    def __init__(self, code: int) -> None:
        self.code, self.asked = code, [""]

    def cli(self, arguments: Sequence[str]) -> int:
        self.asked = list(arguments)
        return self.code


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_demo_s_own_program_keeps_the_exit_code(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    stack = Ending(code)
    monkeypatch.setattr(program, "choose", lambda name: stack)
    done = CliRunner().invoke(program.app, ["cli", "sds", "datasets/heart", "--check"])
    assert (done.exit_code, stack.asked) == (code, ["sds", "datasets/heart", "--check"])


@pytest.mark.parametrize(("code", "made"), [(0, 0), (1, 2), (2, 2), (5, 2)])
def test_make_ends_with_two_whatever_the_code_was(code: int, made: int) -> None:
    """As docs/command-line.md says; GNU make has no other code for a command that failed."""
    command = ["make", "cli", f"RUN=sh -c 'exit {code}' --"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == made
    assert code == 0 or f"Error {code}" in done.stderr
