"""What the instances of one study say of each other: twice, otherwise, in fractions, frame by frame."""

import json
from typing import Any

import pytest

from mapper.convert import read_folders
from mapper.dicom.picker import LARGEST
from mapper.dicom.study import Study
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.check import faults
from mapper.maps import Mapped, study_to_fhir
from tests.field_reports.raw import part10
from tests.support.datasets import dataset, site
from tests.support.everything import study_of

CT = "1.2.840.10008.5.1.4.1.1.2"


def image(series: int, uid: str, **more: Any) -> dict[str, Any]:
    """Return one instance of study 1.2.3."""
    own = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": f"1.2.3.{series}", "SOPInstanceUID": uid}
    return dataset(**{**own, "SOPClassUID": CT, "Modality": "CT", "SeriesNumber": series, "PatientID": "P1", **more})


def mapped(*images: dict[str, Any], **choices: Any) -> Mapped:
    """Return what a study becomes; the Bundle must be clean."""
    made = study_to_fhir(study_of(json.dumps(images).encode()), site(**choices))
    assert faults(transaction(made.resources, "https://fhir.example.org")) == []
    return made


def imaging_study(made: Mapped) -> dict[str, Any]:
    return next(one for one in made.resources if one["resourceType"] == "ImagingStudy")


def recorded(made: Mapped, keyword: str) -> list[str]:
    return [one.reason for one in made.problems if keyword in one.attribute.split()]


# -- one instance in two series -----------------------------------------------------------------------------------

TWICE = [  # (series, SOP Instance UID) of each instance, SeriesNumber by series -> what is listed, recorded
    ([(1, "A"), (2, "B")], {}, {1: ["A"], 2: ["B"]}, False),
    # the report: it counts once, in the first series of the canonical order
    ([(1, "A"), (2, "A"), (2, "B")], {}, {1: ["A"], 2: ["B"]}, True),
    ([(1, "A"), (2, "A"), (2, "B")], {1: 9}, {2: ["A", "B"]}, True),
    ([(1, "A"), (1, "C"), (2, "A"), (2, "B")], {1: 9}, {2: ["A", "B"], 1: ["C"]}, True),
    ([(1, "A"), (2, "A"), (3, "A")], {}, {1: ["A"]}, True),
    ([(1, "A"), (2, "A")], {1: None}, {2: ["A"]}, True),  # absent numbers last
    ([(1, "A"), (1, "A"), (2, "A"), (2, "B")], {}, {1: ["A"], 2: ["B"]}, True),
]


@pytest.mark.parametrize(("instances", "numbers", "listed", "told"), TWICE)
def test_one_sop_instance_uid_counts_once(instances, numbers, listed, told):
    """PS3.5 section 9.1, PS3.3 C.12.1.1.1: a UID identifies one instance."""
    uids = {letter: f"1.2.3.{place}" for place, letter in enumerate("ABC", 90)}
    listed = {number: [uids[letter] for letter in letters] for number, letters in listed.items()}
    images = [image(number, uids[one], SeriesNumber=numbers.get(number, number)) for number, one in instances]
    made = mapped(*images)
    study = imaging_study(made)
    found = {int(one["uid"][-1]): [each["uid"] for each in one["instance"]] for one in study["series"]}
    assert found == listed
    assert list(found) == list(listed)
    assert study["numberOfInstances"] == sum(map(len, listed.values()))
    assert study["numberOfSeries"] == len(listed)
    assert [one["numberOfInstances"] for one in study["series"]] == [len(one) for one in listed.values()]
    assert bool(recorded(made, "SOPInstanceUID")) == told
    assert dump(mapped(*images[::-1]).resources) == dump(made.resources)


# -- several modalities -------------------------------------------------------------------------------------------

MODALITIES = [  # of the instances of one series -> the series', the study's, recorded
    (["CT", "CT"], "CT", ["CT"], False),
    (["PT", "CT"], "PT", ["CT", "PT"], True),
    (["CT", "SR"], "CT", ["CT"], True),
    (["SR", "CT"], "SR", ["CT"], True),
    (["CT", "ct "], "CT", ["CT"], False),
    (["CT", None], "CT", ["CT"], False),
    ([None, "CT"], "CT", ["CT"], False),
    ([None, None], "OT", [], True),
    (["CT", "NONSENSE"], "CT", ["CT"], True),
    (["NONSENSE", "CT"], "NONSENSE", ["CT"], True),
]


