"""Practitioner <- identified people only (PS3.3 table 10-1, Person Identification Macro).

People known by name only are shown by name, never made into a Practitioner: there are two Dr. Smiths.
"""

from collections.abc import Iterator
from typing import Any

from mapper.dicom.item import Item, tag_of
from mapper.maps import engine, keys
from mapper.maps.rule import MUST, Made, MissingElement, Rule, many
from mapper.maps.values.context import Context
from mapper.maps.values.human_name import human_name
from mapper.maps.values.person import practitioner_identifier
from mapper.maps.values.text import as_items

REFERRING = "ReferringPhysicianName*? ReferringPhysicianIdentificationSequence*?"
READING = "NameOfPhysiciansReadingStudy*? PhysiciansReadingStudyIdentificationSequence*?"
PERFORMING = "PerformingPhysicianName*? PerformingPhysicianIdentificationSequence*?"
OPERATING = "OperatorsName*? OperatorIdentificationSequence*?"
OF_STUDY, OF_SERIES = (REFERRING, READING), (PERFORMING, OPERATING)


def identifier(cx: Context, identification: Any) -> dict[str, str] | None:
    """PersonIdentificationCodeSequence -> Identifier, its system made of the coding scheme."""
    return next((made for item in as_items(identification) if (made := practitioner_identifier(cx, item))), None)


def practitioner_id(cx: Context, identification: Any) -> str | None:
    """PersonIdentificationCodeSequence -> id, the same wherever the person is named."""
    made = identifier(cx, identification)
    return cx.id(*keys.practitioner(made)) if made else None


def name_beside(cx: Context, people: Any) -> dict[str, Any] | None:
    """The name that stands beside the identification -> HumanName of the person it identifies."""
    return human_name(cx, people[0] if people else None)


def rows(role: str) -> tuple[Rule, ...]:
    """Return the rows of one role: its names and its identifications."""
    name, identification = role.split()
    return (
        Rule("Practitioner.id", identification, practitioner_id, MUST),
        Rule("Practitioner.identifier", identification, many(identifier)),
        Rule("Practitioner.name", name, many(name_beside)),
    )


TABLES = {role: rows(role) for role in (*OF_STUDY, *OF_SERIES)}
RULES = tuple(row for table in TABLES.values() for row in table)


def practitioners(cx: Context, item: Item, roles: tuple[str, ...]) -> Iterator[Made]:
    """Yield the Practitioner of every identified person in some roles."""
    for role in roles:
        found = list(persons(item, *(word.rstrip("*?") for word in role.split())))
        if not found:
            cx.silent(TABLES[role][0], f"none of {role.split()[1].rstrip('*?')}, or not as many as names")
        for person in found:
            try:
                yield engine.resource(TABLES[role], cx, person, "Practitioner")
            except MissingElement:
                continue


def persons(item: Item, name: str, identification: str) -> Iterator[Item]:
    """Yield one data set a person; names and identifications that are not equally many say nothing of each other."""
    item = item.layer(name if name in item else identification)  # as the row that refers to these people
    named, identified = (raw_values(item, keyword) for keyword in (name, identification))
    if named and len(named) != len(identified):
        return
    for number, one in enumerate(identified):
        elements = {tag_of(identification): {"vr": "SQ", "Value": [one]}}
        if named:
            elements[tag_of(name)] = {"vr": "PN", "Value": [named[number]]}
        yield Item(elements)


def raw_values(item: Item, keyword: str) -> list[Any]:
    """Return the values of an attribute as they came, without the empty ones; none where it is unreadable."""
    try:
        decoded = item.positions(keyword)
    except ValueError:
        return []  # the row that refers to these people records it
    element = item.element(keyword)
    raw = element.get("Value", []) if isinstance(element, dict) else []
    return [value for value, read in zip(raw, decoded, strict=False) if read is not None]
