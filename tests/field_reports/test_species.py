"""Humans who look like animals, and animals without a coding scheme (PS3.3 C.7.1.1, PS3.16 CID 7454, CID 7480)."""

import pytest

from mapper.maps.values.animal import patient_animal, patient_names
from tests.support.datasets import run

ANIMAL = (
    "PatientSpeciesDescription? PatientSpeciesCodeSequence*? PatientBreedDescription? PatientBreedCodeSequence*? "
    "PatientSexNeutered?"
)
SCT, ITIS = "http://snomed.info/sct", "urn:oid:1.2.840.10008.2.16.7"
LOCAL = "https://pacs.example.org/fhir/id/codesystem/99VET"


def code(value, designator, meaning):
    item = {"CodeValue": value, "CodingSchemeDesignator": designator, "CodeMeaning": meaning}
    return {keyword: part for keyword, part in item.items() if part is not None}


HUMANS = [  # description, code
    # the report: the retired code of Homo sapiens, in each designator that it had, and its two successors
    (None, code("L-85B00", "SRT", "homo sapiens")),
    (None, code("L-85B00", "SNM3", "Human")),
    (None, code("L-85B00", "99SDM", "homo sapiens")),
    (None, code("L-85B00", "SCT", "homo sapiens")),
    (None, code("L-85003", "SRT", "x")),
    (None, code("337915000", "SCT", "x")),
    (None, code("30996001", "SCT", "x")),
    (None, code("337915000", "SRT", "x")),
    (None, code("30996001", "2.16.840.1.113883.6.96", "Homo sapiens")),
    # and that of ITIS
    (None, code("180092", "ITIS_TSN", "x")),
    (None, code("180092", "ITIS_TSN", "Man")),
    ("Canine", code("180092", "ITIS_TSN", "x")),
    ("Human", code("183815", "ITIS_TSN", "Canis lupus")),
    # by its meaning, where no code that we know says otherwise
    (None, code("1", "99VET", "Homo sapiens")),
    (None, code("9606", "ITIS", "HOMO SAPIENS")),
    (None, code(None, None, "Homo sapiens (organism)")),
    (None, code("L-85B00", None, "Human")),
    ("Human", None),
    (" homo sapiens ", None),
    ("Human", code("448771007", "SCT", "Canis lupus familiaris")),
    ("Canine", code("337915000", "SCT", "x")),
]


def coded(value, display, **more):
    return {"coding": [{"system": SCT, "code": value, "display": display}], **more}


BEASTS = [  # description, code -> species
    (None, code("L-80700", "SRT", "Canine species"), coded("388490000", "Canine species")),
    (None, code("448771007", "SCT", "Homo sapiens"), coded("448771007", "Homo sapiens")),
    # the same number in another scheme, and another number
    (None, code("180092", "99VET", "x"), {"coding": [{"system": LOCAL, "code": "180092", "display": "x"}]}),
    (None, code("180092", "SCT", "x"), coded("180092", "x")),
    (None, code("337915000", "ITIS_TSN", "x"), {"coding": [{"system": ITIS, "code": "337915000", "display": "x"}]}),
    (
        None,
        code("183815", "ITIS_TSN", "Homo sapiens"),
        {"coding": [{"system": ITIS, "code": "183815", "display": "Homo sapiens"}]},
    ),
    ("Humanoid", None, {"text": "Humanoid"}),
    # the report: a code without its coding scheme; its meaning is kept
    (None, code("448771007", None, "Canis lupus"), {"text": "Canis lupus"}),
    (None, code(None, "SCT", "Canis lupus"), {"text": "Canis lupus"}),
    (None, code(None, None, "Canis lupus"), {"text": "Canis lupus"}),
    (None, code("4  4", "SCT", "Canis lupus"), {"text": "Canis lupus"}),
    ("Dog", code("448771007", None, "Canis lupus"), {"coding": [{"display": "Canis lupus"}], "text": "Dog"}),
    ("Dog", code("448771007", None, "Dog"), {"text": "Dog"}),
    ("Dog", code("448771007", "SCT", "Canis lupus"), coded("448771007", "Canis lupus", text="Dog")),
]


def header(description, item, **more):
    sequence = {} if item is None else {"PatientSpeciesCodeSequence": [item]}
    return {"PatientSpeciesDescription": description, **sequence, **more}


@pytest.mark.parametrize(("description", "item"), HUMANS)
def test_a_human_is_no_animal(description, item):
    """CID 7454 has Homo sapiens among the species."""
    assert run(patient_animal, ANIMAL, **header(description, item))[0] == []
    (name,) = run(patient_names, "PatientName*", **header(description, item, PatientName="Doe^Jane"))[0]
    assert name == {"use": "official", "family": "Doe", "given": ["Jane"]}


@pytest.mark.parametrize(("description", "item", "species"), BEASTS)
def test_an_animal_keeps_what_is_said_of_its_species(description, item, species):
    ((extension,), _) = run(patient_animal, ANIMAL, **header(description, item))
    assert extension["extension"] == [{"url": "species", "valueCodeableConcept": species}]
    (name,) = run(patient_names, "PatientName*", **header(description, item, PatientName="Doe^Rex"))[0]
    assert name["text"] == "Rex (Doe)"


@pytest.mark.parametrize(("description", "item", "breed"), BEASTS)
def test_an_animal_keeps_what_is_said_of_its_breed(description, item, breed):
    sequence = {} if item is None else {"PatientBreedCodeSequence": [item]}
    ((extension,), _) = run(patient_animal, ANIMAL, PatientBreedDescription=description, **sequence)
    assert extension["extension"][1] == {"url": "breed", "valueCodeableConcept": breed}
    assert extension["extension"][0]["valueCodeableConcept"] == {"text": "unknown"}


def test_of_several_species_without_a_code_none_is_lost():
    items = [code("1", None, "Canis lupus"), code("2", None, "Felis catus")]
    ((extension,), reasons) = run(patient_animal, ANIMAL, PatientSpeciesCodeSequence=items)
    kept = {"coding": [{"display": "Felis catus"}], "text": "Canis lupus"}
    assert extension["extension"][0]["valueCodeableConcept"] == kept
    assert reasons
