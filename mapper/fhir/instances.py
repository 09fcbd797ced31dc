"""The instances of an ImagingStudy as the R4B models look at them: each kind once, and not too many together."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mapper.fhir.bundle import dump

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""FHIR R4 datatypes.html, id."""
LARGEST = 2_147_483_647
"""FHIR R4 datatypes.html: integers have 32 bits."""
AT_ONCE = 200
"""Instances that are held against the models at once."""


def parts(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a resource as the models look at it, an ImagingStudy of many distinct instances in parts.

    The models of thousands of instances take more memory than all else that a study needs.
    """
    if "series" not in resource:
        yield resource
        return
    series = [
        {**one, "instance": list(distinct(one["instance"]))} if one.get("instance") else one
        for one in resource["series"]
    ]
    if sum(len(one.get("instance", ())) for one in series) <= AT_ONCE:
        yield {**resource, "series": series}
        return
    yield {**resource, "series": [{name: one[name] for name in one if name != "instance"} for one in series]}
    for one in series:
        instances = one.get("instance", ())
        for start in range(0, len(instances), AT_ONCE):
            yield {**resource, "series": [{**one, "instance": instances[start : start + AT_ONCE]}]}


def distinct(instances: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the instances that the models look at: of those that only a good uid and a good number tell apart, one."""
    known: set[bytes] = set()
    for one in instances:
        uid, number = one.get("uid"), one.get("number")
        if isinstance(uid, str) and ID.fullmatch(uid) and (number is None or is_unsigned(number)):
            rest = dump({name: value for name, value in one.items() if name not in ("uid", "number")})
            if rest in known:
                continue
            known.add(rest)
        yield one


def is_unsigned(number: Any) -> bool:
    """Tell whether a value is of FHIR's type unsignedInt (FHIR R4 datatypes.html)."""
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= LARGEST
