"""What Orthanc keeps for us with a study: identifiers that no DICOM attribute holds, as user metadata.

A number, not the name of it that `UserMetadata` in orthanc.json gives: an Orthanc that was not told the name knows
the number. Overwriting the one instance of a study takes its metadata away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec

from mapper.dicom.characters import clean
from mapper.dicom.study import Study
from mapper.errors import Problem
from mapper.http.target import Target

NUMBER, NAME = "5290", "FhirIdentifiers"
MOVED, MOVED_NAME = "7", "LastUpdate"
"""The metadata of Orthanc's own that says when a study moved."""
OWN_NAMES = frozenset({MOVED_NAME, "AnonymizedFrom", "MainDicomTagsSignature", "ModifiedFrom"})
"""Those of Orthanc's own that studies have, by name."""
MOST = 64
"""Identifiers of one study."""
LONGEST = 1024
UNREADABLE = Problem(
    "ImagingStudy.identifier", "", f"the user metadata {NUMBER} of the study in Orthanc is no list of identifiers"
)
Identifiers = tuple[tuple[str, str], ...]


class Identifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One identifier, as FHIR R4 writes it."""

    system: str
    value: str


def kept_at(id: str) -> Target:
    """Return where it stands at a study with this id of Orthanc's."""
    return Target("/studies/{study}/metadata/{metadata}", id, NUMBER)


def kept_in(metadata: Mapping[str, str]) -> str | None:
    """Return it from all metadata of a study, None where there is none."""
    return metadata.get(NAME, metadata.get(NUMBER))


def moved_in(metadata: Mapping[str, str]) -> str:
    """Return LastUpdate from all metadata of a study, empty where Orthanc has none."""
    return metadata.get(MOVED, metadata.get(MOVED_NAME, ""))


def is_named_otherwise(metadata: Mapping[str, str]) -> bool:
    """Tell whether what is kept may stand among all metadata of a study under a name that somebody else gave it."""
    if not {MOVED, NUMBER, NAME}.isdisjoint(metadata):
        return False
    return any(name not in OWN_NAMES and not name.isdecimal() for name in metadata)


def read(text: str | None) -> Identifiers:
    """Return the identifiers; raises ValueError when it holds something else."""
    if text is None:
        return ()
    try:
        found = msgspec.json.decode(text.encode(), type=list[Identifier])
    except msgspec.MsgspecError:
        raise ValueError("no list of identifiers") from None
    for one in found:
        if any(not said or len(said) > LONGEST or clean(said) != said for said in (one.system, one.value)):
            raise ValueError("no identifier")
        if ":" not in one.system or " " in one.system:
            raise ValueError("no system")
    if len(found) > MOST:
        raise ValueError("too many identifiers")
    return tuple((one.system, one.value) for one in found)


def written(identifiers: Iterable[tuple[str, str]]) -> str:
    """Return identifiers as they are kept."""
    return msgspec.json.encode([Identifier(*one) for one in identifiers]).decode()


def identified(study: Study, text: str | None) -> Study:
    """Return a study with the identifiers that are kept for it; something else there is a problem of the study."""
    try:
        found = read(text)
    except ValueError:
        return replace(study, problems=(*study.problems, UNREADABLE))
    return replace(study, identifiers=found) if found else study
