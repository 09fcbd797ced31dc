"""One table of settings -> one frozen object: a flag wins over the environment, over the file, over the default.

The environment's names are the settings' names in capitals behind `ORTHANC_FHIR_`; the file is TOML, named by
`ORTHANC_FHIR_CONFIG` (default `orthanc-fhir.toml` in the working directory). `orthanc-fhir doctor` shows what
is in force. docs/settings.md is printed from this table.
"""

import os
import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from mapper.errors import SettingError
from mapper.url import base_uri, base_url, system_uri

PREFIX = "ORTHANC_FHIR_"
CONFIG = PREFIX + "CONFIG"
PUBLIC_NAMESPACE = uuid5(NAMESPACE_URL, "urn:orthanc-fhir:mapping:v1")
"""The id namespace of `convert` and of the demo: public, so nobody's ids are secret under it."""
DEMO_BASE = "https://example.org/orthanc-fhir"
NOBODY = ("ANONYMOUS", "ANONYMIZED", "ANONYMISED", "DEIDENTIFIED", "DE-IDENTIFIED", "REMOVED")

Option = Literal[
    "address",
    "age",
    "image_type_title",
    "mothers_maiden_name",
    "order_stub",
    "study_id",
    "telecom",
]
"""What the mapping can do, but does only where a site asks for it."""

Url = Annotated[str, AfterValidator(base_url)]
BaseUri = Annotated[str, AfterValidator(base_uri)]
SystemUri = Annotated[str, AfterValidator(system_uri)]


def settings_file() -> Path:
    """Return where the settings file is looked for; it need not be there."""
    return Path(os.environ.get(CONFIG, "orthanc-fhir.toml"))


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


def certificates(value: Path | None) -> Path | None:
    """Return a file of certificates; raises ValueError when it cannot be read as such."""
    try:
        ssl.create_default_context(cafile=value)
    except OSError as error:
        raise ValueError(f"cannot be read as certificates ({type(error).__name__})") from error
    return value


class Site(BaseSettings):
    """A site's choices that change the FHIR output: the mapping's only configuration."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        hide_input_in_errors=True,  # it may be a secret
    )

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

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _File(settings_cls, toml_file=settings_file())


class OrthancSource(BaseModel):
    """One of several Orthancs that feed one FHIR server."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=48, description="Name of the source in the ledger.")
    url: Url = Field(description="Orthanc as the mapper reaches it.")
    user: str | None = None
    password: SecretStr | None = None
    ca: Path | None = Field(None, description="File of the CA that signed Orthanc's certificate.")
    public_url: Url | None = Field(None, description="Orthanc as clients reach it.")
    patient_system: SystemUri = Field(description="Identifier system of its PatientIDs without issuer.")
    timezone: str | None = Field(None, description="IANA zone of its times without offset.")

    _zone_exists = field_validator("timezone")(zones_exist)
    _ca_is_readable = field_validator("ca")(certificates)

    @property
    def endpoint(self) -> str:
        """DICOMweb root as clients reach it."""
        return f"{self.public_url or self.url}/dicom-web"


