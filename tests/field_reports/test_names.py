"""Names and texts that look odd and are right, and some that look right and mean nobody."""

import pytest

from mapper.fhir.check import faults
from mapper.maps.values.human_name import official_names
from tests.support.datasets import run, site
from tests.support.made import made_of, series

SOMEBODY, NOBODY = True, False
NUMBERED = [
    # the report: de-identification that counts its patients (names that mean nobody; PS3.15 table E.1-1)
    ("Anonymized1", NOBODY),
    ("ANONYMIZED0007", NOBODY),
    ("anonymous 12", NOBODY),
    ("Anonymous_3^X", NOBODY),
    ("Anonymised-4", NOBODY),
    ("de-identified5", NOBODY),
    ("REMOVED#6", NOBODY),
    ("Removed.7", NOBODY),
    ("Anonymized", NOBODY),
    # neighbours that name somebody
    ("Anonymizedson1", SOMEBODY),
    ("1Anonymized", SOMEBODY),
    ("Anonymized1a", SOMEBODY),
    ("Smith1", SOMEBODY),
    ("X^ANONYMOUS1", SOMEBODY),
    ("12", SOMEBODY),
]


@pytest.mark.parametrize(("name", "somebody"), NUMBERED)
def test_a_number_does_not_make_a_name_somebodys(name, somebody):
    made, _ = run(official_names, "PatientName*", PatientName=name)
    assert bool(made) == somebody


def test_a_sites_own_names_that_mean_nobody():
    def named(name, *nobody):
        return bool(run(official_names, "PatientName*", site(nobody=nobody), PatientName=name)[0])

    assert not named("ANON-0007", "ANON-0007")
    assert named("ANON-0008", "ANON-0007")
    assert not named("ANON-0008", "ANON")
    assert named("ANONYMOUS1")
    assert not named("Me\u0301dor1", "M\u00e9dor")


WRITTEN = [  # what is written stays as it is written: docs/decisions/0011
    "\ufa10^\u592a\u90ce",  # CJK compatibility ideograph: normal form C would make U+585A of it
    "\ufa11\u6751",
    "\u585a^x",
    "Mu\u0308ller^A",
    "M\u00fcller^A",
    "\u212b^x",  # angstrom sign
    "\u1112\u1161\u11ab^x",  # Hangul in jamo
]


@pytest.mark.parametrize("name", WRITTEN, ids=ascii)
def test_text_is_never_normalised(name):
    made = made_of(series(PatientName=name, StudyDescription=name, IssuerOfPatientID=name))
    family = name.partition("^")[0]
    assert made["Patient"]["name"][0]["family"] == family
    assert made["ImagingStudy"]["description"] == name
    assert made["Patient"]["identifier"][0]["assigner"] == {"display": name}


@pytest.mark.parametrize(("one", "other"), [("Mu\u0308-1", "M\u00fc-1"), ("\ufa10", "\u585a")])
def test_ids_are_the_same_in_every_normal_form(one, other):
    """UAX #15: texts that are equal in form C are the same text; one patient has one id."""
    for keyword in ("PatientID", "IssuerOfPatientID"):
        ids = {made_of(series(**{keyword: value}))["Patient"]["id"] for value in (one, other)}
        assert len(ids) == 1


PLANES = [plane << 16 | end for plane in range(17) for end in (0xFFFE, 0xFFFF)]
NONCHARACTERS = [*range(0xFDD0, 0xFDF0), *PLANES]


def test_there_are_66_noncharacters():
    """Unicode 23.7."""
    assert len(NONCHARACTERS) == 66


@pytest.mark.parametrize("number", NONCHARACTERS, ids=hex)
def test_noncharacters_go_like_controls(number):
    odd = f"a{chr(number)}b"
    made = made_of(series(PatientName=odd, StudyDescription=odd, PatientID=odd))
    assert made["ImagingStudy"]["description"] == made["Patient"]["name"][0]["family"] == "ab"
    assert made["Patient"]["identifier"][0]["value"] == "ab"
    assert "description" not in made_of(series(StudyDescription=chr(number)))["ImagingStudy"]
    assert faults({"entry": [{"resource": {"resourceType": "Patient", "id": "1", "name": [{"text": odd}]}}]}) != []


@pytest.mark.parametrize("number", [0xFDCF, 0xFDF0, 0xFFFD, 0x10000, 0x1FFFD, 0xE000], ids=hex)
def test_their_neighbours_stay(number):
    assert made_of(series(StudyDescription=f"a{chr(number)}b"))["ImagingStudy"]["description"] == f"a{chr(number)}b"
