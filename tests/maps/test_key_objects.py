"""Key object selections -> DocumentReference with the option `key_objects`: what is worth a look, and where it is."""

from typing import Any

import pytest

from mapper.dicom.collector import identity
from mapper.dicom.item import Item
from mapper.maps.rejection import SPEAKS
from mapper.maps.tables.key_objects import NOWHERE
from tests.support.rejected import IMAGES, OTHER_STUDY, note, uid
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


@rows(
    "rejected, left",
    """
    113001 1.1        1.2
    113037 1.1 1.2    -      # nothing is left of the selection
    113039 1.1        1.1 1.2
    """,
)
def test_a_selection_lists_nothing_that_a_note_takes_out(rejected: str, left: str | None) -> None:
    code, *named = rejected.split()
    chosen = note("113000", uid("1.1"), uid("1.2"), number=8)
    found = mapped(*IMAGES, chosen, note(code, *map(uid, named)), options=OPTIONS)
    listed = [url_of(one) for document in of_kind(found, "DocumentReference") for one in document["content"]]
    assert listed == [
        f"{ROOT}/studies/{STUDY_UID}/series/{uid('1')}/instances/{uid(one)}" for one in (left or "").split()
    ]
    assert found.problems == ([SPEAKS] if code != "113039" and len(named) == 1 else [])


def url_of(content: dict[str, Any]) -> str:
    return str(content["attachment"]["url"])


def test_of_a_study_in_error_nothing_is_worth_a_look() -> None:
    everything = note("113038", *(uid(one) for one in ("1.1", "1.2", "2.1")))
    found = mapped(*IMAGES, note("113000", OTHER_STUDY, study=OTHER_STUDY, number=8), everything, options=OPTIONS)
    assert of_kind(found, "DocumentReference") == []


def test_an_image_that_is_named_twice_is_listed_once() -> None:
    assert len(made(note("113000", uid("7.7"), uid("7.7"), uid("7.8")))["content"]) == 2


def test_twice_as_many_images_ask_the_evidence_twice_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_at(images: int) -> int:
        count = 0

        def counted(of: Item, keyword: str) -> str | None:
            nonlocal count
            count += 1
            return identity(of, keyword)

        monkeypatch.setattr("mapper.maps.report.identity", counted)
        made(note("113000", *(uid(f"7.{number}") for number in range(images))))
        return count

    assert looked_at(200) < 2.2 * looked_at(100)
