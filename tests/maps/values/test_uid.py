"""UIDs: verbatim or not at all."""

import pytest

from mapper.maps.values.uid import expressible, sop_class, study_identifier, uid_id, uid_identifier, uid_uri
from tests.support.datasets import run

CASES = [  # uid, fits `id`, recorded
    ("1.2.826.0.1.3680043.8.498.1", True, False),
    ("2.25.329800735698586629295641978511506172918", True, False),
    ("1.2.840.113619.2.5.01.7.20240517", True, True),  # a leading zero
    ("1.2.3.", True, True),
    ("1." * 31 + "11", True, False),  # 64 characters
    ("1." * 32 + "1", False, True),  # 65
    ("1.2.3_4", False, True),
    ("1.2 3", False, True),
    ("1.2.\u0663", False, True),  # a digit, but not ASCII
]


@pytest.mark.parametrize(("uid", "fits", "recorded"), CASES)
def test_a_uid_of_a_series_is_bare_or_left_out(uid, fits, recorded):
    made, reasons = run(uid_id, "SeriesInstanceUID", SeriesInstanceUID=uid)
    assert made == (uid if fits else None)
    assert bool(reasons) == recorded
    assert expressible(uid) == fits
    made, _ = run(sop_class, "SOPClassUID", SOPClassUID=uid)
    assert made == ({"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{uid}"} if fits else None)


@pytest.mark.parametrize(("uid", "fits", "recorded"), CASES)
def test_a_study_is_known_by_its_uid_whatever_it_is(uid, fits, recorded):
    made, reasons = run(study_identifier, "StudyInstanceUID", StudyInstanceUID=uid)
    kind = {
        "system": "http://dicom.nema.org/resources/ontology/DCM",
        "code": "110180",
        "display": "Study Instance UID",
    }
    expected = {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}
    assert made == {"type": {"coding": [kind]}, **expected}
    assert bool(reasons) == recorded
    assert run(uid_identifier, "DeviceUID", DeviceUID=uid)[0] == expected
    assert run(uid_uri, "DeviceUID", DeviceUID=uid)[0] == expected["value"]


@pytest.mark.parametrize("padded", ["1.2.3\u0000", "1.2.3 "])
def test_padding_is_no_part_of_a_uid(padded):
    assert run(uid_id, "SeriesInstanceUID", SeriesInstanceUID=padded) == ("1.2.3", [])


@pytest.mark.parametrize("by", [uid_id, uid_uri, uid_identifier, study_identifier, sop_class])
def test_nothing_makes_nothing(by):
    assert run(by, "SOPClassUID") == (None, [])
    assert run(by, "SOPClassUID", SOPClassUID=None) == (None, [])
