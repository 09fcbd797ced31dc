"""meta of resources that belong to a de-identified patient or study (PS3.15 annex E, PS3.16 CID 7050).

Never on what is shared with others (Device, Endpoint, Practitioner), and on a Patient only when nobody else's
studies can share it.
"""

from mapper.maps.rule import Converter, Rule
from mapper.maps.values.deidentification import methods, methods_of_patient, security, security_of_patient

REMOVED = "PatientIdentityRemoved PatientID? ClinicalTrialSubjectID?"
METHODS = "DeidentificationMethodCodeSequence*? LongitudinalTemporalInformationModified?"


def meta(kind: str, label: Converter = security, tags: Converter = methods) -> tuple[Rule, ...]:
    """Return the rows of a resource's meta."""
    return (
        Rule(f"{kind}.meta.security", REMOVED, label),
        Rule(f"{kind}.meta.tag", METHODS, tags),
    )


def meta_of_patient(kind: str) -> tuple[Rule, ...]:
    """Return the rows of a Patient's meta."""
    return meta(kind, security_of_patient, methods_of_patient)
