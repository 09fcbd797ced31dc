"""The checkup of an Orthanc, for `doctor`: plugins, ours among them, what DICOMweb leaves out, what gets stable."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from mapper.finding import Finding, limit, ok, problem
from mapper.http.body import decoded
from mapper.http.target import Target
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.client import OrthancClient

PLUGINS, UNKNOWN_SOP_CLASSES = Target("/plugins"), Target("/tools/unknown-sop-class-accepted")
KNOWS_LABEL_MAPS = (1, 12, 7)
"""The Orthanc that is known to know SOP class 1.2.840.10008.5.1.4.1.1.66.7; 1.10.1 does not (tests/live)."""
LOOKED_AT = 100
"""Studies that are looked at."""
DICOM_JSON = "application/dicom+json"
PIXELS = "7FE0"


def plugins(client: OrthancClient) -> Iterator[Finding]:
    """Yield which of the two plugins that we need are not there."""
    there = client.must("GET", PLUGINS, list[str])
    if "dicom-web" not in there:
        yield problem("Orthanc has no DICOMweb plugin", "install orthanc-dicomweb and restart Orthanc")
    if "python" not in there:
        yield limit(
            "Orthanc has no Python plugin, so studies come by polling, without the Explorer button",
            "install orthanc-python and restart Orthanc",
        )


def stability(studies: list[answers.Study]) -> Iterator[Finding]:
    """Yield that nothing gets stable: such studies are left alone."""
    if studies and not any(study.IsStable for study in studies):
        yield limit(
            f"none of the {len(studies)} studies that were looked at is stable yet, and only stable ones are synced",
            "wait for Orthanc's StableAge (in seconds) after the last instance, or lower it",
        )


def sop_classes(client: OrthancClient, version: tuple[int, ...]) -> Iterator[Finding]:
    """Yield that Orthanc refuses what its DICOM library does not know, as it does by default."""
    with client.answer("GET", UNKNOWN_SOP_CLASSES, accept="text/plain") as answer:
        said = answer.read().strip() if answer else b""
    if said == b"0" and version < KNOWS_LABEL_MAPS:
        yield limit(
            "Orthanc before 1.12.7 refuses by C-STORE what it does not know, label map segmentations among it",
            'set "UnknownSopClassAccepted": true if DICOM is sent to it so; what comes over HTTP it takes anyway',
        )


def deletions(counts_needed: bool) -> Iterator[Finding]:
    """Yield that deletions are found by counting."""
    if counts_needed:
        yield limit("Orthanc before 1.12.1 does not date deletions, so instances are counted instead")


def kept(is_extended: bool, lacking: list[str]) -> Iterator[Finding]:
    """Yield whether instances can be read from the database, as a setting wants it (docs/database.md)."""
    if not is_extended:
        yield limit(
            "instances_from_database: Orthanc before 1.12.5, or its database plugin, cannot tell instances so; all are "
            "read by metadata",
            "update Orthanc, or leave the setting out",
        )
    elif lacking:
        yield limit(
            f"instances_from_database: Orthanc keeps no {', '.join(lacking)} of instances; all are read by metadata",
            "name them in ExtraMainDicomTags.Instance (docs/database.md), and restart Orthanc and the mapper",
        )
    else:
        yield ok("instances_from_database: Orthanc keeps all that is read of instances")


def metadata(client: OrthancClient, root: str, study: answers.Study) -> Iterator[Finding]:
    """Yield that DICOMweb leaves attributes out, as it does with another SeriesMetadata than Full."""
    series = next(iter(study.Series), None)
    found = series and client.json("GET", Target("/series/{series}", series), answers.OneSeries)
    if not found or not found.Instances:
        return
    template = f"{root}/studies/{{study}}/series/{{series}}/metadata"
    try:
        target = Target(
            template, study.MainDicomTags.StudyInstanceUID or "", found.MainDicomTags.SeriesInstanceUID or ""
        )
    except ValueError:  # a UID that cannot stand in a URL: another study has to do
        return
    with client.answer("GET", target, accept=DICOM_JSON) as answer:
        sets = decoded(answer.read(), list[dict[str, Any]]) if answer else []
    known = client.json("GET", Target("/instances/{instance}/tags", found.Instances[0]), dict[str, Any]) or {}
    tags = {tag.replace(",", "").upper() for tag in known}
    wanted = {tag for tag in tags if is_standard(tag)}
    if sets and (left_out := len(wanted - max((set(one) for one in sets), key=len))):
        yield problem(
            f"Orthanc's DICOMweb leaves out {left_out} of {len(wanted)} attributes of an instance",
            'set "SeriesMetadata": "Full" in its section DicomWeb, and restart Orthanc',
        )


def is_standard(tag: str) -> bool:
    """Tell whether an attribute is one that any metadata must have: not private, no pixels, no length of a group."""
    group, element = tag[:4], tag[4:]
    return group.isalnum() and int(group, 16) % 2 == 0 and group != PIXELS and element != "0000"


def our_plugin(client: OrthancClient, studies: list[answers.Study]) -> Iterator[Finding]:
    """Yield whether our plugin is there, and whether it reaches a mapper: it is asked for a study, if there is one."""
    for study in islice(studies, 1):
        told = client.json("GET", Target("/fhir-sync/studies/{study}", study.ID), answers.Told)
        if told is None:
            yield limit(
                "our plugin does not run in Orthanc, so studies come by polling, without the Explorer button",
                "set PythonScript, FhirSync.MapperUrl and FhirSync.Token; Orthanc's log says what it misses",
            )
        elif told.state == "unreachable":
            yield problem("our plugin in Orthanc reaches no mapper", told.message or "see Orthanc's log")
        else:
            yield ok("our plugin runs in Orthanc and reaches the mapper")
