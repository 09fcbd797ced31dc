"""Pages that the code prints say what the code says."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def test_printed_pages_are_up_to_date():
    spec = importlib.util.spec_from_file_location("printed", DOCS / "printed.py")
    assert spec is not None
    assert spec.loader is not None
    printed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(printed)
    assert printed.stale() == [], "run `make docs`"
