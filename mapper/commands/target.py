"""`--to`: where a command over much writes: `-`, `fhir`, or `ndjson:DIR`."""

from pathlib import Path

import typer

STDOUT, FHIR, NDJSON = "-", "fhir", "ndjson"
HELP = "ndjson:DIR, a folder of NDJSON files in the layout of FHIR Bulk Data, a resource a line; - is standard output."


def place(text: str) -> str:
    """Return where to write as it was said; raises BadParameter where it is none of them."""
    if text in (STDOUT, FHIR) or is_folder(text):
        return text
    raise typer.BadParameter("say ndjson:DIR, or what the help names")


def is_folder(text: str) -> bool:
    """Tell whether a text is `ndjson:DIR` with a folder in it."""
    kind, colon, folder = text.partition(":")
    return kind == NDJSON and bool(colon) and bool(folder.strip())


def folder_of(place: str) -> Path | None:
    """Return the folder of `ndjson:DIR`, made where it is absent; None of all else.

    Raises SettingError where it cannot be made.
    """
    from mapper.errors import SettingError

    kind, _, folder = place.partition(":")
    if kind != NDJSON:
        return None
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"--to: {folder} cannot be made ({error.strerror})") from None
    return Path(folder)
