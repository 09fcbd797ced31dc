"""Measurement reports -> Observations: groups, numbers, evaluations, and what they refer to."""

from typing import Any

import pytest
from pydicom.sr.coding import Code

from mapper.fhir.check import faults
from mapper.fhir.contained import referred
from mapper.maps import documents
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
    item,
    not_measured,
    num,
    referring,
    text,
    uidref,
    unit,
)
from tests.support.reported import STUDY_UID, bundle_of, codes_of, instance, mapped, mapped_samples, of_kind, text_of
from tests.support.reported import coded as coded_as
from tests.support.tables import rows

REPORT, GROUP = Code("126000", "DCM", "Imaging Measurement Report"), Code("125007", "DCM", "Measurement Group")
LENGTH, AREA, VOLUME = (
    Code("410668003", "SCT", "Length"),
    Code("42798000", "SCT", "Area"),
    Code("118565006", "SCT", "Volume"),
)
MM = unit("mm", "millimeter")
SITE, SIDE, LUNG = (
    Code("363698007", "SCT", "Finding Site"),
    Code("272741003", "SCT", "Laterality"),
    Code("39607008", "SCT", "Lung"),
)
LEFT = Code("7771000", "SCT", "Left")
TRACKING_UID, TRACKING = (
    Code("112040", "DCM", "Tracking Unique Identifier"),
    Code("112039", "DCM", "Tracking Identifier"),
)
METHOD, BY_HAND = Code("370129005", "SCT", "Measurement Method"), Code("A1", "99X", "by hand")
FINDING, MASS, CYST = Code("121071", "DCM", "Finding"), Code("4147007", "SCT", "Mass"), Code("12494005", "SCT", "Cyst")
CATEGORY, LESION = Code("276214006", "SCT", "Finding category"), Code("52988006", "SCT", "Lesion")
MARGINS, SMOOTH = Code("111037", "DCM", "Margins"), Code("A2", "99X", "smooth")
NAME, VERSION = Code("111001", "DCM", "Algorithm Name"), Code("111003", "DCM", "Algorithm Version")
MEAN, DERIVATION = Code("373098007", "SCT", "Mean"), Code("121401", "DCM", "Derivation")
LIBRARY, DERIVED = Code("111028", "DCM", "Image Library"), Code("126011", "DCM", "Derived Imaging Measurements")
IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def report(*items: Any, **more: Any) -> dict[str, Any]:
    return instance(container("", REPORT, *items, template="1500"), **more)


def group(*items: Any, **more: Any) -> dict[str, Any]:
    return {**container(CONTAINS, GROUP, *items), **more}


def length(value: str = "12.40", *below: Any, how: str = CONTAINS) -> Any:
    return num(how, LENGTH, value, MM, *below)


def only(found: list[Any]) -> Any:
    (one,) = found
    return one


# -- the samples, by two writers ------------------------------------------------------------------------------------

AXIS, DENSITY = "103339001", "112031"
OURS = ("id", "identifier", "hasMember", "bodySite", "performer", "issued")
"""What two documents cannot have in common: identity and time; and what dcmqi cannot write of a site."""


def alike(observation: dict[str, Any]) -> dict[str, Any]:
    site = observation["bodySite"]
    return {
        **{name: value for name, value in observation.items() if name not in OURS},
        "where": (site["coding"], site["extension"]),
    }


@pytest.mark.parametrize("code", [AXIS, "118565006", DENSITY])
def test_two_writers_make_the_same_observations(code: str) -> None:
    one, other = (only(coded_as(mapped_samples(name), code)) for name in ("measurements", "measurements-by-dcmqi"))
    one, other = alike(one), alike(other)
    only_one_can = ("interpretation", "referenceRange")  # dcmqi has no properties of a value
    if code == "118565006":
        one = {name: value for name, value in one.items() if name not in (*only_one_can, "component")}
    assert one == other
    assert one["device"] == other["device"]


def test_two_writers_in_one_study_speak_of_one_lesion_and_one_algorithm() -> None:
    found = mapped_samples("measurements", "measurements-by-dcmqi")
    assert len(of_kind(found, "BodyStructure")) == 1
    algorithms = [
        one for one in of_kind(found, "Device") if codes_of(one.get("identifier", [{}])[0]["type"]) == ["111001"]
    ]
    assert [one["deviceName"][0]["name"] for one in algorithms] == ["Lesion Finder"]
    assert len(coded_as(found, AXIS)) == 2


def test_the_bytes_have_the_digits_of_the_report() -> None:
    made = text_of(mapped_samples("measurements"))
    for written in ('"value":12.40,', '"value":998.10,', '"value":-24.50,', '"value":99.00,'):
        assert written in made


def test_one_lesion_is_one_body_structure_at_all_times_and_in_all_groups() -> None:
    now, later = mapped_samples("measurements"), mapped_samples("measurements-later")
    one, other = (only(of_kind(found, "BodyStructure")) for found in (now, later))
    assert one == other
    ids = [{each["id"] for each in of_kind(found, "Observation")} for found in (now, later)]
    assert ids[0].isdisjoint(ids[1])


def test_a_corrected_report_speaks_for_the_observation_that_it_repeats() -> None:
    found = mapped_samples("measurements", "measurements-amended")
    groups = [one for one in coded_as(found, "52988006") if codes_of(one["identifier"][0].get("type", {}))]
    members = {one["reference"] for one in only(groups)["hasMember"]}
    values = {f"Observation/{one['id']}": one["valueQuantity"]["value"] for one in coded_as(found, AXIS)}
    assert sorted(values.values()) == [12.4, 12.8]
    assert {values[url] for url in members & values.keys()} == {12.8}, "the newer one's"
    assert documents.REPEATED in found.problems


