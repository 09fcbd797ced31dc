"""Patients who are animals: FHIR R4 extension patient-animal (PS3.3 C.7.1.1, PS3.16 CID 7454)."""

import re
from typing import Any

from mapper.fhir import systems
from mapper.maps.values.coding import Concept, concept_of
from mapper.maps.values.context import Context, all_beside, beside
from mapper.maps.values.human_name import Name, official_names
from mapper.maps.values.text import as_code, as_items, as_text

HUMAN_CODES = {
    systems.SCT: frozenset({"337915000", "30996001"}),  # both called Homo sapiens; CID 7454 has the first of them
    systems.DESIGNATORS["ITIS_TSN"]: frozenset({"180092"}),  # itis.gov, the Taxonomic Serial Number of Homo sapiens
}
"""What stands for Homo sapiens, by code system: CID 7454 has it among the species."""
HUMAN_WORDS = frozenset({"HUMAN", "HUMAN BEING", "HOMO SAPIENS"})
TAG = re.compile(r" \([a-z ]+\)$", re.IGNORECASE)  # SNOMED CT's semantic tag, `Homo sapiens (organism)`
GENDER_STATUS = {"ALTERED": "neutered", "UNALTERED": "intact"}
SPECIES_UNKNOWN: Concept = {"text": "unknown"}  # R4 demands a species where there is a breed


def patient_animal(
    cx: Context, species: Any, species_codes: Any, breed: Any = None, breed_codes: Any = None, neutered: Any = None
) -> list[dict[str, Any]]:
    """Species and breed, each text and code sequence, PatientSexNeutered -> extension patient-animal; none for a human."""
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
    """Return the CodeableConcept of a description and a code sequence, empty when there is neither.

    Its text is the description, else the meaning of the first item that has no code to keep.
    """
    found = [one for item in as_items(codes) if (one := concept_of(cx, item))]
    codings = [coding for one in found for coding in one.get("coding", ())]
    words = list(dict.fromkeys(filter(None, [as_text(text), *(one.get("text") for one in found)])))
    codings += [{"display": word} for word in words[1:]]  # kept, but FHIR has room for one text
    made: Concept = {"coding": codings} if codings else {}
    return made | ({"text": words[0]} if words else {})


def is_human(kind: Concept) -> bool:
    """Tell whether a species is the human one: by a code, by its description, without a code by its meaning."""
    known = [one for one in kind.get("coding", ()) if one.get("system") in HUMAN_CODES]
    words = [kind.get("text"), *(one.get("display") for one in kind.get("coding", ()) if not known)]
    human = any(one["code"] in HUMAN_CODES[one["system"]] for one in known)
    return human or any(as_code(TAG.sub("", word)) in HUMAN_WORDS for word in words if word)


def gender_status(cx: Context, neutered: Any) -> str | None:
    """Return the code for PatientSexNeutered; there but empty is unknown."""
    code = as_code(neutered)
    if code is None:
        return "unknown" if "PatientSexNeutered" in cx.item else None
    if code not in GENDER_STATUS:
        cx.note("PatientSexNeutered is not ALTERED or UNALTERED: left out")
    return GENDER_STATUS.get(code)
