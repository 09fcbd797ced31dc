"""`measurements.json`, by which fhir-cda hands what a dataset holds to digitaltwins-on-fhir.

Source of the shape: fhir-cda 1.2.5, `ehr/measurement.py`, `ehr/elements.py` and `annotator/measurement_annotator.py`.
Keys that it does not write, and values of another type than it writes, are kept in `extra`: what was read is
written back the same. A key that is absent stays absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mapper.records.part import Json, Part, part


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Part):
    """A measurement: `value` is FHIR R4 Observation.value[x] by its name (`{"valueQuantity": {...}}`)."""

    resource_type: str | None = "Observation"
    uuid: str | None = ""
    value: Json | None = None
    code: str | None = None
    code_system: str | None = None
    unit: str | None = None
    display: str | None = None

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "resource_type": ("resourceType", str),
        "uuid": ("uuid", str),
        "value": ("value", dict),
        "code": ("code", str),
        "code_system": ("codeSystem", str),
        "unit": ("unit", str),
        "display": ("display", str),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingInstance(Part):
    """An instance; fhir-cda 1.2.5 lists none."""

    uid: str | None = None
    sop_class_uid: str | None = None
    sop_class_name: str | None = None
    number: int | None = None

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "uid": ("uid", str),
        "sop_class_uid": ("sopClassUid", str),
        "sop_class_name": ("sopClassName", str),
        "number": ("number", int),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingSeries(Part):
    """A series: `name` is the sample's folder, `endpoint_uuid` the platform's id of it, `body_site` a Coding."""

    uid: str | None = None
    endpoint_uuid: str | None = ""
    endpoint_url: str | None = ""
    name: str | None = None
    number_of_instances: int | None = None
    body_site: Json | None = None
    instances: tuple[ImagingInstance, ...] | None = ()

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "uid": ("uid", str),
        "endpoint_uuid": ("endpointUuid", str),
        "endpoint_url": ("endpointUrl", str),
        "name": ("name", str),
        "number_of_instances": ("numberOfInstances", int),
        "body_site": ("bodySite", dict),
        "instances": ("instances", ImagingInstance),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingStudy(Part):
    """The DICOM or the NRRD series of a subject's folder: no study of DICOM, it has no StudyInstanceUID."""

    resource_type: str | None = "ImagingStudy"
    uuid: str | None = ""
    endpoint_url: str | None = ""
    description: str | None = None
    display: str | None = None
    series: tuple[ImagingSeries, ...] | None = ()

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "resource_type": ("resourceType", str),
        "uuid": ("uuid", str),
        "endpoint_url": ("endpointUrl", str),
        "description": ("description", str),
        "display": ("display", str),
        "series": ("series", ImagingSeries),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(Part):
    """A document's place."""

    title: str | None = None
    url: str | None = None
    content_type: str | None = None

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "title": ("title", str),
        "url": ("url", str),
        "content_type": ("contentType", str),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReference(Part):
    """Documents about a subject."""

    resource_type: str | None = "DocumentReference"
    uuid: str | None = ""
    description: str | None = None
    display: str | None = None
    attachments: tuple[Attachment, ...] | None = ()

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "resource_type": ("resourceType", str),
        "uuid": ("uuid", str),
        "description": ("description", str),
        "display": ("display", str),
        "attachments": ("attachments", Attachment),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPatient(Part):
    """A subject: `name` is the name of its folder under `primary`."""

    uuid: str | None = ""
    name: str | None = None
    observations: tuple[Observation, ...] | None = ()
    imaging_studies: tuple[ImagingStudy, ...] | None = ()
    document_references: tuple[DocumentReference, ...] | None = ()

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "uuid": ("uuid", str),
        "name": ("name", str),
        "observations": ("observations", Observation),
        "imaging_studies": ("imagingStudy", ImagingStudy),
        "document_references": ("documentReference", DocumentReference),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredDataset(Part):
    """The dataset: `name` is the name of its folder."""

    uuid: str | None = ""
    name: str | None = None

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {"uuid": ("uuid", str), "name": ("name", str)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements(Part):
    """The whole file."""

    dataset: MeasuredDataset = field(default_factory=MeasuredDataset)
    patients: tuple[MeasuredPatient, ...] | None = ()

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {"patients": ("patients", MeasuredPatient)}

    def json(self) -> dict[str, Any]:
        return {"dataset": self.dataset.json(), **Part.json(self)}


def measurements(document: Any) -> Measurements:
    """Return the records of a parsed file; raises ValueError when it is not of this shape at all."""
    if not isinstance(document, dict) or not isinstance(document.get("dataset"), dict):
        raise ValueError("no dataset in it")
    rest = {key: value for key, value in document.items() if key != "dataset"}
    read = part(Measurements, rest)
    return Measurements(dataset=part(MeasuredDataset, document["dataset"]), patients=read.patients, extra=read.extra)
