"""The code of docs/extending.md, taken from the page."""

import re
from functools import cache
from types import ModuleType

from tests.support.readme import text

PAGE = "docs/extending.md"


@cache
def blocks() -> dict[str, str]:
    """Return the code under each heading."""
    sections = re.split(r"^## ", text(PAGE), flags=re.MULTILINE)[1:]
    found = [re.match(r"([^\n]+)\n.*?^```python\n(.*?)^```", one, re.DOTALL | re.MULTILINE) for one in sections]
    return {one[1]: one[2] for one in found if one}


@cache
def extending() -> ModuleType:
    """Run the page from its first block to its last, as one module."""
    module = ModuleType("extending")
    for name, code in blocks().items():
        exec(compile(code, f"{PAGE}: {name}", "exec", dont_inherit=True), module.__dict__)
    return module
