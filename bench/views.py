"""All that a folder of NDJSON or a FHIR server holds, resource by resource, as bytes that compare."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from mapper.fhir.bundle import TYPES
from mapper.fhir.resource import Key
from mapper.jobs.same import SERVERS_OWN
from mapper.sinks.ndjson.chunk import files_of
from tests.support.stack import session

PAGE = "500"
View = dict[Key, bytes]


def of_folder(folder: Path) -> View:
    """Return the latest line of every resource of a folder, byte for byte."""
    found: View = {}
    for name in files_of(folder):
        for line in (folder / name).read_bytes().splitlines():
            resource = json.loads(line)
            found[resource["resourceType"], resource["id"]] = line
    return found


def of_server(url: str) -> View:
    """Return every resource of a FHIR server without what servers set themselves, its names sorted."""
    return {
        (kind, one["id"]): canonical(one)
        for kind in TYPES
        for one in resources(f"{url}/{kind}?_count={PAGE}&_sort=_id")
    }


def as_served(view: View) -> View:
    """Return the view of a folder as a server would show it."""
    return {key: canonical(json.loads(line, parse_float=Decimal)) for key, line in view.items()}


def resources(url: str) -> Iterator[dict[str, Any]]:
    """Yield all that a search finds, page after page; every number keeps its digits."""
    http = session()
    while url:
        answer = http.get(url, timeout=120)
        answer.raise_for_status()
        bundle = json.loads(answer.content, parse_float=Decimal)
        yield from (entry["resource"] for entry in bundle.get("entry", ()))
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")


def canonical(resource: dict[str, Any]) -> bytes:
    """Return a resource as sorted JSON without the version, time and source that a server gave it."""
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in SERVERS_OWN}
    said = {name: value for name, value in resource.items() if name != "meta"} | ({"meta": meta} if meta else {})
    return json.dumps(said, sort_keys=True, default=lambda number: f"{number} as it stands").encode()


def difference(one: View, other: View) -> list[Key]:
    """Return the keys of what only one of two has, or says otherwise.

    >>> difference({("Patient", "a"): b"1", ("Patient", "b"): b"2"}, {("Patient", "a"): b"3", ("Patient", "c"): b"4"})
    [('Patient', 'a'), ('Patient', 'b'), ('Patient', 'c')]
    """
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
