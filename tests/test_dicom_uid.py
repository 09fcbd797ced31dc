"""Which UIDs may become part of a URL."""

import pytest

from mapper.dicom.uid import is_askable

ASKABLE = [
    "1.2.840.10008.1.1",
    "2.25.329800735698586629295641978511506172918",
    "1.2.05.7",
    "1",
    "A1-b.2",
    "1" * 64,
    "..1",
]
NOT_ASKABLE = [
    *("", " ", ".", "..", "...", "-", "abc", "A.B-C", "1" * 65),
    *("1/2", "../1", "1\\2", "1?x", "1#x", "1%2e", "%2e%2e", "1;2", "1&2", "1=2", "1:2", "1@2", "1+2", "1_2", "1~2"),
    *("1 2", " 1", "1 ", "1\t", "1\n", "1\x00", "1\x7f", "1.2.\u0663", "\uff11.2", "1\u202e", "1\ud800"),
]


@pytest.mark.parametrize("uid", ASKABLE)
def test_a_uid_may_become_part_of_a_url(uid: str) -> None:
    assert is_askable(uid)


@pytest.mark.parametrize("uid", NOT_ASKABLE, ids=ascii)
def test_what_must_not_become_part_of_a_url(uid: str) -> None:
    assert not is_askable(uid)
