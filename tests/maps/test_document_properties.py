"""What holds for every document: no failure, no more Observations than items say, a clean Bundle, nothing quoted."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.sr.coding import Code

from mapper.dicom.documents import IN_FULL
from mapper.dicom.item import Item, tag_of
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.tree import content_tree
from mapper.explain import leaves, lines, objects
from mapper.fhir.bundle import dump
from mapper.fhir.check import faults
from mapper.fhir.contained import referred
from mapper.maps import DOCUMENT_KEYWORDS, OF_DOCUMENTS, TABLES, Mapped, keys, study_to_fhir
from mapper.maps.content import ContentRule
from mapper.maps.rule import Rule
from mapper.maps.silence import Silence, Silences
from mapper.maps.tables import cad, measurement
from mapper.maps.values import concepts as c
from mapper.sources.data_set import json_model
from samples.sr.content import CONTAINS, CONTEXT, PROPERTY, coded, container, num, pname, text
from tests.dicom.sr.strategies import DOCUMENTS as TREES
from tests.dicom.sr.strategies import ODD_DOCUMENTS, SECRET
from tests.support.datasets import dataset
from tests.support.documented import (
    EVERYTHING,
    GROUP,
    IMPRESSION,
    LENGTH,
    LUNG,
    MM,
    REPORT,
    SIDE,
    SITES,
    TITLE,
    every_study,
)
from tests.support.examples import times
from tests.support.reported import (
    BASIC_TEXT,
    COMPREHENSIVE,
    DOSE,
    KEY_OBJECTS,
    SAMPLES,
    SITE,
    bundle_of,
    instance,
    mapped,
    mapped_samples,
    sample,
    study_of,
)

ALL = ("dose_events", "key_objects", "repeated_measurements", "segments")
KINDS = (COMPREHENSIVE, BASIC_TEXT, DOSE, "88.68", "88.50", "104.1", KEY_OBJECTS, "66.4", "66.7")
TITLES = (
    *(c.X_RAY_DOSE, c.RADIOPHARMACEUTICAL_DOSE, c.IMAGING_REPORT, c.REJECTED_SAFETY),
    *(c.ECHOCARDIOGRAPHY, c.VASCULAR_ULTRASOUND, c.CHEST_CAD),
)
DERIVED = ("Observation", "DiagnosticReport", "DocumentReference")


CONTAINERS = (
    c.MEASUREMENT_GROUP,
    c.ACCUMULATED_CT,
    c.ACCUMULATED_X_RAY,
    c.ADMINISTRATION,
    c.CT_ACQUISITION,
    c.X_RAY_EVENT,
    c.CAD_IMPRESSION,
)
"""Groups, dose containers, irradiation events, impressions of a machine."""
SECTIONS = (c.FINDINGS.pair, c.FINDINGS_LN.pair)
MARKS = (c.SINGLE_IMAGE_FINDING.pair, c.COMPOSITE_FEATURE.pair)


def most(root: ContentItem) -> int:
    """Return how many Observations a tree may make: groups, numbers, evaluations, marks, dose containers and events."""
    counted = 0
    for one in (root, *root.descendants()):
        if one.value_type == "CONTAINER":
            counted += one.means(*(concept.pair for concept in CONTAINERS)) or is_vessel(one)
        elif one.value_type in ("CODE", "TEXT"):
            above = one.parent
            counted += one.means(*MARKS) or (
                above is not None and (above.means(c.MEASUREMENT_GROUP.pair) or is_vessel(above))
            )
        else:
            counted += one.value_type == "NUM"
    return counted


def is_vessel(one: ContentItem) -> bool:
    """Tell whether a container may be a group that is named by its vessel."""
    return one.value_type == "CONTAINER" and one.parent is not None and one.parent.means(*SECTIONS)


def assert_clean(found: Mapped) -> list[dict[str, Any]]:
    """Fail when the Bundle is not fit to be sent; return the Observations."""
    bundle = bundle_of(found)
    assert faults(bundle) == []
    urls = {entry["request"]["url"] for entry in bundle["entry"]}
    assert len(urls) == len(bundle["entry"])
    assert set(referred(bundle)) <= urls
    observations = [one for one in found.resources if one["resourceType"] == "Observation"]
    for one in observations:
        assert {"code", "status", "subject"} <= one.keys()
        assert "dataAbsentReason" not in one or "valueQuantity" not in one  # obs-6
    for one in found.resources:
        if one["resourceType"] in DERIVED:
            assert {"system": f"{SITE.base}/study", "value": f"urn:oid:{study_uid(found)}"} in one["identifier"]
            assert keys.is_ours(SITE.namespace, one, study_uid(found))
    return observations


def study_uid(found: Mapped) -> str:
    (about,) = [one for one in found.resources if one["resourceType"] == "ImagingStudy"]
    return str(about["identifier"][0]["value"]).removeprefix("urn:oid:")


@times(3)
@given(root=TREES, kind=st.sampled_from(KINDS), title=st.sampled_from((*TITLES, None)))
def test_any_tree_makes_a_clean_bundle(root: Any, kind: str, title: c.Concept | None) -> None:
    named = {"CodeValue": title.code, "CodingSchemeDesignator": title.scheme, "CodeMeaning": "x"} if title else None
    data = instance({**root, **({"ConceptNameCodeSequence": [named]} if named else {})}, kind)
    found = mapped(data, options=ALL)
    assert len(assert_clean(found)) <= most(content_tree(Item(data)).root)


@times(6)
@given(data=ODD_DOCUMENTS, kind=st.sampled_from(KINDS))
def test_anything_that_is_nearly_a_tree_makes_a_clean_bundle(data: Any, kind: str) -> None:
    odd = data if isinstance(data, dict) else {}
    whole = {**odd, **instance({}, kind)}
    try:
        json.dumps(whole, allow_nan=False)
    except ValueError:
        whole = json.loads(json.dumps(whole).replace("Infinity", '"x"').replace("NaN", '"x"').replace('-"x"', '"x"'))
    found = mapped(whole, options=ALL)
    assert len(assert_clean(found)) <= most(content_tree(Item(whole)).root)
    assert SECRET not in "".join(map(str, found.problems))


VALUES = (
    5,
    "x",
    True,
    [],
    {},
    None,
    {"vr": "SQ", "Value": [{}]},
    {"vr": "LO", "Value": [{"a": 1}]},
    {"vr": "UN", "InlineBinary": "?"},
)


@pytest.mark.parametrize("name", SAMPLES)
def test_garbage_in_any_attribute_of_a_document_costs_no_study(name: str) -> None:

    whole = json_model(sample(name), {*DOCUMENT_KEYWORDS, "SOPInstanceUID", "SeriesInstanceUID", "SOPClassUID"})
    identifying = {
        tag_of(one) for one in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "PatientID")
    }
    for number, tag in enumerate(sorted(whole.keys() - identifying)):
        broken = {**whole, tag: VALUES[number % len(VALUES)]}
        assert_clean(mapped(broken, options=ALL))


# -- the samples ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_makes_a_clean_bundle(name: str) -> None:
    assert_clean(mapped_samples(name, options=ALL))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_that_comes_again_makes_the_same_bytes(name: str) -> None:
    assert dump(bundle_of(mapped_samples(name))) == dump(bundle_of(mapped_samples(name)))


def test_the_order_of_documents_changes_nothing() -> None:
    names = ("measurements", "measurements-amended", "measurements-by-dcmqi")
    one, other = mapped_samples(*names), mapped_samples(*reversed(names))
    assert dump(bundle_of(one)) == dump(bundle_of(other))
    assert sorted(map(str, one.problems)) == sorted(map(str, other.problems))


def every_leaf(value: Any, path: str) -> list[str]:
    if isinstance(value, dict):
        return [leaf for name, child in value.items() for leaf in every_leaf(child, f"{path}.{name}")]
    if isinstance(value, list):
        return [leaf for number, child in enumerate(value) for leaf in every_leaf(child, f"{path}[{number}]")]
    return [path]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_leaf_of_a_document_is_explained(name: str) -> None:
    found = mapped_samples(name, options=ALL)
    explained = {(leaf.resource, leaf.path): leaf for leaf in leaves(found, SITE.fhir_public_url)}
    for resource in found.resources:
        url = f"{resource['resourceType']}/{resource['id']}"
        for path in every_leaf(resource, resource["resourceType"]):
            leaf = explained[url, path]
            assert leaf.rule is not None or path.endswith(".resourceType"), path
            assert leaf.origin
            if isinstance(leaf.rule, ContentRule) and leaf.rule.concepts:
                assert leaf.rule.places or path.endswith((".code", ".display", ".system")), path


def test_what_every_document_makes_may_be_sent() -> None:
    for name, study in every_study():
        found = study_to_fhir(study, SITE.model_copy(update={"options": ALL}))
        assert faults(bundle_of(found)) == [], name


def test_an_explanation_names_the_item_its_concept_and_the_attribute() -> None:
    text = "\n".join(lines(mapped_samples("measurements"), (), SITE.fhir_public_url))
    assert "Observation.valueQuantity.value = 12.40" in text
    assert (
        "<- 1.6.1.12 NUM Long Axis (103339001, SCT): MeasuredValueSequence (0040,A300), "
        "NumericValueQualifierCodeSequence (0040,A301): NUM -> Quantity"
    ) in text
    assert "1.6.1.6 CODE Finding Site (363698007, SCT)" in text


def test_a_redacted_explanation_names_places_but_no_value_of_the_report() -> None:
    item = {"RelationshipType": "CONTAINS", "ValueType": "NUM", "MeasuredValueSequence": [{"NumericValue": "7.77"}]}
    name = {"CodeValue": "SECRET-1", "CodingSchemeDesignator": "99X", "CodeMeaning": "SECRET-2"}
    title = {"CodeValue": "126000", "CodingSchemeDesignator": "DCM", "CodeMeaning": "SECRET-3"}
    root = {"ValueType": "CONTAINER", "ConceptNameCodeSequence": [title]}
    found = mapped(instance({**root, "ContentSequence": [{**item, "ConceptNameCodeSequence": [name]}]}))
    shown, redacted = ("\n".join(lines(found, (), SITE.fhir_public_url, redact=hide)) for hide in (False, True))
    assert "SECRET-1" in shown
    assert "7.77" in shown
    assert "1.1 NUM" in redacted
    assert "SECRET" not in redacted
    assert "7.77" not in redacted


def test_what_is_read_in_full_is_what_the_tables_of_documents_name() -> None:
    assert {"ContentSequence", "VerificationFlag", "DocumentTitle", "StudyDate"} <= DOCUMENT_KEYWORDS
    assert {"PixelData", "EncapsulatedDocument"}.isdisjoint(DOCUMENT_KEYWORDS)
    assert len(IN_FULL) == 15
    assert dataset(StudyDate="20240517")


# -- rows that made nothing ----------------------------------------------------------------------


def row_of(rule: Rule) -> Rule:
    """Return a row as it stands in its table."""
    return replace(rule, places=()) if isinstance(rule, ContentRule) else rule


STUDIES = dict(every_study())


@cache
def explained(name: str) -> tuple[frozenset[Rule], tuple[Silence, ...]]:
    """Return which rows made something of a study, and which made nothing."""
    found = study_to_fhir(STUDIES[name], EVERYTHING, silences := Silences())
    spoke = {row_of(leaf.rule) for leaf in leaves(found, SITE.fhir_public_url) if leaf.rule}
    return frozenset(spoke), tuple(silences)


OF_ROLES = ("Observation (measurement)", "Observation (CAD)")
KINDS_OF_TABLES = {
    **{name: rows for name, rows in OF_DOCUMENTS.items() if name not in OF_ROLES},
    **{f"Observation ({role})": rows for role, rows in measurement.TABLES.items() if role != "measurement"},
    **{f"Observation ({role})": rows for role, rows in cad.TABLES.items()},
}
"""Tables that are asked as a whole; a measurement's rows are those of a derived one but for its category."""


