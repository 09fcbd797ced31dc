"""Ultrasound reports -> Observations: sites and vessels, modifiers, and which of repeated values counts."""

from typing import Any

import pytest
from pydicom.sr.coding import Code

from mapper.dicom.sr.content_item import ContentItem
from mapper.explain import lines
from mapper.maps import study_to_fhir
from samples.sr import echo
from samples.sr.content import (
    ACQUIRED,
    CONTAINS,
    CONTEXT,
    INFERRED,
    MOD,
    PROPERTY,
    by_reference,
    coded,
    container,
    not_measured,
    num,
    text,
    unit,
)
from samples.sr.echo import CHOSEN, DERIVATION, FLOW, GROUP, MEAN, METHOD, MODE, SELECTION, SITE
from samples.sr.ultrasound import AORTA, COMMON, FINDINGS, INTERNAL, LEFT, NECK, PART, PROXIMAL, RIGHT, SIDE, VASCULAR
from tests.support.reported import SITE as PLACE
from tests.support.reported import coded as coded_as
from tests.support.reported import codes_of, instance, mapped, mapped_samples, of_kind, study_of, text_of
from tests.support.tables import rows

DIMENSION, VELOCITY = Code("29436-3", "LN", "LV dimension"), Code("20355-4", "LN", "Peak Blood Velocity")
CM, SPEED = unit("cm"), unit("m/s")
TITLE = echo.TITLE
TWO_D, M_MODE = echo.TWO_D, echo.M_MODE
ALL = ("repeated_measurements",)
KIDNEY = Code("64033007", "SCT", "Kidney")


def report(*items: Any, title: Code = TITLE, **choices: Any) -> list[dict[str, Any]]:
    return of_kind(mapped(instance(container("", title, *items)), **choices), "Observation")


def value(*below: Any, of: str = "1") -> Any:
    return num(CONTAINS, DIMENSION, of, CM, *below)


def numbers(found: list[dict[str, Any]]) -> list[float]:
    return sorted(one["valueQuantity"]["value"] for one in found if "valueQuantity" in one)


def only(found: list[Any]) -> Any:
    (one,) = found
    return one


def told(observation: dict[str, Any]) -> dict[str, Any]:
    """Return what components say, by code."""
    return {
        codes_of(one["code"])[0]: codes_of(one["valueCodeableConcept"])[0]
        if "valueCodeableConcept" in one
        else one.get("valueString", one.get("valueQuantity"))
        for one in observation.get("component", ())
    }


# -- the sample of sixty measurements ---------------------------------------------------------------------------------


def test_the_sample_has_sixty_measurements_of_which_four_were_not_chosen() -> None:
    every, chosen = mapped_samples("echo", options=ALL), mapped_samples("echo")
    assert len(numbers(of_kind(every, "Observation"))) == 60
    assert len(numbers(of_kind(chosen, "Observation"))) == 56
    assert numbers(coded_as(chosen, "29436-3")) == [5.1]  # the selected one
    assert numbers(coded_as(chosen, "29438-9")) == [3.1]  # the mean, as the machine states it
    assert numbers(coded_as(every, "29438-9")) == [3.0, 3.1, 3.2]
    assert every.problems == chosen.problems == []


def test_the_digits_are_those_of_the_machine() -> None:
    made = text_of(mapped_samples("echo"))
    for written in ('"value":118.40,', '"value":0.90,', '"value":7.0,'):
        assert written in made


def test_a_section_says_where_and_a_group_how() -> None:
    found = mapped_samples("echo")
    peaks = coded_as(found, "20355-4")
    assert sorted((codes_of(one["bodySite"])[0], told(one)["399264008"], told(one)["260674002"]) for one in peaks) == [
        ("34202007", "261198000", "263677008"),
        ("34202007", "261199008", "397417004"),
        ("91134007", "261199008", "263677008"),
    ]
    volume = only(coded_as(found, "18026-5"))
    assert codes_of(volume["method"]) == ["125207"]
    assert told(volume) == {"399264008": "399064001", "272518008": "416190007"}
    assert told(coded_as(found, "20304-2")[0])["272517003"] == "14910006"
    assert told(only(coded_as(found, "29436-3")))["121404"] == "121410"
    assert told(only(coded_as(found, "29438-9")))["121401"] == "373098007"