@pytest.mark.parametrize(("modalities", "series", "study", "told"), MODALITIES)
def test_the_modalities_of_a_study_are_those_of_all_instances(modalities, series, study, told):
    """PS3.3 C.7.3.1: a series has one Modality; ModalitiesInStudy is made of all (C.7.2.1)."""
    made = mapped(
        *(image(1, f"1.{number}", InstanceNumber=number, Modality=one) for number, one in enumerate(modalities))
    )
    found = imaging_study(made)
    assert found["series"][0]["modality"]["code"] == series
    assert [one["code"] for one in found.get("modality", [])] == study
    assert bool(recorded(made, "Modality")) == told


def test_a_series_of_several_modalities_has_all_of_them_where_a_site_wants_all():
    made = mapped(
        image(1, "1.1", InstanceNumber=1), image(1, "1.2", InstanceNumber=2, Modality="SR"), study_modality="all"
    )
    assert [one["code"] for one in imaging_study(made)["modality"]] == ["CT", "SR"]


# -- numbers ------------------------------------------------------------------------------------------------------

INTEGERS = [  # IS (PS3.5 section 6.2) -> number, recorded
    ("2", 2, False),
    ("+2", 2, False),
    ("02", 2, False),
    ("2.0", 2, False),
    # the report: a fraction is not rounded, and costs the number alone
    ("1.5", None, True),
    ("2.25", None, True),
    ("1e-1", None, True),
    ("-1", None, True),
    ("2147483648", None, True),
    ("two", None, True),
    ("1 2", None, True),
    ("", None, False),
]


@pytest.mark.parametrize(("written", "number", "told"), INTEGERS)
@pytest.mark.parametrize("keyword", ["SeriesNumber", "InstanceNumber"])
def test_a_whole_number_is_one_whatever_the_path_it_came_by(tmp_path, written, number, told, keyword):
    (tmp_path / "file.dcm").write_bytes(part10(**{keyword: written}))
    from_file = study_to_fhir(read_folders([tmp_path], pytest.fail).only_study(), site())
    from_json = mapped(image(1, "1.2.3.1.1", **{"SeriesNumber": None, keyword: written}))
    for made in (from_file, from_json):
        (series,) = imaging_study(made)["series"]
        where = series if keyword == "SeriesNumber" else series["instance"][0]
        assert where.get("number") == number
        assert bool(recorded(made, keyword)) == told
    assert imaging_study(from_file) == imaging_study(from_json)


def test_files_and_metadata_order_odd_numbers_alike(tmp_path):
    numbers = ["2", "1.5", "x", "1", ""]
    for at, number in enumerate(numbers):
        (tmp_path / f"{at}.dcm").write_bytes(part10(SOPInstanceUID=f"1.2.3.1.{at}", InstanceNumber=number))
    from_files = read_folders([tmp_path], pytest.fail).only_study()
    from_json = study_of(
        json.dumps([image(1, f"1.2.3.1.{at}", InstanceNumber=number) for at, number in enumerate(numbers)]).encode()
    )

    def order(study: Study) -> list[str]:
        return [one.uid[-1] for one in study.series[0].instances]

    assert order(from_files) == order(from_json) == ["3", "1", "0", "2", "4"]


# -- frames -------------------------------------------------------------------------------------------------------


def region(value: str, meaning: str = "") -> dict[str, Any]:
    return {"CodeValue": value, "CodingSchemeDesignator": "SCT", "CodeMeaning": meaning or value}


def frame(side: str | None = None, code: str | None = None, meaning: str = "") -> dict[str, Any]:
    """Return the functional groups of one frame, or what all share."""
    anatomy = {"FrameLaterality": side} if side else {}
    if code:
        anatomy["AnatomicRegionSequence"] = region(code, meaning)
    return {"FrameAnatomySequence": anatomy} if anatomy else {}


