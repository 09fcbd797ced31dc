"""Keys from which the ids of derived objects are made: reports, doses, documents, and what they speak of.

An Observation that DICOM identifies (ObservationUID, Irradiation Event UID) keeps its id in every object that repeats
it; any other is known by its object and its place in it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mapper.fhir import systems
from mapper.maps.values.uid import uid_of

Key = tuple[str, ...]
STUDY, SR_ITEM = "study", "sr-item"
"""Kinds of identifier systems of a site: `<base>/study`, `<base>/sr-item`."""


def observation(uid: str) -> Key:
    """Return the key of an Observation with an ObservationUID (0040,A171)."""
    return "Observation", "uid", uid


def observation_at(sop_instance_uid: str, path: str) -> Key:
    """Return the key of an Observation without one: the content item of an object, its positions with dots."""
    return "Observation", sop_instance_uid, path


def irradiation_event(uid: str) -> Key:
    """Return the key of the Observation of an irradiation event."""
    return "Observation", "event", uid


def algorithm(name: str, version: str | None) -> Key:
    """Return the key of the Device that an algorithm is."""
    return "Device", "algorithm", name, version or ""


def body_structure(patient: str, tracking_uid: str) -> Key:
    """Return the key of a BodyStructure that is tracked; `patient` is the id of the Patient."""
    return "BodyStructure", patient, tracking_uid


def body_structure_at(patient: str, sop_instance_uid: str, path: str) -> Key:
    """Return the key of a BodyStructure that one content item names."""
    return "BodyStructure", patient, sop_instance_uid, path


def document(kind: str, sop_instance_uid: str) -> Key:
    """Return the key of the DiagnosticReport or DocumentReference of an object."""
    return kind, sop_instance_uid


TYPED = {
    (systems.SR_IDENTIFIER_TYPE, "observation-uid"): "uid",
    (systems.DOSE_IDENTIFIER_TYPE, "sop-instance-uid"): "sop",
    (systems.DCM, "113769"): "event",
    (systems.DCM, "112040"): "tracking",
    (systems.DCM, "111001"): "name",
    (systems.DCM, "111003"): "version",
}
"""What an identifier names, by its type."""


def derived_key(resource: Mapping[str, Any]) -> Key | None:
    """Return the key of a resource of a derived object, computed from its identifiers; None where it is none of ours."""
    read = READ.get(resource["resourceType"])
    return read(resource, dict(identified(resource))) if read else None


def of_document(resource: Mapping[str, Any], named: Mapping[str, str]) -> Key | None:
    """Return the key of a DiagnosticReport or DocumentReference."""
    return document(resource["resourceType"], named["sop"]) if "sop" in named else None


def of_device(resource: Mapping[str, Any], named: Mapping[str, str]) -> Key | None:
    """Return the key of an algorithm."""
    return algorithm(named["name"], named.get("version")) if "name" in named else None


def of_body_structure(resource: Mapping[str, Any], named: Mapping[str, str]) -> Key | None:
    """Return the key of a BodyStructure."""
    patient = resource["patient"]["reference"].partition("/")[2]
    if "tracking" in named:
        return body_structure(patient, named["tracking"])
    return body_structure_at(patient, *named["item"].split("#", 1)) if "item" in named else None


def of_observation(resource: Mapping[str, Any], named: Mapping[str, str]) -> Key | None:
    """Return the key of an Observation of a report or a dose."""
    if "uid" in named:
        return observation(named["uid"])
    if "event" in named:
        return irradiation_event(named["event"])
    if "item" in named:
        return observation_at(*named["item"].split("#", 1))
    return observation_at(named["sop"], "1") if "sop" in named else None


READ: dict[str, Callable[[Mapping[str, Any], Mapping[str, str]], Key | None]] = {
    "BodyStructure": of_body_structure,
    "Device": of_device,
    "DiagnosticReport": of_document,
    "DocumentReference": of_document,
    "Observation": of_observation,
}


def identified(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a resource's identifiers and versions name, and the name."""
    master = [resource["masterIdentifier"]] if "masterIdentifier" in resource else []
    for one in (*master, *resource.get("identifier", []), *resource.get("version", [])):
        system, value = one.get("system", ""), one.get("value", "")
        coding = one.get("type", {}).get("coding", [{}])[0]
        kind = TYPED.get((coding.get("system"), coding.get("code")))
        if system.endswith(f"/{SR_ITEM}") and "#" in value:
            yield "item", value
        elif system == systems.DICOM_UID and (uid := uid_of(value)):
            yield kind or "sop", uid
        elif kind:
            yield kind, value