def test_a_scheme_of_a_machine_has_a_system_of_its_own_or_the_one_that_the_site_names() -> None:
    own = only(coded_as(mapped_samples("echo"), "LVSI-MOD"))
    assert own["code"]["coding"][0]["system"] == f"{PLACE.base}/codesystem/99ACME"
    named = mapped_samples("echo", coding_schemes={"99ACME": "https://acme.example.org/echo"})
    assert only(coded_as(named, "LVSI-MOD"))["code"]["coding"][0]["system"] == "https://acme.example.org/echo"


def test_the_report_is_one_for_people_too_and_lists_its_groups() -> None:
    found = mapped_samples("echo")
    (page,) = of_kind(found, "DiagnosticReport")
    groups = {f"Observation/{one['id']}" for one in coded_as(found, "125007")}
    assert {one["reference"] for one in page["result"]} == groups
    assert len(groups) == 7


# -- which of repeated values -----------------------------------------------------------------------------------------

SELECTED, AVERAGED = coded(PROPERTY, SELECTION, CHOSEN), coded(MOD, DERIVATION, MEAN)
AVERAGED_OF_OLD = coded(MOD, DERIVATION, Code("R-00317", "SRT", "Mean"))
MAXIMUM = coded(MOD, DERIVATION, Code("56851009", "SCT", "Maximum"))
TRACKING = Code("112039", "DCM", "Tracking Identifier")


def unmeasured(*below: Any) -> Any:
    return not_measured(CONTAINS, DIMENSION, Code("114006", "DCM", "Measurement failure"), *below)


REPEATED: dict[str, tuple[tuple[Any, ...], list[float]]] = {  # values of one group -> those that count
    "one": ((value(of="1"),), [1]),
    "several, none chosen": ((value(of="1"), value(of="2")), [1, 2]),
    "a mean": ((value(of="1"), value(of="3"), value(AVERAGED, of="2")), [2]),
    "a mean under a retired code": ((value(of="1"), value(AVERAGED_OF_OLD, of="2")), [2]),
    "a selected one": ((value(of="1"), value(SELECTED, of="3")), [3]),
    "a selected one and a mean": ((value(AVERAGED, of="2"), value(SELECTED, of="3")), [3]),
    "a mean that was selected": ((value(of="1"), value(AVERAGED, SELECTED, of="2")), [2]),
    "two selected ones": ((value(SELECTED, of="1"), value(SELECTED, of="2"), value(of="3")), [1, 2]),
    "another statistic": ((value(of="1"), value(MAXIMUM, of="9"), value(AVERAGED, of="2")), [2, 9]),
    "a mean alone": ((value(AVERAGED, of="2"),), [2]),
    "another measurement": ((value(AVERAGED, of="2"), num(CONTAINS, VELOCITY, "4", SPEED)), [2, 4]),
    "of another site": ((value(coded(MOD, SITE, NECK), of="1"), value(AVERAGED, of="2")), [1, 2]),
    "of another side": (
        (
            value(coded(MOD, SITE, NECK, coded(MOD, SIDE, LEFT)), of="1"),
            value(coded(MOD, SITE, NECK), AVERAGED, of="2"),
        ),
        [1, 2],
    ),
    "of another mode": ((value(coded(ACQUIRED, MODE, M_MODE), of="1"), value(AVERAGED, of="2")), [1, 2]),
    "of another method": ((value(coded(MOD, METHOD, echo.DISKS), of="1"), value(SELECTED, of="2")), [1, 2]),
    "in words of another kind": ((value(text(MOD, MODE, "2D"), of="1"), value(AVERAGED, of="2")), [1, 2]),
    "with labels of their own": (
        (value(text(PROPERTY, FLOW, "a"), of="1"), value(text(PROPERTY, FLOW, "b"), AVERAGED, of="2")),
        [2],
    ),
    "that a mean was inferred from": ((value(AVERAGED, num(INFERRED, DIMENSION, "1", CM), of="2"),), [2]),
    "that a mean points to": ((value(of="1"), value(AVERAGED, by_reference(INFERRED, 1, 1, 1), of="2")), [2]),
    "without a name": (({**value(of="1"), "ConceptNameCodeSequence": []}, value(AVERAGED, of="2")), [2]),
    "a mean without a number": ((value(of="1"), value(of="2"), unmeasured(AVERAGED)), [1, 2]),
    "a selected one without a number": ((value(of="1"), unmeasured(SELECTED), value(AVERAGED, of="2")), [2]),
    "of another site, told otherwise": ((value(coded(PROPERTY, SITE, NECK), of="1"), value(SELECTED, of="2")), [1, 2]),
    "of another lesion": (
        (value(text(CONTEXT, TRACKING, "1"), of="1"), value(text(CONTEXT, TRACKING, "2"), SELECTED, of="2")),
        [1, 2],
    ),
    "selected in another relationship": ((value(of="1"), value(coded(MOD, SELECTION, CHOSEN), of="2")), [2]),
}


