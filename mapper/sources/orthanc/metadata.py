"""What Orthanc tells of a study beside its DICOM: its metadata, one of which says when it moved."""

from mapper.errors import AnswerTooLarge
from mapper.http.target import Target
from mapper.sources.orthanc.client import OrthancClient
from mapper.sources.orthanc.kept import MOVED_NAME, NUMBER, kept_at

ALL = "/studies/{study}/metadata"


def metadata_of(client: OrthancClient, id: str) -> dict[str, str] | None:
    """Return all metadata of a study, None where there is none: by number, or by name (1.10.1 tells no numbers).

    Where somebody keeps so much there that the answer is too large, those alone that are read.
    """
    try:
        return client.json("GET", Target(ALL, id), dict[str, str], expand="", numeric="")
    except AnswerTooLarge:
        moved = Target(f"{ALL}/{MOVED_NAME}", id)
        told = {MOVED_NAME: text_of(client, moved), NUMBER: text_of(client, kept_at(id))}
        return {name: text for name, text in told.items() if text is not None}


def text_of(client: OrthancClient, target: Target) -> str | None:
    """Return one of them, None where there is none."""
    with client.answer("GET", target, accept="text/plain") as incoming:
        return None if incoming is None else incoming.read().decode(errors="replace")
