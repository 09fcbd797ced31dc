"""What the header says of the patient's body: sex, size, weight, pregnancy, smoking, species, de-identification."""

import json

import pytest

from mapper.maps.values.animal import patient_animal, patient_names
from mapper.maps.values.deidentification import methods, security
from mapper.maps.values.gender import gender
from mapper.maps.values.patient_state import pregnancy, pregnancy_unknown, smoking
from mapper.maps.values.quantity import body_mass_index, height, weight
from tests.support.datasets import run
from tests.support.tables import rows

ANIMAL = (
    "PatientSpeciesDescription PatientSpeciesCodeSequence* PatientBreedDescription PatientBreedCodeSequence* "
    "PatientSexNeutered"
)


@rows(
    "sex, code, recorded",
    """
    M   male     no
    F   female   no
    O   other    no
    f   female   no
    ''  unknown  no    # there, but empty
    -   -        no    # not there at all
    U   unknown  yes
    X   unknown  yes
    """,
)
def test_sex(sex, code, recorded):
    made, reasons = run(gender, "PatientSex", **({} if sex is None else {"PatientSex": sex or None}))
    assert (made, bool(reasons)) == (code, recorded == "yes")


@pytest.mark.parametrize(
    ("by", "keyword", "written", "value", "unit"),
    [
        (height, "PatientSize", "1.68", "168", "cm"),
        (height, "PatientSize", "1.685", "168.5", "cm"),
        (height, "PatientSize", 1.68, "168", "cm"),
        (height, "PatientSize", "168", None, None),  # centimetres typed into metres: no guess
        (height, "PatientSize", "0", None, None),
        (height, "PatientSize", "-1", None, None),
        (weight, "PatientWeight", "63.5", "63.5", "kg"),
        (weight, "PatientWeight", "63.500", "63.5", "kg"),
        (weight, "PatientWeight", "80", "80", "kg"),
        (weight, "PatientWeight", "0", None, None),
        (weight, "PatientWeight", "651", None, None),
        (weight, "PatientWeight", "1e-400", None, None),
        (body_mass_index, "PatientBodyMassIndex", "22.5", "22.5", "kg/m2"),
        (body_mass_index, "PatientBodyMassIndex", "1e400", None, None),
    ],
)
def test_sizes(by, keyword, written, value, unit):
    made, reasons = run(by, keyword, **{keyword: written})
    if value is None:
        assert (made, len(reasons)) == (None, 1)
    else:
        assert json.dumps(made.pop("value")) == value
        assert made == {"unit": unit, "code": unit, "system": "http://unitsofmeasure.org"}
        assert not reasons


@pytest.mark.parametrize("by", [height, weight, body_mass_index])
def test_an_empty_size_is_silence(by):
    assert run(by, "PatientSize", PatientSize=None) == (None, [])


@rows(
    "status, sex, code, reason, recorded",
    """
    1  F  60001007   -        no
    2  F  146799005  -        no
    3  F  77386006   -        no
    3  M  77386006   -        yes
    4  F  -          unknown  no
    0  F  -          -        yes
    5  F  -          -        yes
    -  F  -          -        no
    """,
)
def test_pregnancy(status, sex, code, reason, recorded):
    attributes = {"PregnancyStatus": status and int(status), "PatientSex": sex}
    made, reasons = run(pregnancy, "PregnancyStatus PatientSex", **attributes)
    assert (made or {"coding": [{"code": None}]})["coding"][0]["code"] == code
    assert bool(reasons) == (recorded == "yes")
    absent, _ = run(pregnancy_unknown, "PregnancyStatus", **attributes)
    assert (absent or {"coding": [{"code": None}]})["coding"][0]["code"] == reason


@rows("status, code", "YES  77176002\nNO  8392000\nUNKNOWN  266927001\nMAYBE  -\n-  -")
def test_smoking(status, code):
    made, reasons = run(smoking, "SmokingStatus", SmokingStatus=status)
    assert (made or {"coding": [{"code": None}]})["coding"][0]["code"] == code
    assert bool(reasons) == (status == "MAYBE")