@pytest.mark.parametrize("name", STUDIES)
def test_every_row_of_what_a_document_makes_spoke_or_says_why_not(name: str) -> None:
    spoke, silences = explained(name)
    told = spoke | {one.rule for one in silences}
    of_study = {row for rows in TABLES.values() for row in rows}
    asked = []
    for table, rows in KINDS_OF_TABLES.items():
        alone = {row for other, theirs in KINDS_OF_TABLES.items() if other != table for row in theirs} | of_study
        if told.isdisjoint(set(rows) - alone):
            continue  # nothing of its kind is in this study
        gates = [row for row in rows if row.required and row in told - spoke]
        assert gates or not [row for row in rows if row not in told], table
        asked.append(table)
    assert asked


def test_a_silent_row_says_what_it_asked_for_where_and_how_often() -> None:
    _, silences = explained("measurements")
    said = {
        (one.rule.element, one.rule.request): (one.why, one.where)
        for one in silences
        if one.words.startswith("items of the documents")
    }
    assert said["Observation.referenceRange", ", ".join(asked_for("Observation.referenceRange"))] == (
        "none of Normal Range Lower Limit (385524004, SCT), Normal Range Upper Limit (371933006, SCT), "
        "Normal Range description (121407, DCM), Normal Range Authority (121408, DCM)",
        "3 items of the documents of series 1",
    )


