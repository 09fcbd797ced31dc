"""Patients who are animals: FHIR R4 extension patient-animal (PS3.3 C.7.1.1, PS3.16 CID 7454)."""

from typing import Any

from mapper.fhir import systems
from mapper.fhir.coding import Concept, concept_of
from mapper.fhir.context import Context, all_beside, beside
from mapper.fhir.human_name import Name, official_names
from mapper.fhir.text import as_code, as_items, as_text

HUMAN = "337915000"  # SNOMED CT, Homo sapiens: CID 7454 has it among the species
HUMANS = frozenset({"HUMAN", "HOMO SAPIENS"})
GENDER_STATUS = {"ALTERED": "neutered", "UNALTERED": "intact"}
SPECIES_UNKNOWN: Concept = {"text": "unknown"}  # R4 demands a species where there is a breed


def patient_animal(
    cx: Context, species: Any, species_codes: Any, breed: Any = None, breed_codes: Any = None, neutered: Any = None
) -> list[dict[str, Any]]:
    """Species and breed, each text and code sequence, PatientSexNeutered -> extension; none for a human."""
    kind = concept(cx, species, species_codes)
    race = concept(cx, breed, breed_codes)
    if not (kind or race) or is_human(kind):
        return []
    parts = [{"url": "species", "valueCodeableConcept": kind or SPECIES_UNKNOWN}]
    if race:
        parts.append({"url": "breed", "valueCodeableConcept": race})
    if status := gender_status(cx, neutered):
        code = {"coding": [{"system": systems.ANIMAL_GENDER_STATUS, "code": status}]}
        parts.append({"url": "genderStatus", "valueCodeableConcept": code})
    return [{"url": systems.PATIENT_ANIMAL, "extension": parts}]


def patient_names(cx: Context, values: Any) -> list[Name]:
    """PatientName -> HumanNames; an animal is shown as `Fluffy (Smith)` (PS3.5 section 6.2.1.1)."""
    made = official_names(cx, values)
    if is_animal(cx):
        for name in made:
            if name.get("family") and name.get("given"):
                name["text"] = f"{name['given'][0]} ({name['family']})"
    return made


def is_animal(cx: Context) -> bool:
    """Tell whether the data set names a species or a breed, and not the human one."""
    kind = concept(cx, beside(cx, "PatientSpeciesDescription"), all_beside(cx, "PatientSpeciesCodeSequence"))
    race = concept(cx, beside(cx, "PatientBreedDescription"), all_beside(cx, "PatientBreedCodeSequence"))
    return bool(kind or race) and not is_human(kind)


def concept(cx: Context, text: Any, codes: Any) -> Concept:
    """Return the CodeableConcept of a description and a code sequence, empty when there is neither."""
    made: Concept = {}
    for item in as_items(codes):
        made["coding"] = made.get("coding", []) + (concept_of(cx, item) or {}).get("coding", [])
    if not made.get("coding"):
        made.pop("coding", None)
    if said := as_text(text):
        made["text"] = said
    return made


def is_human(kind: Concept) -> bool:
    """Tell whether a species is the human one."""
    codes = {(one["system"], one["code"]) for one in kind.get("coding", [])}
    return (systems.SCT, HUMAN) in codes or (as_code(kind.get("text")) in HUMANS)


def gender_status(cx: Context, neutered: Any) -> str | None:
    """Return the code for PatientSexNeutered; there but empty is unknown."""
    code = as_code(neutered)
    if code is None:
        return "unknown" if "PatientSexNeutered" in cx.item else None
    if code not in GENDER_STATUS:
        cx.note("PatientSexNeutered is not ALTERED or UNALTERED: left out")
    return GENDER_STATUS.get(code)
