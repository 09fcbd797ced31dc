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
from mapper.url import listening_url

PLUGIN = "orthanc_plugin"
LEFT_OUT = ("__pycache__", "__init__.py")
SCRIPT = "fhir_sync.py"
TOKEN = "${ORTHANC_FHIR_TOKEN}"
"""Orthanc takes it from its environment."""
OTHERS_ENTER = 0o005
EVERYWHERE = frozenset({"0.0.0.0", "::"})
"""What is listened on, and nobody's address."""


def plugin(
    copy: Annotated[Path, typer.Option("--copy", metavar="DIR", help="Copy them into this folder.", file_okay=False)],
    config: Config = None,
) -> None:
    """Copy the plugin for Orthanc into a folder, and print what Orthanc's configuration needs.

    The folder is made where it is not there, for Orthanc to read; one that is there keeps its rights. Files of an
    earlier release in it are replaced.
    """
    import shutil

    with one_line():
        settings = load(Settings, config)
    try:
        made = make(copy)
        with as_file(files(PLUGIN)) as folder:
            for path in sorted(folder.iterdir()):
                if path.name not in LEFT_OUT:
                    shutil.copyfile(path, copy / path.name)
                    (copy / path.name).chmod(0o644)
        mode = copy.stat().st_mode
    except OSError as error:
        raise fail(f"--copy: {error.filename or copy} cannot be written ({error.strerror})") from None
    if not made and mode & OTHERS_ENTER != OTHERS_ENTER:
        say(f"{copy}: others may not enter it; if Orthanc runs as another user: chmod o+rx", err=True)
    if settings.host in EVERYWHERE:
        say("MapperUrl: the mapper on this machine; for an Orthanc elsewhere put this machine's name there", err=True)
    section = {"MapperUrl": listening_url(settings.host, settings.port), "Token": TOKEN}
    script = str(copy.absolute() / SCRIPT)
    facts = {"PythonScript": script, "Python": {"AllowThreads": True}, "FhirSync": section}
    for line in json.dumps(facts, indent=2, ensure_ascii=False).splitlines():
        say(line)


def make(folder: Path) -> bool:
    """Make a folder and those above it where they are not there, and tell whether it was made; raises OSError.

    Orthanc runs as another user, and nothing of the plugin is secret: what is made here everybody may enter.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        one.chmod(0o755)
    folder.mkdir(exist_ok=True)  # what is there and no folder is said
    return bool(missing)
