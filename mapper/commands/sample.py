"""A settings file with every setting as a comment: its default, or where it has none an example."""

import re
from textwrap import wrap
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic_core import to_json

from mapper.configuration import PREFIX
from mapper.settings import Settings

WIDTH = 100
"""Columns of the comments."""
SECRETS = "Secrets belong into the environment, or into a file that its owner alone can read."
NO_DEFAULT = "Not set by default; such as:"
SECRET = "..."
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
EXAMPLES: dict[str, Any] = {
    "dicomweb": "https://pacs.example.org/dicom-web",
    "document_url": "{dicomweb}/studies/{study}/series/{series}/instances/{instance}/rendered",
    "timezone": "Europe/Berlin",
    "patient_system": "https://hospital.example.org/patients",
    "orthanc_user": "mapper",
    "orthanc_password": SECRET,
    "orthanc_ca": CERTIFICATES,
    "orthanc_public_url": "https://pacs.example.org",
    "fhir_user": "mapper",
    "fhir_password": SECRET,
    "fhir_token": SECRET,
    "fhir_ca": CERTIFICATES,
    "namespace_file": "/etc/orthanc-fhir/namespace",
    "ledger_password_file": "/etc/orthanc-fhir/ledger-password",
    "token": SECRET,
    "tokens_file": "/etc/orthanc-fhir/tokens",
    "session_key_file": "/etc/orthanc-fhir/session-key",
    "proxy_user_header": "X-Remote-User",
    "proxy_role_header": "X-Remote-Role",
    "audit_file": "/var/log/orthanc-fhir/audit.jsonl",
    "instances_from_database": 500,
    "viewer_url": "https://viewer.example.org/?study={study}",
    "timezones": {"Name of an institution or station": "Europe/Berlin"},
    "issuers": {"Name of an issuer": "https://hospital.example.org/patients"},
    "coding_schemes": {"99LOCAL": "https://hospital.example.org/codes"},
}
"""What a setting without a default may be."""


def sample_file() -> list[str]:
    """Return the lines of a settings file in which every setting is a comment; tables stand last, as TOML wants."""
    groups: dict[bool, list[str]] = {False: [], True: []}
    for name, field in Settings.model_fields.items():
        value = field.get_default(call_default_factory=True, validated_data={})
        table = isinstance(value, dict)
        about = wrap(re.sub(r"`", "", field.description or ""), WIDTH)
        if words := allowed(field.annotation):
            about.append(f"Allowed: {', '.join(words)}.")
        notes = [*about, f"{PREFIX}{name.upper()}"]
        if value is None or value == {}:
            notes, value = [*notes, NO_DEFAULT], EXAMPLES[name]
        lines = [f"[{name}]", *map(line, value.items())] if table else [line((name, value))]
        groups[table] += [*(f"# {one}" for one in notes), *(f"#{one}" for one in lines), ""]
    head = ["# orthanc-fhir.toml: take away the # before what you set.", f"# {SECRETS}", ""]
    return [*head, *groups[False], *groups[True][:-1]]


def allowed(annotation: Any) -> list[str]:
    """Return the words of which a setting takes one, or several; none where it takes anything else."""
    if get_origin(annotation) is Literal:
        return [str(word) for word in get_args(annotation)]
    return [word for inner in get_args(annotation) for word in allowed(inner)]


def line(item: tuple[str, Any]) -> str:
    """Return a line of TOML; a name of a table's row may hold anything."""
    name, value = item
    return f"{name if name.isidentifier() else toml(name)} = {toml(value)}"


def toml(value: Any) -> str:
    """Return a value as TOML has it."""
    return to_json(value.get_secret_value() if isinstance(value, SecretStr) else value).decode()
