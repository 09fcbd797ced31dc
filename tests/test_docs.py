"""Pages that the code prints say what the code says; the page of questions answers each of them."""

import importlib.util
from pathlib import Path
from urllib.parse import parse_qsl

from tests.support.questions import parameters, questions, sections

DOCS = Path(__file__).parent.parent / "docs"


def test_printed_pages_are_up_to_date():
    spec = importlib.util.spec_from_file_location("printed", DOCS / "printed.py")
    assert spec is not None
    assert spec.loader is not None
    printed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(printed)
    assert printed.stale() == [], "run `make docs`"


def test_every_question_has_a_request_and_its_answer():
    asked = [one for one in questions() if one.method == "GET"]
    assert list(dict.fromkeys(one.heading for one in asked)) == list(sections())
    assert all(one.answer for one in asked)


def test_every_search_parameter_that_is_asked_with_is_in_the_table():
    known = {kind: named | {"body-structure"} for kind, named in parameters().items()}
    for one in questions():
        kind, _, query = one.url.partition("?")
        for name, _ in parse_qsl(query):
            assert name.startswith("_") or name.partition(".")[0] in known[kind], one.url
