"""What FHIR should hold, by a fresh mapping of what Orthanc holds now; and how what it does hold differs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mapper.configuration import PREFIX, load
from mapper.errors import StudyGone, TwoPatients
from mapper.fhir.bundle import dump
from mapper.fhir.systems import OID_URN
from mapper.namespace import namespace_of
from mapper.service import mapping_of
from mapper.settings import Settings
from mapper.sinks.sink import DERIVED, study_uids
from mapper.wiring import orthanc_of, site_of
from stack import FhirServer, Mapper
from tests.support.stack import entries, references, session

Json = dict[str, Any]
TYPES = (*DERIVED, "ImagingStudy", "Patient", "Practitioner", "Device", "Endpoint", "ServiceRequest", "BodyStructure")
GONE = {"DocumentReference": "entered-in-error"}
"""The status of what is gone, where R4 has no `unknown`."""
MANY = frozenset({"Observation", "Endpoint", "BodyStructure"})
"""Types of which several may have one identifier: a lesion's Tracking UID is known in one patient only."""
SERVERS_OWN = frozenset({"versionId", "lastUpdated"})


@dataclass
class Truth:
    """What the sources hold, mapped: resources by reference, and the studies that nobody can read."""

    studies: dict[str, str] = field(default_factory=dict)
    """Reference of the ImagingStudy by StudyInstanceUID."""
    resources: dict[str, Json] = field(default_factory=dict)
    parked: set[str] = field(default_factory=set)
    """StudyInstanceUIDs under two PatientIDs."""
    filed_twice: set[str] = field(default_factory=set)
    """StudyInstanceUIDs with a report that a study of another patient has too: whichever came second is parked."""
    ranks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Who speaks for each resource: several studies make a patient, and what one report says that both hold."""


def truth_of(mapper: Mapper) -> Truth:
    """Read everything that the mapper's Orthanc holds, and map it as the mapper should."""
    found = Truth()
    settings = settings_of(mapper)
    (one,) = settings.all_sources
    site = site_of(settings, one, namespace_of(settings, make=True))
    patients, makers = dict[str, set[str]](), dict[str, list[str]]()
    source, mapping = orthanc_of(one, settings), mapping_of({one.name: site})
    for uid in sorted({sighting.study_uid for sighting in source.listing()}):
        try:
            reading = source.read_again(uid, [], "")
        except TwoPatients:
            found.parked.add(uid)
            continue
        except StudyGone:
            continue
        mapped = mapping(reading, source)
        patients[uid] = {made["id"] for made in mapped.resources if made["resourceType"] == "Patient"}
        for resource in json.loads(dump(mapped.resources)):
            reference = f"{resource['resourceType']}/{resource['id']}"
            if resource["resourceType"] == "ImagingStudy":
                found.studies[uid] = reference
            makers.setdefault(reference, []).append(uid)
            if (mapped.rank, uid) >= found.ranks.get(reference, ("", "")):
                found.ranks[reference] = mapped.rank, uid
                found.resources[reference] = resource
    for reference, uids in makers.items():
        of_several = reference.partition("/")[0] in DERIVED and len({*map(frozenset, map(patients.get, uids))}) > 1
        found.filed_twice |= set(uids) if of_several else set()
    return found


def settings_of(mapper: Mapper) -> Settings:
    """Return the settings of a mapper as it reads them."""
    given = {name.removeprefix(PREFIX).lower(): value for name, value in mapper.environment().items()}
    read = {name: json.loads(value) if value.startswith("[") else value for name, value in given.items()}
    return load(Settings, **{name: value for name, value in read.items() if name in Settings.model_fields})


def held_by(fhir: FhirServer) -> dict[str, Json]:
    """Return everything that a FHIR server holds, by reference."""
    http = session()
    found = (one for kind in TYPES for one in entries(http, f"{fhir.url}/{kind}", {"_count": "500"}))
    return {f"{one['resourceType']}/{one['id']}": one for one in found}


def versions(held: dict[str, Json]) -> dict[str, str]:
    """Return `meta.versionId` of everything, by reference."""
    return {reference: one["meta"]["versionId"] for reference, one in held.items()}


