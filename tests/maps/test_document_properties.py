"""What holds for every document: no failure, no more Observations than items say, a clean Bundle, nothing quoted."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapper.dicom.documents import IN_FULL
from mapper.dicom.item import Item, tag_of
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.tree import content_tree
from mapper.explain import leaves, lines
from mapper.fhir.bundle import dump
from mapper.fhir.check import faults
from mapper.fhir.contained import referred
from mapper.fhir.ids import resource_id
from mapper.maps import DOCUMENT_KEYWORDS, Mapped
from mapper.maps.content import ContentRule
from mapper.maps.derived_keys import derived_key
from mapper.maps.values import concepts as c
from mapper.sources.data_set import json_model
from samples.sr.catalogue import DOCUMENTS, MAKERS
from tests.dicom.sr.strategies import DOCUMENTS as TREES
from tests.dicom.sr.strategies import ODD_DOCUMENTS, SECRET
from tests.support.datasets import dataset
from tests.support.reported import (
    BASIC_TEXT,
    COMPREHENSIVE,
    DOSE,
    SITE,
    bundle_of,
    instance,
    mapped,
    mapped_samples,
    sample,
)

NAMES = [*MAKERS, *DOCUMENTS]
ALL = ("dose_events",)
KINDS = (COMPREHENSIVE, BASIC_TEXT, DOSE, "88.68", "104.1")
TITLES = (c.X_RAY_DOSE, c.RADIOPHARMACEUTICAL_DOSE, c.IMAGING_REPORT)
modest = settings(derandomize=True, deadline=None, max_examples=60)
DERIVED = ("Observation", "DiagnosticReport", "DocumentReference")


CONTAINERS = (
    c.MEASUREMENT_GROUP,
    c.ACCUMULATED_CT,
    c.ACCUMULATED_X_RAY,
    c.ADMINISTRATION,
    c.CT_ACQUISITION,
    c.X_RAY_EVENT,
)
"""Groups, dose containers, irradiation events."""


def most(root: ContentItem) -> int:
    """Return how many Observations a tree may make: groups, numbers, evaluations, dose containers and events."""
    counted = 0
    for one in (root, *root.descendants()):
        if one.value_type == "CONTAINER":
            counted += one.means(*(concept.pair for concept in CONTAINERS))
        elif one.value_type in ("CODE", "TEXT"):
            counted += one.parent is not None and one.parent.means(c.MEASUREMENT_GROUP.pair)
        else:
            counted += one.value_type == "NUM"
    return counted


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
            assert resource_id(SITE.namespace, *(derived_key(one) or ())) == one["id"]
    return observations


def study_uid(found: Mapped) -> str:
    (about,) = [one for one in found.resources if one["resourceType"] == "ImagingStudy"]
    return str(about["identifier"][0]["value"]).removeprefix("urn:oid:")


@modest
@given(root=TREES, kind=st.sampled_from(KINDS), title=st.sampled_from((*TITLES, None)))
def test_any_tree_makes_a_clean_bundle(root: Any, kind: str, title: c.Concept | None) -> None:
    named = {"CodeValue": title.code, "CodingSchemeDesignator": title.scheme, "CodeMeaning": "x"} if title else None
    data = instance({**root, **({"ConceptNameCodeSequence": [named]} if named else {})}, kind)
    found = mapped(data, options=ALL)
    assert len(assert_clean(found)) <= most(content_tree(Item(data)).root)


@settings(modest, max_examples=150)
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


@pytest.mark.parametrize("name", NAMES)
def test_garbage_in_any_attribute_of_a_document_costs_no_study(name: str) -> None:

    whole = json_model(sample(name), {*DOCUMENT_KEYWORDS, "SOPInstanceUID", "SeriesInstanceUID", "SOPClassUID"})
    identifying = {
        tag_of(one) for one in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "PatientID")
    }
    for number, tag in enumerate(sorted(whole.keys() - identifying)):
        broken = {**whole, tag: VALUES[number % len(VALUES)]}
        assert_clean(mapped(broken, options=ALL))


# -- the samples ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_makes_a_clean_bundle(name: str) -> None:
    assert_clean(mapped_samples(name, options=ALL))


@pytest.mark.parametrize("name", NAMES)
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


@pytest.mark.parametrize("name", NAMES)
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


def test_an_explanation_names_the_item_its_concept_and_the_attribute() -> None:
    text = "\n".join(lines(mapped_samples("measurements"), SITE.fhir_public_url))
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
    shown, redacted = ("\n".join(lines(found, SITE.fhir_public_url, redact=hide)) for hide in (False, True))
    assert "SECRET-1" in shown
    assert "7.77" in shown
    assert "1.1 NUM" in redacted
    assert "SECRET" not in redacted
    assert "7.77" not in redacted


def test_what_is_read_in_full_is_what_the_tables_of_documents_name() -> None:
    assert {"ContentSequence", "VerificationFlag", "DocumentTitle", "StudyDate"} <= DOCUMENT_KEYWORDS
    assert {"PixelData", "EncapsulatedDocument"}.isdisjoint(DOCUMENT_KEYWORDS)
    assert len(IN_FULL) == 9
    assert dataset(StudyDate="20240517")
