"""One ImagingStudy that contains what it refers to, for those who want a single resource.

FHIR R4 references.html, contained resources: referred to as `#id`, without meta (dom-4, dom-5).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from mapper.dicom.decoding import JSON_OBJECT, SCALAR

Resource = Mapping[str, Any]


def containing(resources: Iterable[Resource]) -> dict[str, Any]:
    """Return the ImagingStudy of a study's resources with all that it refers to inside."""
    by_url = {f"{one['resourceType']}/{one['id']}": one for one in resources}
    study = next(one for one in by_url.values() if one["resourceType"] == "ImagingStudy")
    wanted = dict.fromkeys(url for url in referred(study) if url in by_url)
    inside = [inwards(without_meta(by_url[url]), wanted) for url in wanted]
    made = inwards(study, wanted)
    head = {name: made.pop(name) for name in ("resourceType", "id", "meta") if name in made}
    return {**head, "contained": inside, **made} if inside else {**head, **made}


def without_meta(resource: Resource) -> dict[str, Any]:
    """Return a resource as it may be contained."""
    return {name: value for name, value in resource.items() if name != "meta"}


def referred(value: Any) -> Iterable[str]:
    """Yield every literal reference of an element, in order."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(reversed(one))
        elif isinstance(one, JSON_OBJECT):
            if isinstance(one.get("reference"), str):
                yield one["reference"]
            waiting.extend([child for child in one.values() if not isinstance(child, SCALAR)][::-1])


def inwards(value: Any, inside: Mapping[str, Any]) -> Any:
    """Return the same content with references to what is contained as `#id`."""
    if isinstance(value, Mapping):
        return {
            name: f"#{child.partition('/')[2]}" if name == "reference" and child in inside else inwards(child, inside)
            for name, child in value.items()
        }
    if isinstance(value, list):
        return [inwards(child, inside) for child in value]
    return value
