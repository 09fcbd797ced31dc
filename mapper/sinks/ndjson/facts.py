"""By what a line of NDJSON is looked for: status, references and identifiers of its resource."""

from collections.abc import Mapping

from mapper.sinks.sink import DERIVED, Resource, study_uids


def facts_of(resource: Resource) -> tuple[str, list[str]]:
    """Return the status of a resource, and by what it is looked for; raises TypeError and others where it is none."""
    kind = resource["resourceType"]
    about: list[str] = []
    if kind == "ImagingStudy":
        about += [one["reference"] for one in resource.get("endpoint", ()) if "reference" in one]
        about += study_uids(resource)
    if kind == "Observation":
        about += [one["reference"] for one in resource.get("partOf", ()) if "reference" in one]
    if kind in DERIVED:
        identifiers = [*resource.get("identifier", ()), *filter(None, [resource.get("masterIdentifier")])]
        about += [f"{one.get('system', '')}|{one.get('value', '')}" for one in identifiers if isinstance(one, Mapping)]
    if not all(isinstance(one, str) for one in about):
        raise TypeError("a reference is a text")
    return str(resource.get("status", "")), about
