"""Fingerprints: made, taken apart, and in the order in which studies moved."""

from mapper.sources.fingerprint import fingerprint, grown, is_young, moved
from tests.support.tables import rows


@rows(
    "parts, young, made",
    """
    20240101T110000        | no  | 20240101T110000
    20240101T110000        | yes | 20240101T110000/young
    20240101T110000 12     | no  | 20240101T110000/12
    20240101T110000 12 abc | yes | 20240101T110000/12/abc/young
    00000007               | no  | 00000007
    """,
)
def test_a_fingerprint_is_made_and_taken_apart(parts: str, young: str, made: str) -> None:
    when, *state = parts.split()
    found = fingerprint(when, *state, young=young == "yes")
    assert found == made
    assert (moved(found), is_young(found), grown(found)) == (when, young == "yes", "/".join(parts.split()))


def test_the_order_of_fingerprints_is_that_of_time_whatever_follows() -> None:
    times = ["20231231T235959", "20240101T000000", "20240101T000001", "20241231T000000"]
    made = [
        fingerprint(when, *state, young=young)
        for when in times
        for state, young in (((), False), (("1", "ffff"), False), (("999",), True), ((), True))
    ]
    assert [moved(one) for one in sorted(made)] == [moved(one) for one in made]


def test_an_empty_time_sorts_before_all_others() -> None:
    assert sorted([fingerprint("20240101T000000"), fingerprint("", "3")]) == ["/3", "20240101T000000"]