DOG = {"CodeValue": "448771007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Canis lupus familiaris"}
HUMAN = {"CodeValue": "337915000", "CodingSchemeDesignator": "SCT", "CodeMeaning": "homo sapiens"}


def test_a_dog():
    dog = {
        "PatientName": "Smith^Fluffy",
        "PatientSpeciesCodeSequence": [DOG],
        "PatientSpeciesDescription": "Canine",
        "PatientBreedDescription": "Beagle",
        "PatientSexNeutered": "ALTERED",
    }
    species = {
        "coding": [{"system": "http://snomed.info/sct", "code": "448771007", "display": "Canis lupus familiaris"}],
        "text": "Canine",
    }
    status = {"coding": [{"system": "http://hl7.org/fhir/animal-genderstatus", "code": "neutered"}]}
    assert run(patient_animal, ANIMAL, **dog)[0] == [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/patient-animal",
            "extension": [
                {"url": "species", "valueCodeableConcept": species},
                {"url": "breed", "valueCodeableConcept": {"text": "Beagle"}},
                {"url": "genderStatus", "valueCodeableConcept": status},
            ],
        }
    ]
    names, _ = run(patient_names, "PatientName*", **dog)
    assert names == [{"use": "official", "text": "Fluffy (Smith)", "family": "Smith", "given": ["Fluffy"]}]


@pytest.mark.parametrize(
    "human",
    [
        {"PatientSpeciesCodeSequence": [HUMAN], "PatientSexNeutered": None},
        {"PatientSpeciesCodeSequence": [HUMAN], "PatientSpeciesDescription": "human"},
        {"PatientSpeciesDescription": "Homo sapiens"},
        {"PatientSpeciesDescription": None, "PatientSexNeutered": "ALTERED"},
        {},
    ],
)
def test_a_human_is_no_animal(human):
    assert run(patient_animal, ANIMAL, **human) == ([], [])
    names, _ = run(patient_names, "PatientName*", PatientName="Smith^Jane", **human)
    assert names == [{"use": "official", "family": "Smith", "given": ["Jane"]}]


@pytest.mark.parametrize(
    ("neutered", "status"),
    [({}, None), ({"PatientSexNeutered": None}, "unknown"), ({"PatientSexNeutered": "UNALTERED"}, "intact")],
)
def test_a_breed_without_a_species(neutered, status):
    (made,), _ = run(patient_animal, ANIMAL, PatientBreedDescription="Beagle", **neutered)
    parts = {part["url"]: part["valueCodeableConcept"] for part in made["extension"]}
    assert parts["species"] == {"text": "unknown"}
    assert parts.get("genderStatus", {"coding": [{"code": None}]})["coding"][0]["code"] == status


@rows(
    "removed, patient, subject, code",
    "YES  1  -  PSEUDED\nYES  -  1  PSEUDED\nYES  -  -  ANONYED\nNO  1  -  -\n-  1  -  -",
)
def test_deidentified_data_is_labelled(removed, patient, subject, code):
    attributes = {"PatientIdentityRemoved": removed, "PatientID": patient, "ClinicalTrialSubjectID": subject}
    made, _ = run(security, "PatientIdentityRemoved PatientID ClinicalTrialSubjectID", **attributes)
    assert [one["code"] for one in made] == ([code] if code else [])


def test_deidentification_methods_are_sorted_and_named():
    made, _ = run(
        methods,
        "DeidentificationMethodCodeSequence* LongitudinalTemporalInformationModified",
        DeidentificationMethodCodeSequence=[
            {"CodeValue": "113100", "CodingSchemeDesignator": "DCM"},
        ],
        LongitudinalTemporalInformationModified="MODIFIED",
    )
    assert [(one["code"], one["display"]) for one in made] == [
        ("113100", "Basic Application Confidentiality Profile"),
        ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ]
