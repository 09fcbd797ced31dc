"""Segments -> BodyStructure with the option `segments`, and the titles of segmentations and their like."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.fhir.check import faults
from mapper.maps import Mapped, keys
from mapper.maps.segmentations import SAME_SEGMENT
from mapper.maps.values.document_url import series_url
from tests.support.examples import times
from tests.support.rejected import IMAGES, note, uid
from tests.support.reported import (
    SITE,
    STUDY_UID,
    bundle_of,
    codes_of,
    instance,
    mapped,
    mapped_samples,
    of_kind,
    sample,
)
from tests.support.tables import rows

OPTIONS = ("segments",)
SCT = "http://snomed.info/sct"
CLASSES = ("66.4", "66.7")
each_class = pytest.mark.parametrize("sop_class", CLASSES)
ANATOMY, ABNORMAL = ("123037004", "Anatomical Structure"), ("49755003", "Morphologically Abnormal Structure")


def code(value: str, meaning: str, scheme: str = "SCT", **more: Any) -> list[dict[str, Any]]:
    return [{"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning, **more}]


NODULE = code("27925004", "Nodule")


def segment(number: int | None = 1, **more: Any) -> dict[str, Any]:
    """Return an item of SegmentSequence: the liver, unless `more` says otherwise."""
    return {
        "SegmentNumber": number,
        "SegmentLabel": "liver",
        "SegmentedPropertyCategoryCodeSequence": code(*ANATOMY),
        "SegmentedPropertyTypeCodeSequence": code("10200004", "Liver"),
        **more,
    }


def segmentation(*segments: Any, sop_class: str = "66.4", number: int = 3, **more: Any) -> dict[str, Any]:
    said = {"Modality": "SEG", "SegmentSequence": list(segments), **more}
    return instance({}, sop_class, number, **said)


def structures(*instances: dict[str, Any], **choices: Any) -> list[dict[str, Any]]:
    return of_kind(mapped(*instances, options=OPTIONS, **choices), "BodyStructure")


# -- what a segment says -------------------------------------------------------------------------


@each_class
def test_a_segment_is_a_body_structure_of_its_patient(sop_class: str) -> None:
    source = [{"SeriesInstanceUID": f"{STUDY_UID}.1"}]
    data = segmentation(segment(), sop_class=sop_class, ReferencedSeriesSequence=source)
    (made,) = structures(data)
    assert made["identifier"] == [{"system": f"{SITE.base}/segment", "value": f"{STUDY_UID}.3.1#1"}]
    assert made["location"]["coding"] == [{"system": SCT, "code": "10200004", "display": "Liver"}]
    assert made["description"] == "liver"
    url = f"https://pacs.example.org/dicom-web/studies/{STUDY_UID}/series/{STUDY_UID}.1"
    assert made["image"] == [{"contentType": "application/dicom", "url": url}]
    assert made["patient"]["reference"].startswith("Patient/")
    assert keys.is_ours(SITE.namespace, made, STUDY_UID)
    assert structures(data, dicomweb=None)[0].get("image") is None


@each_class
def test_without_the_option_a_segmentation_is_an_instance_with_a_title(sop_class: str) -> None:
    found = mapped(segmentation(segment(), sop_class=sop_class, ContentLabel="ORGANS"))
    assert of_kind(found, "BodyStructure") == []
    (about,) = of_kind(found, "ImagingStudy")
    (series,) = about["series"]
    assert series["modality"]["code"] == "SEG"
    assert [(one["title"], one["sopClass"]["code"]) for one in series["instance"]] == [
        ("ORGANS", f"urn:oid:1.2.840.10008.5.1.4.1.1.{sop_class}")
    ]


def test_a_tracked_segment_is_the_lesion_that_the_report_measures() -> None:
    (alone,) = of_kind(mapped_samples("segmentation", options=OPTIONS), "BodyStructure")
    found = mapped_samples("measurements", "segmentation", options=OPTIONS)
    (both,) = of_kind(found, "BodyStructure")
    (of_report,) = of_kind(mapped_samples("measurements"), "BodyStructure")
    assert alone["id"] == both["id"] == of_report["id"]
    assert {name: both[name] for name in of_report} == of_report, "the report speaks, the segment completes"
    assert both["image"] == alone["image"]
    assert codes_of(alone["morphology"]) == ["27925004"]
    assert codes_of(alone["location"]) == ["39607008"]


@rows(
    "category, kind, region, location, morphology",
    """
    123037004    10200004    -           10200004    -
    91723000     10200004    -           10200004    -           # as PS3.16 has it
    T-D000A      T-62000     -           10200004    -           # retired
    85756007     91727004    -           91727004    -           # tissue
    49755003     52988006    39607008    39607008    52988006
    49755003     52988006    -           -           52988006
    260787004    52988006    -           -           52988006    # a physical object
    -            10200004    -           -           10200004    # nobody says what kind it is
    123037004    10200004    39607008    39607008    -           # where it is says the region
    """,
)
def test_a_place_is_a_location_and_all_else_is_found_there(
    category: str | None, kind: str, region: str | None, location: str | None, morphology: str | None
) -> None:
    """CodeMeaning is absent: the codes alone speak."""

    def coded(value: str | None) -> list[dict[str, Any]] | None:
        scheme = "SRT" if value and value.startswith("T-") else "SCT"
        return [{"CodeValue": value, "CodingSchemeDesignator": scheme}] if value else None

    (made,) = structures(
        segmentation(
            segment(
                SegmentedPropertyCategoryCodeSequence=coded(category),
                SegmentedPropertyTypeCodeSequence=coded(kind),
                AnatomicRegionSequence=coded(region),
            )
        )
    )
    assert codes_of(made.get("location", {})) == ([location] if location else [])
    assert codes_of(made.get("morphology", {})) == ([morphology] if morphology else [])


def test_sides_are_qualifiers() -> None:
    side = {"SegmentedPropertyTypeModifierCodeSequence": code("7771000", "Left")}
    (made,) = structures(segmentation(segment(SegmentedPropertyTypeCodeSequence=code("64033007", "Kidney", **side))))
    assert [codes_of(one) for one in made["locationQualifier"]] == [["7771000"]]
    region = code("39607008", "Lung", AnatomicRegionModifierSequence=code("24028007", "Right"))
    (made,) = structures(segmentation(segment(AnatomicRegionSequence=region)))
    assert [codes_of(one) for one in made["locationQualifier"]] == [["24028007"]]


# -- which segments ------------------------------------------------------------------------------


@rows(
    "numbers, left, recorded",
    """
    1 2 3      1 2 3    no
    1 1 2      1 2      yes    # one number twice
    0 1        0 1      no
    - 2        2        yes    # no number: nothing tells it from others
    1.5 2      2        yes
    """,
)
def test_a_segment_is_known_by_its_number(numbers: str, left: str, recorded: str) -> None:
    values = [None if one == "-" else one for one in numbers.split()]
    segments = [segment(SegmentNumber=one) for one in values]
    found = mapped(segmentation(*segments), options=OPTIONS)
    named = [one["identifier"][0]["value"] for one in of_kind(found, "BodyStructure")]
    assert sorted(named) == [f"{STUDY_UID}.3.1#{one}" for one in left.split()]
    assert bool(found.problems) == (recorded == "yes")


def test_one_tracking_uid_in_two_segments_is_one_structure_and_recorded() -> None:
    found = mapped(segmentation(*(segment(number, TrackingUID="1.2.9") for number in (1, 2))), options=OPTIONS)
    assert len(of_kind(found, "BodyStructure")) == 1
    assert SAME_SEGMENT in found.problems


def test_the_newest_segmentation_speaks_for_what_is_tracked() -> None:
    older = segmentation(segment(TrackingUID="1.2.9", SegmentLabel="old"), ContentDate="20240101")
    newer = segmentation(segment(TrackingUID="1.2.9", SegmentLabel="new"), number=4, ContentDate="20240201")
    for order in ((older, newer), (newer, older)):
        found = mapped(*order, options=OPTIONS)
        assert [one["description"] for one in of_kind(found, "BodyStructure")] == ["new"]
        assert found.problems == []


def test_what_the_newest_segmentation_does_not_say_no_older_one_says() -> None:
    nodule = {"SegmentedPropertyCategoryCodeSequence": code(*ABNORMAL), "SegmentedPropertyTypeCodeSequence": NODULE}
    older = segmentation(segment(TrackingUID="1.2.9", **nodule), ContentDate="20240101")
    newer = segmentation(segment(TrackingUID="1.2.9"), number=4, ContentDate="20240201")
    (made,) = structures(older, newer)
    assert "morphology" not in made


def test_the_background_of_a_label_map_and_a_phantom_are_no_body() -> None:
    background = segment(0, SegmentedPropertyTypeCodeSequence=code("125040", "Background", "DCM"))
    assert len(structures(segmentation(background, segment(1), sop_class="66.7"))) == 1
    assert structures(segmentation(segment(), QualityControlSubject="YES")) == []


@pytest.mark.parametrize("value", ["x", {"Value": [5]}, {"vr": "SQ", "Value": "x"}, {"vr": "UN", "InlineBinary": "?"}])
def test_segments_that_cannot_be_read_are_recorded(value: Any) -> None:
    found = mapped(segmentation() | {"00620002": value}, options=OPTIONS)
    assert of_kind(found, "BodyStructure") == []
    assert [(one.element, one.attribute) for one in found.problems] == [("BodyStructure", "SegmentSequence")]


@pytest.mark.parametrize("bad", [5, None, {}, "x", []])
def test_a_bad_segment_costs_itself_alone(bad: Any) -> None:
    data = segmentation(segment(1), segment(2))
    data["00620002"]["Value"].insert(1, bad)
    found = mapped(data, options=OPTIONS)
    assert len(of_kind(found, "BodyStructure")) == 2
    assert bool(found.problems) == (bad not in (None, {}))


def test_segments_of_more_than_a_megabyte_are_read() -> None:
    many = [segment(number, SegmentDescription="x" * 900) for number in range(1, 1501)]
    found = mapped(segmentation(*many), options=OPTIONS)
    assert len(of_kind(found, "BodyStructure")) == 1500
    assert found.problems == []


def test_what_all_segments_share_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def counted(*uids: Any) -> str | None:
        nonlocal asked
        asked += 1
        return series_url(*uids)

    monkeypatch.setattr("mapper.maps.tables.segment.series_url", counted)
    source = {"SeriesInstanceUID": uid("1"), "ReferencedInstanceSequence": []}
    made = structures(segmentation(*map(segment, range(1, 51)), ReferencedSeriesSequence=[source]))
    assert asked == 1
    assert all(one["image"] for one in made)


def test_a_series_of_which_nothing_is_left_is_no_source() -> None:
    source = {"SeriesInstanceUID": uid("1"), "ReferencedInstanceSequence": []}
    data = segmentation(segment(), ReferencedSeriesSequence=[source])
    (before,) = structures(*IMAGES, data)
    (after,) = structures(*IMAGES, data, note("113001", uid("1.1"), uid("1.2")))
    assert "image" in before
    assert "image" not in after


def test_what_segments_say_of_their_region_has_to_mean_what_it_says() -> None:
    said = segment(
        SegmentedPropertyCategoryCodeSequence=code(*ABNORMAL),
        SegmentedPropertyTypeCodeSequence=code("49755003", "Morphologically Abnormal Structure"),
        AnatomicRegionSequence=code("78961009", "liver"),
    )
    (made,) = structures(segmentation(said))
    assert made["location"] == {"text": "liver"}


# -- codes that are none -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["monai-segmentation", "monai-label-map"])
def test_what_monai_label_calls_spleen_keeps_its_label_and_loses_the_code(name: str) -> None:
    found = mapped_samples(name, options=OPTIONS)
    made = {one["description"]: one["location"] for one in of_kind(found, "BodyStructure")}
    assert made == {
        "liver": {"text": "liver"},
        "spleen": {"coding": [{"system": SCT, "code": "78961009", "display": "spleen"}]},
        "left kidney": {"text": "left kidney"},
    }
    assert [(one.element, one.attribute.split()[0]) for one in found.problems] == [
        ("BodyStructure.location", "SegmentedPropertyTypeCodeSequence")
    ]
    assert not any("liver" in str(one) for one in found.problems)
    assert str(sample(name).SOPClassUID).endswith("66.4" if name == "monai-segmentation" else "66.7")


# -- titles of the others ------------------------------------------------------------------------


@rows(
    "sop_class, modality, attribute, title",
    """
    11.1     PR          ContentDescription    yes    # presentation state
    11.1     PR          ContentLabel          yes
    30       RWV         ContentLabel          yes    # parametric map
    481.3    RTSTRUCT    StructureSetLabel     yes
    66.4     SEG         ContentDescription    yes
    66.7     SEG         ContentLabel          yes
    2        CT          ImageType             no     # an image has none
    """,
)
def test_an_object_has_the_title_that_it_gives_itself(
    sop_class: str, modality: str, attribute: str, title: str
) -> None:
    (about,) = of_kind(mapped(instance({}, sop_class, Modality=modality, **{attribute: "TITLE"})), "ImagingStudy")
    (one,) = about["series"][0]["instance"]
    assert one.get("title") == ("TITLE" if title == "yes" else None)


# -- whatever comes ------------------------------------------------------------------------------

TEXTS = st.one_of(st.none(), st.text(max_size=8), st.integers(-2, 3), st.just("1.5"))
CODES = st.one_of(
    st.none(),
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "CodeValue": st.sampled_from(["78961009", "10200004", "T-62000", "125040", "x y  z", ""]),
                "CodingSchemeDesignator": st.sampled_from(["SCT", "SRT", "DCM", "99X", ""]),
                "CodeMeaning": st.text(max_size=8),
            },
        ),
        max_size=2,
    ),
)
SEGMENTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "SegmentNumber": TEXTS,
            "SegmentLabel": TEXTS,
            "TrackingUID": st.sampled_from(["1.2", "1.02", "x", None]),
            "TrackingID": TEXTS,
            "SegmentedPropertyCategoryCodeSequence": CODES,
            "SegmentedPropertyTypeCodeSequence": CODES,
            "AnatomicRegionSequence": CODES,
        },
    ),
    max_size=4,
)


@times(3)
@given(segments=SEGMENTS, sop_class=st.sampled_from(CLASSES))
def test_any_segments_make_a_clean_bundle(segments: list[dict[str, Any]], sop_class: str) -> None:
    found: Mapped = mapped(segmentation(*segments, sop_class=sop_class), options=OPTIONS)
    assert faults(bundle_of(found)) == []
    made = of_kind(found, "BodyStructure")
    assert len(made) <= len(segments)
    assert all(keys.is_ours(SITE.namespace, one, STUDY_UID) for one in made)
