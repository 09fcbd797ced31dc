"""What the README tells its readers to type."""

import re
import textwrap
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def first_study() -> list[str]:
    """Return the shell blocks of the README's first study, in order; tests/live/test_native_stack.py runs them."""
    section = re.search(r"^## Your first study.*?(?=^## )", text("README.md"), re.DOTALL | re.MULTILINE)
    assert section is not None
    return [
        textwrap.dedent(block) for block in re.findall(r"^ *```sh\n(.*?)^ *```", section[0], re.DOTALL | re.MULTILINE)
    ]


def answered() -> list[tuple[str, list[str]]]:
    """Return the shell blocks of the README whose answer stands right below them, with its lines."""
    blocks = list(re.finditer(r"^ *```(\w+)\n(.*?)^ *```\n", text("README.md"), re.DOTALL | re.MULTILINE))
    return [
        (textwrap.dedent(one[2]), [line.strip() for line in other[2].splitlines()])
        for one, other in pairwise(blocks)
        if (one[1], other[1]) == ("sh", "text") and not text("README.md")[one.end() : other.start()].strip()
    ]