def asked_for(element: str) -> tuple[str, ...]:
    """Return what the one row of an element asks for."""
    (row,) = [row for row in OF_DOCUMENTS["Observation (measurement)"] if row.element == element]
    return row.asked


def test_without_its_option_the_table_of_events_says_so() -> None:
    study_to_fhir(STUDIES["ct-dose"], SITE, silences := Silences())
    assert ("option dose_events is off", "Observation.id") in {(one.why, one.rule.element) for one in silences}


def test_json_names_items_and_concepts_and_hides_concepts_of_a_report_from_others() -> None:
    found = study_to_fhir(STUDIES["measurements"], SITE, silences := Silences())
    shown, redacted = (list(objects(found, silences, SITE.fhir_public_url, redact=hide)) for hide in (False, True))
    value = [
        one for one in shown if one.get("path") == "Observation.valueQuantity.value" and str(one["value"]) == "12.40"
    ]
    assert value[0]["items"] == [{"item": "1.6.1.12 NUM", "concept": "Long Axis (103339001, SCT)"}]
    assert {"item": "1.6.1.12 NUM"} in [item for one in redacted for item in one.get("items", ())]
    assert not any("concept" in item for one in redacted for item in one.get("items", ()))
    assert {tuple(one["concepts"]) for one in shown if one["kind"] == "silent" and "concepts" in one}