def differences(truth: Truth, held: dict[str, Json], before: frozenset[str] = frozenset()) -> list[str]:
    """Return what is wrong in FHIR, a line each; what it held `before` the walks is left alone."""
    ours = {reference: one for reference, one in held.items() if reference not in before}
    doubtful = {r for one in ours.values() if truth.parked.intersection(studies_of(one, ours)) for r in references(one)}
    return [
        *missing(truth, ours, doubtful),
        *strange(truth, ours),
        *twice(ours),
        *dangling(held, ours),
    ]


def missing(truth: Truth, ours: dict[str, Json], doubtful: set[str]) -> Iterator[str]:
    """Yield what should be there and is not, or not so."""
    for reference, wanted in truth.resources.items():
        if truth.ranks[reference][1] in truth.filed_twice:
            continue
        if reference not in ours:
            yield f"missing: {reference}"
        elif reference not in doubtful:
            for path in unlike(wanted, bare(ours[reference])):
                yield f"differs: {reference} {path}{speaker(truth, reference)}"


def speaker(truth: Truth, reference: str) -> str:
    """Name the study that speaks for a shared resource."""
    return f" (should speak: {' '.join(truth.ranks[reference])})" if reference in truth.ranks else ""


def strange(truth: Truth, ours: dict[str, Json]) -> Iterator[str]:
    """Yield what says that it is there although its study is not."""
    for reference, one in ours.items():
        if reference in truth.resources or truth.parked.intersection(studies_of(one, ours)):
            continue
        if one["resourceType"] == "ImagingStudy" and one["status"] != "unknown":
            yield f"strange: {reference} is {one['status']}, {study_uids(one)}"
        if one["resourceType"] == "ImagingStudy" and "endpoint" in one:
            yield f"strange: {reference} is gone and has an endpoint"
        if one["resourceType"] in DERIVED and one["status"] != GONE.get(one["resourceType"], "unknown"):
            yield f"strange: {reference} is {one['status']}, of {sorted(studies_of(one, ours))}"


def studies_of(one: Json, ours: dict[str, Json]) -> set[str]:
    """Return the StudyInstanceUIDs of what a resource is, is derived from, or is part of."""
    named = [it["value"] for it in one.get("identifier", []) if it.get("system", "").endswith("/study")]
    found = [value.removeprefix(OID_URN) for value in named]
    found += study_uids(one) if one["resourceType"] == "ImagingStudy" else []
    for part in one.get("partOf", []):
        found += study_uids(ours.get(part["reference"], {}))
    return set(found)


def twice(ours: dict[str, Json]) -> Iterator[str]:
    """Yield identifiers that two resources of one type have."""
    owners: dict[str, str] = {}
    for reference, one in ours.items():
        for identifier in one.get("identifier", []):
            if one["resourceType"] in MANY or not identifier.get("system") or identifier["system"].endswith("/study"):
                continue
            key = f"{one['resourceType']} {identifier['system']}|{identifier.get('value')}"
            if owners.setdefault(key, reference) != reference:
                yield f"twice: {key}: {owners[key]} and {reference}"


def dangling(held: dict[str, Json], ours: dict[str, Json]) -> Iterator[str]:
    """Yield references that lead nowhere, of available studies and of what is part of them."""
    shown = {reference for reference, one in ours.items() if one.get("status") == "available"}
    for reference, one in ours.items():
        parts = {part["reference"] for part in one.get("partOf", [])}
        if reference in shown or parts & shown or one.get("status") in ("final", "current", "preliminary"):
            for target in references(one):
                if target not in held:
                    yield f"dangling: {reference} -> {target}"


def bare(resource: Json) -> Json:
    """Return a resource without what the server adds."""
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in SERVERS_OWN}
    meta["source"] = meta.get("source", "").partition("#")[0]  # HAPI adds the number of the request
    meta = {name: value for name, value in meta.items() if value}
    rest = {name: value for name, value in resource.items() if name != "meta"}
    return {**rest, "meta": meta} if meta else rest


def unlike(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which two JSON values differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name in sorted({*wanted, *found}):
            yield from unlike(wanted.get(name), found.get(name), f"{path}.{name}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from unlike(one, other, f"{path}[{number}]")
    elif wanted != found:
        yield f"{path}: wanted {str(wanted)[:160]}, found {str(found)[:160]}"
