"""meta of resources that belong to a de-identified patient or study (PS3.15 annex E, PS3.16 CID 7050).

Never on what is shared with others (Device, Endpoint, Practitioner).
"""

from mapper.fhir.deidentification import methods, security
from mapper.maps.rule import Rule

REMOVED = "PatientIdentityRemoved PatientID ClinicalTrialSubjectID"
METHODS = "DeidentificationMethodCodeSequence* LongitudinalTemporalInformationModified"


def meta(kind: str) -> tuple[Rule, ...]:
    """Return the rows of a resource's meta."""
    return (
        Rule(f"{kind}.meta.security", REMOVED, security),
        Rule(f"{kind}.meta.tag", METHODS, methods),
    )
