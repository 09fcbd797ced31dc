"""Person names: PN -> FHIR R4 HumanName, and how a person is shown where only the name is known."""

import re
from collections.abc import Iterator
from typing import Any

from mapper.dicom.characters import composed
from mapper.fhir import systems
from mapper.maps.values.context import Context
from mapper.maps.values.text import as_list, as_text

GROUPS = {"Alphabetic": "ABC", "Ideographic": "IDE", "Phonetic": "SYL"}
"""Component groups (PS3.5 section 6.2.1.2) and HL7's codes for them."""
NUMBERED = re.compile(r"[\s_.#-]*[0-9]+$")
COMPONENTS = 5  # family, given, middle, prefix, suffix: PS3.5 section 6.2.1.1

Name = dict[str, Any]


def official_names(cx: Context, values: Any) -> list[Name]:
    """PatientName -> HumanNames, one a component group; the first name is the official one."""
    people = list(read(cx, values))
    if len(people) > 1:
        cx.note("several names where DICOM allows one: the first is official")
    return [
        {**extension(name), "use": "official", **rest(name)} if number == 0 else name
        for number, person in enumerate(people)
        for name in person
    ]


def names(cx: Context, values: Any) -> list[Name]:
    """OtherPatientNames -> HumanNames without a use."""
    return [name for person in read(cx, values) for name in person]


def maiden_names(cx: Context, values: Any) -> list[Name]:
    """PatientBirthName -> HumanNames with use maiden; one word is a family name, and nothing else."""
    made = []
    for person in read(cx, values):
        for name in person:
            name.pop("text", None)
            made.append({**extension(name), "use": "maiden", **rest(name)})
    return made


def human_name(cx: Context, value: Any) -> Name | None:
    """PN -> the one HumanName that FHIR allows here: its first component group."""
    return next((person[0] for person in read(cx, value)), None)


def display_name(cx: Context, value: Any) -> str | None:
    """PN -> "Family, Given": for people who are known by name only."""
    name = human_name(cx, value)
    if name is None:
        return None
    parts = [name.get("family"), next(iter(name.get("given", [])), None)]
    return ", ".join(filter(None, parts)) or None


def read(cx: Context, values: Any) -> Iterator[list[Name]]:
    """Yield, a person, the HumanNames of the component groups; people whose name means nobody are left out."""
    for value in as_list(values):
        if not isinstance(value, dict):
            raise ValueError("not a person name")
        for groups in split(cx, value):
            found = {group: made for group in GROUPS if (made := components(cx, groups.get(group)))}
            if not found or is_nobody(cx, next(iter(found.values())).get("family", "")):
                continue
            told_apart = len(found) > 1 or "Alphabetic" not in found
            yield [{**(representation(group) if told_apart else {}), **name} for group, name in found.items()]


def is_nobody(cx: Context, family: str) -> bool:
    """Tell whether a family name means nobody; a number behind it does not make it somebody's."""
    known = {composed(nobody).casefold() for nobody in cx.site.nobody}
    return not known.isdisjoint(composed(one).casefold() for one in (family, NUMBERED.sub("", family)))


def split(cx: Context, value: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the groups of every person in one value: a backslash separates people, `=` their groups."""
    written = {group: (as_text(value.get(group)) or "").split("\\") for group in GROUPS}
    for number in range(max(map(len, written.values()))):
        groups = {group: people[number] for group, people in written.items() if number < len(people)}
        alphabetic = groups.get("Alphabetic", "").split("=")
        if len(alphabetic) > len(GROUPS):
            cx.note("more than three name component groups: the rest is left out")
        if len(alphabetic) > 1:  # a server that does not take the groups apart
            groups.update({group: part for group, part in zip(GROUPS, alphabetic, strict=False) if part})
            groups["Alphabetic"] = alphabetic[0]
        yield groups


def components(cx: Context, group: str | None) -> Name:
    """Return the HumanName of one component group, empty when nobody is named."""
    parts = [part.strip() for part in (group or "").split("^")]
    if any(parts[COMPONENTS:]):
        cx.note("more than five name components: the rest is left out")
    family, given, middle, prefix, suffix = [*parts, *[""] * COMPONENTS][:COMPONENTS]
    name: Name = {"text": family} if family and len(parts) == 1 else {}
    if family:
        name["family"] = family
    if given or middle:
        name["given"] = [part for part in (given, middle) if part]
    if prefix:
        name["prefix"] = [prefix]
    if suffix:
        name["suffix"] = [suffix]
    return name


def representation(group: str) -> Name:
    """Return the extension that tells how a name is written."""
    return {"extension": [{"url": systems.NAME_REPRESENTATION, "valueCode": GROUPS[group]}]}


def extension(name: Name) -> Name:
    """Return the extension of a name: FHIR writes it first."""
    return {"extension": name["extension"]} if "extension" in name else {}


def rest(name: Name) -> Name:
    """Return a name without its extension."""
    return {key: value for key, value in name.items() if key != "extension"}
