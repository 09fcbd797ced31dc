"""The transactions of a dataset go to a sink: what is ours alone is kept as it should be, of all else only what is new.

A Patient or ImagingStudy that is there already is the live path's: it is compared and reported, never overwritten.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from mapper.errors import StaleVersion
from mapper.fhir.bundle import dump
from mapper.fhir.resource import Key, Resource, key_of
from mapper.jobs.sds.plan import Part
from mapper.maps.dataset_keys import SDS
from mapper.sinks.sink import Sink

OURS = frozenset({"Group", "ResearchStudy", "ResearchSubject"})
"""Types that nobody but a dataset's job writes."""
OF_DATASETS = f"/{SDS}/"
"""What the system of an identifier has in it where a dataset's job alone writes the resource: a measurement."""
SERVERS = frozenset({"meta", "text"})
"""Elements in which a server says something of its own."""
TRIES = 3


@dataclass
class Applied:
    """What became of resources: how many are new, changed or as they were, and in which elements others differ."""

    made: int = 0
    changed: int = 0
    same: int = 0
    differ: dict[Key, list[str]] = field(default_factory=dict)


def apply(
    parts: Iterable[Part],
    sink: Sink,
    check: Callable[[list[Resource]], None],
    progress: Callable[[Part], None] = lambda part: None,
) -> Applied:
    """Write parts one after the other; raises BundleRejected by `check`, and as Sink.put.

    What was written before a failure stays: the next run goes on from there.
    """
    applied = Applied()
    for part in parts:
        for attempt in range(TRIES):
            held = {key_of(one): sink.read(key_of(one)) for one in part.resources}
            new = [one for one in part.resources if held[key_of(one)] is None]
            moved = [one for one in part.resources if is_moved(one, held[key_of(one)])]
            if not new and not moved:
                break
            check([*new, *moved])
            try:
                expected = {key_of(one): "" for one in new}
                expected |= {(key := key_of(one)): version(held[key]) or sink.version(key) for one in moved}
                sink.put([*new, *moved], expected)
                break
            except StaleVersion:  # somebody wrote between our look and our word
                if attempt == TRIES - 1:
                    raise
        count(applied, part, held, new, moved)
        progress(part)
    sink.flush()
    return applied


def count(applied: Applied, part: Part, held: Mapping[Key, Resource | None], new: list[Any], moved: list[Any]) -> None:
    """Add what became of the resources of one part."""
    applied.made += len(new)
    applied.changed += len(moved)
    for one in part.resources:
        found = held[key_of(one)]
        if found is None or one in moved:
            continue
        if elements := differing(one, found):
            applied.differ[key_of(one)] = elements
        else:
            applied.same += 1


def is_moved(resource: Resource, held: Resource | None) -> bool:
    """Tell whether a resource that is ours alone stands there with something else in it."""
    if held is None or not is_ours(resource):
        return False
    return bool(differing(resource, held) or held.keys() - resource.keys() - SERVERS)


def is_ours(resource: Resource) -> bool:
    """Tell whether nobody but a dataset's job writes a resource."""
    if resource["resourceType"] == "Observation":
        return any(OF_DATASETS in one.get("system", "") for one in resource.get("identifier", ()))
    return resource["resourceType"] in OURS


def differing(ours: Resource, held: Resource) -> list[str]:
    """Return the elements of a resource that are not the same in what a sink holds, as JSON."""
    plain, theirs = orjson.loads(dump(ours)), orjson.loads(dump(held))  # numbers of one kind
    return sorted(name for name in plain.keys() - SERVERS if plain[name] != theirs.get(name))


def version(held: Resource | None) -> str:
    """Return the version of what a sink holds, empty where it holds none."""
    return str(held.get("meta", {}).get("versionId", "")) if held else ""
