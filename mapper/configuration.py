"""Where settings come from: a flag wins over the environment, over the file, over the default.

The environment's names are the settings' names in capitals behind `ORTHANC_FHIR_`; the file is TOML: the one that
`--config` or `ORTHANC_FHIR_CONFIG` names, else `orthanc-fhir.toml` in the working directory. What is wrong is said in
one line, with its place and never with its value.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mapper.errors import SettingError
from mapper.maps.site import Site
from mapper.settings import Settings
from mapper.wrong_settings import in_our_words, nearest, refuse_contradictions

PREFIX = "ORTHANC_FHIR_"
CONFIG = PREFIX + "CONFIG"
DEFAULT_FILE = "orthanc-fhir.toml"
ORTHANCS_OWN = frozenset({PREFIX + "PLUGIN", PREFIX + "MAPPER_URL", PREFIX + "MAPPER_PUBLIC_URL"})
"""What orthanc.json reads: it may stand in an environment that Orthanc and the mapper share."""
FLAG = "the command line"
S = TypeVar("S", bound=Site)


class WrongArgument(SettingError):
    """What was typed behind a command is wrong: usage, exit code 2 as of every other wrong usage."""


def load(kind: type[S], config: Path | None = None, **flags: Any) -> S:
    """Return settings from flags (None: not given), environment, file and defaults.

    Raises SettingError with one line that names each wrong setting, where it stands and what is allowed; WrongArgument
    where all that is wrong was given as a flag.
    """
    path = config or file_in_force()
    refuse_unknown(os.environ)
    file, environment = from_file(kind, path), from_environment(kind)
    given = {name: value for name, value in flags.items() if value is not None}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if file and path else []
    places = {name: f"{path}, line {line_of(lines, name)}" for name in file}
    places |= {name: PREFIX + name.upper() for name in environment}
    places |= dict.fromkeys(given, "")
    try:
        made = kind(**{**file, **environment, **given})
    except ValidationError as error:
        typed = all(one["loc"] and one["loc"][0] in given for one in error.errors(include_url=False))
        raise (WrongArgument if typed else SettingError)("; ".join(in_our_words(error, places))) from None
    refuse_contradictions(places)
    if isinstance(made, Settings):
        made._file = path if path and path.is_file() else None
        made._places = {name: place or FLAG for name, place in places.items()}
    return made


def file_in_force() -> Path | None:
    """Return the settings file that is named, or lies in the working directory; None where there is none.

    Raises SettingError when one is named that is not there.
    """
    if named := os.environ.get(CONFIG):
        if not Path(named).is_file():
            raise SettingError(f"{CONFIG}: there is no file {named}")
        return Path(named)
    return Path(DEFAULT_FILE).absolute() if Path(DEFAULT_FILE).exists() else None


def from_file(kind: type[Site], path: Path | None) -> dict[str, Any]:
    """Return the settings of the file that concern this kind, and those that nobody knows.

    Commands that want the site's choices alone leave the service's settings there alone.
    """
    if path is None:
        return {}
    from pydantic_settings import TomlConfigSettingsSource

    try:
        found = TomlConfigSettingsSource(kind, toml_file=path)() if path.is_file() else None  # type: ignore[arg-type]
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        last = len(path.read_text(encoding="utf-8").splitlines())
        raise SettingError(f"{path}, line {line[1] if line else last}: this is not TOML") from None
    except (OSError, ValueError) as error:
        raise SettingError(f"the settings file {path} is not readable ({type(error).__name__})") from None
    if found is None:
        raise WrongArgument(f"--config: there is no file {path}")
    refuse_misplaced(found, path)
    known = Settings.model_fields
    return {name: value for name, value in found.items() if name in kind.model_fields or name not in known}


def from_environment(kind: type[Site]) -> dict[str, Any]:
    """Return the settings of the environment; an empty variable is none at all.

    What reads them is imported where there are some: it takes as long as the conversion of a study.
    """
    if not any(variable.upper().startswith(PREFIX) for variable in os.environ):
        return {}
    from pydantic_settings import EnvSettingsSource, SettingsError

    source = EnvSettingsSource(kind, env_prefix=PREFIX, env_ignore_empty=True)  # type: ignore[arg-type]
    try:
        return dict(source())
    except SettingsError as error:  # names the setting, not its value
        name = str(error).partition('"')[2].partition('"')[0]
        raise SettingError(f"{name} ({PREFIX}{name.upper()}): must be JSON, as it holds several values") from None


def refuse_unknown(environment: Iterable[str]) -> None:
    """Raise SettingError for a variable that looks like a setting and is none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG} | ORTHANCS_OWN
    for variable in sorted(environment):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            raise SettingError(f"{variable}: there is no such setting{nearest(variable.upper(), known)}")


def refuse_misplaced(found: Mapping[str, Any], path: Path) -> None:
    """Raise SettingError for a setting inside a TOML table: there it would name an issuer, or a ward."""
    for table, content in found.items():
        for name in content if isinstance(content, dict) and table in Settings.model_fields else ():
            if name in Settings.model_fields:
                line = line_of(path.read_text(encoding="utf-8").splitlines(), name, after=f"[{table}]")
                raise SettingError(
                    f"{name} ({path}, line {line}): stands in the table [{table}]; settings come before the first table"
                )


def line_of(lines: list[str], name: str, after: str = "") -> int:
    """Return the number of the line of a TOML file on which a key or a table begins."""
    header = next((number for number, line in enumerate(lines) if after and line.strip().startswith(after)), 0)
    begins = re.compile(rf"""\s*(?:\[+\s*)?["']?{re.escape(name)}["']?\s*(?:[=.\]]|$)""")
    return next((number for number, line in enumerate(lines, 1) if number > header and begins.match(line)), 1)
