"""Patient <- a row of subjects: it fills what the header of the images leaves open, and never says another thing.

A subject without images has a Patient of its own, known by the subject's id in the dataset (FHIR R4 Patient).
"""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from mapper.fhir import systems
from mapper.maps import dataset_keys, engine, keys
from mapper.maps.research.cells import Research, cell, of_row
from mapper.maps.research.values import birth_date, gender, is_animal, species, strain
from mapper.maps.rule import Made
from mapper.maps.values.animal import SPECIES_UNKNOWN
from mapper.records.sds.finding import Where
from mapper.records.sds.row import Subject


def animal(cx: Research, kind: Any, race: Any = None, rrid: Any = None) -> list[dict[str, Any]]:
    """Cells `species`, `strain`, `RRID for strain` -> extension patient-animal; none for a human, nor for a word that is no species."""
    breed = strain(cx, race, rrid)
    if not is_animal(kind) and (kind is not None or breed is None):
        return []
    parts = [{"url": "species", "valueCodeableConcept": species(cx, kind) or SPECIES_UNKNOWN}]
    if breed:
        parts.append({"url": "breed", "valueCodeableConcept": breed})
    return [{"url": systems.PATIENT_ANIMAL, "extension": parts}]


# fmt: off
RULES = (
    #    FHIR element         cells of subjects                   by
    cell("Patient.extension", "species; strain; RRID for strain", animal),
    cell("Patient.gender",    "sex",                              gender),
    cell("Patient.birthDate", "date of birth",                    birth_date),
)
# fmt: on
FILLED = tuple(rule.element.partition(".")[2] for rule in RULES)


def fill(cx: Research, patient: Made, subject: Subject) -> list[Where]:
    """Take over into a Patient of a header what the subject's row says beside it; a sex that is unknown says nothing.

    Returns the cells of what the header alone would not say.
    """
    before = deepcopy({name: patient[name] for name in FILLED if name in patient})
    made = engine.apply(RULES, cx, of_row(subject), "Patient")
    if patient.get("gender") == "unknown" and "gender" in made:
        del patient["gender"]
    complete(patient.get("extension", []), made.get("extension", []))
    patient.fill(made)
    return cells_of(subject, [name for name in FILLED if patient.get(name) != before.get(name)])


def cells_of(subject: Subject, elements: Iterable[str]) -> list[Where]:
    """Return the cells of a subject's row that say these elements of its Patient."""
    asked = {f"Patient.{name}" for name in elements}
    names = [name for rule in RULES if rule.element in asked for name in rule.names]
    return [subject.at(name) for name in names if name in subject]


def complete(held: list[dict[str, Any]], stated: list[dict[str, Any]]) -> None:
    """Add to the extensions of a header the one of the row, or the parts of it that the header's lacks."""
    for one in stated if held else ():
        same = next((other for other in held if other["url"] == one["url"]), None)
        if same is None:
            held.append(one)
        else:
            known = {part["url"] for part in same["extension"]}
            same["extension"] += [part for part in one["extension"] if part["url"] not in known]


def own_patient(cx: Research, subject: Subject) -> Made:
    """Return the Patient of a subject without images."""
    identifier = {"system": dataset_keys.system(cx.site.base, "subject", cx.known[1]), "value": subject.id}
    made = Made()
    made.update(resourceType="Patient", id=cx.id(*keys.patient("", identifier)), identifier=[identifier])
    made.fill(engine.apply(RULES, cx, of_row(subject), "Patient"))
    return made