@pytest.mark.parametrize(("values", "counting"), REPEATED.values(), ids=REPEATED)
def test_which_of_repeated_values_count(values: tuple[Any, ...], counting: list[float]) -> None:
    found = report(container(CONTAINS, GROUP, *values))
    assert numbers(found) == counting
    whole = only([one for one in found if codes_of(one["code"]) == ["125007"]])
    ids = {f"Observation/{one['id']}" for one in found}
    assert {one["reference"] for one in whole.get("hasMember", ())} <= ids
    stated = sorted(
        one["valueQuantity"]["value"]
        for one in report(container(CONTAINS, GROUP, *values), options=ALL)
        if "valueQuantity" in one
    )
    assert set(counting) <= set(stated), "nothing is computed"


def test_a_value_of_another_group_is_another_measurement() -> None:
    groups = (container(CONTAINS, GROUP, value(of="1")), container(CONTAINS, GROUP, value(AVERAGED, of="2")))
    assert numbers(report(*groups)) == [1, 2]


def test_a_mean_of_what_is_left_out_is_derived_from_the_study_alone() -> None:
    raw = (value(of="1"), value(AVERAGED, by_reference(INFERRED, 1, 1, 1), of="2"))
    mean = only([one for one in report(container(CONTAINS, GROUP, *raw)) if "valueQuantity" in one])
    assert [one["reference"].split("/")[0] for one in mean["derivedFrom"]] == ["ImagingStudy"]
    kept = report(container(CONTAINS, GROUP, *raw), options=ALL)
    means = [one for one in kept if one.get("valueQuantity", {}).get("value") == 2]
    assert [one["reference"].split("/")[0] for one in only(means)["derivedFrom"]] == ["Observation", "ImagingStudy"]


def test_a_measurement_report_leaves_none_out() -> None:
    title = Code("126000", "DCM", "Imaging Measurement Report")
    assert numbers(report(container(CONTAINS, GROUP, value(of="1"), value(AVERAGED, of="2")), title=title)) == [1, 2]


# -- where and how ----------------------------------------------------------------------------------------------------


def vascular(*content: Any, **more: Any) -> Any:
    return mapped(instance(container("", VASCULAR, *content, **more)))


def section(*content: Any, name: Code = FINDINGS, side: Code | None = LEFT) -> Any:
    sides = (coded(MOD, SIDE, side),) if side else ()
    return container(CONTAINS, name, coded(MOD, SITE, NECK), *sides, *content)


