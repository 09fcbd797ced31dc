"""Settings as they are in force, told without any secret."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel, SecretStr
from pydantic_core import to_jsonable_python

from mapper.configuration import PREFIX
from mapper.maps.site import Site
from mapper.namespace import fingerprint
from mapper.settings import Settings

HIDDEN = "set, and not shown"
DEFAULT = "default"
TITLES = ("What changes the FHIR output", "What the service needs")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, its value as it may be shown, where it comes from and what it is."""

    name: str
    value: str
    place: str
    about: str

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()

    @property
    def text(self) -> str:
        """Everything a person may look for."""
        return " ".join((self.name, self.variable, self.value, self.place, self.about))


def effective(settings: Settings, namespace: UUID) -> dict[str, list[Setting]]:
    """Return all settings by what they are about; `namespace` is the one in force, wherever it was read."""
    found: dict[str, list[Setting]] = {title: [] for title in TITLES}
    for name, field in Settings.model_fields.items():
        place = settings.places.get(name, DEFAULT)
        value = namespace if name == "namespace" else getattr(settings, name)
        shown = Setting(name, told(name, value), place, field.description or "")
        found[TITLES[name not in Site.model_fields]].append(shown)
    return found


def told(name: str, value: Any) -> str:
    """Return the value of a setting as it may be shown: a secret as being there, the namespace as a fingerprint."""
    if value is None or value == () or value == {}:
        return "none"
    if name == "namespace":
        return f"fingerprint {fingerprint(value)}"
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, str | int | float | bool):
        return str(value)
    return json.dumps(open_parts(value), ensure_ascii=False, indent=1)


def open_parts(value: Any) -> Any:
    """Return a setting of several values without its secrets and what is not set."""
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, BaseModel):
        parts = {name: getattr(value, name) for name in type(value).model_fields}
        return {name: open_parts(part) for name, part in parts.items() if part is not None}
    if isinstance(value, tuple | list):
        return [open_parts(part) for part in value]
    return to_jsonable_python(value)
