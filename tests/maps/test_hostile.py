"""Inputs that no archive should hold and some do: one bad thing costs one thing, never the study.

Among them what of the examples G17 and G32 is no file in tests/studies.
"""

import json
from typing import Any

import pytest

from mapper.dicom.collector import Collector
from mapper.errors import NotOneStudy, TwoPatients
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.check import faults
from mapper.maps import Mapped, study_to_fhir
from tests.support.datasets import dataset, site
from tests.support.everything import studies_of, study_of
from tests.support.tables import rows

CT = "1.2.840.10008.5.1.4.1.1.2"
LONG = "1.2." + "9" * 66


def image(series: Any = "1.2.3.1", uid: Any = "1.2.3.1.1", **more: Any) -> dict[str, Any]:
    """Return one instance of study 1.2.3; `...` leaves an attribute out."""
    chosen = {
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": series,
        "SOPInstanceUID": uid,
        "SOPClassUID": CT,
        "Modality": "CT",
        "PatientID": "1",
        **more,
    }
    return dataset(**{keyword: value for keyword, value in chosen.items() if value is not ...})


def mapped(*images: dict[str, Any], **choices: Any) -> tuple[dict[str, Any], Mapped]:
    """Return the ImagingStudy of some instances, and all that was made; the Bundle must be clean."""
    made = study_to_fhir(study_of(json.dumps(images).encode()), site(**choices))
    assert faults(transaction(made.resources, "https://fhir.example.org")) == []
    return next(one for one in made.resources if one["resourceType"] == "ImagingStudy"), made


def recorded(made: Mapped, keyword: str) -> list[str]:
    """Return why an attribute was recorded."""
    return [one.reason for one in made.problems if keyword in one.attribute.split()]


def test_a_sequence_200_deep_is_read_as_far_as_anybody_asks():
    deep: dict[str, Any] = {"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": "the end"}
    for _ in range(200):
        deep = {"CodeValue": "2", "CodingSchemeDesignator": "99X", "EquivalentCodeSequence": deep}
    study, _ = mapped(image(ProcedureCodeSequence=deep, StudyDescription="all the same"))
    assert study["description"] == "all the same"
    assert [one["code"] for one in study["procedureCode"][0]["coding"]] == ["2"]


@pytest.mark.parametrize(("number", "listed"), [(10_000, True), (10_001, False), (20_000, False)])
def test_a_study_with_very_many_instances_is_counted_and_not_listed(number, listed):
    one = json.dumps(image(uid="@@"))
    metadata = f"[{','.join(one.replace('@@', f'1.2.3.1.{n}') for n in range(number))}]".encode()
    made = study_to_fhir(study_of(metadata), site())
    study = next(one for one in made.resources if one["resourceType"] == "ImagingStudy")
    assert (study["numberOfSeries"], study["numberOfInstances"]) == (1, number)
    assert study["series"][0]["numberOfInstances"] == number
    assert ("instance" in study["series"][0]) == listed
    assert any("instance_limit" in one.reason for one in made.problems) != listed
    assert faults(transaction(made.resources, "https://fhir.example.org"), models=False) == []


def test_a_text_of_10_000_characters_is_kept_and_doubted():
    study, made = mapped(image(StudyDescription="x" * 10_000))
    assert study["description"] == "x" * 10_000
    assert recorded(made, "StudyDescription")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("CT\u0000Abdomen", "CTAbdomen"),
        ("\u0000", None),
        (" \u0000\t\u001b ", None),
        ("   ", None),
        ("\u3000", None),
        ("a\u0085\u009fb\u007fc", "abc"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("e\u0301", "e\u0301"),
        ("a\ufdd0b\uffffc\U0001fffe", "abc"),
        ("\ufffe", None),
        ("a\x1b$B;3\x1b(B", "a\ufffd;3\ufffd"),
        ("x\ud800y", "x\ufffdy"),
        (["left", "right"], "left\\right"),
    ],
)
def test_what_is_left_of_a_text(text, kept):
    study, _ = mapped(image(StudyDescription=text))
    assert study.get("description") == kept


@rows(
    "written, number, doubted",
    """
    0             0           no
    1             1           no
    2147483647    2147483647  no
    2147483648    -           yes
    -1            -           yes
    1.0           1           no
    1.5           -           yes
    99999999999   -           yes
    1E+3          1000        no
    1E+9999       -           yes
    1E+99999      -           yes
    one           -           yes
    1_000         -           yes
    ''            -           no
    """,
)
def test_series_numbers(written, number, doubted):
    study, made = mapped(image(SeriesNumber=written))
    assert study["series"][0].get("number") == (None if number is None else int(number))
    assert bool(recorded(made, "SeriesNumber")) == (doubted == "yes")


def test_an_instance_that_comes_twice_is_listed_and_counted_once():
    study, made = mapped(image(), image(), image(uid="1.2.3.1.2"))
    assert [one["uid"] for one in study["series"][0]["instance"]] == ["1.2.3.1.1", "1.2.3.1.2"]
    assert (study["numberOfInstances"], study["series"][0]["numberOfInstances"]) == (2, 2)
    assert recorded(made, "SOPInstanceUID")