@rows(
    "findings, side, own, place, words",
    """
    121070     left    none    86117002    Left Internal carotid artery
    59776-5    left    none    86117002    Left Internal carotid artery
    59776-5    -       none    86117002    -
    59776-5    left    part    86117002    Left Internal carotid artery, Proximal
    59776-5    left    side    86117002    Right Internal carotid artery
    59776-5    left    site    32062004    Left Common carotid artery
    """,
)
def test_a_vessel_is_the_site_and_the_section_says_its_side(
    findings: str, side: str | None, own: str, place: str, words: str | None
) -> None:
    name = Code(findings, "DCM" if findings == "121070" else "LN", "Findings")
    said = {"part": (coded(MOD, PART, PROXIMAL),), "side": (coded(MOD, SIDE, RIGHT),)}.get(own, ())
    below = (coded(MOD, SITE, COMMON),) if own == "site" else ()
    vessel = container(CONTAINS, INTERNAL, *said, num(CONTAINS, VELOCITY, "1", SPEED, *below))
    found = vascular(section(vessel, name=name, side=LEFT if side else None))
    measured = only(coded_as(found, "20355-4"))
    assert codes_of(measured["bodySite"]) == [place]
    assert measured["bodySite"].get("text") == words
    assert bool(of_kind(found, "BodyStructure")) == (words is not None)
    assert not told(measured)


SIDES: dict[str, tuple[str, str, str, str | None, bool]] = {
    # section, group, number say -> the side that counts, whether the others are recorded
    "the section": ("left", "", "", "Left Kidney", False),
    "the group": ("", "left", "", "Left Kidney", False),
    "the number": ("", "", "right", "Right Kidney", False),
    "nobody": ("", "", "", None, False),
    "the number, against the section": ("left", "", "right", "Right Kidney", True),
    "the group, against the section": ("left", "right", "", "Right Kidney", True),
    "the number, against the group": ("", "left", "right", "Right Kidney", True),
    "all the same": ("left", "left", "left", "Left Kidney", False),
}


@pytest.mark.parametrize(("of_section", "of_group", "of_number", "words", "is_recorded"), SIDES.values(), ids=SIDES)
def test_the_nearest_side_counts(
    of_section: str, of_group: str, of_number: str, words: str | None, is_recorded: bool
) -> None:
    said = {"": (), "left": (coded(MOD, SIDE, LEFT),), "right": (coded(MOD, SIDE, RIGHT),)}
    group = container(CONTAINS, GROUP, *said[of_group], value(*said[of_number]))
    place = container(CONTAINS, FINDINGS, coded(MOD, SITE, KIDNEY), *said[of_section], group)
    found = mapped(instance(container("", TITLE, place)))
    measured = only(coded_as(found, "29436-3"))
    assert measured["bodySite"].get("text") == words
    assert not told(measured)
    assert any("several sides" in one.reason for one in found.problems) == is_recorded
    ids = {f"BodyStructure/{one['id']}": one for one in of_kind(found, "BodyStructure")}
    if words:
        structure = ids[measured["bodySite"]["extension"][0]["valueReference"]["reference"]]
        assert [one["coding"][0]["display"] for one in structure["locationQualifier"]] == [words.split()[0]]


def test_two_groups_of_one_section_have_each_its_side() -> None:
    groups = (container(CONTAINS, GROUP, coded(MOD, SIDE, side), value()) for side in (LEFT, RIGHT))
    found = report(container(CONTAINS, FINDINGS, coded(MOD, SITE, KIDNEY), *groups))
    words = sorted(one["bodySite"]["text"] for one in found if codes_of(one["code"]) == ["29436-3"])
    assert words == ["Left Kidney", "Right Kidney"]


def test_a_side_of_no_site_is_a_component() -> None:
    found = report(container(CONTAINS, GROUP, coded(MOD, SIDE, LEFT), value()))
    assert [list(told(one).values()) for one in found] == [["7771000"], ["7771000"]]


