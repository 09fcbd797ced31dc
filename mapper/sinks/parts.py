"""What a server finds too large for one transaction, in parts: nothing is sent before what it refers to.

The core of a study goes first: what several studies share, and the ImagingStudy, to which all else refers.
"""

from collections.abc import Callable, Iterable, Sequence

from mapper.errors import BundleRejected, TooLarge
from mapper.fhir.bundle import as_entries
from mapper.fhir.contained import referred
from mapper.fhir.resource import Key, Resource, key_of

CORE = frozenset(
    {
        *("Patient", "Practitioner", "Organization", "Endpoint", "Device", "ServiceRequest", "BodyStructure"),
        "ImagingStudy",
    }
)
"""What is sent first; the rest refers to it."""
Transact = Callable[[Sequence[Resource]], dict[Key, str]]


def in_parts(transact: Transact, resources: Sequence[Resource]) -> dict[Key, str]:
    """Write resources as one transaction, in parts when that is too large; returns the version of each.

    Raises BundleRejected when one resource alone is too large, and what `transact` raises but TooLarge.
    """
    try:
        return transact(resources)
    except TooLarge:
        if len(resources) < 2:
            raise BundleRejected("the FHIR server finds even a part of this study too large: HTTP 413") from None
    return {key: version for part in parts(resources) for key, version in in_parts(transact, part).items()}


def parts(resources: Sequence[Resource]) -> tuple[list[Resource], list[Resource]]:
    """Return two parts of several resources, of which the first refers to nothing in the second."""
    ordered = referred_first(resources)
    core = [one for one in ordered if one["resourceType"] in CORE]
    rest = [one for one in ordered if one["resourceType"] not in CORE]
    if core and rest:
        return core, rest
    return ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]


def referred_first(resources: Iterable[Resource]) -> list[Resource]:
    """Return resources so that each stands behind those that it refers to, else in the order of the Bundle.

    Two that refer to each other stand in any order.
    """
    by_url = {"/".join(key_of(one)): one for one in as_entries(resources)}
    entered: set[str] = set()
    done: dict[str, Resource] = {}
    for first in by_url:
        ahead = [first]
        while ahead:  # no recursion: a chain of references may be long
            url = ahead[-1]
            if url in entered:
                done.setdefault(ahead.pop(), by_url[url])
                continue
            entered.add(url)
            targets = [one for one in referred(by_url[url]) if one in by_url and one not in entered]
            ahead.extend(reversed(targets))
    return list(done.values())
