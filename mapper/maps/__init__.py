"""The mapping: one Study in, FHIR R4 resources out. Pure: no clock, no network, no server is known here."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mapper.dicom.sr.tree import ROOT
from mapper.dicom.study import Study
from mapper.errors import Problem
from mapper.fhir.bundle import as_entries
from mapper.fhir.contained import referred
from mapper.maps.documents import of_documents
from mapper.maps.rejection import rejection
from mapper.maps.rule import Made, MissingElement, Rule
from mapper.maps.segmentation import SEGMENTS
from mapper.maps.segmentations import of_segmentations
from mapper.maps.silence import Silences
from mapper.maps.silence import of_series as place_of
from mapper.maps.site import Site
from mapper.maps.tables import (
    algorithm,
    authorizer,
    body_structure,
    cad,
    component,
    device,
    diagnostic_report,
    document_reference,
    dose,
    endpoint,
    imaging_study,
    irradiation_event,
    key_objects,
    measurement,
    observation,
    patient,
    phantom,
    practitioner,
    segment,
    service_request,
    verifier,
)
from mapper.maps.values import issuer
from mapper.maps.values.context import READ_BESIDE, READ_BESIDE_OF_INSTANCES, Context

MAPPING_VERSION = "6"
"""Moves with every change of the output: all studies are then mapped anew."""

TABLES: dict[str, tuple[Rule, ...]] = {
    "Patient": patient.RULES,
    "Practitioner": practitioner.RULES,
    "Endpoint": endpoint.RULES,
    "Device": device.RULES,
    "Device (phantom)": phantom.RULES,
    "ServiceRequest": service_request.RULES,
    "ImagingStudy": imaging_study.RULES,
    "Observation": observation.RULES,
}
"""Every mapping table of the attributes of a study, its series and instances, by what it makes."""
OF_DOCUMENTS: dict[str, tuple[Rule, ...]] = {
    "Observation (measurement)": measurement.RULES,
    "Observation (CAD)": cad.RULES,
    "Observation (dose)": dose.RULES,
    "Observation (irradiation event)": irradiation_event.RULES,
    "Observation.component": component.RULES,
    "BodyStructure": body_structure.RULES,
    "BodyStructure (segment)": segment.RULES,
    "Device (algorithm)": algorithm.RULES,
    "Practitioner (authorises)": authorizer.RULES,
    "Practitioner (verifies)": verifier.RULES,
    "DiagnosticReport": diagnostic_report.RULES,
    "DocumentReference": document_reference.RULES + document_reference.ATTACHMENT,
    "DocumentReference (key objects)": key_objects.RULES + key_objects.ATTACHMENT,
}
"""Every mapping table of documents, by what it makes."""
KEYWORDS = frozenset(READ_BESIDE).union(*(row.keywords for rows in TABLES.values() for row in rows))
"""Every DICOM attribute that a row reads of a study or a series."""
INSTANCE_KEYWORDS = frozenset(READ_BESIDE_OF_INSTANCES).union(*(row.keywords for row in imaging_study.INSTANCE))
"""Every DICOM attribute that a row reads of each instance."""
DOCUMENT_KEYWORDS = KEYWORDS.union(ROOT, SEGMENTS, *(row.keywords for rows in OF_DOCUMENTS.values() for row in rows))
"""Every DICOM attribute that is read of a document (mapper.dicom.documents)."""

OWN = frozenset({"DiagnosticReport", "DocumentReference", "ImagingStudy", "Observation"})
"""Types that belong to one study alone; all others are there because something refers to them."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one study became: resources in the order of the Bundle, problems, and its rank among studies."""

    resources: list[Made]
    problems: list[Problem]
    rank: str
    instances: int
    """How many instances the archive holds, those included that a rejection note leaves out."""


def study_to_fhir(study: Study, site: Site, silences: Silences | None = None) -> Mapped:
    """Return the FHIR R4 resources of one study; `silences` is told which rows made nothing, and why.

    Raises NotOneStudy when no series of it can be expressed in FHIR.
    """
    cx = Context(site, study, silences=silences, problems=dict.fromkeys(study.problems))
    left = rejection(study)
    found, contradicted = issuer.patient(cx, left.study)
    cx.study, cx.rejected, cx.in_error = replace(left.study, patient=found), left.rejected, left.in_error
    if contradicted:
        cx.record(issuer.CONTRADICTED)
    for problem in left.problems:
        cx.record(problem)
    if left.words:
        cx.silent(imaging_study.INSTANCE[0], left.words)
    about = imaging_study.imaging_study(cx)
    segments = list(of_segmentations(cx))
    made: dict[tuple[str, str], Made] = {}
    for one in [about, *of_study(cx), *of_series(cx), *of_documents(cx), *segments]:
        made.setdefault(key_of(one), one).fill(one)
    resources = as_entries(of_use(made, set(map(key_of, segments))))
    return Mapped(resources, list(cx.problems), rank(about.get("started")), study.instances)


def of_use(made: dict[tuple[str, str], Made], alone: Collection[tuple[str, str]] = ()) -> list[Made]:
    """Return the study's own resources and what they refer to: what was made for a series that is left out goes.

    `alone` is what stands for itself though nothing refers to it.
    """
    reached = {key: one for key, one in made.items() if one["resourceType"] in OWN or key in alone}
    ahead = list(reached.values())
    while ahead:
        for reference in referred(ahead.pop()):
            kind, _, id = reference.partition("/")
            if (kind, id) in made and (kind, id) not in reached:
                reached[kind, id] = made[kind, id]
                ahead.append(made[kind, id])
    return list(reached.values())


def of_study(cx: Context) -> Iterator[Made]:
    """Yield what the study's own attributes make beside the ImagingStudy."""
    item = cx.study.item
    try:
        yield phantom.phantom(cx, item)
        cx.silent(patient.RULES[0], "the study is of a phantom")
    except MissingElement:
        yield patient.patient(cx, item)
    yield from practitioner.practitioners(cx, item, practitioner.OF_STUDY)
    if cx.in_error:
        cx.silent(observation.RULES[0], "a rejection note says that there should be no such study")
    else:
        yield from observation.observations(cx, item)
    with suppress(MissingElement):
        yield endpoint.endpoint(cx, item)
    if service_request.OPTION in cx.site.options:
        with suppress(MissingElement):
            yield service_request.service_request(cx, item)
    else:
        cx.silent(service_request.RULES[0], f"option {service_request.OPTION} is off")


def of_series(cx: Context) -> Iterator[Made]:
    """Yield what each series makes: people and equipment."""
    for number, series in enumerate(cx.study.series, 1):
        cx.place = place_of(number)
        yield from practitioner.practitioners(cx, series.item, practitioner.OF_SERIES)
    yield from device.devices(cx)


def key_of(resource: Made) -> tuple[str, str]:
    """Return type and id of a resource."""
    return resource["resourceType"], resource["id"]


def rank(started: str | None) -> str:
    """Return `started` as a text whose order is that of time; none is the oldest.

    >>> rank("2024-05-17T09:31:05+02:00")
    '2024-05-17T07:31:05Z'
    """
    if started is None or "T" not in started:
        return started or ""
    try:
        moment = datetime.fromisoformat(started).astimezone(UTC)
    except OverflowError:  # the first and the last day that Python knows
        return started[:10]
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
