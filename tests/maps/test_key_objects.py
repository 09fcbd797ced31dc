"""Key object selections -> DocumentReference with the option `key_objects`: what is worth a look, and where it is."""

from typing import Any

import pytest

from mapper.maps.tables.key_objects import NOWHERE
from tests.support.rejected import OTHER_STUDY, note, uid
from tests.support.reported import STUDY_UID, codes_of, mapped, mapped_samples, of_kind, sample
from tests.support.tables import rows

ROOT = "https://pacs.example.org/dicom-web"
OPTIONS = ("key_objects",)


def made(*instances: dict[str, Any], **site: Any) -> dict[str, Any]:
    (found,) = of_kind(mapped(*instances, options=OPTIONS, **site), "DocumentReference")
    return found


def test_a_selection_says_what_for_who_when_and_which_images() -> None:
    (found,) = of_kind(mapped_samples("key-objects", options=OPTIONS), "DocumentReference")
    assert codes_of(found["type"]) == ["113000"]
    assert [codes_of(one) for one in found["category"]] == [["55113-5"]]
    assert found["description"] == "Largest extent of the nodule"
    assert found["author"] == [{"display": "Example, Rita"}]
    assert found["date"].startswith("2024-05-17T")
    data = sample("key-objects")
    (study,) = data.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    assert [one["attachment"] for one in found["content"]] == [
        {
            "url": f"{ROOT}/studies/{study.StudyInstanceUID}/series/{series.SeriesInstanceUID}"
            f"/instances/{one.ReferencedSOPInstanceUID}",
            "contentType": "application/dicom",
        }
        for one in series.ReferencedSOPSequence
    ]


def test_without_its_option_it_is_an_instance_with_a_title() -> None:
    found = mapped_samples("key-objects")
    assert of_kind(found, "DocumentReference") == []
    (about,) = of_kind(found, "ImagingStudy")
    assert [one["title"] for series in about["series"] for one in series["instance"]] == ["Of Interest"]


@rows(
    "code, is_made",
    """
    113000    yes    # of interest
    113004    yes    # for teaching
    113030    yes    # manifest
    113001    no     # rejected
    113037    no
    113038    no
    113039    no     # retention expired
    """,
)
def test_a_note_on_what_should_not_be_used_is_no_selection(code: str, is_made: str) -> None:
    found = mapped(note(code, uid("7.7")), options=OPTIONS)
    assert (len(of_kind(found, "DocumentReference")) == 1) == (is_made == "yes")


def test_images_of_another_study_are_listed_at_their_place() -> None:
    found = made(note("113000", f"{OTHER_STUDY}.1.1", study=OTHER_STUDY))
    (one,) = found["content"]
    place = f"studies/{OTHER_STUDY}/series/{OTHER_STUDY}.1/instances/{OTHER_STUDY}.1.1"
    assert one["attachment"]["url"] == f"{ROOT}/{place}"
    assert found["context"]["related"][0]["identifier"]["value"] == f"urn:oid:{OTHER_STUDY}"


@pytest.mark.parametrize(
    ("named", "site", "more"),
    [
        ((uid("1.1"),), {"dicomweb": None}, {}),
        ((), {}, {}),
        ((uid("1.1"),), {}, {"CurrentRequestedProcedureEvidenceSequence": None}),
        (("1/../2",), {}, {}),
    ],
    ids=["no PACS", "nothing named", "no evidence", "no UID"],
)
def test_a_selection_of_what_is_nowhere_to_be_had_is_left_out_and_recorded(
    named: tuple[str, ...], site: dict[str, Any], more: dict[str, Any]
) -> None:
    found = mapped(note("113000", *named, **more), options=OPTIONS, **site)
    assert of_kind(found, "DocumentReference") == []
    assert NOWHERE in found.problems


def test_a_selection_stays_when_one_of_its_images_is_nowhere() -> None:
    found = made(note("113000", "1/../2", uid("1.1")))
    assert [one["attachment"]["url"].rpartition("/")[2] for one in found["content"]] == [f"{STUDY_UID}.1.1"]
