"""ImagingStudy.identifier <- what somebody keeps for a study beside its DICOM: a dataset's identifiers (docs/sparc.md).

No attribute holds them (FHIR R4 ImagingStudy.identifier): the source hands them over with the study.
"""

from mapper.maps.rule import Made, Rule
from mapper.maps.values.context import Context


def kept_identifiers(cx: Context) -> list[dict[str, str]]:
    """What is kept for the study beside its DICOM -> Identifiers with use secondary."""
    return [{"use": "secondary", "system": system, "value": value} for system, value in cx.study.identifiers]


RULES = (Rule("ImagingStudy.identifier", "", kept_identifiers),)


def keep(cx: Context, study: Made) -> None:
    """Add to an ImagingStudy the identifiers that are kept for its study."""
    (rule,) = RULES
    if kept := kept_identifiers(cx):
        study.setdefault("identifier", []).extend(kept)
        study.rules.setdefault("identifier", []).extend([rule] * len(kept))
