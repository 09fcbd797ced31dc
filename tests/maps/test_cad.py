"""Reports of computer-aided detection -> Observations: which marks, of whom, how certain, and never a diagnosis."""

from typing import Any

import pytest
from pydicom.sr.coding import Code

from mapper.maps import study_to_fhir
from mapper.maps.silence import Silences
from samples.sr.cad import (
    CLUSTER,
    COMPOSITE,
    HIDDEN,
    IMPRESSION,
    IMPRESSION_CERTAINTY,
    INTENT,
    MASS,
    OPTIONAL,
    PERCENT,
    REQUIRED,
    SINGLE,
    SUMMARY,
    WITH_FINDINGS,
    algorithm,
    finding,
)
from samples.sr.content import CONTAINS, INFERRED, MOD, by_reference, coded, container, num, text
from tests.support.reported import SAMPLES, SITE, codes_of, instance, mapped, mapped_samples, of_kind, study_of_samples
from tests.support.reported import coded as coded_as

MAMMOGRAPHY, CHEST, COLON = "88.50", "88.65", "88.69"
TITLES = {MAMMOGRAPHY: "111036", CHEST: "112000", COLON: "112220"}


def report(*marks: Any, sop_class: str = MAMMOGRAPHY, **more: Any) -> Any:
    title = Code(TITLES[sop_class], "DCM", "CAD Report")
    return mapped(instance(container("", title, coded(CONTAINS, SUMMARY, WITH_FINDINGS, *marks)), sop_class, **more))


def made(*marks: Any, **more: Any) -> list[dict[str, Any]]:
    return of_kind(report(*marks, **more), "Observation")


def impression(intent: Code | None, *below: Any) -> Any:
    return container(INFERRED, IMPRESSION, *([coded(MOD, INTENT, intent)] if intent else []), *below)


def mark(intent: Code, value: Code = CLUSTER, how: str = CONTAINS, **more: str) -> Any:
    return finding(how, SINGLE, value, intent, *algorithm("Mark Finder"), **more)


def only(found: list[Any]) -> Any:
    (one,) = found
    return one


UNSAID = coded(CONTAINS, SINGLE, MASS)
MARKS: dict[str, tuple[tuple[Any, ...], list[str]]] = {  # below the summary -> codes, sorted
    "required": ((mark(REQUIRED, how=INFERRED),), ["111059"]),
    "optional": ((mark(OPTIONAL, how=INFERRED),), []),
    "not for presentation": ((mark(HIDDEN, how=INFERRED),), []),
    "without an intent": ((UNSAID,), []),
    "with another code as intent": ((mark(Code("A1", "99X", "show"), how=INFERRED),), []),
    "with an intent in words": ((coded(INFERRED, SINGLE, MASS, text(MOD, INTENT, "Presentation Required")),), []),
    "in an impression": ((impression(REQUIRED, mark(REQUIRED)),), ["111034", "111059"]),
    "in an optional impression": ((impression(OPTIONAL, mark(REQUIRED)),), []),
    "in an impression without an intent": ((impression(None, mark(REQUIRED)),), []),
    "hidden in an impression": ((impression(REQUIRED, mark(HIDDEN)),), []),
    "hidden in an impression that says more": (
        (impression(REQUIRED, mark(HIDDEN), num(CONTAINS, IMPRESSION_CERTAINTY, "71", PERCENT)),),
        ["111034"],
    ),
    "of a feature": (
        (finding(INFERRED, COMPOSITE, MASS, REQUIRED, mark(REQUIRED, how=INFERRED)),),
        ["111015", "111059"],
    ),
    "of a hidden feature": ((finding(INFERRED, COMPOSITE, MASS, HIDDEN, mark(REQUIRED, how=INFERRED)),), []),
    "without a value": (({**mark(REQUIRED, how=INFERRED), "ConceptCodeSequence": []},), []),
    "nothing": ((), []),
}


@pytest.mark.parametrize("sop_class", TITLES)
@pytest.mark.parametrize(("marks", "codes"), MARKS.values(), ids=MARKS)
def test_only_what_must_be_presented_becomes_an_observation(
    sop_class: str, marks: tuple[Any, ...], codes: list[str]
) -> None:
    found = made(*marks, sop_class=sop_class)
    assert sorted(codes_of(one["code"])[0] for one in found) == codes
    assert {one["status"] for one in found} <= {"preliminary"}


