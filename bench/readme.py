"""The README's table of figures: each program of bench/ writes its own rows between two marks, and nobody by hand."""

from stack.process import ROOT

README = ROOT / "README.md"
BEGIN, END = "<!-- printed by make bench -->\n", "<!-- end -->"


def tell(work: str, figure: str) -> None:
    """Write one row of the README's table: what was done, and what it took."""
    README.write_text(told(README.read_text(encoding="utf-8"), work, figure), encoding="utf-8")


def told(text: str, work: str, figure: str) -> str:
    """Return a text whose table between the marks says this of some work: in its old place, or at the end.

    >>> print(told(f"{BEGIN}| | |\\n| --- | --- |\\n| a | 1 s |\\n{END}", "a", "2 s"))
    <!-- printed by make bench -->
    | | |
    | --- | --- |
    | a | 2 s |
    <!-- end -->
    """
    before, begun, rest = text.partition(BEGIN)
    table, ended, behind = rest.partition(END)
    if not (begun and ended):
        raise ValueError("README.md has no table between the marks of bench/readme.py")
    rows = table.splitlines()
    row = f"| {work} | {figure} |"
    places = [number for number, line in enumerate(rows) if line.startswith(f"| {work} |")]
    rows[places[0] if places else len(rows) :] = [row, *(rows[places[0] + 1 :] if places else ())]
    return before + begun + "\n".join(rows) + "\n" + END + behind