def test_properties_of_a_value_have_elements_of_their_own_or_are_components() -> None:
    volume = only(coded_as(mapped_samples("measurements"), "118565006"))
    assert [codes_of(one) for one in volume["interpretation"]] == [["371879000"]]
    assert volume["referenceRange"] == [
        {
            "high": {"value": 500.0, "unit": "cubic millimeter", "system": "http://unitsofmeasure.org", "code": "mm3"},
            "text": "Example authority",
        }
    ]
    told = {codes_of(one["code"])[0]: one for one in volume["component"]}
    assert set(told) == {"373098007", "121405", "371886008", "371885007"}
    assert told["121405"]["valueString"] == "Example population"
    assert told["371886008"]["valueQuantity"]["value"] == 12


# -- what makes an Observation --------------------------------------------------------------------------------------


def made(*items: Any, **more: Any) -> list[dict[str, Any]]:
    return of_kind(mapped(report(*items, **more)), "Observation")


KINDS: dict[str, tuple[Any, list[str]]] = {  # content -> codes of the Observations, sorted
    "a group alone": (group(), []),
    "an empty group in an empty group": (group(group()), []),
    "a group of what cannot be made": (group(group({**length(), "ConceptNameCodeSequence": []})), []),
    "a group with a method alone": (group(coded(CONTAINS, METHOD, BY_HAND)), []),
    "a group with a region alone": (group(referring(CONTAINS, "IMAGE", None, (IMAGE, "1.2.1"))), []),
    "a group with a finding": (group(coded(CONTAINS, FINDING, MASS)), ["125007"]),
    "a group with a modifier": (group(coded(MOD, DERIVATION, MEAN)), ["125007"]),
    "a number in a group": (group(length()), ["125007", "410668003"]),
    "a number without a group": (length(), ["410668003"]),
    "a number in another container": (container(CONTAINS, Code("121070", "DCM", "Findings"), length()), ["410668003"]),
    "a group in a group": (group(group(length())), ["125007", "125007", "410668003"]),
    "an evaluation": (group(coded(CONTAINS, MARGINS, SMOOTH)), ["111037", "125007"]),
    "an evaluation in words": (group(text(CONTAINS, MARGINS, "smooth")), ["111037", "125007"]),
    "a code without a group": (coded(CONTAINS, MARGINS, SMOOTH), []),
    "the image library": (container(CONTAINS, LIBRARY, length(how=ACQUIRED), length()), []),
    "a number that is context": (group(length(how=ACQUIRED)), ["125007"]),
    "a number below a number": (length("1", length("2", how=PROPERTY)), ["410668003"]),
    "a number that another was inferred from": (length("1", num(INFERRED, AREA, "2", MM)), ["410668003", "42798000"]),
    "derived from others": (container(CONTAINS, DERIVED, num(CONTAINS, MEAN, "2", MM)), ["373098007"]),
    "a number without a name": ({**length(), "ConceptNameCodeSequence": []}, []),
    "an evaluation without a value": (
        group({**coded(CONTAINS, MARGINS, SMOOTH), "ConceptCodeSequence": []}),
        [],
    ),
    "what says something of the group": (
        group(
            text(CONTEXT, TRACKING, "1"),
            coded(CONTAINS, FINDING, MASS),
            coded(CONTAINS, METHOD, BY_HAND),
            coded(CONTAINS, SITE, LUNG),
            text(MOD, NAME, "Finder"),
            text(CONTAINS, VERSION, "1"),
            text(CONTAINS, Code("C67447", "NCIt", "Activity Session"), "1"),
            coded(CONTAINS, Code("130400", "DCM", "Geometric purpose of region"), SMOOTH),
        ),
        ["125007"],
    ),
}


@pytest.mark.parametrize(("content", "codes"), KINDS.values(), ids=KINDS)
def test_which_items_become_observations(content: Any, codes: list[str]) -> None:
    assert sorted(codes_of(one["code"])[0] for one in made(content)) == codes


def test_a_group_holds_what_stands_in_it_in_its_order() -> None:
    found = made(group(num(CONTAINS, VOLUME, "1", MM), coded(CONTAINS, MARGINS, SMOOTH), length()))
    by_url = {f"Observation/{one['id']}": codes_of(one["code"])[0] for one in found}
    (whole,) = [one for one in found if "hasMember" in one]
    assert [by_url[one["reference"]] for one in whole["hasMember"]] == ["118565006", "111037", "410668003"]


def test_what_has_no_name_is_no_member_and_is_recorded() -> None:
    found = mapped(report(group({**length(), "ConceptNameCodeSequence": []}, num(CONTAINS, AREA, "1", MM))))
    (whole,) = [one for one in of_kind(found, "Observation") if "hasMember" in one]
    assert len(whole["hasMember"]) == 1
    assert any(one.attribute.startswith("1.1.1 NUM") for one in found.problems)


def test_a_second_finding_is_a_component() -> None:
    (whole,) = made(group(coded(CONTAINS, FINDING, MASS), coded(CONTAINS, FINDING, CYST)))
    assert codes_of(whole["valueCodeableConcept"]) == ["4147007"]
    assert [codes_of(one["valueCodeableConcept"]) for one in whole["component"]] == [["12494005"]]


def test_a_category_that_says_more_than_group_is_the_code() -> None:
    (plain,) = made(group(coded(CONTAINS, FINDING, MASS)))
    (named,) = made(group(coded(CONTAINS, FINDING, MASS), coded(CONTAINS, CATEGORY, LESION)))
    assert codes_of(plain["code"]) == ["125007"]
    assert [codes_of(one) for one in plain["category"]] == [["imaging"]]
    assert codes_of(named["code"]) == ["52988006"]
    assert [codes_of(one) for one in named["category"]] == [["imaging"], ["125007"]]


