"""What the README tells its readers to type."""

import re
import textwrap
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
