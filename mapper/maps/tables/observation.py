"""Observation <- DICOM Patient Study module (PS3.3 C.7.2.2): what the header says of the patient that day.

One Observation a study and code. Values are typed in or come from the worklist; they are never computed.
"""

from collections.abc import Callable, Iterator
from typing import Any

from mapper.dicom.item import Item
from mapper.errors import Problem
from mapper.fhir import systems
from mapper.maps import engine, keys
from mapper.maps.rule import MUST, Made, MissingElement, Rule
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.subject import subject
from mapper.maps.values.age import age
from mapper.maps.values.context import Context
from mapper.maps.values.date_time import date, date_time
from mapper.maps.values.patient_state import pregnancy, pregnancy_unknown, smoking
from mapper.maps.values.quantity import body_mass_index, height, weight

ZONE = "TimezoneOffsetFromUTC"
VITAL_SIGNS = "vital-signs"
LOINC: dict[str, str] = {
    "8302-2": "Body height",
    "29463-7": "Body weight",
    "39156-5": "",
    "30525-0": "Age",
    "82810-3": "Pregnancy status",
    "8665-2": "",
    "72166-2": "",
}
"""LOINC codes and displays of FHIR R4's vital signs (the first three) and of the International Patient Summary."""


def constant(name: str, value: Any, doc: str) -> Callable[[Context], Any]:
    """Return a converter of a row without keywords."""

    def converter(cx: Context) -> Any:
        return value

    converter.__doc__, converter.__name__ = doc, name
    return converter


def day_or_time(cx: Context, *parts: Any) -> str | None:
    """DA + TM + TimezoneOffsetFromUTC -> dateTime, a whole day at least (vs-1 of FHIR R4's vital signs)."""
    made = date_time(cx, *parts)
    if made and len(made) < len("2024-05-17"):
        raise ValueError("a vital sign needs a whole day")
    return made


def part_of(cx: Context) -> list[dict[str, str]]:
    """The study whose header says so."""
    return [{"reference": f"ImagingStudy/{cx.id(*keys.imaging_study(cx.study.uid))}"}]


def rows(loinc: str, *values: Rule, profile: str = "") -> tuple[Rule, ...]:
    """Return the table of one kind of Observation: its values first, then what all have in common."""

    def header_id(cx: Context) -> str:
        """StudyInstanceUID and LOINC code -> id: a study says one thing once."""
        return cx.id(*keys.header_observation(cx.study.uid, loinc))

    coding = {"system": systems.LN, "code": loinc}
    if LOINC[loinc]:
        coding["display"] = LOINC[loinc]
    category = {"coding": [{"system": systems.OBSERVATION_CATEGORY, "code": VITAL_SIGNS}]}
    profiled = (
        Rule("Observation.meta.profile", "", constant("profile", [profile], "The profile of this vital sign.")),
        Rule("Observation.category", "", constant("category", [category], "A vital sign, as the profile demands.")),
    )
    # fmt: off
    return (
        *values,
        Rule("Observation.id",                "",                                 header_id, MUST),
        *meta("Observation"),
        *(profiled if profile else ()),
        Rule("Observation.partOf",            "",                                 part_of),
        Rule("Observation.status",            "",                                 constant("final", "final", "What a header says is final."), MUST),
        Rule("Observation.code",              "",                                 constant("code", {"coding": [coding]}, f"What is observed, LOINC {loinc}."), MUST),
        *subject("Observation.subject"),
        Rule("Observation.effectiveDateTime", f"StudyDate StudyTime? {ZONE}?",             day_or_time),
        Rule("Observation.effectiveDateTime", f"SeriesDate SeriesTime? {ZONE}?",           day_or_time),
        Rule("Observation.effectiveDateTime", f"AcquisitionDate AcquisitionTime? {ZONE}?", day_or_time),
        Rule("Observation.effectiveDateTime", f"ContentDate ContentTime? {ZONE}?",         day_or_time, MUST),
    )
    # fmt: on


# fmt: off
TABLES: dict[str, tuple[Rule, ...]] = {
    "PatientSize":          rows("8302-2",  Rule("Observation.valueQuantity",        "PatientSize",          height, MUST), profile=systems.BODY_HEIGHT),
    "PatientWeight":        rows("29463-7", Rule("Observation.valueQuantity",        "PatientWeight",        weight, MUST), profile=systems.BODY_WEIGHT),
    "PatientBodyMassIndex": rows("39156-5", Rule("Observation.valueQuantity",        "PatientBodyMassIndex", body_mass_index, MUST), profile=systems.BODY_MASS_INDEX),
    "PatientAge":           rows("30525-0", Rule("Observation.valueQuantity",        "PatientAge",           age, MUST, option="age")),
    "PregnancyStatus":      rows("82810-3", Rule("Observation.valueCodeableConcept", "PregnancyStatus PatientSex?", pregnancy),
                                            Rule("Observation.dataAbsentReason",     "PregnancyStatus",      pregnancy_unknown)),
    "LastMenstrualDate":    rows("8665-2",  Rule("Observation.valueDateTime",        "LastMenstrualDate",    date, MUST)),
    "SmokingStatus":        rows("72166-2", Rule("Observation.valueCodeableConcept", "SmokingStatus",        smoking, MUST)),
}
# fmt: on
RULES = tuple(row for table in TABLES.values() for row in table)
VALUES = ("valueQuantity", "valueCodeableConcept", "valueDateTime", "dataAbsentReason")


def observations(cx: Context, item: Item) -> Iterator[Made]:
    """Yield the Observations that a study's header makes; one without any date is left out and recorded."""
    for keyword, table in TABLES.items():
        if why := f"none of {keyword}" if keyword not in item else engine.passed_over(table[0], cx, None):
            cx.silent(table[0], why)
            continue
        try:
            made = engine.resource(table, cx, item, "Observation")
        except MissingElement as missing:
            if missing.rule.element == "Observation.effectiveDateTime":
                cx.record(Problem("Observation", keyword, "the study has no date at all: left out"))
            continue
        if any(value in made for value in VALUES):
            yield made
