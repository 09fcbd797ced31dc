"""People who did something: FHIR R4 References by name, and Practitioner only where one is identified."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from mapper.dicom.item import Item
from mapper.fhir import systems
from mapper.maps import keys
from mapper.maps.values.coding import registered_uid
from mapper.maps.values.context import Context
from mapper.maps.values.distinct import unseen
from mapper.maps.values.human_name import display_name
from mapper.maps.values.text import as_items, as_list, as_text, each

Reference = dict[str, Any]
NPI = "NPI"


def referrer(cx: Context, names: Any, identifications: Any = None) -> Reference | None:
    """Physician's name + identification sequence -> Reference; the first physician."""
    found = people(cx, names, identifications)
    if len(found) > 1:
        cx.note("several people where FHIR allows one: the first is kept")
    return next(iter(found), None)


def people(cx: Context, names: Any, identifications: Any = None) -> list[Reference]:
    """Physicians' names + identification sequences -> References, each person once."""
    found = each(cx, pairs(cx, names, identifications), lambda pair: reference(cx, *pair))
    return unseen(found, set())


def performing(cx: Context, names: Any, identifications: Any = None) -> list[dict[str, Any]]:
    """PerformingPhysicianName + its identification sequence -> performers with function PRF."""
    return performers("PRF", people(cx, names, identifications))


def operating(cx: Context, names: Any, identifications: Any = None) -> list[dict[str, Any]]:
    """OperatorsName + OperatorIdentificationSequence -> performers with function SPRF."""
    return performers("SPRF", people(cx, names, identifications))


def performers(function: str, actors: list[Reference]) -> list[dict[str, Any]]:
    """Code of v3-ParticipationType + actors -> elements of ImagingStudy.series.performer."""
    code = {"coding": [{"system": systems.PARTICIPATION, "code": function}]}
    return [{"function": code, "actor": actor} for actor in actors]


def pairs(cx: Context, names: Any, identifications: Any) -> Iterator[tuple[Any, Item | None]]:
    """Yield names with their identifications; they belong together only where there are as many."""
    people, items = as_list(names), as_items(identifications)
    if people and items and len(people) != len(items):
        cx.note("names and identifications are not equally many: the names are kept")
        items = []
    yield from zip_longest(people, items)


def reference(cx: Context, name: Any, identification: Item | None) -> Reference | None:
    """Return the Reference to a person: to a Practitioner where identified, else by name alone."""
    made: Reference = {}
    identifier = practitioner_identifier(cx, identification) if identification is not None else None
    if identifier:
        made["reference"] = f"Practitioner/{cx.id(*keys.practitioner(identifier))}"
    if display := display_name(cx, name):
        made["display"] = display
    return made or None


def practitioner_identifier(cx: Context, item: Item) -> dict[str, str] | None:
    """PersonIdentificationCodeSequence -> Identifier, its system made of the coding scheme."""
    return identifier_of(cx, as_items(item.values("PersonIdentificationCodeSequence")))


def identifier_of(cx: Context, codes: Iterable[Item]) -> dict[str, str] | None:
    """Return the Identifier of a person, of the first code with a scheme; None where there is none."""
    for code in codes:
        value = as_text(code["CodeValue"]) or as_text(code["LongCodeValue"])
        designator = as_text(code["CodingSchemeDesignator"])
        if value and designator:
            return number_of(cx, designator, value, registered_uid(cx, designator))
    return None


def number_of(cx: Context, designator: str, value: str, uid: str | None = None) -> dict[str, str]:
    """Return the Identifier of a person who has a number in a scheme, or of an issuer."""
    schemes = cx.site.coding_schemes
    if designator == NPI:
        return {"system": schemes.get(NPI, systems.US_NPI), "value": value}
    return {"system": systems.code_system(cx.site.base, schemes, designator, uid), "value": value}
