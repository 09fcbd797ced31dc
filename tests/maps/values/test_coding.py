"""Code sequences -> Coding and CodeableConcept: never a code without its system, never a bare designator."""

import pytest

from mapper.maps.values.coding import code_meaning, codeable_concept, codeable_concepts, coding, codings
from tests.support.datasets import BASE, run, site
from tests.support.tables import rows

CODES = "ProcedureCodeSequence*"


def code(value, designator, meaning=None, **more):
    return {"CodeValue": value, "CodingSchemeDesignator": designator, "CodeMeaning": meaning, **more}


@rows(
    "designator, value, system, made",
    """
    DCM      113014       http://dicom.nema.org/resources/ontology/DCM  113014
    SCT      43799004     http://snomed.info/sct                        43799004
    SRT      T-D3000      http://snomed.info/sct                        51185008
    SNM3     T-D3000      http://snomed.info/sct                        51185008
    99SDM    T-D3000      http://snomed.info/sct                        51185008
    SCT      T-D3000      http://snomed.info/sct                        51185008   # seen in the wild
    SRT      43799004     http://snomed.info/sct                        43799004
    SRT      T-99999      http://snomed.info/srt                        T-99999    # no partner
    SCT      T-99999      http://snomed.info/srt                        T-99999
    LN       24627-2      http://loinc.org                              24627-2
    UCUM     mm           http://unitsofmeasure.org                     mm
    RADLEX   RID10312     http://radlex.org                             RID10312
    I10      J18.9        http://hl7.org/fhir/sid/icd-10                J18.9
    NCIt     C12345       http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl  C12345
    FMA      7088         urn:oid:2.16.840.1.113883.6.119               7088
    IBSI     X6K6         urn:oid:1.2.840.10008.2.16.13                 X6K6
    MDC      150016       urn:iso:std:iso:11073:10101                   150016
    99HOUSE  CTCHEST      BASE/codesystem/99HOUSE                       CTCHEST
    L        1            BASE/codesystem/L                             1
    A/B C    1            BASE/codesystem/A%2FB%20C                     1
    """,
)
def test_designators(designator, value, system, made):
    found, reasons = run(coding, CODES, ProcedureCodeSequence=[code(value, designator, "M")])
    assert found == {"system": system.replace("BASE", BASE), "code": made, "display": "M"}
    assert not reasons


def test_the_data_set_says_what_its_own_designators_mean():
    schemes = [
        {"CodingSchemeDesignator": "99OTHER", "CodingSchemeUID": "1.2.9"},
        {"CodingSchemeDesignator": "99HOUSE", "CodingSchemeUID": "1.2.3"},
        {"CodingSchemeDesignator": "99LN", "CodingSchemeUID": "2.16.840.1.113883.6.1"},
        {"CodingSchemeDesignator": "99BAD", "CodingSchemeUID": "1.02"},
    ]
    expected = {
        "99HOUSE": "urn:oid:1.2.3",
        "99LN": "http://loinc.org",
        "99BAD": f"{BASE}/codesystem/99BAD",
        "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    }
    for designator, system in expected.items():
        made, _ = run(
            coding,
            CODES,
            ProcedureCodeSequence=[code("1", designator)],
            CodingSchemeIdentificationSequence=schemes,
        )
        assert made == {"system": system, "code": "1"}


def test_the_sites_table_speaks_first():
    schemes = {"99HOUSE": "https://hosp.example.org/codes"}
    made, _ = run(coding, CODES, site(coding_schemes=schemes), ProcedureCodeSequence=[code("1", "99HOUSE")])
    assert made["system"] == "https://hosp.example.org/codes"


@pytest.mark.parametrize(
    ("item", "expected", "recorded"),
    [
        ({"LongCodeValue": "L" * 40, "CodingSchemeDesignator": "DCM"}, ("L" * 40, "DCM"), 0),
        ({"URNCodeValue": "urn:lex:us"}, ("urn:lex:us", "urn:ietf:rfc:3986"), 0),
        ({"CodeMeaning": "Chest"}, None, 0),
        ({"CodeValue": "1", "CodeMeaning": "Chest"}, None, 1),
        ({"CodeValue": "1  2", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Chest"}, None, 1),
        ({"CodingSchemeDesignator": "DCM", "CodeMeaning": "Chest"}, None, 0),
    ],
)
def test_what_a_code_may_be_written_in(item, expected, recorded):
    made, reasons = run(coding, CODES, ProcedureCodeSequence=[item])
    assert len(reasons) == recorded
    if expected is None:
        assert made == {"display": "Chest"}
        assert run(codeable_concept, CODES, ProcedureCodeSequence=[item])[0] == {"text": "Chest"}
    else:
        assert made["code"] == expected[0]
        assert made["system"].endswith(expected[1])


@pytest.mark.parametrize(
    ("designator", "version", "kept"), [("DCM", "20130101", False), ("SRT", "V3", False), ("I10", "2019", True)]
)
def test_versions_that_mean_nothing_are_not_written(designator, version, kept):
    item = code("T-D3000", designator, CodingSchemeVersion=version)
    made, _ = run(coding, CODES, ProcedureCodeSequence=[item])
    assert made.get("version") == (version if kept else None)


def test_equivalent_codes_are_further_codings_of_one_concept():
    item = code("24627-2", "LN", "CT Chest", EquivalentCodeSequence=[code("RPID16", "RADLEX"), code("1", None)])
    made, _ = run(codeable_concepts, CODES, ProcedureCodeSequence=[item, code("1", "L")])
    assert made == [
        {
            "coding": [
                {"system": "http://loinc.org", "code": "24627-2", "display": "CT Chest"},
                {"system": "http://radlex.org", "code": "RPID16"},
            ]
        },
        {"coding": [{"system": f"{BASE}/codesystem/L", "code": "1"}]},
    ]


def test_the_first_of_several_where_fhir_allows_one():
    items = [code("1", "L", "one"), code("2", "L", "two")]
    for by in (coding, codeable_concept):
        made, reasons = run(by, CODES, ProcedureCodeSequence=items)
        assert "2" not in str(made)
        assert len(reasons) == 1
    assert run(code_meaning, CODES, ProcedureCodeSequence=items)[0] == "one"
    assert [one["code"] for one in run(codings, CODES, ProcedureCodeSequence=items)[0]] == ["1", "2"]


def test_nothing_makes_nothing():
    for by in (coding, codeable_concept, code_meaning):
        assert run(by, CODES, ProcedureCodeSequence=None) == (None, [])
        assert run(by, CODES) == (None, [])
