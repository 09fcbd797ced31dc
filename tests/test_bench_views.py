"""What `bench.alike` takes for the same: every byte but what servers set themselves."""

import json
from doctest import DocTestFinder, DocTestRunner
from pathlib import Path
from typing import Any

import pytest

from bench import views
from bench.views import as_served, canonical, difference, of_folder

OURS = {"resourceType": "Patient", "id": "a", "birthDate": "1970"}
SERVED: dict[str, tuple[dict[str, Any], bool]] = {
    "in another order": ({"id": "a", "birthDate": "1970", "resourceType": "Patient"}, True),
    "with what a server sets": (OURS | {"meta": {"versionId": "3", "lastUpdated": "2024", "source": "#x"}}, True),
    "with a profile of its own": (OURS | {"meta": {"versionId": "3", "profile": ["p"]}}, False),
    "one element too much": (OURS | {"active": True}, False),
    "another value": (OURS | {"birthDate": "1970-01"}, False),
    "without one": ({"resourceType": "Patient", "id": "a"}, False),
}


@pytest.mark.parametrize(("served", "alike"), SERVED.values(), ids=SERVED)
def test_resources_are_alike_but_for_what_servers_set(served: dict[str, Any], alike: bool) -> None:
    assert (canonical(OURS) == canonical(served)) is alike


@pytest.mark.parametrize(("one", "other"), [("1.70", "1.7"), ("1.7", "1.71"), ("1", "1.0")])
def test_a_number_with_other_digits_is_another(one: str, other: str) -> None:
    said = [f'{{"resourceType":"Observation","id":"a","value":{number}}}'.encode() for number in (one, other)]
    one_view, other_view = (as_served({("Observation", "a"): line}) for line in said)
    assert difference(one_view, other_view) == [("Observation", "a")]


def test_of_two_lines_of_a_resource_that_of_the_later_chunk_counts(tmp_path: Path) -> None:
    for chunk, birth in (("000002", "1971"), ("000001", "1970")):
        (tmp_path / f"Patient.{chunk}.ndjson").write_text(json.dumps(OURS | {"birthDate": birth}) + "\n")
    ((key, line),) = of_folder(tmp_path).items()
    assert (key, json.loads(line)["birthDate"]) == (("Patient", "a"), "1971")


def test_the_example_is_true() -> None:
    for example in DocTestFinder().find(views):
        assert not DocTestRunner().run(example).failed
