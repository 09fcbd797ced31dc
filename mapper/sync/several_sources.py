"""One study in several sources: one ImagingStudy, the endpoints of all, and one source that speaks for the rest.

The source that holds more instances speaks (of equals the one whose name comes last). A source that says the study
is another patient's is parked: the stored study stays as it is.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from mapper.errors import OtherPatient
from mapper.fhir.resource import Key, Resource, key_of
from mapper.ledger.claim import Claim
from mapper.ledger.known import Known
from mapper.maps import Mapped
from mapper.maps.rule import Made


@dataclass(frozen=True, slots=True)
class United:
    """A study among its sources: what this one is to write."""

    mapped: Mapped
    rank: str
    """How many instances this source holds, those included that a rejection note leaves out."""
    speaks: bool
    """Whether the ImagingStudy says what this source says."""
    asks: bool
    """Whether another source has to speak that does not know it: this one is new, or spoke until now."""


def unite(known: Known, claim: Claim, mapped: Mapped, study: Key) -> United:
    """Return a study as this source may write it; raises OtherPatient."""
    about = next(one for one in mapped.resources if key_of(one) == study)
    rank = f"{mapped.instances:08d}"
    others = [one for one in known.siblings if not one.is_of(claim)]
    if not others:
        return United(mapped, rank, speaks=True, asks=False)
    patients = {id for kind, id in known.elsewhere if kind == "Patient"}
    if patients and patients.isdisjoint(one["id"] for one in mapped.resources if one["resourceType"] == "Patient"):
        raise OtherPatient(f"study {claim.study_uid} belongs to another patient in another source")
    endpoints = {f"Endpoint/{id}" for kind, id in known.elsewhere if kind == "Endpoint"}
    endpoints |= {one["reference"] for one in about.get("endpoint", [])}
    united = with_endpoints(about, sorted(endpoints))
    speaks = not any(other.order > (rank, claim.study_uid, claim.source) for other in others)
    everything = [united if key_of(one) == study else one for one in mapped.resources]
    new = len(others) == len(known.siblings)
    asks = not speaks and (new or max(known.siblings, key=lambda one: one.order).is_of(claim))
    return United(replace(mapped, resources=everything), rank, speaks, asks)


def endpoints_elsewhere(about: Resource, shared: Iterable[Resource]) -> list[Key]:
    """Return the endpoints of other sources at which an ImagingStudy is to be had."""
    ours = set(map(key_of, shared))
    endpoints = (("Endpoint", one["reference"].partition("/")[2]) for one in about.get("endpoint", []))
    return [key for key in endpoints if key not in ours]


def without(resources: Iterable[Resource], endpoints: Collection[Key]) -> list[Resource]:
    """Return resources that refer to none of these endpoints."""
    gone = {"/".join(key) for key in endpoints}
    kept: list[Resource] = []
    for one in resources:
        left = [each for each in one.get("endpoint", []) if each["reference"] not in gone]
        rest = {name: value for name, value in one.items() if name != "endpoint"}
        kept.append({**rest, "endpoint": left} if left else rest)
    return kept


def with_endpoints(study: Made, references: Iterable[str]) -> Made:
    """Return an ImagingStudy that is to be had at these endpoints."""
    made = Made()
    made.update(study)
    made.rules.update(study.rules)
    made["endpoint"] = [{"reference": reference} for reference in references]
    return made
