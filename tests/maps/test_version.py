"""A changed mapping cannot be forgotten: what it makes is pinned under its version, and the changelog says so.

The steps of CONTRIBUTING.md are held here and in test_tables.py; what fails names the file and the remedy.
"""

import re

import pytest

from mapper.maps import MAPPING_VERSION, TABLES, study_to_fhir
from mapper.maps.rule import Made, Rule
from tests.support.everything import study_of, variants
from tests.support.pinned import COMMAND, PIN, ROOT, faults, history, made, pinned, printed

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
MARK = re.compile(r"^- \*\*MAPPING ?(\d*)\*\*", re.MULTILINE)


def test_what_this_version_makes_is_what_was_pinned_under_it():
    before, now = pinned((ROOT / PIN).read_text(encoding="utf-8")), made()
    assert not faults(before, now)
    assert before == now, f"{PIN} does not say what the mapping makes: {COMMAND}"


def test_no_version_was_ever_pinned_with_another_output():
    now = pinned((ROOT / PIN).read_text(encoding="utf-8"))
    for commit, before in history():
        assert not faults(before, now), f"pinned otherwise in commit {commit}"


PINS = {  # before, now -> may it be pinned
    "the same": ({"version": "2", "G01": "a"}, {"version": "2", "G01": "a"}, True),
    "a study more": ({"version": "2", "G01": "a"}, {"version": "2", "G01": "a", "G02": "b"}, True),
    "a study less": ({"version": "2", "G01": "a", "G02": "b"}, {"version": "2", "G01": "a"}, True),
    "another output": ({"version": "2", "G01": "a"}, {"version": "2", "G01": "b"}, False),
    "another output, one more study": ({"version": "2", "G01": "a"}, {"version": "2", "G01": "b", "G02": "b"}, False),
    "another output of another version": ({"version": "2", "G01": "a"}, {"version": "3", "G01": "b"}, True),
    "another version for nothing": ({"version": "2", "G01": "a"}, {"version": "3", "G01": "a"}, True),
}


@pytest.mark.parametrize(("before", "now", "allowed"), PINS.values(), ids=PINS)
def test_another_output_needs_another_version(before, now, allowed):
    found = faults(before, now)
    assert (not found) is allowed
    for line in found:
        assert line.startswith("G01: ")
        assert "mapper/maps/__init__.py" in line
        assert "**MAPPING 3**" in line
        assert COMMAND in line
    assert pinned(printed(now)) == now


def test_the_changelog_tells_of_this_version_of_the_mapping():
    numbers = MARK.findall(CHANGELOG)
    assert all(numbers), "CHANGELOG.md: a sentence marked **MAPPING** names the version that it makes, **MAPPING 3**"
    assert MAPPING_VERSION in numbers, (
        f"CHANGELOG.md: no sentence marked **MAPPING {MAPPING_VERSION}** says what this version changes"
    )
    assert numbers == sorted(numbers, key=int, reverse=True), "CHANGELOG.md: the newest release stands first"
    assert max(map(int, numbers)) == int(MAPPING_VERSION), (
        "CHANGELOG.md tells of a later mapping: raise MAPPING_VERSION in mapper/maps/__init__.py"
    )


def test_the_changelog_says_everything_once():
    """Branches that wrote at one place are put together by hand."""
    said = [MARK.sub("- ", line) for line in CHANGELOG.splitlines() if line.startswith("- ")]
    assert len(said) == len(set(said)), f"CHANGELOG.md: {[line[:60] for line in said if said.count(line) > 1]}"


def rules_in(value) -> set[int]:
    """Return which rows made something of an element, however deep."""
    if isinstance(value, list):
        return set().union(*map(rules_in, value))
    if not isinstance(value, Made):
        return set()
    own = {id(row) for found in value.rules.values() for row in found}
    return own.union(*map(rules_in, value.values()))


def test_every_row_makes_something_of_the_study_that_has_everything():
    worked = set().union(
        *(rules_in(study_to_fhir(study_of(metadata), site).resources) for _, metadata, site in variants())
    )
    idle = [name_of(name, row) for name, table in TABLES.items() for row in table if id(row) not in worked]
    assert not idle, "tests/support/everything.py: give these attributes a value, or add a variant in which they count"


def name_of(table: str, row: Rule) -> str:
    """Return a row as a person looks for it."""
    return f"{table}: {row.element} <- {row.dicom or 'nothing'}"