def test_every_row_of_documents_makes_something_of_some_study() -> None:
    spoke = frozenset().union(*(explained(name)[0] for name in STUDIES))
    known = {(row.dicom, row.by) for rows in TABLES.values() for row in rows}  # held by tests/maps/test_version.py
    every = [(table, row) for table, rows in OF_DOCUMENTS.items() for row in rows if (row.dicom, row.by) not in known]
    assert [f"{table}: {row.element} <- {row.request}" for table, row in every if row not in spoke] == []


def test_what_is_tried_again_is_counted_once() -> None:
    """One number has no name: all is made anew without it, and every silence is that of three items."""
    times = {one.times for one in explained("with an unnamed number")[1] if one.rule.element == "Observation.method"}
    assert times == {3}


def asked(reports: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how often a data set is asked for an attribute while a study of so many reports is mapped."""
    said = container("", TITLE, text(CONTAINS, IMPRESSION, "A lesion."), template="2000")
    study = study_of(*(instance(said, BASIC_TEXT, number) for number in range(1, reports + 1)))
    calls, element = [0], Item.element

    def counted(item: Item, keyword: str) -> Any:
        calls[0] += 1
        return element(item, keyword)

    with monkeypatch.context() as patched:
        patched.setattr(Item, "element", counted)
        study_to_fhir(study, SITE)
    return calls[0]


def test_twice_as_many_reports_ask_twice_as_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not four times: what a study says is looked for once, however many reports ask."""
    asked(1, monkeypatch)  # what is read once a process
    few, many = asked(20, monkeypatch), asked(40, monkeypatch)
    assert many < 2.2 * few


# -- codes and ids ------------------------------------------------------------------------------------------------

ODD_CODES = ("a  b", "a\t b", "a\n\nb", " \u00a0", "\u3000b", "ä  ö", "a\u2028 b")
"""Texts that no `code`, `id` or `uri` of FHIR holds."""
NAMES_OF_CODES = ("CodeValue", "LongCodeValue", "URNCodeValue", "CodingSchemeDesignator", "CodingSchemeVersion")
IDENTIFYING = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")


def with_odd(value: Any, odd: str, names: tuple[str, ...]) -> Any:
    """Return DICOM JSON in which every text under one of these names is another one."""
    if isinstance(value, list):
        return [with_odd(one, odd, names) for one in value]
    if not isinstance(value, dict):
        return value
    tags = {tag_of(name) for name in names}
    return {
        name: {**one, "Value": [odd]} if name in tags and "Value" in one else with_odd(one, odd, names)
        for name, one in value.items()
    }


@pytest.mark.parametrize("odd", ODD_CODES, ids=map(ascii, ODD_CODES))
@pytest.mark.parametrize("name", [*SAMPLES])
def test_no_text_of_a_document_is_written_unchecked_where_fhir_wants_a_code(name: str, odd: str) -> None:
    whole = json_model(sample(name), {*DOCUMENT_KEYWORDS, *IDENTIFYING})
    for names in (*((one,) for one in NAMES_OF_CODES), ("ObservationUID", "UID", "ReferencedSOPInstanceUID")):
        assert_clean(mapped(with_odd(whole, odd, names), options=ALL))
    texts = {
        tag
        for tag, one in whole.items()
        if one["vr"] in ("CS", "SH", "LO", "LT", "ST", "UC", "UR", "UI", "UT", "AE", "AS")
    } - {tag_of(one) for one in IDENTIFYING}
    assert_clean(
        mapped({tag: {**one, "Value": [odd]} if tag in texts else one for tag, one in whole.items()}, options=ALL)
    )


# -- what is looked at once -------------------------------------------------------------------------------------------


def people(number: int) -> dict[str, Any]:
    named = (pname(CONTEXT, Code("121008", "DCM", "Person Observer Name"), f"A{one}^B") for one in range(number))
    return instance(container("", REPORT, *named, num(CONTAINS, LENGTH, "1", MM), template="1500"))


def doubtful_people(number: int) -> dict[str, Any]:
    named = (pname(CONTEXT, Code("121008", "DCM", "x"), f"A{one}^B^C^D^E^F=a=b=c") for one in range(number))
    return instance(container("", REPORT, *named, num(CONTAINS, LENGTH, "1", MM), template="1500"))


def algorithm_of_many_parameters(number: int) -> dict[str, Any]:
    said = (text(CONTEXT, Code("111002", "DCM", "Algorithm Parameters"), f"x={one}") for one in range(number))
    name = text(CONTEXT, Code("111001", "DCM", "Algorithm Name"), "Finder")
    return instance(container("", REPORT, name, *said, num(CONTAINS, LENGTH, "1", MM), template="1500"))


def authorizers(number: int) -> dict[str, Any]:
    role = coded(CONTAINS, Code("113875", "DCM", "x"), Code("113850", "DCM", "Irradiation Authorizing"))
    named = (pname(CONTAINS, Code("113870", "DCM", "Person Name"), f"A{one}^B", role) for one in range(number))
    accumulated = container(CONTAINS, Code("113811", "DCM", "x"), num(CONTAINS, LENGTH, "1", MM))
    return instance(container("", Code("113701", "DCM", "x"), accumulated, *named), DOSE)


def accumulated(number: int) -> dict[str, Any]:
    one = container(CONTAINS, Code("113811", "DCM", "x"), num(CONTAINS, LENGTH, "1", MM))
    return instance(container("", Code("113701", "DCM", "x"), *([one] * number)), DOSE)


def modifiers(number: int) -> dict[str, Any]:
    sides = (coded(PROPERTY, SIDE, Code(str(one), "99X", "m")) for one in range(number))
    group = container(CONTAINS, GROUP, coded(CONTEXT, SITES, LUNG, *sides), num(CONTAINS, LENGTH, "1", MM))
    return instance(container("", REPORT, group, template="1500"))


def verifiers(number: int) -> dict[str, Any]:
    named = [{"VerifyingObserverName": f"A{one}^B", "VerifyingOrganization": f"O{one}"} for one in range(number)]
    return instance(container("", TITLE, template="2000"), BASIC_TEXT, VerifyingObserverSequence=named)


def requests(number: int) -> dict[str, Any]:
    said = [{"AccessionNumber": f"A{one}"} for one in range(number)]
    return instance(container("", TITLE, template="2000"), BASIC_TEXT, ReferencedRequestSequence=said)


def equivalents(number: int) -> dict[str, Any]:
    same = [{"CodeValue": str(one), "CodingSchemeDesignator": "99X", "CodeMeaning": "x"} for one in range(number)]
    length = num(CONTAINS, LENGTH, "1", MM)
    length["ConceptNameCodeSequence"][0]["EquivalentCodeSequence"] = same
    return instance(container("", REPORT, length, template="1500"))


MANY = (
    people,
    doubtful_people,
    algorithm_of_many_parameters,
    authorizers,
    accumulated,
    modifiers,
    verifiers,
    requests,
    equivalents,
)


def calls_of(document: dict[str, Any]) -> int:
    """Return how many functions are called, ours and others', while a study of one document is mapped.

    Comparisons of dictionaries are none: what is made is compared by sets.
    """
    study = study_of(document)
    calls = [0]

    def counted(frame: Any, event: str, _: Any) -> None:
        calls[0] += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        study_to_fhir(study, SITE)
    finally:
        sys.setprofile(before)
    return calls[0]


@pytest.mark.parametrize("many", MANY)
def test_twice_as_much_in_a_document_takes_twice_as_many_steps(many: Callable[[int], dict[str, Any]]) -> None:
    calls_of(many(1))  # what is read once a process
    few, more = calls_of(many(100)), calls_of(many(200))
    assert more < 2.2 * few
