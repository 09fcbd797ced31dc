"""A site's choices that change the FHIR output: the mapping's only configuration."""

import re
from typing import Annotated, Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from mapper.dicom.characters import composed
from mapper.url import base_uri, base_url, root_path, system_uri, url_template

PUBLIC_NAMESPACE = uuid5(NAMESPACE_URL, "urn:orthanc-fhir:mapping:v1")
"""The id namespace of `convert` and of the demo: public, so nobody's ids are secret under it."""
DEMO_BASE = "https://example.org/orthanc-fhir"
NOBODY = ("ANONYMISED", "ANONYMIZED", "ANONYMOUS", "DE-IDENTIFIED", "DEIDENTIFIED", "REMOVED")

Option = Literal[
    "address",
    "age",
    "dose_events",
    "image_type_title",
    "key_objects",
    "mothers_maiden_name",
    "order_stub",
    "repeated_measurements",
    "segments",
    "study_id",
    "telecom",
]
"""What the mapping can do, but does only where a site asks for it."""

Url = Annotated[str, AfterValidator(base_url)]
BaseUri = Annotated[str, AfterValidator(base_uri)]
UrlTemplate = Annotated[str, AfterValidator(url_template)]
SystemUri = Annotated[str, AfterValidator(system_uri)]
RootPath = Annotated[str, AfterValidator(root_path)]


def are_systems(value: dict[str, str]) -> dict[str, str]:
    """Return a table of systems; raises ValueError, which names no row, when one of them is none."""
    for uri in value.values():
        system_uri(uri)
    return value


def zones_exist(value: Any) -> Any:
    """Return one IANA time zone or a table of them; raises ValueError when there is no such zone."""
    for name in value.values() if isinstance(value, dict) else filter(None, [value]):
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("not an IANA time zone such as Europe/Berlin") from error
    return value


def by_name(value: dict[str, str]) -> dict[str, str]:
    """Return a table by names as they are looked up, in Unicode's normal form C (decision 0011), and in their order.

    Raises ValueError, which names no row, when one name stands there twice and means two things.
    """
    table: dict[str, str] = {}
    for name in sorted(value):
        if table.setdefault(composed(name), value[name]) != value[name]:
            raise ValueError("one name stands there twice, composed in two ways, and means two things")
    return dict(sorted(table.items()))


def in_order(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return words whose order says nothing in one order, each once."""
    return tuple(sorted(set(value)))


class Site(BaseModel):
    """A site's choices: plain values, wherever they were read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)  # the input may be a secret

    base: BaseUri = Field(DEMO_BASE, description="URI under which identifier systems of this site are made.")
    namespace: UUID = Field(
        PUBLIC_NAMESPACE, description="UUID under which all ids are made; `serve` asks for a secret one."
    )
    fhir_public_url: Url = Field(
        "http://localhost:8080/fhir", description="FHIR base as clients reach it: fullUrl and links."
    )
    dicomweb: Url | None = Field(
        None, description="DICOMweb root as clients reach it (Endpoint.address); `serve` derives it."
    )
    document_url: UrlTemplate | None = Field(
        None,
        description="URL of an encapsulated document as clients reach it, with {dicomweb}, {study}, {series}, "
        "{instance} (UIDs) and {orthanc} (Orthanc's id of the instance); `serve` derives Orthanc's own.",
    )
    timezone: str | None = Field(
        None, description="IANA zone of times that carry no offset; without one such times become dates."
    )
    timezones: dict[str, str] = Field(
        default_factory=dict, description="IANA zone by InstitutionName or StationName, before `timezone`."
    )
    patient_system: SystemUri | None = Field(
        None, description="Identifier system of PatientIDs without issuer; default `<base>/patient`."
    )
    issuers: dict[str, str] = Field(default_factory=dict, description="Identifier system by IssuerOfPatientID.")
    coding_schemes: dict[str, str] = Field(
        default_factory=dict,
        description="Code system URI by CodingSchemeDesignator, beside the built-in ones.",
    )
    nobody: tuple[str, ...] = Field(NOBODY, description="Family names that mean nobody (de-identified data).")
    instance_limit: int = Field(
        10_000, ge=0, description="Instances; a study with more lists its series without instances."
    )
    study_modality: Literal["acquisition", "all"] = Field(
        "acquisition", description="ImagingStudy.modality: acquisition modalities (CID 29) or all (CID 33)."
    )

    options: tuple[Option, ...] = Field(
        (), description="Rows of the mapping that are off by default (see docs/mapping.md), by name."
    )
    phantom_ids: tuple[str, ...] = Field(
        (), description="Regular expressions of PatientIDs that are phantoms, where BodyPartExamined is PHANTOM."
    )

    @field_validator("phantom_ids")
    @classmethod
    def _expressions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for expression in value:
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError("not a regular expression") from error
        return value

    _zones_exist = field_validator("timezone", "timezones")(zones_exist)
    _are_systems = field_validator("issuers", "coding_schemes")(are_systems)
    _by_name = field_validator("timezones", "issuers", "coding_schemes")(by_name)
    _in_order = field_validator("nobody", "options", "phantom_ids")(in_order)
