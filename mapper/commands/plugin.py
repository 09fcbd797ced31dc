"""`plugin`: the files that go into Orthanc."""

import json
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from mapper.commands.app import Config, fail, one_line
from mapper.configuration import load
from mapper.settings import Settings
from mapper.terminal import say

PLUGIN = "orthanc_plugin"
LEFT_OUT = ("__pycache__", "__init__.py")
SCRIPT = "fhir_sync.py"
TOKEN = "${ORTHANC_FHIR_TOKEN}"
"""Orthanc takes it from its environment."""


def plugin(
    copy: Annotated[Path, typer.Option("--copy", metavar="DIR", help="Copy them into this folder.", file_okay=False)],
    config: Config = None,
) -> None:
    """Copy the plugin for Orthanc into a folder, and print what Orthanc's configuration needs.

    The folder is made where it is not there; files of an earlier release in it are replaced.
    """
    import shutil

    with one_line():
        settings = load(Settings, config)
    try:
        copy.mkdir(parents=True, exist_ok=True)
        copy.chmod(copy.stat().st_mode | 0o055)  # Orthanc runs as another user, and nothing of it is secret
        with as_file(files(PLUGIN)) as folder:
            for path in sorted(folder.iterdir()):
                if path.name not in LEFT_OUT:
                    shutil.copyfile(path, copy / path.name)
                    (copy / path.name).chmod(0o644)
    except OSError as error:
        raise fail(f"--copy: {error.filename or copy} cannot be written ({error.strerror})") from None
    section = {"MapperUrl": f"http://{settings.host}:{settings.port}", "Token": TOKEN}
    script = str(copy.absolute() / SCRIPT)
    facts = {"PythonScript": script, "Python": {"AllowThreads": True}, "FhirSync": section}
    for line in json.dumps(facts, indent=2, ensure_ascii=False).splitlines():
        say(line)
