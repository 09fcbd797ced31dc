"""What a dataset says of one resource, beside what a sink holds of it: what is to be written, and what differs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from mapper.fhir.bundle import dump
from mapper.fhir.resource import Key, Resource, key_of
from mapper.jobs.sds.writer import SERVERS, Writer, author_of, is_alone, signed

Whose = Literal["ours", "dataset", "others"]
"""Who wrote what stands there and is left alone: this dataset, another one, or no dataset at all."""
VERSIONED = frozenset({"versionId", "lastUpdated"})


@dataclass(frozen=True, slots=True)
class Standing:
    """One resource: what is to be written of it, if anything; the elements in which what stays says otherwise."""

    key: Key
    write: Resource | None = None
    differ: tuple[str, ...] = ()
    whose: Whose = "others"


def standings(resources: list[Any], held: Mapping[Key, Resource | None], mine: Writer) -> list[Standing]:
    """Return the resources of one transaction.

    Where its ImagingStudy is no dataset's, the live path speaks of the Patient too, even where it says the same
    and so did not sign it anew.
    """
    studies = (found for key, found in held.items() if key[0] == "ImagingStudy" and found)
    live = any(not mine.is_datasets(found) for found in studies)
    return [standing(one, held[key_of(one)], mine, live) for one in resources]


def standing(ours: Resource, held: Resource | None, mine: Writer, live: bool) -> Standing:
    """Return one resource; `live`: the live path speaks of what several write."""
    key = key_of(ours)
    if held is None:
        return Standing(key, ours)
    if is_alone(ours):
        return Standing(key, ours if is_moved(ours, held) else None)
    of_study = key[0] == "ImagingStudy"
    if not mine.corrects:
        return compared(ours, held, mine, live and not of_study)
    if mine.wrote(held) and (of_study or not live):
        wanted = {**ours, "identifier": mine.identifiers(ours, ours, held)} if of_study else ours
        return Standing(key, signed(wanted, mine.source) if is_moved(wanted, held) else None)
    if mine.is_datasets(held) and of_study:
        found = mine.identifiers(held, ours, held)
        moved = found != held.get("identifier")
        differ = differing({**ours, "identifier": found}, {**held, "identifier": found})
        united = signed({**unversioned(held), "identifier": found}, author_of(held))
        return Standing(key, united if moved else None, tuple(differ), "dataset")
    return compared(ours, held, mine, live)


def compared(ours: Resource, held: Resource, mine: Writer, live: bool) -> Standing:
    """Return a resource that is left alone; of what this dataset wrote, what it no longer says differs as well."""
    differ, whose = differing(ours, held), whose_is(held, mine, live)
    if whose == "ours":
        differ = sorted({*differ, *(held.keys() - ours.keys() - SERVERS)})
    return Standing(key_of(ours), None, tuple(differ), whose)


def whose_is(held: Resource, mine: Writer, live: bool) -> Whose:
    """Tell who wrote what stands there."""
    if mine.wrote(held):
        return "others" if live else "ours"
    return "dataset" if mine.is_datasets(held) else "others"


def is_moved(resource: Resource, held: Resource) -> bool:
    """Tell whether what stands there has something else in it, or something more."""
    return bool(differing(resource, held, order=True) or held.keys() - resource.keys() - SERVERS)


def differing(ours: Resource, held: Resource, *, order: bool = False) -> list[str]:
    """Return the elements of a resource that are not the same in what a sink holds, as JSON.

    Identifiers that stand there beside ours are no difference, but with `order`.
    """
    plain, theirs = orjson.loads(dump(ours)), orjson.loads(dump(held))  # numbers of one kind
    found = [name for name in plain.keys() - SERVERS if plain[name] != theirs.get(name)]
    if "identifier" in found and not order and all(one in theirs.get("identifier", ()) for one in plain["identifier"]):
        found.remove("identifier")
    return sorted(found)


def unversioned(held: Resource) -> dict[str, Any]:
    """Return what a sink holds as it was sent, but for its signature."""
    meta = {name: value for name, value in held.get("meta", {}).items() if name not in VERSIONED}
    return {**held, "meta": meta}


def version(held: Resource | None) -> str:
    """Return the version of what a sink holds, empty where it holds none."""
    return str(held.get("meta", {}).get("versionId", "")) if held else ""
