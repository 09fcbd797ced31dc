"""What `make bench-check` calls slower, and where `make bench` writes its figures in the README."""

from doctest import DocTestFinder, DocTestRunner

import pytest

from bench import readme
from bench.check import is_slower, lines
from bench.readme import BEGIN, END, README, told

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