@pytest.mark.parametrize("flags", [{"PreliminaryFlag": "FINAL"}, {"VerificationFlag": "VERIFIED"}, {}])
def test_a_mark_is_preliminary_whatever_its_document_says(flags: dict[str, str]) -> None:
    assert only(made(mark(REQUIRED, how=INFERRED), **flags))["status"] == "preliminary"


def test_what_stands_outside_of_the_summary_is_no_mark() -> None:
    title = Code("111036", "DCM", "Mammography CAD Report")
    root = container(
        "", title, mark(REQUIRED), container(CONTAINS, Code("111063", "DCM", "Detections"), mark(REQUIRED))
    )
    assert of_kind(mapped(instance(root, MAMMOGRAPHY)), "Observation") == []


TITLED = (  # SOP class, title -> whether its marks are read
    (MAMMOGRAPHY, "A1", True),
    ("88.33", "111036", True),
    ("88.33", "112220", True),
    ("88.33", "A1", False),
)


@pytest.mark.parametrize(("sop_class", "title", "is_read"), TITLED)
def test_a_report_is_known_by_its_title_or_its_sop_class(sop_class: str, title: str, is_read: bool) -> None:
    scheme = "DCM" if title.isdigit() else "99X"
    summary = coded(CONTAINS, SUMMARY, WITH_FINDINGS, mark(REQUIRED, how=INFERRED))
    found = mapped(instance(container("", Code(title, scheme, "Title"), summary), sop_class))
    assert bool(of_kind(found, "Observation")) == is_read
    assert bool(of_kind(found, "DiagnosticReport")) != is_read


def test_certainty_and_probability_are_components_in_percent() -> None:
    found = mapped_samples("mammography-cad")
    one = only(coded_as(found, "111059"))
    assert codes_of(one["valueCodeableConcept"]) == ["129769006"]
    stated = {codes_of(part["code"])[0]: part["valueQuantity"] for part in one["component"]}
    percent = {"unit": "Percent", "system": "http://unitsofmeasure.org", "code": "%"}
    assert stated == {"111012": {"value": 88.5, **percent}, "111047": {"value": 34, **percent}}
    whole = only(coded_as(found, "111034"))
    assert [one["reference"] for one in whole["hasMember"]] == [f"Observation/{one['id']}"]
    assert [codes_of(part["code"]) for part in whole["component"]] == [["111013"]]


def test_the_device_is_the_algorithm_that_made_the_mark() -> None:
    found = mapped_samples("chest-cad")
    names = {f"Device/{one['id']}": one["deviceName"][0]["name"] for one in of_kind(found, "Device")}
    devices = {codes_of(one["code"])[0]: names[one["device"]["reference"]] for one in of_kind(found, "Observation")}
    assert devices == {"111059": "Mark Finder", "111015": "Mark Judge"}


def test_a_feature_is_derived_from_its_findings_by_value_and_by_reference() -> None:
    single = mark(REQUIRED, how=INFERRED)
    feature = finding(
        INFERRED, COMPOSITE, MASS, REQUIRED, by_reference(INFERRED, 1, 1, 1), mark(REQUIRED, how=INFERRED)
    )
    found = made(single, feature)
    sources = {f"Observation/{one['id']}" for one in found if codes_of(one["code"]) == ["111059"]}
    (whole,) = [one for one in found if codes_of(one["code"]) == ["111015"]]
    assert {one["reference"] for one in whole["derivedFrom"]} > sources
    assert len(sources) == 2


@pytest.mark.parametrize("name", [one for one in SAMPLES if one.endswith("-cad")])
def test_a_mark_is_never_a_diagnosis(name: str) -> None:
    kinds = {one["resourceType"] for one in mapped_samples(name).resources}
    assert kinds == {"Patient", "Device", "Endpoint", "ImagingStudy", "Observation"}


def test_an_explanation_counts_the_marks_that_are_not_for_people() -> None:
    study_to_fhir(study_of_samples("mammography-cad"), SITE, silences := Silences())
    (said,) = [one for one in silences if "Rendering Intent, or" in one.why]
    assert said.times == 4  # two of the first impression; the second one with its mark
