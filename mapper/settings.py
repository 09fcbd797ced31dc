"""One table of settings -> one frozen object; docs/settings.md is printed from it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    PrivateAttr,
    SecretStr,
    field_validator,
)

from mapper.http.certificates import certificates
from mapper.http.header import own_header
from mapper.maps.site import RootPath, Site, SystemUri, Url, zones_exist
from mapper.url import viewer_url

Header = Annotated[str, AfterValidator(own_header)]
ViewerUrl = Annotated[str, AfterValidator(viewer_url)]


class OrthancSource(BaseModel):
    """One of several sources that feed one FHIR server."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=48, description="Name of the source in the ledger.")
    kind: Literal["orthanc", "dicomweb"] = Field("orthanc", description="Orthanc, or any archive by QIDO and WADO-RS.")
    url: Url = Field(description="Orthanc, or the archive, as the mapper reaches it.")
    user: str | None = None
    password: SecretStr | None = None
    ca: Path | None = Field(None, description="File of the CA that signed Orthanc's certificate.")
    public_url: Url | None = Field(None, description="Orthanc as clients reach it.")
    dicomweb_root: RootPath = Field("/dicom-web", description="Where its DICOMweb is.")
    wado_root: RootPath | None = Field(None, description="Where its WADO-RS is, if elsewhere.")
    token_file: Path | None = Field(None, description="File of its bearer token, read at each request.")
    hex_keys: bool = Field(False, description="Whether QIDO-RS is asked by tags instead of keywords.")
    always: dict[str, str] = Field({}, description="What stands in every question of QIDO-RS.")
    studies_at_most: int = Field(5000, ge=1, description="Studies with which its answer may end.")
    patient_system: SystemUri = Field(description="Identifier system of its PatientIDs without issuer.")
    timezone: str | None = Field(None, description="IANA zone of its times without offset.")

    _zone_exists = field_validator("timezone")(zones_exist)
    _ca_is_readable = field_validator("ca")(certificates)

    @property
    def endpoint(self) -> str:
        """DICOMweb root as clients reach it."""
        return f"{self.public_url or self.url}{self.dicomweb_root}"


class Settings(Site):
    """What a running service needs beside the site's choices."""

    _file: Path | None = PrivateAttr(None)
    _places: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def file(self) -> Path | None:
        """The settings file in force, None where there is none."""
        return self._file

    @property
    def places(self) -> dict[str, str]:
        """Where each setting that is no default comes from: a line of the file, a variable, or the command line."""
        return self._places

    sources: tuple[OrthancSource, ...] = Field(
        (),
        description="Several sources, each with name, url, user, password, ca, public_url, dicomweb_root, "
        "patient_system, timezone; of `kind` dicomweb also wado_root, token_file, hex_keys, always, studies_at_most.",
    )

    orthanc_url: Url = Field("http://localhost:8042", description="Orthanc as the mapper reaches it.")
    orthanc_user: str | None = Field(None, description="User of Orthanc.")
    orthanc_password: SecretStr | None = Field(None, description="Password of that user.")
    orthanc_ca: Path | None = Field(None, description="File of the CA that signed Orthanc's certificate.")
    orthanc_limit: int = Field(64, ge=1, description="Largest answer of Orthanc, inflated, in MB; metadata apart.")
    orthanc_public_url: Url | None = Field(
        None, description="Orthanc as clients reach it: `dicomweb_root` under it is Endpoint.address."
    )
    dicomweb_root: RootPath = Field("/dicom-web", description="Where Orthanc's DICOMweb is (its `DicomWeb.Root`).")
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
    ledger_password_file: Path | None = Field(
        None, description="File of the password of the ledger's PostgreSQL, where `ledger` does not have it."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; beyond loopback only with a token.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    token: SecretStr | None = Field(
        None,
        description="Token of the role `operate`; the plugin sends it too. Visible ASCII characters, "
        "beyond loopback at least 16.",
    )
    tokens_file: Path | None = Field(
        None, description="File of further named tokens with roles: lines that `orthanc-fhir token` prints."
    )
    session_key_file: Path | None = Field(
        None,
        description="File of the key that signs sessions, the same for all replicas; `serve` makes it where it is "
        "absent. Without it a restart ends all sessions.",
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (), description="Addresses or networks of reverse proxies whose `X-Forwarded-*` headers are believed."
    )
    proxy_user_header: Header | None = Field(
        None, description="Header in which a trusted proxy names who asks; the proxy must drop it from requests."
    )
    proxy_role_header: Header | None = Field(
        None, description="Header in which it says the role: read, operate or values."
    )
    proxy_role: Literal["read", "operate", "values"] = Field(
        "read", description="Role of whom a proxy names without `proxy_role_header`."
    )
    root_path: RootPath = Field("", description="Path under which a reverse proxy shows pages and API, as /fhir-sync.")
    audit_file: Path | None = Field(
        None, description="File of who did what, a JSON object a line; without it the ordinary log has these lines."
    )
    audit_size: int = Field(10, ge=1, le=1000, description="Size at which the audit file is rotated, in MB.")
    audit_count: int = Field(10, ge=1, le=1000, description="Rotated audit files that are kept.")
    deleted: Literal["unknown", "keep", "entered-in-error"] = Field(
        "unknown", description="What becomes of FHIR resources whose study left the PACS."
    )
    viewer_url: ViewerUrl | None = Field(
        None,
        description="URL of a viewer for the links of a study's page, with {study} for the StudyInstanceUID. The role "
        "`read` is shown all of it: no key belongs into its query.",
    )
    history_days: int = Field(
        90, ge=1, le=36500, description="Days for which the history of syncs is kept; older ones are forgotten."
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
    instances_from_database: int | None = Field(
        None, ge=2, description="Instances from which on a study is read from Orthanc's database ([how](database.md))."
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
                dicomweb_root=self.dicomweb_root,
                patient_system=self.patient_system or f"{self.base}/patient",
                timezone=self.timezone,
            ),
        )

    @property
    def endpoint(self) -> str:
        """DICOMweb root of the one source as clients reach it."""
        return self.dicomweb or f"{self.orthanc_public_url or self.orthanc_url}{self.dicomweb_root}"
