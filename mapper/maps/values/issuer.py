"""Who assigned a study's PatientID, where its data sets do not say the same (PS3.3 C.7.1.1).

The id is the first one in canonical order; its issuer is the best that any data set states for that id: qualifiers
before a name before none. A data set without an issuer does not make the patient another one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mapper.dicom.characters import composed
from mapper.dicom.item import Item
from mapper.dicom.study import PATIENT, Study
from mapper.errors import Problem
from mapper.maps.values.authority import first_item, local_system, universal_system
from mapper.maps.values.context import Context
from mapper.maps.values.text import as_text

CONTRADICTED = Problem(
    "ImagingStudy.subject",
    "PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence",
    "data sets name other issuers of the id, or unreadable ones: the first of those that say most speaks",
)
BY_QUALIFIERS, BY_NAME, UNREADABLE, NOBODY = range(4)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one data set states about the issuer of the study's PatientID."""

    item: Item
    strength: int = NOBODY
    name: str | None = None
    qualifiers: str | None = None
    """The qualifiers as they came, where they name a system."""
    system: str | None = None
    broken: bool = False
    """It states an issuer that cannot be read."""

    def contradicts(self, other: "Claim") -> bool:
        """Tell whether two data sets name different issuers; what only one of them states is no difference."""
        if self.system is None or other.system is None:
            return False
        pairs = [(self.name, other.name), (self.qualifiers, other.qualifiers)]
        both = [pair for pair in pairs if None not in pair]
        return any(one != another for one, another in both or [(self.system, other.system)])


def patient(cx: Context, study: Study) -> tuple[Item | None, bool]:
    """Return the data set that says best who the patient is, and whether others contradict it."""
    claims = [claim(cx, item) for item in of_patient(study)]
    if not claims:
        return None, False
    best = min(claims, key=lambda one: one.strength)  # of several the first in canonical order
    return best.item, any(one is not best and (one.broken or one.contradicts(best)) for one in claims)


def of_patient(study: Study) -> Iterator[Item]:
    """Yield the data sets that hold the study's PatientID, those that say the same of it once."""
    wanted: str | None = None
    seen = set()
    unreadable = []
    for series in study.series:
        for instance in series.instances:
            known = tuple(id(instance.item.element(keyword)) for keyword in PATIENT)
            if known in seen:
                continue
            seen.add(known)
            try:
                value = as_text(instance.item["PatientID"])
            except ValueError:
                unreadable.append(instance.item)
                continue
            wanted = wanted or value
            if value is not None and composed(value) == composed(wanted or ""):
                yield instance.item
    if wanted is None:
        yield from unreadable


def claim(cx: Context, item: Item) -> Claim:
    """Return what a data set states about the issuer of its PatientID."""
    try:
        qualifiers = first_item(cx, item.values("IssuerOfPatientIDQualifiersSequence"))
        name = composed(as_text(item["IssuerOfPatientID"]) or "") or None
        universal = universal_system(cx, qualifiers, "patient")
    except ValueError:
        return Claim(item, UNREADABLE, broken=True)
    if universal:
        return Claim(item, BY_QUALIFIERS, name, qualifiers.canonical(), universal)
    broken = qualifiers["UniversalEntityID"] is not None
    if name:
        return Claim(item, BY_NAME, name, None, local_system(cx, name, "patient"), broken)
    return Claim(item, UNREADABLE if broken else NOBODY, broken=broken)