def test_a_number_of_the_section_has_the_section_s_site() -> None:
    found = vascular(section(num(CONTAINS, VELOCITY, "1", SPEED)))
    assert only(coded_as(found, "20355-4"))["bodySite"]["text"] == "Left Artery of neck"


def test_a_vessel_of_two_sides_is_two_structures() -> None:
    vessel = container(CONTAINS, INTERNAL, num(CONTAINS, VELOCITY, "1", SPEED))
    found = vascular(section(vessel, side=LEFT), section(vessel, side=RIGHT))
    structures = of_kind(found, "BodyStructure")
    assert sorted(codes_of(one["locationQualifier"][0]) for one in structures) == [["24028007"], ["7771000"]]
    assert {codes_of(one["location"])[0] for one in structures} == {"86117002"}


def test_only_in_a_vascular_report_a_container_below_findings_is_a_vessel() -> None:
    found = report(section(container(CONTAINS, AORTA, value())))
    assert len(found) == 1
    assert codes_of(found[0]["bodySite"]) == ["69105007"]


def test_an_explanation_names_the_vessel_s_container() -> None:
    found = mapped_samples("vascular")
    said = "\n".join(lines(found, (), PLACE.fhir_public_url))
    assert "CONTAINER Internal carotid artery (86117002, SCT)" in said


def test_the_patient_s_age_and_the_image_library_are_no_measurements() -> None:
    names = (Code("111028", "DCM", "Image Library"), Code("121118", "DCM", "Patient Characteristics"))
    assert report(*(container(CONTAINS, name, value()) for name in names)) == []
    assert coded_as(mapped_samples("vascular"), "121033") == []


MODIFIERS: dict[str, tuple[Any, Any, dict[str, Any]]] = {  # of the group, of the number -> components
    "of the group": (coded(MOD, MODE, TWO_D), None, {"399264008": "399064001"}),
    "of the group, as context": (coded(ACQUIRED, MODE, TWO_D), None, {"399264008": "399064001"}),
    "of the number": (None, coded(MOD, MODE, TWO_D), {"399264008": "399064001"}),
    "of the number, as context": (None, coded(ACQUIRED, MODE, TWO_D), {"399264008": "399064001"}),
    "of both": (coded(MOD, MODE, TWO_D), coded(MOD, MODE, M_MODE), {"399264008": "399155008"}),
    "in words": (text(MOD, Code("125203", "DCM", "Acquisition Protocol"), "rest"), None, {"125203": "rest"}),
    "under a retired code": (coded(MOD, Code("G-0373", "SRT", "Image Mode"), TWO_D), None, {"399264008": "399064001"}),
    "that no group says": (coded(MOD, VELOCITY, TWO_D), None, {}),
    "a property of the group": (coded(PROPERTY, MODE, TWO_D), None, {}),
    "without a value": (None, not_measured(PROPERTY, VELOCITY, None), {"20355-4": None}),
}


@pytest.mark.parametrize(("of_group", "of_number", "components"), MODIFIERS.values(), ids=MODIFIERS)
def test_modifiers_are_components(of_group: Any, of_number: Any, components: dict[str, Any]) -> None:
    number = value(*([of_number] if of_number else []))
    found = report(container(CONTAINS, GROUP, *([of_group] if of_group else []), number))
    assert told(only([one for one in found if "valueQuantity" in one])) == components


def test_twice_as_many_numbers_ask_twice_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a group says is looked for once, however many measurements are in it."""
    calls, means = [0], ContentItem.means

    def counted(item: ContentItem, *concepts: Any) -> bool:
        calls[0] += 1
        return means(item, *concepts)

    monkeypatch.setattr(ContentItem, "means", counted)

    def asked(count: int) -> int:
        group = container(CONTAINS, GROUP, coded(MOD, MODE, TWO_D), *(value(of=str(one)) for one in range(count)))
        study, calls[0] = study_of(instance(container("", TITLE, group))), 0
        study_to_fhir(study, PLACE)
        return calls[0]

    asked(1)
    assert asked(200) < 2.2 * asked(100)
