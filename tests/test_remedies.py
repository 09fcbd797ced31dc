"""Whatever goes wrong, there is something to do about it."""

import pytest

from mapper import errors
from mapper.errors import MapperError
from mapper.ledger.studies import UNFINISHED
from mapper.remedies import REMEDIES, UNEXPECTED, manner, remedy, table

KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, MapperError) and kind is not MapperError
}


def test_each_kind_of_failure_has_its_remedy_and_no_other_has_one() -> None:
    assert REMEDIES.keys() == KINDS.keys() | {UNFINISHED}


@pytest.mark.parametrize("name", sorted(REMEDIES))
def test_a_remedy_says_what_it_is_and_what_to_do_in_whole_sentences(name: str) -> None:
    one = remedy(name)
    assert one.what[0].islower() or one.what.startswith("Orthanc")
    assert not one.what.endswith(".")
    assert one.do[0].isupper()
    assert one.do.endswith((".", ")."))
    assert f"| {name} | {one.what} | {one.do} |" in table()


@pytest.mark.parametrize("name", ["KeyError", "", "MapperError", "<b>", "annotations"])
def test_what_nobody_expected_has_a_remedy_too(name: str) -> None:
    assert remedy(name) is UNEXPECTED


@pytest.mark.parametrize(
    ("name", "side", "fate"),
    [
        ("SourceDown", "source", "retry"),
        ("BundleRejected", "sink", "park"),
        ("StudyGone", "source", "retract"),
        ("SettingError", "ours", "stop"),
        ("Unfinished", "ours", "park"),
        ("ZeroDivisionError", "ours", "park"),
        ("Problem", "ours", "park"),
    ],
)
def test_the_manner_of_a_failure_is_that_of_its_kind(name: str, side: str, fate: str) -> None:
    assert manner(name) == (side, fate)