@pytest.mark.parametrize("missing", [..., None, "", " \u0000"])
@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID"])
def test_an_instance_without_its_uids_is_left_out_and_not_counted(keyword, missing):
    study, made = mapped(image(), image(uid="1.2.3.1.2", **{keyword: missing}))
    assert (study["numberOfSeries"], study["numberOfInstances"]) == (1, 1)
    assert recorded(made, keyword)


@pytest.mark.parametrize("missing", [..., None, ""])
def test_an_instance_without_its_sop_class_is_counted_and_not_listed(missing):
    study, made = mapped(image(), image(uid="1.2.3.1.2", SOPClassUID=missing))
    assert study["numberOfInstances"] == 2
    assert [one["uid"] for one in study["series"][0]["instance"]] == ["1.2.3.1.1"]
    assert recorded(made, "SOPClassUID")


@pytest.mark.parametrize("odd", [LONG, "1.2.3/4", "1.2.3 4", "ä"])
def test_uids_that_fhir_cannot_hold_are_counted_and_not_listed(odd):
    study, made = mapped(image(), image(uid=odd), image(series=odd, uid="1.2.3.2.1"))
    assert (study["numberOfSeries"], study["numberOfInstances"]) == (2, 3)
    assert [(one["uid"], one["numberOfInstances"]) for one in study["series"]] == [("1.2.3.1", 2)]
    assert [one["uid"] for one in study["series"][0]["instance"]] == ["1.2.3.1.1"]
    assert recorded(made, "SOPInstanceUID")
    assert recorded(made, "SeriesInstanceUID")
    assert "9" * 10 not in dump(study).decode(), "a UID is never cut to fit"


def test_a_study_uid_that_is_too_long_is_kept_and_doubted():
    study, made = mapped(image(StudyInstanceUID=LONG))
    assert study["identifier"][0]["value"] == f"urn:oid:{LONG}"
    assert recorded(made, "StudyInstanceUID")


def test_a_study_of_which_fhir_can_hold_nothing_is_no_study():
    with pytest.raises(NotOneStudy):
        mapped(image(series=LONG))


@pytest.mark.parametrize("missing", [..., None, "", "  "])
def test_an_instance_without_a_study_belongs_to_nobody_and_harms_nobody(missing):
    """Golden example G17: nothing is made of it, other studies are what they are."""
    stray, found = image(StudyInstanceUID=missing), image()
    collector = studies_of(json.dumps([stray, found]).encode())
    assert collector.strays == 1
    assert collector.study_uids == ["1.2.3"]
    both = study_to_fhir(collector.only_study(), site())
    assert dump(both.resources) == dump(mapped(found)[1].resources)
    with pytest.raises(NotOneStudy, match="no study"):
        studies_of(json.dumps([stray]).encode()).only_study()


def test_two_blank_patient_ids_are_one_patient_of_their_study():
    blank = [None, " ", ...]
    _, made = mapped(*(image(uid=f"1.2.3.1.{n}", PatientID=one) for n, one in enumerate(blank)))
    (patient,) = [one for one in made.resources if one["resourceType"] == "Patient"]
    assert "identifier" not in patient


def test_padding_makes_no_second_patient():
    mapped(image(), image(uid="1.2.3.1.2", PatientID="1 "))


def test_two_patients_in_one_study_are_refused_and_the_places_are_named():
    collector = Collector()
    for number, patient in enumerate(["A-secret", "B-secret", "A-secret"]):
        collector.add(image(uid=f"1.2.3.1.{number}", PatientID=patient), where=f"/folder/{number}.dcm")
    with pytest.raises(TwoPatients) as refused:
        collector.study("1.2.3")
    said = str(refused.value)
    assert "/folder/0.dcm" in said
    assert "/folder/1.dcm" in said
    assert "1.2.3" in said
    assert "secret" not in said


def test_of_series_that_disagree_the_first_one_speaks_and_that_is_recorded():
    study, made = mapped(
        image(series="1.2.3.9", uid="9", SeriesNumber=1, StudyDescription=None, PatientSex="F"),
        image(series="1.2.3.8", uid="8", SeriesNumber=2, StudyDescription="second", PatientSex="M"),
        image(series="1.2.3.7", uid="7", StudyDescription="without a number", PatientSex="F"),
    )
    assert [one["uid"] for one in study["series"]] == ["1.2.3.9", "1.2.3.8", "1.2.3.7"]
    assert study["description"] == "second"
    (patient,) = [one for one in made.resources if one["resourceType"] == "Patient"]
    assert patient["gender"] == "female"
    assert recorded(made, "StudyDescription")
    assert recorded(made, "PatientSex")
    assert not recorded(made, "SeriesNumber")


@pytest.mark.parametrize(("date", "offset"), [("00010101", "+1400"), ("99991231", "-1200")])
def test_the_first_and_the_last_day_of_all_are_dates_like_others(date, offset):
    study, made = mapped(image(StudyDate=date, StudyTime="235959", TimezoneOffsetFromUTC=offset))
    assert study["started"].startswith(f"{date[:4]}-{date[4:6]}-{date[6:]}T23:59:59")
    assert made.rank[:4] == date[:4]