class Settings(Site):
    """What a running service needs beside the site's choices."""

    sources: tuple[OrthancSource, ...] = Field(
        (),
        description="Several Orthancs, each with name, url, user, password, ca, public_url, patient_system, timezone.",
    )

    orthanc_url: Url = Field("http://localhost:8042", description="Orthanc as the mapper reaches it.")
    orthanc_user: str | None = Field(None, description="User of Orthanc.")
    orthanc_password: SecretStr | None = Field(None, description="Password of that user.")
    orthanc_ca: Path | None = Field(None, description="File of the CA that signed Orthanc's certificate.")
    orthanc_limit: int = Field(64, ge=1, description="Largest answer of Orthanc, inflated, in MB; metadata apart.")
    orthanc_public_url: Url | None = Field(
        None, description="Orthanc as clients reach it: `/dicom-web` under it is Endpoint.address."
    )
    source: str = Field("orthanc", min_length=1, max_length=48, description="Name of the source in the ledger.")
    fhir_url: Url = Field("http://localhost:8080/fhir", description="FHIR base as the mapper reaches it.")
    fhir_user: str | None = Field(None, description="User of the FHIR server (Basic).")
    fhir_password: SecretStr | None = Field(None, description="Password of that user.")
    fhir_token: SecretStr | None = Field(None, description="Bearer token for the FHIR server.")
    fhir_ca: Path | None = Field(None, description="File of the CA that signed the FHIR server's certificate.")
    fhir_limit: int = Field(32, ge=1, description="Largest answer of the FHIR server, inflated, in MB.")
    namespace_file: Path | None = Field(
        None, description="File that holds `namespace`; `serve` makes it with a secret UUID where it is absent."
    )
    ledger: SecretStr = Field(
        SecretStr("sqlite:///orthanc-fhir-ledger.db"), description="Database URL of the ledger: SQLite or PostgreSQL."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; beyond loopback only with a token.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    token: SecretStr | None = Field(None, description="Bearer token of pages and API; the plugin sends it too.")
    deleted: Literal["unknown", "keep", "entered-in-error"] = Field(
        "unknown", description="What becomes of FHIR resources whose study left the PACS."
    )
    workers: int = Field(4, ge=1, le=64, description="Studies synced side by side.")
    timeout: float = Field(
        60.0, gt=0, description="Seconds until an answer of Orthanc or the FHIR server is complete; metadata apart."
    )
    metadata_limit: int = Field(512, ge=1, description="Largest metadata of one series, inflated, in MB.")
    metadata_timeout: float = Field(
        600.0,
        gt=0,
        description="Seconds until the metadata of one series are complete: an archive may read every file.",
    )
    log_format: Literal["json", "text"] = Field("json", description="Form of the log on standard output.")

    @field_validator("token")
    @classmethod
    def _not_empty(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().strip():
            raise ValueError("must not be empty: everybody would have it")
        return value

    _cas_are_readable = field_validator("orthanc_ca", "fhir_ca")(certificates)

    @field_validator("sources")
    @classmethod
    def _names_differ(cls, value: tuple[OrthancSource, ...]) -> tuple[OrthancSource, ...]:
        if len({source.name for source in value}) != len(value):
            raise ValueError("two sources have one name")
        return value

    @property
    def all_sources(self) -> tuple[OrthancSource, ...]:
        """Every source: those of `sources`, else the one that the `orthanc_` settings name."""
        if self.sources:
            return self.sources
        return (
            OrthancSource(
                name=self.source,
                url=self.orthanc_url,
                user=self.orthanc_user,
                password=self.orthanc_password,
                ca=self.orthanc_ca,
                public_url=self.orthanc_public_url,
                patient_system=self.patient_system or f"{self.base}/patient",
                timezone=self.timezone,
            ),
        )

    @property
    def endpoint(self) -> str:
        """DICOMweb root of the one source as clients reach it."""
        return self.dicomweb or f"{self.orthanc_public_url or self.orthanc_url}/dicom-web"


class _File(TomlConfigSettingsSource):
    """The settings file: commands that want the site's choices alone leave the service's settings there alone."""

    def __call__(self) -> dict[str, Any]:
        """Return the settings of the file that concern this kind, and those that nobody knows."""
        mine, all_known = self.settings_cls.model_fields, Settings.model_fields
        return {name: value for name, value in super().__call__().items() if name in mine or name not in all_known}


S = TypeVar("S", bound=Site)


def load(kind: type[S], **flags: Any) -> S:
    """Return settings from flags (None: not given), environment, file and defaults.

    Raises SettingError with one line that names the setting and what is allowed.
    """
    if (named := os.environ.get(CONFIG)) and not Path(named).is_file():
        raise SettingError(f"{CONFIG}: there is no file {named}")
    try:
        return kind(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        said = (one["msg"].removeprefix("Value error, ") for one in error.errors(include_input=False))
        names = (".".join(map(str, one["loc"])) for one in error.errors(include_input=False))
        raise SettingError("; ".join(f"{name}: {text}" for name, text in zip(names, said, strict=True))) from None
    except SettingsError as error:  # names the setting, not its value
        name = str(error).partition('"')[2].partition('"')[0]
        raise SettingError(f"{name}: the environment's value is not JSON") from None
    except (OSError, ValueError) as error:
        raise SettingError(f"the settings file is not readable ({type(error).__name__})") from None
