"""Which UIDs may become part of a URL."""

import pytest

from mapper.dicom.uid import is_askable
from tests.support.uids import ASKABLE, NOT_ASKABLE


@pytest.mark.parametrize("uid", ASKABLE)
def test_a_uid_may_become_part_of_a_url(uid: str) -> None:
    assert is_askable(uid)


@pytest.mark.parametrize("uid", NOT_ASKABLE, ids=ascii)
def test_what_must_not_become_part_of_a_url(uid: str) -> None:
    assert not is_askable(uid)
