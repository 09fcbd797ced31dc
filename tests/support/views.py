"""A mapped study laid out flat, element by element, so that two can be compared; and who asked for what."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mapper.dicom.item import Item
from mapper.maps import TABLES, Mapped, engine
from mapper.maps.rule import Made, Rule
from mapper.maps.tables import observation
from mapper.maps.tables.practitioner import OPERATING, PERFORMING, READING, REFERRING
from mapper.maps.tables.practitioner import TABLES as PRACTITIONERS

View = dict[tuple[str, str, str], Any]
"""(resource, where in it, element) -> value; the resource is told by its place, because ids move with identities."""

ROLES = {"referrer": REFERRING, "interpreter": READING, "PRF": PERFORMING, "SPRF": OPERATING}
OBSERVATIONS = {
    row.by(None)["coding"][0]["code"]: table
    for table in observation.TABLES.values()
    for row in table
    if row.element == "Observation.code"
}


def places(mapped: Mapped) -> dict[str, str]:
    """Return the place of every resource, by its reference: what it is to the study."""
    found = {}
    for resource in mapped.resources:
        kind, reference = resource["resourceType"], f"{resource['resourceType']}/{resource['id']}"
        found[reference] = kind
        if kind == "Observation":
            found[reference] = f"Observation {resource['code']['coding'][0]['code']}"
    study = next(one for one in mapped.resources if one["resourceType"] == "ImagingStudy")
    named = [
        ("referrer", "", study.get("referrer", {})),
        *(("interpreter", "", one) for one in study.get("interpreter", ())),
    ]
    for series in sorted(study["series"], key=lambda one: one["uid"]):
        for performer in series.get("performer", ()):
            named.append((performer["function"]["coding"][0]["code"], series["uid"], performer["actor"]))
    first: dict[str, str] = {}
    for role, where, reference in named:
        if target := reference.get("reference"):
            first.setdefault(target, f"{target.partition('/')[0]} {role} {where}".strip())
    return found | first


def table_of(place: str) -> tuple[Rule, ...]:
    """Return the mapping table that makes the resource at a place."""
    kind, _, rest = place.partition(" ")
    if kind == "Observation":
        return OBSERVATIONS[rest]
    if kind == "Practitioner":
        return PRACTITIONERS[ROLES[rest.split()[0]]]
    if kind == "Device" and not rest:
        return TABLES["Device (phantom)"]
    return TABLES[kind]


def view(mapped: Mapped) -> View:
    """Return everything that was made, element by element."""
    known = places(mapped)
    flat: View = {}
    for resource in mapped.resources:
        place = known[f"{resource['resourceType']}/{resource['id']}"]
        for where, element, value in flatten(resource, resource["resourceType"], ""):
            flat[place, where, element] = value
    return flat


def flatten(made: Made, element: str, where: str) -> Iterator[tuple[str, str, Any]]:
    """Yield where, element and value of what rows made inside an element; series and instances by their UIDs."""
    for name, value in made.items():
        path = f"{element}.{name}"
        if isinstance(value, Made):
            yield from flatten(value, path, where)
        elif isinstance(value, list) and value and isinstance(value[0], Made):
            for one in value:
                yield from flatten(one, path, one["uid"])
        else:
            yield where, path, value


class Dependencies:
    """Which attributes the rows of each element ask for: those they name, and those they were seen to ask for."""

    def __init__(self) -> None:
        self._asked: dict[Rule, set[str]] = {}

    @classmethod
    @contextmanager
    def watched(cls) -> Iterator["Dependencies"]:
        """Watch the rows at work; nested attributes count under their own names."""
        seen, now = cls(), []
        make, element = engine.make, Item.element

        def watching(row: Rule, cx: Any, item: Item) -> Any:
            now.append(row)
            try:
                return make(row, cx, item)
            finally:
                now.pop()

        def asking(item: Item, keyword: str) -> Any:
            if now:
                seen._asked.setdefault(now[-1], set()).add(keyword)
            return element(item, keyword)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(engine, "make", watching)
            patched.setattr(Item, "element", asking)
            yield seen

    def of(self, row: Rule) -> set[str]:
        """Return what a row reads."""
        return {*row.keywords, *self._asked.get(row, ())}

    def may_touch(self, keyword: str, key: tuple[str, str, str], *, dropped: bool) -> bool:
        """Tell whether an attribute may change an element: its rows ask for it.

        What was dropped with all that stood beside it may be the doing of a required row.
        """
        place, _, element = key
        beside = f"{element.rpartition('.')[0]}."
        return any(
            keyword in self.of(row)
            for row in table_of(place)
            if row.element == element or (dropped and carries(row) and beside.startswith(inside_of(row.element)))
        )


def carries(row: Rule) -> bool:
    """Tell whether what encloses an element may be dropped without it."""
    return row.required or row.element.removeprefix("Observation.") in observation.VALUES


def inside_of(element: str) -> str:
    """Return what encloses an element, with its dot."""
    return element[: element.rindex(".") + 1]
