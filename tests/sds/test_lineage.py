"""From a sample, a site, a performance, a pool or a population to its subjects."""

import pytest

from mapper.records.sds.lineage import ENTITY_ID
from tests.sds.folders import lineage

FAMILY = lineage(
    subjects=[
        {"subject id": "sub-1", "pool id": "pool-1"},
        {"subject id": "sub-2", "pool id": "pool-1", "member of": "pop-sub-a"},
        {"subject id": "sub-3", "member of": "pop-sub-a pop-sub-b"},
        {"subject id": "pop-sub-b"},
        {"subject id": "4"},
    ],
    samples=[
        {"sample id": "sam-1", "subject id": "sub-1"},
        {"sample id": "sam-2", "was derived from": "sam-1"},
        {"sample id": "sam-3", "was derived from": "sam-2 sub-2"},
        {"sample id": "sam-4", "subject id": "sub-9"},
        {"sample id": "sam-5", "subject id": "nobody"},
        {"sample id": "sam-6"},
        {"sample id": "sam-7", "was derived from": "sam-8"},
        {"sample id": "sam-8", "was derived from": "sam-7"},
        {"sample id": "sam-9", "was derived from": "sam-9 sub-3"},
        {"sample id": "sam-10", "subject id": "sub-1", "was derived from": "sam-1", "pool id": "pool-2"},
        {"sample id": "sam-11", "subject id": "sub-2", "pool id": "pool-2"},
    ],
    sites=[{"site id": "site-1", "specimen id": "sam-2"}, {"site id": "site-2"}],
    performances=[{"performance id": "perf-1", "participants": "sub-2 sam-1"}],
)
OWNERS = {
    "sub-1": ("sub-1",),
    "4": ("4",),
    "sub-9": ("sub-9",),
    "nobody": (),
    "": (),
    "sam-1": ("sub-1",),
    "sam-2": ("sub-1",),
    "sam-3": ("sub-1", "sub-2"),
    "sam-4": ("sub-9",),
    "sam-5": (),
    "sam-6": (),
    "sam-7": (),
    "sam-9": ("sub-3",),
    "sam-10": ("sub-1",),
    "sam-99": (),
    "site-1": ("sub-1",),
    "site-2": (),
    "perf-1": ("sub-2", "sub-1"),
    "pool-1": ("sub-1", "sub-2"),
    "pool-2": ("sub-1", "sub-2"),
    "pop-sub-a": ("sub-2", "sub-3"),
    "pop-sub-b": ("sub-3",),
    "pop-sub-c": (),
}


@pytest.mark.parametrize(("entity", "subjects"), OWNERS.items())
def test_the_subjects_of_an_id(entity: str, subjects: tuple[str, ...]) -> None:
    assert FAMILY.subjects_of(entity) == subjects


KNOWN = {
    "sub-1": True,
    "sam-5": True,
    "site-2": True,
    "perf-1": True,
    "pool-1": True,
    "pop-sub-a": True,
    "sub-9": False,
}


@pytest.mark.parametrize(("entity", "known"), KNOWN.items())
def test_ids_that_sheets_have(entity: str, known: bool) -> None:
    assert FAMILY.knows(entity) == known


SAMPLES = {
    "sam-1": True,
    "sam-99": True,
    "pop-sam-1": True,
    "sub-1": False,
    "sub-99": False,
    "4": False,
    "pool-2": False,
}


@pytest.mark.parametrize(("entity", "sample"), SAMPLES.items())
def test_ids_of_samples(entity: str, sample: bool) -> None:
    assert FAMILY.is_sample(entity) == sample


def test_a_row_is_found_by_its_id() -> None:
    found = [FAMILY.row(entity) for entity in ("sub-1", "sam-1", "site-1", "perf-1", "pool-1")]
    assert [row.id if row else None for row in found] == ["sub-1", "sam-1", "site-1", "perf-1", None]


def test_circles_end() -> None:
    assert FAMILY.ancestors("sam-7") == {"sam-7", "sam-8"}
    assert FAMILY.ancestors("sam-9") == {"sam-9", "sub-3"}
    assert FAMILY.ancestors("sam-3") == {"sam-1", "sam-2", "sub-1", "sub-2"}


def test_a_long_line_of_ancestors_is_walked() -> None:
    rows = [{"sample id": f"sam-{number}", "was derived from": f"sam-{number - 1}"} for number in range(1, 5000)]
    family = lineage([{"subject id": "sub-1"}], [{"sample id": "sam-0", "subject id": "sub-1"}, *rows])
    assert family.subjects_of("sam-4999") == ("sub-1",)
    assert len(family.ancestors("sam-4999")) == 5000


FORMS = {
    "sub-1": True,
    "sub-Anna-breast-1": True,
    "sam-1": True,
    "site-bb-1-wing-l": True,
    "perf-1": True,
    "pop-sub-1": True,
    "sub-": False,
    "sub-1-": False,
    "sub--1": False,
    "sub_1": False,
    "sub-1_2": False,
    "sub-é": False,
    "sub-1\n": False,
    "Sub-1": False,
    "pool-1": False,
    "pop-pool-1": False,
    "1": False,
}


@pytest.mark.parametrize(("entity", "good"), FORMS.items())
def test_the_form_of_an_id(entity: str, good: bool) -> None:
    assert bool(ENTITY_ID.fullmatch(entity)) == good
