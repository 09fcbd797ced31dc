"""What `make bench-check` calls slower, and where `make bench` writes its figures in the README."""

import sys
from doctest import DocTestFinder, DocTestRunner

import pytest
from rich.console import Console

from bench import readme
from bench.__main__ import ALONE, PROGRAMS, run
from bench.backfill import memory
from bench.budget import Budget
from bench.check import is_slower, lines
from bench.many import MapsEach
from bench.processes import BUSY
from bench.readme import BEGIN, END, README, told
from bench.target import verdict

BEFORE = [4.0, 4.1, 4.2, 4.3, 5.0]
NOW: dict[str, tuple[list[float], bool]] = {
    "the same": (BEFORE, False),
    "quicker": ([1.0] * 5, False),
    "a little slower, all of them beyond the spread": ([5.01] * 5, False),
    "a fifth slower to the letter": ([5.04] * 5, False),
    "more than a fifth slower, all of them beyond the spread": ([5.05] * 5, True),
    "more than a fifth slower, one of them within the spread": ([4.9, 6, 6, 6, 6], False),
    "more than a fifth slower, one of them at its end": ([5.0, 6, 6, 6, 6], False),
    "one of them much slower": ([4.0, 4.1, 4.2, 4.3, 40], False),
    "twice as slow": ([8.0] * 5, True),
}


@pytest.mark.parametrize(("now", "slower"), NOW.values(), ids=NOW)
def test_slower_is_what_is_so_beyond_the_spread_and_a_fifth(now: list[float], slower: bool) -> None:
    assert is_slower(BEFORE, now) is slower
    said, failed = lines({"a": BEFORE}, {"a": now, "new": now})
    assert failed is slower
    assert [line.split()[0] for line in said] == ["slower" if slower else "as", "as"]


TABLES: dict[str, tuple[str, str]] = {  # before, after `a` is told as 2 s
    "in its old place": ("| a | 1 s |\n| b | 1 s |\n", "| a | 2 s |\n| b | 1 s |\n"),
    "at the end where it is new": ("| b | 1 s |\n", "| b | 1 s |\n| a | 2 s |\n"),
    "as the first": ("", "| a | 2 s |\n"),
    "not where another begins with it": ("| a b | 1 s |\n", "| a b | 1 s |\n| a | 2 s |\n"),
}


@pytest.mark.parametrize(("before", "after"), TABLES.values(), ids=TABLES)
def test_a_figure_is_told_in_its_row_alone(before: str, after: str) -> None:
    assert told(f"# x\n{BEGIN}{before}{END}\nmore\n", "a", "2 s") == f"# x\n{BEGIN}{after}{END}\nmore\n"


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n"], ids=["no marks", "no end", "no beginning"])
def test_a_readme_without_the_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no table between the marks"):
        told(text, "a", "2 s")


def test_the_readme_has_the_marks() -> None:
    assert "| a | 2 s |" in told(README.read_text(encoding="utf-8"), "a", "2 s")


def test_the_example_is_true() -> None:
    for example in DocTestFinder().find(readme):
        assert not DocTestRunner().run(example).failed


def test_all_benchmarks_together_take_less_than_half_an_hour() -> None:
    assert sum(PROGRAMS.values()) < 30 * 60


def test_every_program_of_the_bench_is_run_and_no_other() -> None:
    """Beside those that take too long, or are a part of another one, and `make bench-check`."""
    runnable = {one.stem for one in (README.parent / "bench").glob("*.py") if "def main()" in one.read_text()}
    assert set(PROGRAMS) == runnable - ALONE - {"__main__", "check", "null_fhir"}


@pytest.mark.parametrize(
    ("program", "said"),
    [("pass", "done in"), ("raise SystemExit(3)", "FAILED with exit code 3"), ("while True: pass", "NOT FINISHED")],
)
def test_a_program_is_ended_at_its_bound_and_what_became_of_it_is_said(program: str, said: str) -> None:
    assert run([sys.executable, "-c", program], 2.0 if "while" in program else 60.0).startswith(said)


def test_a_backfill_takes_the_crew_of_the_bench(capsys: pytest.CaptureFixture[str]) -> None:
    memory(MapsEach(), "each mapped", 20, Console(width=100))
    assert "after 20" in capsys.readouterr().out


def test_a_budget_is_spent_when_nothing_is_left() -> None:
    assert (Budget(0).is_spent, Budget(0).left, Budget(3600).is_spent) == (True, 0.0, False)


VERDICTS = {
    "held": (True, 0.0, "1 (holds: at most 2)"),
    "held although others were busy": (True, 0.9, "1 (holds: at most 2)"),
    "missed": (False, 0.0, "1 (MISSED: at most 2)"),
    "missed beside a little work of others": (False, BUSY, "1 (MISSED: at most 2)"),
    "missed while others were busy": (
        *(False, 0.9),
        "1 (MISSED: at most 2; others had 90% of the CPU, so the clock says nothing of us)",
    ),
}


@pytest.mark.parametrize(("holds", "others", "said"), VERDICTS.values(), ids=VERDICTS)
def test_a_missed_target_says_what_others_did(holds: bool, others: float, said: str) -> None:
    assert verdict(holds, "1", "at most 2", others) == said
