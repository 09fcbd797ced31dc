"""Write a test as the table it checks."""

import re
from typing import Any

import pytest


def rows(names: str, table: str) -> Any:
    """Parametrize from text: one case a line, cells split by | or 2+ spaces, - is None, '' empty, # a note."""
    lines = [re.split(r"(?:^|\s)#", line)[0].strip() for line in table.strip().splitlines()]
    cases = [[cell_of(cell) for cell in re.split(r"\s*\|\s*|\s{2,}", line)] for line in lines if line]
    wanted = names.split(", ")
    for case in cases:
        assert len(case) == len(wanted), f"{len(case)} cells for {wanted}: {case}"
    return pytest.mark.parametrize(wanted, cases, ids=[" ".join(map(str, case)) for case in cases])


def cell_of(text: str) -> str | None:
    """Return what one cell means."""
    if text == "-":
        return None
    return "" if text == "''" else text
