"""Rejection notes: what they take out of their own study comes back when they go (IHE RAD TF-2 4.66)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.explain import lines
from mapper.fhir.check import faults
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.rejection import ELSEWHERE, SPEAKS
from mapper.maps.silence import Silences
from samples.sr.content import CONTAINS, container, text
from tests.support.documented import IMPRESSION, TITLE
from tests.support.rejected import IMAGES, OTHER_STUDY, image, note, uid
from tests.support.reported import (
    BASIC_TEXT,
    COMPREHENSIVE,
    KEY_OBJECTS,
    SITE,
    STUDY_UID,
    bundle_of,
    instance,
    mapped,
    of_kind,
    study_of,
)
from tests.support.tables import rows


def about(found: Mapped) -> dict[str, Any]:
    (made,) = of_kind(found, "ImagingStudy")
    return made


def listed(found: Mapped) -> list[str]:
    """Return the places of all instances that an ImagingStudy lists."""
    return [each["uid"].removeprefix(uid("")) for one in about(found)["series"] for each in one["instance"]]


@rows(
    "code, named, left, status",
    """
    113001    1.2            1.1 2.1 9.1        available           # quality
    113037    1.2            1.1 2.1 9.1        available           # patient safety
    113038    1.2            1.1 2.1 9.1        available           # incorrect worklist entry
    113039    1.2            1.1 1.2 2.1 9.1    available           # retention expired: no effect
    113000    1.2            1.1 1.2 2.1 9.1    available           # of interest
    113010    1.2            1.1 1.2 2.1 9.1    available           # a quality issue rejects nothing
    113001    1.1 1.2        2.1 9.1            available           # nothing is left of a series
    113001    1.1 1.2 2.1    9.1                available           # quality: the study did take place
    113037    1.1 1.2 2.1    9.1                entered-in-error
    113038    1.1 1.2 2.1    9.1                entered-in-error
    113001    7.7            1.1 1.2 2.1 9.1    available           # deleted long ago
    113001    1.2 9.1        1.1 2.1 9.1        available           # no note rejects itself
    """,
)
def test_the_title_decides_what_becomes_of_the_instances(code: str, named: str, left: str, status: str) -> None:
    found = mapped(*IMAGES, note(code, *map(uid, named.split())))
    made = about(found)
    assert listed(found) == left.split()
    assert made["numberOfInstances"] == len(left.split())
    assert made["numberOfSeries"] == len(made["series"]) == len({one.split(".")[0] for one in left.split()})
    assert [one["numberOfInstances"] for one in made["series"]] == [len(one["instance"]) for one in made["series"]]
    assert made["status"] == status
    assert found.instances == 4, "what is counted elsewhere is what the archive holds"
    assert found.problems == []


@rows(
    "named, is_recorded",
    """
    1.1        yes    # its series goes on being told by it
    1.2        no
    1.1 1.2    no     # nothing is left of the series
    2.1        no
    """,
)
def test_a_rejected_instance_that_speaks_for_a_series_is_recorded(named: str, is_recorded: str) -> None:
    found = mapped(*IMAGES, note("113037", *map(uid, named.split())))
    assert (SPEAKS in found.problems) == (is_recorded == "yes")


def test_who_the_patient_is_is_not_said_by_what_is_rejected() -> None:
    wrong = {"IssuerOfPatientID": "WRONG", "PatientName": "Wrong^A"}
    right = {"IssuerOfPatientID": "RIGHT", "PatientName": "Right^B"}
    found = mapped(image(1, 1, **wrong), image(2, 1, **right), note("113037", uid("1.1"), **right))
    (patient,) = of_kind(found, "Patient")
    assert "WRONG" not in str(patient)
    assert "Wrong" not in str(patient)
    assert of_kind(mapped(image(2, 1, **right), note("113037", uid("1.1"), **right)), "Patient") == [patient]


@rows(
    "first, second, left, status",
    """
    113001 1.1            113001 1.2            2.1 8.1 9.1        available
    113037 1.1            113038 1.2 2.1        8.1 9.1            entered-in-error    # together they name all
    113001 1.1            113038 1.2 2.1        8.1 9.1            available           # one image was only bad
    113001 1.2            113039 1.1            1.1 2.1 8.1 9.1    available
    113001 9.1            113001 8.1            1.1 1.2 2.1 8.1 9.1    available       # notes about notes
    113001 9.1            113000 1.1            1.1 1.2 2.1 8.1    available           # of a selection
    """,
)
def test_several_notes_add_up(first: str, second: str, left: str, status: str) -> None:
    notes = (
        note(code, *map(uid, named), number=number)
        for number, (code, *named) in ((8, first.split()), (9, second.split()))
    )
    found = mapped(*IMAGES, *notes)
    assert listed(found) == left.split()
    assert about(found)["status"] == status


def test_a_note_acts_on_its_own_study_only() -> None:
    found = mapped(*IMAGES, note("113001", uid("1.2"), study=OTHER_STUDY))
    assert listed(found) == ["1.1", "1.2", "2.1", "9.1"]
    assert found.problems == [ELSEWHERE]


@pytest.mark.parametrize("left_out", ["ContentSequence", "CurrentRequestedProcedureEvidenceSequence"])
def test_a_note_that_names_instances_in_one_place_only_is_understood(left_out: str) -> None:
    found = mapped(*IMAGES, note("113001", uid("1.2"), **{left_out: None}))
    assert listed(found) == ["1.1", "2.1", "9.1"]


@pytest.mark.parametrize(("sop_class", "is_note"), [(KEY_OBJECTS, True), (COMPREHENSIVE, False)])
def test_only_key_objects_are_notes(sop_class: str, is_note: bool) -> None:
    data = note("113001", uid("1.2"))
    data["00080016"]["Value"] = [f"1.2.840.10008.5.1.4.1.1.{sop_class}"]
    assert ("1.2" not in listed(mapped(*IMAGES, data))) == is_note


def report(number: int = 5) -> dict[str, Any]:
    """Return a text report of the study."""
    return instance(container("", TITLE, text(CONTAINS, IMPRESSION, "A lesion."), template="2000"), BASIC_TEXT, number)


def test_what_a_rejected_report_says_goes_with_it() -> None:
    assert len(of_kind(mapped(*IMAGES, report()), "DiagnosticReport")) == 1
    found = mapped(*IMAGES, report(), note("113001", uid("5.1")))
    assert of_kind(found, "DiagnosticReport") == []
    assert listed(found) == ["1.1", "1.2", "2.1", "9.1"]


def test_a_report_that_nobody_rejected_keeps_a_study_from_being_in_error() -> None:
    named = map(uid, ("1.1", "1.2", "2.1"))
    assert about(mapped(*IMAGES, report(), note("113038", *named)))["status"] == "available"


def test_of_a_study_in_error_the_header_says_nothing_of_the_patient() -> None:
    named = tuple(map(uid, ("1.1", "1.2", "2.1")))
    with_weight = note("113038", *named) | image(9, 1)
    with_weight |= note("113038", *named)
    assert of_kind(mapped(*IMAGES), "Observation") != []
    assert of_kind(mapped(*IMAGES, with_weight), "Observation") == []


def test_a_study_stays_in_error_when_the_archive_deletes_what_was_rejected() -> None:
    assert about(mapped(note("113038", uid("1.1"))))["status"] == "entered-in-error"
    assert about(mapped(note("113001", uid("1.1"))))["status"] == "available"


def test_modalities_are_those_that_are_left() -> None:
    found = mapped(*IMAGES, image(3, 1, Modality="MR"), note("113001", uid("3.1")))
    assert [one["code"] for one in about(found)["modality"]] == ["CT"]


def test_an_explanation_says_how_many_were_rejected_and_why() -> None:
    silences = Silences()
    found = study_to_fhir(study_of(*IMAGES, note("113001", uid("1.1"), uid("1.2"))), SITE, silences)
    said = "\n".join(lines(found, silences, SITE.fhir_public_url))
    assert "2 rejected: Rejected for Quality Reasons (113001, DCM)" in said


def test_a_note_of_ten_thousand_instances_is_read_whole() -> None:
    named = [f"{uid('1')}.{'9' * 30}.{number}" for number in range(10_000)]
    found = mapped(image(1, 1, SOPInstanceUID=named[-1]), image(2, 1), note("113001", *named))
    assert listed(found) == ["2.1", "9.1"]


PLACES = st.lists(st.sampled_from(["1.1", "1.2", "2.1", "7.7", "8.1", "9.1"]), max_size=6)
CODES = st.sampled_from(["113000", "113001", "113037", "113038", "113039"])


@given(first=PLACES, second=PLACES, codes=st.tuples(CODES, CODES), study=st.sampled_from([STUDY_UID, OTHER_STUDY]))
def test_any_notes_leave_a_study_that_can_be_sent(
    first: list[str], second: list[str], codes: tuple[str, str], study: str
) -> None:
    notes = (
        note(codes[0], *map(uid, first), number=8, study=study),
        note(codes[1], *map(uid, second), number=9),
    )
    found = mapped(*IMAGES, *notes)
    assert faults(bundle_of(found)) == []
    made = about(found)
    assert made["numberOfInstances"] == len(listed(found)) >= 1
    assert found.instances == 5
