"""`settings`: those in force and where each comes from, or a sample of the file with a word on each."""

from typing import Annotated

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say, shown_json


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

    from mapper.commands.sample import sample_file
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