def test_an_empty_group_is_recorded_and_one_that_says_what_it_is_of_says_why_no_more() -> None:
    found = mapped(report(group()))
    assert of_kind(found, "Observation") == []
    assert [one.attribute for one in found.problems] == ["1.1 CONTAINER"]
    assert made(group(coded(CONTAINS, CATEGORY, Code("125007", "DCM", "a group")))) == []
    for said in (
        coded(CONTAINS, CATEGORY, LESION),
        text(CONTAINS, CATEGORY, "a lesion"),
        coded(MOD, SITE, LUNG),
        uidref(CONTEXT, TRACKING_UID, "1.2.3"),
    ):
        whole = only(made(group(said)))
        assert codes_of(whole["dataAbsentReason"]) == ["unknown"]
    assert all("dataAbsentReason" not in one for one in made(group(coded(MOD, SITE, LUNG), length())))


def test_what_is_derived_says_from_what() -> None:
    content = (
        group(length(), ObservationUID="1.2.3.4"),
        container(CONTAINS, DERIVED, num(CONTAINS, MEAN, "2", MM, by_reference(INFERRED, 1, 1, 1))),
    )
    found = made(*content)
    (derived,) = [one for one in found if codes_of(one["code"]) == ["373098007"]]
    (source,) = [one for one in found if codes_of(one["code"]) == ["410668003"]]
    assert [codes_of(one) for one in derived["category"]] == [["imaging"], ["126011"]]
    assert derived["derivedFrom"][0] == {"reference": f"Observation/{source['id']}"}
    assert derived["derivedFrom"][1]["reference"].startswith("ImagingStudy/")


def test_what_modifies_a_number_is_a_component_but_not_under_its_own_code() -> None:
    found = only(
        made(length("1", coded(MOD, DERIVATION, MEAN), num(PROPERTY, AREA, "3", MM), length("2", how=PROPERTY)))
    )
    assert [codes_of(one["code"]) for one in found["component"]] == [["121401"], ["42798000"]]


MODE, TWO_D = Code("399264008", "SCT", "Image Mode"), Code("399064001", "SCT", "2D mode imaging")
AT, QUALITY = Code("A3", "99X", "Taken"), Code("A4", "99X", "Quality")


def moment(how: str, kind: str, keyword: str, value: str) -> Any:
    return item(how, kind, AT, {keyword: value})


BESIDE: dict[str, tuple[Any, dict[str, Any]]] = {  # child -> elements of the one component
    "a code": (coded(MOD, DERIVATION, MEAN), {"valueCodeableConcept": "373098007"}),
    "a code that says how it was acquired": (coded(ACQUIRED, MODE, TWO_D), {"valueCodeableConcept": "399064001"}),
    "a text": (text(PROPERTY, QUALITY, "good"), {"valueString": "good"}),
    "a date": (moment(MOD, "DATE", "Date", "20240517"), {"valueDateTime": "2024-05-17"}),
    "a moment": (moment(MOD, "DATETIME", "DateTime", "20240517101500"), {"valueDateTime": "2024-05-17T10:15:00+02:00"}),
    "a moment with a zone": (
        moment(MOD, "DATETIME", "DateTime", "20240517101500+0100"),
        {"valueDateTime": "2024-05-17T10:15:00+01:00"},
    ),
    "a time": (moment(MOD, "TIME", "Time", "1015"), {"valueTime": "10:15:00"}),
    "a person": (moment(MOD, "PNAME", "PersonName", "Weber^Karl"), {"valueString": "Weber, Karl"}),
    "a UID": (moment(MOD, "UIDREF", "UID", "1.2.3"), {"valueString": "urn:oid:1.2.3"}),
}
HOLDERS: dict[str, Any] = {
    "a group": lambda child: group(child),
    "a number": lambda child: length("1", child),
    "an evaluation": lambda child: group(coded(CONTAINS, MARGINS, SMOOTH, child)),
}


