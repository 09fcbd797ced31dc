"""`settings`: those in force and where each comes from, or a sample of the file with a word on each."""

import re
from typing import Annotated, Any

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import PREFIX, load
from mapper.settings import Settings
from mapper.terminal import say, shown_json

WIDTH = 100
"""Columns of the sample's comments."""
SECRETS = "Secrets belong into the environment, or into a file that its owner alone can read."


def settings(
    sample: Annotated[
        bool, typer.Option("--sample", help="Print a settings file with every setting as a comment.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    config: Config = None,
) -> None:
    """Print the settings in force and where each comes from; a secret is only said to be there.

    A flag wins over the environment, over the file, over the default.
    """
    import orjson

    from mapper.namespace import namespace_of
    from mapper.web.settings.effective import DEFAULT, effective

    if sample and as_json:
        raise typer.BadParameter("--sample is TOML, not JSON")
    if sample:
        for line in sample_file():
            say(line)
        return
    with one_line():
        loaded = load(Settings, config)
        made = loaded.namespace_file is None or loaded.namespace_file.exists()
        groups = effective(loaded, namespace_of(loaded) if made else loaded.namespace)
    for title, found in groups.items():
        if not as_json:
            say(f"# {title}")
        for one in found:
            value = one.value if made or one.name != "namespace" else "none yet: `serve` makes the file"
            if as_json:
                facts = {"name": one.name, "value": value, "from": one.place, "default": one.place == DEFAULT}
                say(shown_json(orjson.dumps(facts)).decode())
            else:
                say(f"{one.name} = {' '.join(value.split())}  ({one.place})")


def sample_file() -> list[str]:
    """Return the lines of a settings file in which every setting is a comment; tables stand last, as TOML wants."""
    from textwrap import wrap

    groups: dict[str, list[str]] = {"settings": [], "tables": []}
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        table = isinstance(default, dict)
        about = wrap(re.sub(r"`", "", field.description or ""), WIDTH)
        part = [f"# {one}" for one in (*about, f"{PREFIX}{name.upper()}")]
        part += [f"#[{name}]", '#"name" = "value"'] if table else [f"#{name} = {toml(default)}"]
        groups["tables" if table else "settings"] += [*part, ""]
    head = ["# orthanc-fhir.toml: take away the # before what you set.", f"# {SECRETS}", ""]
    return [*head, *groups["settings"], *groups["tables"][:-1]]


def toml(value: Any) -> str:
    """Return a default as TOML has it; of what has none an empty text."""
    from pydantic import SecretStr
    from pydantic_core import to_json

    if value is None:
        return '""'
    return to_json(value.get_secret_value() if isinstance(value, SecretStr) else value).decode()
