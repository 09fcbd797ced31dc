"""What the id of a resource is made of: keys stand here, in derived_keys.py and in dataset_keys.py (FHIR R4 Resource.id).

An id is the UUIDv5 of its key under the site's secret namespace (mapper/fhir/ids.py), so `key_from` tells what is
ours without a ledger: whoever does not know the namespace can make no id that fits. A derived resource, whose key is
one of mapper/maps/derived_keys.py, says beside which study it belongs to, by an identifier of the system `<base>/study`.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from mapper.fhir import systems
from mapper.fhir.elements import codes, elements, identifiers, text
from mapper.fhir.ids import resource_id
from mapper.maps import derived_keys

Key = tuple[str, ...]
"""A resource type, then what identifies the resource."""
Resource = Mapping[str, Any]
Identified = Mapping[str, Any] | None
"""A FHIR R4 Identifier with its system, None for what has none."""

PHANTOM_CODE = "706342009"  # SNOMED CT, PS3.16 annex L, PHANTOM


def imaging_study(study_uid: str) -> Key:
    """Return the key of a study."""
    return "ImagingStudy", study_uid


def patient(study_uid: str, identifier: Identified) -> Key:
    """Return the key of a patient: the identifier; without one the patient is the study's own."""
    if identifier is None:
        return "Patient", "study", study_uid
    return "Patient", identifier["system"], identifier["value"]


def phantom(study_uid: str, identifier: Identified) -> Key:
    """Return the key of a phantom, as that of a patient."""
    if identifier is None:
        return "Device", "phantom", "study", study_uid
    return "Device", "phantom", identifier["system"], identifier["value"]


def device(
    uid: str | None,
    manufacturer: str | None,
    model: str | None,
    serial: str | None,
    station: str | None,
    institution: str | None,
) -> Key | None:
    """Return the key of equipment; None where fewer than two parts are known: they identify nothing."""
    if uid:
        return "Device", "uid", uid
    parts = (manufacturer, model, serial) if serial else (manufacturer, model, station, institution)
    if sum(part is not None for part in parts) < 2:
        return None
    return "Device", "sn" if serial else "stn", *(part or "" for part in parts)


def practitioner(identifier: Mapping[str, Any]) -> Key:
    """Return the key of an identified person."""
    return "Practitioner", identifier["system"], identifier["value"]


def endpoint(address: str) -> Key:
    """Return the key of a DICOMweb root."""
    return "Endpoint", "dicom-wado-rs", address


def service_request(accession: Mapping[str, Any]) -> Key:
    """Return the key of an order's stub."""
    return "ServiceRequest", accession["system"], accession["value"]


def header_observation(study_uid: str, loinc: str) -> Key:
    """Return the key of what a study's header says of the patient."""
    return "Observation", study_uid, "header", loinc


def id_of(namespace: UUID, key: Key) -> str:
    """Return the id of the resource with this key."""
    return resource_id(namespace, *key)


def is_ours(namespace: UUID, resource: Resource, study_uid: str) -> bool:
    """Tell whether a resource that a server holds was made by us of this study, or may have been."""
    key = key_from(resource, study_uid)
    return key is not None and resource.get("id") == id_of(namespace, key)


def key_from(resource: Resource, study_uid: str) -> Key | None:
    """Return the key that a resource of this study would have if it were ours, None where it cannot be ours."""
    if derived_keys.is_of_another(resource, study_uid):
        return None
    read = READ.get(resource.get("resourceType", ""))
    return derived_keys.key_from(resource) or (read(resource, study_uid) if read else None)


# -- from what was written back to its key ------------------------------------------------------


def of_imaging_study(resource: Resource, study_uid: str) -> Key:
    """Return the key of an ImagingStudy."""
    return imaging_study(study_uid)


def of_patient(resource: Resource, study_uid: str) -> Key:
    """Return the key of a Patient: the identifier in use is the PatientID."""
    return patient(study_uid, next((one for one in identifiers(resource) if one.get("use") == "usual"), None))


def of_device(resource: Resource, study_uid: str) -> Key | None:
    """Return the key of a Device, a phantom or equipment."""
    known = list(identifiers(resource))
    if (systems.SCT, PHANTOM_CODE) in codes(resource.get("type")):
        return phantom(study_uid, next(iter(known), None))
    uid = next((one["value"] for one in known if one["system"] == systems.DICOM_UID), "")
    names = [one.get("name") for one in elements(resource, "deviceName") if one.get("type") == "user-friendly-name"]
    return device(
        uid.removeprefix(systems.OID_URN),
        text(resource.get("manufacturer")),
        text(resource.get("modelNumber")),
        text(resource.get("serialNumber")),
        text(next(iter(names), None)),
        text(next((one.get("display") for one in elements(resource, "owner")), None)),
    )


def of_practitioner(resource: Resource, study_uid: str) -> Key | None:
    """Return the key of a Practitioner."""
    return next(map(practitioner, identifiers(resource)), None)


def of_endpoint(resource: Resource, study_uid: str) -> Key | None:
    """Return the key of an Endpoint."""
    address = text(resource.get("address"))
    return endpoint(address) if address else None


def of_service_request(resource: Resource, study_uid: str) -> Key | None:
    """Return the key of a ServiceRequest: its identifier of type ACSN."""
    accessions = (one for one in identifiers(resource) if (systems.IDENTIFIER_TYPE, "ACSN") in codes(one.get("type")))
    return next(map(service_request, accessions), None)


def of_observation(resource: Resource, study_uid: str) -> Key | None:
    """Return the key of an Observation: that of a study's header has one code, of LOINC."""
    loinc = [code for system, code in codes(resource.get("code")) if system == systems.LN]
    return header_observation(study_uid, loinc[0]) if loinc else None


READ: dict[str, Callable[[Resource, str], Key | None]] = {
    "ImagingStudy": of_imaging_study,
    "Patient": of_patient,
    "Device": of_device,
    "Practitioner": of_practitioner,
    "Endpoint": of_endpoint,
    "ServiceRequest": of_service_request,
    "Observation": of_observation,
}
"""Resource type -> what reads its key; a server may hold any shape of what others wrote."""