@pytest.mark.parametrize(("child", "expected"), BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_what_modifies_anything_is_a_component(holder: Any, child: Any, expected: dict[str, Any]) -> None:
    found = mapped(report(holder(child)))
    component = only([each for one in of_kind(found, "Observation") for each in one.get("component", ())])
    concept = component.pop("valueCodeableConcept", None)
    told = {**component, **({"valueCodeableConcept": codes_of(concept)[0]} if concept else {})}
    assert {name: value for name, value in told.items() if name != "code"} == expected
    assert found.problems == []


@pytest.mark.parametrize("kind", ["a date", "a moment", "a time", "a person", "a UID"])
def test_a_group_that_contains_a_moment_has_it_as_a_component(kind: str) -> None:
    child, expected = BESIDE[kind]
    whole = only(made(group({**child, "RelationshipType": CONTAINS})))
    assert [{name: value for name, value in one.items() if name != "code"} for one in whole["component"]] == [expected]


LOST: dict[str, Any] = {
    "a date that is none": moment(MOD, "DATE", "Date", "20240230"),
    "a moment that is none": moment(MOD, "DATETIME", "DateTime", "odd"),
    "a time without minutes": moment(MOD, "TIME", "Time", "10"),
    "a time that is none": moment(MOD, "TIME", "Time", "256199"),
    "without a name": {**moment(MOD, "DATE", "Date", "20240517"), "ConceptNameCodeSequence": []},
    "under the code of the whole": num(PROPERTY, LENGTH, "2", MM),
}


@pytest.mark.parametrize("child", LOST.values(), ids=LOST)
def test_what_makes_no_component_is_recorded(child: Any) -> None:
    found = mapped(report(length("1", child)))
    assert "component" not in only(of_kind(found, "Observation"))
    assert [one.attribute.split()[0] for one in found.problems] == ["1.1.1"]


OF_WHAT = Code("A5", "99X", "Reason")
HOW = coded(MOD, QUALITY, Code("A6", "99X", "doubtful"), text(MOD, OF_WHAT, "motion"))
IN_TEXT: dict[str, tuple[Any, str, str]] = {  # content, where its words are, the words
    "of a code that modifies": (
        length("1", coded(MOD, DERIVATION, MEAN, HOW)),
        "component.0.valueCodeableConcept",
        "Mean, Quality, Reason motion doubtful",
    ),
    "of a number that modifies": (
        length("1", num(PROPERTY, AREA, "2", MM, HOW)),
        "component.0.code",
        "Area, Quality, Reason motion doubtful",
    ),
    "of a side": (length("1", num(PROPERTY, AREA, "2", MM, coded(MOD, SIDE, LEFT))), "component.0.code", "Area, Left"),
    "of a finding": (
        group(coded(CONTAINS, FINDING, MASS, HOW)),
        "valueCodeableConcept",
        "Mass, Quality, Reason motion doubtful",
    ),
    "of a method": (
        length("1", coded(MOD, METHOD, BY_HAND, text(MOD, OF_WHAT, "motion"))),
        "method",
        "by hand, Reason motion",
    ),
    "of a category": (
        group(coded(CONTAINS, FINDING, MASS), coded(CONTAINS, CATEGORY, LESION, text(MOD, OF_WHAT, "motion"))),
        "code",
        "Lesion, Reason motion",
    ),
    "of a place": (
        length("1", coded(MOD, SITE, LUNG, coded(MOD, SIDE, LEFT), text(MOD, OF_WHAT, "motion"))),
        "bodySite",
        "Left Lung, Reason motion",
    ),
    "of a moment": (
        length("1", {**moment(MOD, "DATE", "Date", "20240517"), "ContentSequence": [text(MOD, OF_WHAT, "motion")]}),
        "component.0.code",
        "Taken, Reason motion",
    ),
}


@pytest.mark.parametrize(("content", "where", "words"), IN_TEXT.values(), ids=IN_TEXT)
def test_what_modifies_a_modifier_stands_in_its_words(content: Any, where: str, words: str) -> None:
    found: Any = only(made(content))
    for step in where.split("."):
        found = found[int(step)] if step.isdigit() else found[step]
    assert found["text"] == words


# -- where, how, by whom --------------------------------------------------------------------------------------------


@rows(
    "site, side, tracked, is_structure, words",
    """
    yes    yes    yes    yes    Left Lung
    yes    yes    no     yes    Left Lung
    yes    no     yes    yes    -
    yes    no     no     no     -
    no     no     yes    yes    -
    no     no     no     no     -
    """,
)
def test_a_place_is_a_body_structure_where_it_is_tracked_or_has_a_side(
    site: str, side: str, tracked: str, is_structure: str, words: str | None
) -> None:
    sides = (coded(MOD, SIDE, LEFT),) if side == "yes" else ()
    where = (coded(MOD, SITE, LUNG, *sides),) if site == "yes" else ()
    which = (uidref(CONTEXT, TRACKING_UID, "1.2.3"), text(CONTEXT, TRACKING, "1")) if tracked == "yes" else ()
    found = mapped(report(group(*which, *where, length())))
    structures = of_kind(found, "BodyStructure")
    assert bool(structures) == (is_structure == "yes")
    for one in of_kind(found, "Observation"):
        told = one.get("bodySite", {})
        assert bool(told.get("extension")) == (is_structure == "yes")
        assert ("coding" in told) == (site == "yes")
        assert told.get("text") == words
    for one in structures:
        assert one["patient"] == of_kind(found, "ImagingStudy")[0]["subject"]
        kinds = [codes_of(each.get("type", {})) for each in one["identifier"]]
        assert kinds == ([["112040"], ["112039"]] if tracked == "yes" else [[]])


FOLLOWED, NAMED = uidref(CONTEXT, TRACKING_UID, "1.2.3"), text(CONTEXT, TRACKING, "Lesion 1")
IN_LUNG, IN_LEFT_LUNG = coded(MOD, SITE, LUNG), coded(MOD, SITE, LUNG, coded(MOD, SIDE, LEFT))
SECTION = Code("121070", "DCM", "Findings")


def section(*items: Any) -> Any:
    return container(CONTAINS, SECTION, *items)


LESIONS: dict[str, tuple[Any, list[list[str]], str | None, list[str]]] = {  # content -> identifiers, place, sides
    "an identifier without a UID, at a place": (group(NAMED, IN_LUNG, length()), [["112039"], []], "39607008", []),
    "at a place with a side": (group(NAMED, IN_LEFT_LUNG, length()), [["112039"], []], "39607008", ["7771000"]),
    "at no place": (group(NAMED, length()), [["112039"], []], None, []),
    "a UID alone, at a place": (group(FOLLOWED, IN_LUNG, length()), [["112040"]], "39607008", []),
    "the place above": (section(IN_LUNG, group(FOLLOWED, NAMED, length())), [["112040"], ["112039"]], "39607008", []),
    "the place and side above": (
        section(IN_LEFT_LUNG, group(FOLLOWED, length())),
        [["112040"]],
        "39607008",
        ["7771000"],
    ),
    "the nearest place": (
        section(coded(MOD, SITE, Code("64033007", "SCT", "Kidney")), section(IN_LUNG, group(FOLLOWED, length()))),
        [["112040"]],
        "39607008",
        [],
    ),
    "named, the place above": (
        section(IN_LEFT_LUNG, group(NAMED, length())),
        [["112039"], []],
        "39607008",
        ["7771000"],
    ),
}


@pytest.mark.parametrize(("content", "identified", "place", "sides"), LESIONS.values(), ids=LESIONS)
def test_a_lesion_is_known_by_its_tracking_and_is_at_the_nearest_place(
    content: Any, identified: list[list[str]], place: str | None, sides: list[str]
) -> None:
    found = mapped(report(content))
    one = only(of_kind(found, "BodyStructure"))
    assert [codes_of(each.get("type", {})) for each in one["identifier"]] == identified
    assert codes_of(one.get("location", {})) == [place] * (place is not None)
    assert [code for each in one.get("locationQualifier", ()) for code in codes_of(each)] == sides
    for each in of_kind(found, "Observation"):
        assert each["bodySite"]["extension"][0]["valueReference"] == {"reference": f"BodyStructure/{one['id']}"}


def test_a_lesion_that_only_has_a_name_is_another_one_in_another_report() -> None:
    found = mapped(*(report(group(NAMED, IN_LUNG, length()), number=number) for number in (8, 9)))
    assert len(of_kind(found, "BodyStructure")) == 2


def test_a_number_may_have_a_place_of_its_own() -> None:
    other = coded(MOD, SITE, Code("64033007", "SCT", "Kidney"), coded(MOD, SIDE, LEFT))
    found = mapped(report(group(uidref(CONTEXT, TRACKING_UID, "1.2.3"), coded(MOD, SITE, LUNG), length("1", other))))
    whole, measured = (only(coded_as(found, code)) for code in ("125007", "410668003"))
    assert codes_of(whole["bodySite"]) == ["39607008"]
    assert codes_of(measured["bodySite"]) == ["64033007"]
    assert whole["bodySite"]["extension"] != measured["bodySite"]["extension"]
    assert len(of_kind(found, "BodyStructure")) == 2


KIDNEY, RIGHT = Code("64033007", "SCT", "Kidney"), Code("24028007", "SCT", "Right")
SAID_OF_IT: dict[str, tuple[Any, Any, str | None, str | None]] = {  # later, earlier report -> place and side
    "both say all": ((LUNG, LEFT), (KIDNEY, RIGHT), "39607008", "7771000"),
    "a place, then another with a side": ((LUNG, None), (KIDNEY, RIGHT), "39607008", None),
    "a place, then the same with a side": ((LUNG, None), (LUNG, RIGHT), "39607008", None),
    "no place, then one with a side": ((None, None), (KIDNEY, RIGHT), "64033007", "24028007"),
    "a place, then none": ((LUNG, LEFT), (None, None), "39607008", "7771000"),
    "none at all": ((None, None), (None, None), None, None),
}


@pytest.mark.parametrize(("later", "earlier", "place", "side"), SAID_OF_IT.values(), ids=SAID_OF_IT)
def test_place_and_side_of_a_lesion_are_those_of_one_report(
    later: Any, earlier: Any, place: str | None, side: str | None
) -> None:
    def said(site: Code | None, laterality: Code | None) -> Any:
        sides = (coded(MOD, SIDE, laterality),) if laterality else ()
        where = (coded(MOD, SITE, site, *sides),) if site else ()
        return group(uidref(CONTEXT, TRACKING_UID, "1.2.3"), *where, length())

    reports = [report(said(*later), number=9), report(said(*earlier), number=8, ContentTime="090000")]
    for order in (reports, reports[::-1]):
        one = only(of_kind(mapped(*order), "BodyStructure"))
        assert codes_of(one.get("location", {})) == [place] * (place is not None)
        assert [code for each in one.get("locationQualifier", ()) for code in codes_of(each)] == [side] * (
            side is not None
        )
    two_groups = only(of_kind(mapped(report(said(*later), said(*earlier))), "BodyStructure"))
    assert two_groups == one, "nor are they mixed in one report"


def test_a_phantom_has_no_body_structure() -> None:
    where = coded(MOD, SITE, LUNG, coded(MOD, SIDE, LEFT))
    found = mapped(report(group(where, length()), QualityControlSubject="YES"))
    assert of_kind(found, "BodyStructure") == []
    assert all("extension" not in one["bodySite"] for one in of_kind(found, "Observation"))


def test_method_and_algorithm_of_the_group_hold_for_its_numbers_unless_they_say_another() -> None:
    own = (coded(MOD, METHOD, Code("A9", "99X", "its own")), text(MOD, NAME, "Other"), text(MOD, VERSION, "2"))
    found = mapped(
        report(
            group(coded(MOD, METHOD, BY_HAND), text(MOD, NAME, "Finder"), length(), num(CONTAINS, AREA, "1", MM, *own))
        )
    )
    methods = {codes_of(one["code"])[0]: codes_of(one["method"]) for one in of_kind(found, "Observation")}
    assert methods == {"125007": ["A1"], "410668003": ["A1"], "42798000": ["A9"]}
    named = {f"Device/{one['id']}": one["deviceName"][0]["name"] for one in of_kind(found, "Device")}
    devices = {codes_of(one["code"])[0]: named[one["device"]["reference"]] for one in of_kind(found, "Observation")}
    assert devices == {"125007": "Finder", "410668003": "Finder", "42798000": "Other"}


def test_without_an_algorithm_the_equipment_that_wrote_the_report_is_the_device() -> None:
    maker = {"Manufacturer": "ACME", "ManufacturerModelName": "Reader", "DeviceSerialNumber": "1"}
    found = mapped(report(length(), **maker))
    (device,) = of_kind(found, "Device")
    assert only(of_kind(found, "Observation"))["device"] == {"reference": f"Device/{device['id']}"}


OTHER = "1.2.826.0.1.3680043.8.498.8"


def evidence(study: str, sop: str) -> dict[str, Any]:
    named = {"ReferencedSOPClassUID": IMAGE, "ReferencedSOPInstanceUID": sop}
    return {"StudyInstanceUID": study, "ReferencedSeriesSequence": [{"ReferencedSOPSequence": [named]}]}


HERE, PRIOR = "1.2.1", "1.2.2"
REGION = Code("111030", "DCM", "Image Region")


def seen(sop: str, how: str = CONTAINS) -> Any:
    """Return a region in an image."""
    return {
        "RelationshipType": how,
        "ValueType": "SCOORD",
        "ConceptNameCodeSequence": [{"CodeValue": "111030", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Region"}],
        "GraphicType": "POINT",
        "GraphicData": [1.0, 2.0],
        "ContentSequence": [referring("SELECTED FROM", "IMAGE", None, (IMAGE, sop))],
    }


BOTH = {
    "CurrentRequestedProcedureEvidenceSequence": [(STUDY_UID, HERE)],
    "PertinentOtherEvidenceSequence": [(OTHER, PRIOR)],
}
PRIOR_ALONE = {"CurrentRequestedProcedureEvidenceSequence": [(OTHER, PRIOR)]}
OF: dict[str, tuple[Any, dict[str, Any], list[str], bool]] = {  # content, evidence -> studies of the length, its time
    "its own image": (group(length("1", seen(PRIOR, INFERRED))), BOTH, [OTHER], False),
    "the region of its group": (group(seen(PRIOR), length()), BOTH, [OTHER], False),
    "an image of its group": (
        group(referring(CONTAINS, "IMAGE", None, (IMAGE, PRIOR)), length()),
        BOTH,
        [OTHER],
        False,
    ),
    "its own before its group's": (group(seen(PRIOR), length("1", seen(HERE, INFERRED))), BOTH, [STUDY_UID], True),
    "of both": (group(seen(PRIOR), seen(HERE), length()), BOTH, [OTHER, STUDY_UID], True),
    "not its neighbour's": (
        group(num(CONTAINS, AREA, "1", MM, seen(PRIOR, INFERRED)), length()),
        BOTH,
        [STUDY_UID],
        True,
    ),
    "not those of a group beside": (
        container(CONTAINS, SECTION, group(seen(PRIOR)), length()),
        BOTH,
        [STUDY_UID],
        True,
    ),
    "of a group in a group": (group(seen(PRIOR), group(length())), BOTH, [OTHER], False),
    "the nearest group": (group(seen(PRIOR), group(seen(HERE), length())), BOTH, [STUDY_UID], True),
    "a section's": (container(CONTAINS, SECTION, seen(PRIOR), length()), BOTH, [OTHER], False),
    "not the library's": (
        container(
            CONTAINS,
            SECTION,
            container(CONTAINS, LIBRARY, referring(CONTAINS, "IMAGE", None, (IMAGE, PRIOR))),
            length(),
        ),
        BOTH,
        [STUDY_UID],
        True,
    ),
    "by reference": (
        container(CONTAINS, SECTION, seen(PRIOR), group(length("1", by_reference(INFERRED, 1, 1, 1)))),
        BOTH,
        [OTHER],
        False,
    ),
    "an image that no evidence names": (
        group(seen(PRIOR), length("1", seen("1.2.9", INFERRED))),
        BOTH,
        [STUDY_UID],
        True,
    ),
    "no image at all": (length(), BOTH, [STUDY_UID], True),
    "no image, all of another study": (length(), PRIOR_ALONE, [OTHER], False),
    "no image, no evidence": (length(), {}, [STUDY_UID], True),
    "no image, another one for comparison": (
        length(),
        {"PertinentOtherEvidenceSequence": [(OTHER, PRIOR)]},
        [STUDY_UID],
        True,
    ),
}


def named(evidence_of: dict[str, list[tuple[str, str]]]) -> dict[str, Any]:
    return {keyword: [evidence(*one) for one in several] for keyword, several in evidence_of.items()}


def studies(references: list[dict[str, Any]]) -> list[str]:
    """Return the StudyInstanceUIDs of References, the own study's where there is a literal one."""
    own = [
        STUDY_UID if "reference" in one else one["identifier"]["value"].removeprefix("urn:oid:") for one in references
    ]
    return [
        uid for one, uid in zip(references, own, strict=True) if not one.get("reference", "").startswith("Observation")
    ]


@pytest.mark.parametrize(("content", "evidence_of", "expected", "is_own_time"), OF.values(), ids=OF)
def test_a_number_is_of_the_images_that_the_nearest_item_points_to(
    content: Any, evidence_of: Any, expected: list[str], is_own_time: bool
) -> None:
    found = mapped(report(content, **named(evidence_of)))
    one = only(coded_as(found, "410668003"))
    assert studies(one["derivedFrom"]) == expected
    assert ("effectiveDateTime" in one) is is_own_time, "the time is that of this study's images"


def test_what_is_derived_is_of_the_images_of_what_it_was_inferred_from() -> None:
    mean = num(CONTAINS, MEAN, "2", MM, by_reference(INFERRED, 1, 1, 2))
    content = (group(seen(PRIOR), length()), container(CONTAINS, DERIVED, mean))
    derived = only(coded_as(mapped(report(*content, **named(BOTH))), "373098007"))
    assert studies(derived["derivedFrom"]) == [OTHER]
    assert "effectiveDateTime" not in derived


def test_a_date_of_the_study_that_is_none_is_recorded_once() -> None:
    found = mapped(report(length(), num(CONTAINS, AREA, "1", MM), StudyDate="odd"))
    told = [one for one in found.problems if one.element == "Observation.effectiveDateTime"]
    assert len(told) == 1


def test_images_of_another_study_are_named_not_referred_to() -> None:
    both = [evidence(STUDY_UID, "1.2.1"), evidence(OTHER, "1.2.2")]
    prior, own = (group(referring(CONTAINS, "IMAGE", None, (IMAGE, sop)), length()) for sop in ("1.2.2", "1.2.1"))
    found = of_kind(mapped(report(prior, own, CurrentRequestedProcedureEvidenceSequence=both)), "Observation")
    groups = [one["derivedFrom"] for one in found if "hasMember" in one]
    logical = {"type": "ImagingStudy", "identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{OTHER}"}}
    assert [logical] in groups
    assert sum("reference" in one[0] for one in groups) == 1
    assert {one["partOf"][0]["identifier"]["value"] for one in found} == {f"urn:oid:{STUDY_UID}"}


@rows(
    "preliminary, verified, status",
    """
    PRELIMINARY    VERIFIED      preliminary
    FINAL          UNVERIFIED    final
    -              VERIFIED      final
    -              UNVERIFIED    preliminary
    odd            UNVERIFIED    preliminary
    -              -             unknown
    -              odd           unknown
    """,
)
def test_status(preliminary: str | None, verified: str | None, status: str) -> None:
    flags = {"PreliminaryFlag": preliminary, "VerificationFlag": verified}
    assert only(made(length(), **flags))["status"] == status


@rows(
    "observed, content, offset, issued",
    """
    20240517100300+0100    -           +0200    2024-05-17T10:03:00+01:00
    20240517100300         -           +0200    2024-05-17T10:03:00+02:00
    -                      20240517    +0200    2024-05-17T10:02:00+02:00
    20240517               20240517    +0200    2024-05-17T10:02:00+02:00    # a day is no instant
    odd                    20240517    +0200    2024-05-17T10:02:00+02:00
    -                      -           +0200    -
    """,
)
def test_issued(observed: str | None, content: str | None, offset: str, issued: str | None) -> None:
    item = {**length(), "ObservationDateTime": observed} if observed else length()
    found = only(made(item, ContentDate=content, TimezoneOffsetFromUTC=offset))
    assert found.get("issued") == issued
    assert found["effectiveDateTime"] == "2024-05-17T09:31:05+02:00"


def test_without_a_zone_there_is_no_instant_and_no_word_of_it() -> None:
    found = mapped(report(length(), TimezoneOffsetFromUTC=None), timezone=None)
    assert "issued" not in only(of_kind(found, "Observation"))
    assert found.problems == []


def test_the_time_of_the_nearest_item_above_counts() -> None:
    root = report({**group(length()), "ObservationDateTime": "20240517110000"}, ObservationDateTime="20240517120000")
    found = of_kind(mapped(root), "Observation")
    assert {one["issued"] for one in found} == {"2024-05-17T11:00:00+02:00"}


# -- identity -------------------------------------------------------------------------------------------------------


def test_an_observation_uid_that_is_there_twice_is_the_first_item_s() -> None:
    twice = [{**length(value), "ObservationUID": "1.2.3"} for value in ("1", "2")]
    found = made(group(*twice))
    assert len({one["id"] for one in found}) == 3
    kinds = [codes_of(one["identifier"][0].get("type", {})) for one in found if "valueQuantity" in one]
    assert sorted(kinds) == [[], ["observation-uid"]]


def test_every_observation_says_which_study_it_is_of() -> None:
    of_study = {"system": "https://pacs.example.org/fhir/id/study", "value": f"urn:oid:{STUDY_UID}"}
    for one in made(group(length(), coded(CONTAINS, MARGINS, SMOOTH))):
        assert of_study in one["identifier"]


def test_too_many_are_left_out_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_OBSERVATIONS", 3)
    found = mapped(report(group(*(length(str(number)) for number in range(5)))))
    assert len(of_kind(found, "Observation")) == 3
    assert documents.TOO_MANY in found.problems
    (whole,) = [one for one in of_kind(found, "Observation") if "hasMember" in one]
    assert len(whole["hasMember"]) == 2


ABSENT = (
    (not_measured(CONTAINS, LENGTH, Code("114007", "DCM", "Measurement not attempted")), "not-performed"),
    (not_measured(CONTAINS, LENGTH, None), "unknown"),
    (length("abc"), "error"),
    (length("1E+9999"), "error"),
)


@pytest.mark.parametrize(("item", "reason"), ABSENT, ids=[reason for _, reason in ABSENT])
def test_a_number_that_is_none_says_why(item: Any, reason: str) -> None:
    found = only(made(item))
    assert codes_of(found["dataAbsentReason"]) == [reason]
    assert "valueQuantity" not in found


TITLES = (
    ("126000", "DCM", None, 1),
    ("126001", "DCM", None, 1),
    ("A1", "99X", "1500", 1),
    ("18748-4", "LN", None, 1),
    ("A1", "99X", "2000", 1),
    ("125200", "DCM", None, 1),
    ("A1", "99X", "5200", 1),
    ("125100", "DCM", None, 1),
    ("125196", "DCM", None, 1),
    ("A1", "99X", "5300", 1),
    ("111036", "DCM", "4000", 0),
    ("A1", "99X", None, 0),
)


@pytest.mark.parametrize(("code", "scheme", "template", "count"), TITLES)
def test_numbers_are_taken_of_templates_whose_numbers_are_known(
    code: str, scheme: str, template: str | None, count: int
) -> None:
    found = mapped(instance(container("", Code(code, scheme, "Title"), length(), template=template)))
    assert len(of_kind(found, "Observation")) == count


# -- what is too long, what modifies, what comes twice ----------------------------------------------------------------

LONG = "x" * ((1 << 20) + 1)
SIDED = coded(CONTEXT, SITE, LUNG, coded(PROPERTY, SIDE, LEFT))
TOO_LONG: dict[str, tuple[tuple[Any, ...], int]] = {  # items of a group, BodyStructures that are referred to
    "a tracking UID": ((uidref(CONTEXT, TRACKING_UID, LONG),), 0),
    "a tracking UID as a text": ((text(CONTEXT, TRACKING_UID, LONG),), 0),
    "a tracking UID beside a site with a side": ((text(CONTEXT, TRACKING_UID, LONG), SIDED), 0),
    "a tracking identifier": ((uidref(CONTEXT, TRACKING_UID, "1.2.99"), text(CONTEXT, TRACKING, LONG)), 1),
    "a site": ((text(CONTEXT, SITE, LONG),), 0),
    "a site that is tracked": ((uidref(CONTEXT, TRACKING_UID, "1.2.99"), text(CONTEXT, SITE, LONG)), 0),
    "a side": ((coded(CONTEXT, SITE, LUNG, text(PROPERTY, SIDE, LONG)),), 0),
    "a method": ((text(CONTEXT, METHOD, LONG),), 0),
    "an algorithm": ((text(CONTEXT, NAME, LONG),), 0),
    "a version": ((text(CONTEXT, NAME, "Finder"), text(CONTEXT, VERSION, LONG)), 0),
    "a finding": ((text(CONTAINS, FINDING, LONG),), 0),
    "an evaluation": ((text(CONTAINS, MARGINS, LONG),), 0),
}


@pytest.mark.parametrize(("items", "structures"), TOO_LONG.values(), ids=TOO_LONG)
def test_what_is_longer_than_a_string_of_fhir_is_dropped_and_recorded(items: Any, structures: int) -> None:
    found = mapped(report(group(*items, length())))
    assert faults(bundle_of(found)) == []
    assert only(coded_as(found, LENGTH.value))["valueQuantity"]["value"] == 12.4
    assert len(of_kind(found, "BodyStructure")) == structures
    assert any("longer" in problem.reason for problem in found.problems)
    assert set(referred(bundle_of(found))) <= {f"{one['resourceType']}/{one['id']}" for one in found.resources}


PRESENCE, ABSENT = Code("705057003", "SCT", "Presence"), Code("2667000", "SCT", "Absent")
NEGATED = coded(MOD, PRESENCE, ABSENT)
EVALUATED: dict[str, tuple[tuple[Any, ...], list[tuple[str, str]]]] = {  # children, components: code, value
    "nothing": ((), []),
    "a modifier": ((NEGATED,), [("705057003", "2667000")]),
    "a property": ((coded(PROPERTY, PRESENCE, ABSENT),), [("705057003", "2667000")]),
    "a text": ((text(MOD, PRESENCE, "not seen"),), [("705057003", "not seen")]),
    "two": ((NEGATED, coded(MOD, MEAN, SMOOTH)), [("705057003", "2667000"), ("373098007", "A2")]),
    "what has an element": ((coded(MOD, METHOD, BY_HAND), coded(CONTEXT, SITE, LUNG)), []),
    "what only contains": ((coded(CONTAINS, PRESENCE, ABSENT),), []),
}


def components_of(observation: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (codes_of(one["code"])[0], one.get("valueString") or codes_of(one["valueCodeableConcept"])[0])
        for one in observation.get("component", ())
    ]


@pytest.mark.parametrize(("below", "expected"), EVALUATED.values(), ids=EVALUATED)
def test_what_modifies_an_evaluation_is_a_component(below: Any, expected: Any) -> None:
    found = mapped(report(group(coded(CONTAINS, MARGINS, SMOOTH, *below))))
    assert components_of(only(coded_as(found, MARGINS.value))) == expected


@rows(
    "uids, own, recorded",
    """
    -,-            0    no
    1.2.7,-        1    no
    1.2.7,1.2.8    2    no
    1.2.7,1.2.7    1    yes
    """,
)
def test_an_observation_uid_that_a_report_has_twice_is_recorded(uids: str, own: str, recorded: str) -> None:
    said = [{**length(), **({"ObservationUID": uid} if uid != "-" else {})} for uid in uids.split(",")]
    found = mapped(report(*said))
    made = of_kind(found, "Observation")
    assert len({one["id"] for one in made}) == 2
    assert sum(codes_of(one["identifier"][0].get("type", {})) == ["observation-uid"] for one in made) == int(own)
    assert (documents.TWICE in found.problems) == (recorded == "yes")


@pytest.mark.parametrize(
    ("named", "kept", "recorded"), [(LENGTH, 0, True), (MEAN, 1, False)], ids=["the same code", "another"]
)
def test_a_component_with_the_code_of_the_whole_is_left_out_and_recorded(
    named: Code, kept: int, recorded: bool
) -> None:
    found = mapped(report(length("1", num(PROPERTY, named, "2", MM))))
    assert len(only(of_kind(found, "Observation")).get("component", ())) == kept
    assert any("obs-7" in problem.reason for problem in found.problems) is recorded
