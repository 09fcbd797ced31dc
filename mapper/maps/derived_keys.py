"""Keys from which the ids of derived objects are made: reports, doses, documents, and what they speak of.

An Observation that DICOM identifies (ObservationUID, Irradiation Event UID) keeps its id in every object that repeats
it; any other is known by its object and its place in it. What identifies a resource stands in its identifiers, typed,
so that its key is read from it again.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mapper.fhir import systems
from mapper.fhir.elements import codes, elements, identifiers, text

Key = tuple[str, ...]
Resource = Mapping[str, Any]
Named = Mapping[str, str]
"""What the identifiers of a resource name, by what each of them is."""

STUDY, SR_ITEM, SEGMENT = "study", "sr-item", "segment"
"""Kinds of identifier systems of a site: `<base>/study`, `<base>/sr-item`, `<base>/segment`."""


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
    """Return the key of a BodyStructure that one content item names, or one segment: its number is its path."""
    return "BodyStructure", patient, sop_instance_uid, path


def document(kind: str, sop_instance_uid: str) -> Key:
    """Return the key of the DiagnosticReport or DocumentReference of an object."""
    return kind, sop_instance_uid


def study_identifier(base: str, study_uid: str) -> tuple[str, str]:
    """Return system and value of the identifier by which all that was derived from a study is found."""
    return systems.local(base, STUDY), f"{systems.OID_URN}{study_uid}"


def item_identifier(base: str, sop_instance_uid: str, path: str) -> tuple[str, str]:
    """Return system and value of the identifier of what one content item says."""
    return systems.local(base, SR_ITEM), f"{sop_instance_uid}#{path}"


def segment_identifier(base: str, sop_instance_uid: str, number: str) -> tuple[str, str]:
    """Return system and value of the identifier of one segment of a segmentation."""
    return systems.local(base, SEGMENT), f"{sop_instance_uid}#{number}"


# -- from what was written back to its key ------------------------------------------------------

TYPED = {
    (systems.SR_IDENTIFIER_TYPE, "observation-uid"): "uid",
    (systems.DOSE_IDENTIFIER_TYPE, "sop-instance-uid"): "sop",
    (systems.DCM, "113769"): "event",
    (systems.DCM, "112040"): "tracking",
    (systems.DCM, "111001"): "name",
    (systems.DCM, "111003"): "version",
}
"""What an identifier names, by its type."""


def key_from(resource: Resource) -> Key | None:
    """Return the key that a resource would have if it were derived from a document of ours, None where it cannot be."""
    read = READ.get(resource.get("resourceType", ""))
    return read(resource, dict(named(resource))) if read else None


def is_of_another(resource: Resource, study_uid: str) -> bool:
    """Tell whether a resource says that it was derived from another study."""
    said = [one["value"] for one in identifiers(resource) if one["system"].endswith(f"/{STUDY}")]
    return bool(said) and f"{systems.OID_URN}{study_uid}" not in said


def of_document(resource: Resource, named: Named) -> Key | None:
    """Return the key of a DiagnosticReport or DocumentReference."""
    return document(resource["resourceType"], named["sop"]) if "sop" in named else None


def of_device(resource: Resource, named: Named) -> Key | None:
    """Return the key of an algorithm."""
    return algorithm(named["name"], named.get("version")) if "name" in named else None


def of_body_structure(resource: Resource, named: Named) -> Key | None:
    """Return the key of a BodyStructure."""
    reference = next((text(one.get("reference")) for one in elements(resource, "patient")), None) or ""
    patient = reference.rpartition("/")[2]
    if "tracking" in named:
        return body_structure(patient, named["tracking"])
    return body_structure_at(patient, *named["item"].split("#", 1)) if "item" in named else None


def of_observation(resource: Resource, named: Named) -> Key | None:
    """Return the key of an Observation of a report or a dose."""
    if "uid" in named:
        return observation(named["uid"])
    if "event" in named:
        return irradiation_event(named["event"])
    if "item" in named:
        return observation_at(*named["item"].split("#", 1))
    return observation_at(named["sop"], "1") if "sop" in named else None


READ: dict[str, Callable[[Resource, Named], Key | None]] = {
    "BodyStructure": of_body_structure,
    "Device": of_device,
    "DiagnosticReport": of_document,
    "DocumentReference": of_document,
    "Observation": of_observation,
}
"""Resource type -> what reads its key; a server may hold any shape of what others wrote."""


def named(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield what the identifiers and versions of a resource name, and the name."""
    for element in ("masterIdentifier", "identifier", "version"):
        for one in elements(resource, element):
            value, system = text(one.get("value")) or "", text(one.get("system")) or ""
            kind = next((name for pair, name in TYPED.items() if pair in codes(one.get("type"))), None)
            uid = value.removeprefix(systems.OID_URN) if system == systems.DICOM_UID else ""
            if system.endswith((f"/{SR_ITEM}", f"/{SEGMENT}")) and "#" in value:
                yield "item", value
            elif uid and uid != value:
                yield kind or "sop", uid
            elif kind and value and not system:
                yield kind, value