LUNG, HEART, LEFT, RIGHT = "39607008", "80891009", "7771000", "24028007"
FRAMES = [  # shared, each frame -> body site, side, what is recorded
    ([frame("L", LUNG)], [], LUNG, LEFT, False),
    ([frame("L", LUNG)], [frame("R", HEART)], LUNG, LEFT, False),
    # the report: the shared groups are silent, all frames say the same
    ([], [frame("L", LUNG), frame("L", LUNG)], LUNG, LEFT, False),
    ([frame()], [frame("l", LUNG, "Lung"), frame("L", LUNG, "Lung structure")], LUNG, LEFT, False),
    ([frame("L")], [frame("R", LUNG), frame("R", LUNG)], LUNG, LEFT, False),
    # or they do not
    ([], [frame("L", LUNG), frame("R", LUNG)], LUNG, None, True),
    ([], [frame("L", LUNG), frame("L", HEART)], None, LEFT, True),
    ([], [frame("L", LUNG), frame()], None, None, True),
    ([], [frame(), frame()], None, None, False),
    ([], [], None, None, False),
]


@pytest.mark.parametrize(("shared", "frames", "site_of_body", "side", "told"), FRAMES)
def test_what_frames_say_counts_where_all_say_the_same(tmp_path, shared, frames, site_of_body, side, told):
    """PS3.3 C.7.6.16.1: a functional group is either shared or said of each frame."""
    groups = {"SharedFunctionalGroupsSequence": shared, "PerFrameFunctionalGroupsSequence": frames}
    (tmp_path / "file.dcm").write_bytes(part10(SeriesNumber=1, **groups))
    from_json = mapped(image(1, "1.2.3.1.1", **groups))
    for made in (from_json, study_to_fhir(read_folders([tmp_path], pytest.fail).only_study(), site())):
        (series,) = imaging_study(made)["series"]
        assert series.get("bodySite", {}).get("code") == site_of_body
        assert series.get("laterality", {}).get("code") == side
        assert bool(recorded(made, "PerFrameFunctionalGroupsSequence")) == told


@pytest.mark.parametrize("frames", [3, 3000])
def test_of_thousands_of_frames_only_their_anatomy_is_read(frames):
    """The attribute as a whole is larger than one that is read, and its frames are small."""
    many = {**frame("L", LUNG), "PixelMeasuresSequence": {"SliceThickness": "1.5", "PixelSpacing": ["1.5", "1.5"]}}
    text = json.dumps([image(1, "1.1", PerFrameFunctionalGroupsSequence=[many] * frames)]).encode()
    assert (len(text) > LARGEST) == (frames == 3000)
    study = study_of(text)
    groups = study.series[0].item.values("PerFrameFunctionalGroupsSequence")
    assert len(groups) == frames
    assert all("PixelMeasuresSequence" not in group and "FrameAnatomySequence" in group for group in groups)
    (series,) = imaging_study(study_to_fhir(study, site()))["series"]
    assert (series["bodySite"]["code"], series["laterality"]["code"]) == (LUNG, LEFT)


# -- who refers to whom -------------------------------------------------------------------------------------------

LONG = "1.2." + "9" * 66


def test_nothing_stays_of_what_a_series_made_that_is_left_out():
    person = {"PersonIdentificationCodeSequence": {"CodeValue": "7", "CodingSchemeDesignator": "99X"}}
    told = {"OperatorsName": "A^B", "OperatorIdentificationSequence": person, "Manufacturer": "M", "StationName": "S"}
    made = mapped(image(1, "1.1"), image(2, "1.2", **{"SeriesInstanceUID": LONG, **told}))
    assert [one["resourceType"] for one in made.resources] == ["Patient", "ImagingStudy"]
    kept = mapped(image(1, "1.1"), image(2, "1.2", **told))
    assert [one["resourceType"] for one in kept.resources] == ["Patient", "Practitioner", "Device", "ImagingStudy"]


def test_of_two_referring_physicians_the_second_is_recorded_and_made_nowhere():
    persons = [
        {"PersonIdentificationCodeSequence": {"CodeValue": one, "CodingSchemeDesignator": "99X"}} for one in "12"
    ]
    made = mapped(
        image(1, "1.1", ReferringPhysicianName=["A^B", "C^D"], ReferringPhysicianIdentificationSequence=persons)
    )
    assert [one["identifier"][0]["value"] for one in made.resources if one["resourceType"] == "Practitioner"] == ["1"]
    assert recorded(made, "ReferringPhysicianName")
