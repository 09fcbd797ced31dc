"""Every concept that the tables ask for is in DICOM's own tables, or says where else it comes from."""

import re

import pytest

from mapper.fhir import systems
from mapper.maps.values.concepts import CONCEPTS, Concept
from mapper.maps.values.measured_value import REASONS
from mapper.maps.values.pydicom_codes import cid, meanings

ELSEWHERE = {
    ("C0034375", "UMLS"): "HL7 DICOM SR to FHIR 1.0.0, ImagingQualitativeEvaluation.category",
    ("C67447", "NCIt"): "PS3.16 TID 1410, 1411, 1501: Activity Session",
    ("73569-6", "LN"): "LOINC's long name; DICOM's CID 7001 has a shorter one",
    ("18139-6", "LN"): "PS3.16 TID 5202, row 7: Stage",
    ("276214006", "SCT"): "DICOM's meaning is Finding category in the templates, SNOMED's here",
}
"""Codes that pydicom's tables lack, or have under another meaning."""
each_concept = pytest.mark.parametrize("concept", CONCEPTS, ids=str)


@each_concept
def test_a_concept_is_in_the_tables_of_ps3_16(concept: Concept) -> None:
    known = [text.casefold().replace("\u200b", "") for text in meanings(concept.scheme, concept.code)]
    if concept.pair not in ELSEWHERE:
        assert concept.meaning.casefold() in known
    elif known:
        assert concept.pair in {("73569-6", "LN"), ("276214006", "SCT")}


@each_concept
def test_a_concept_says_where_it_is_used(concept: Concept) -> None:
    assert re.match(r"TID \d|CID \d|HL7 |LOINC ", concept.source)
    assert concept.coding["system"] == systems.DESIGNATORS[concept.scheme]


def test_no_concept_is_there_twice() -> None:
    assert len({concept.pair for concept in CONCEPTS}) == len(CONCEPTS)


def test_every_qualifier_of_cid_42_has_its_reason() -> None:
    assert set(REASONS) == set(cid(42))
    r4 = {"unknown", "error", "not-a-number", "negative-infinity", "positive-infinity", "not-performed"}
    assert set(REASONS.values()) == r4  # FHIR R4 codesystem-data-absent-reason
