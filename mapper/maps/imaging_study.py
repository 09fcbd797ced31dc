"""ImagingStudy <- DICOM General Study, General Series and SOP Common modules.

This file is the mapping table: read it beside FHIR R4 ImagingStudy > Mappings > DICOM and PS3.3 C.7.2.1, C.7.3.1,
C.12.1. `orthanc-fhir table` prints it into docs/mapping.md.
"""

from typing import Any

from mapper.dicom.study import Instance, Series
from mapper.errors import NotOneStudy
from mapper.fhir.body_site import body_site
from mapper.fhir.coding import code_meaning, codeable_concepts
from mapper.fhir.context import Context
from mapper.fhir.date_time import date_time
from mapper.fhir.human_name import display_name
from mapper.fhir.identifier import accession
from mapper.fhir.laterality import laterality
from mapper.fhir.modality import series_modality, study_modalities
from mapper.fhir.order import accession_orders, encounter, requested_orders
from mapper.fhir.text import text, text_concepts, unsigned_int
from mapper.fhir.uid import sop_class, study_identifier, uid_id
from mapper.maps import rule
from mapper.maps.device import IDENTITY as DEVICE
from mapper.maps.endpoint import endpoint_references
from mapper.maps.patient import ISSUED_ID, issued_reference, own_reference
from mapper.maps.performer import equipment, operators, performing_physicians
from mapper.maps.rule import MUST, Made, MissingElement, Rule, apply

ZONE = "TimezoneOffsetFromUTC"


def study_id(cx: Context, *_: Any) -> str:
    """StudyInstanceUID -> id."""
    return cx.id("ImagingStudy", cx.study.uid)


def source(cx: Context) -> dict[str, str] | None:
    """DICOMweb root -> meta.source: which PACS this comes from."""
    return {"source": cx.site.dicomweb} if cx.site.dicomweb else None


def study_identifiers(cx: Context, *_: Any) -> list[dict[str, Any]]:
    """StudyInstanceUID -> identifier."""
    made = study_identifier(cx, cx.study.uid)
    return [made] if made else []


def accessions(cx: Context, number: Any, issuer: Any) -> list[dict[str, Any]]:
    """AccessionNumber with its issuer -> identifier of type ACSN."""
    made = accession(cx, number, issuer)
    return [made] if made else []


def available(cx: Context) -> str:
    """A study with at least one instance in the PACS is available."""
    return "available"


def person(cx: Context, name: Any) -> dict[str, str] | None:
    """PN -> a person known by name only."""
    shown = display_name(cx, name)
    return {"display": shown} if shown else None


def persons(cx: Context, names: Any) -> list[dict[str, str]]:
    """PNs -> people known by name only."""
    return [made for name in names if (made := person(cx, name))]


def number_of_series(cx: Context) -> int:
    """The series counted: what the PACS holds, not what an attribute says."""
    return len(cx.study.series)


def number_of_instances(cx: Context) -> int:
    """The instances counted: what the PACS holds, not what an attribute says."""
    return cx.study.instances


def instances_of_series(cx: rule.Context) -> int | None:
    """The instances of a series counted."""
    return len(cx.series.instances) if cx.series else None


def other_modality(cx: Context) -> dict[str, str]:
    """R4 demands a modality of every series: OT where it is absent or unreadable."""
    return series_modality(cx, None)


# fmt: off
STUDY = (
    #    FHIR element                              DICOM attribute                                    by
    Rule("ImagingStudy.id",                        "StudyInstanceUID",                                study_id),
    Rule("ImagingStudy.id",                        "",                                                study_id, MUST),
    Rule("ImagingStudy.meta",                      "",                                                source),
    Rule("ImagingStudy.identifier",                "StudyInstanceUID",                                study_identifiers),
    Rule("ImagingStudy.identifier",                "AccessionNumber IssuerOfAccessionNumberSequence", accessions),
    Rule("ImagingStudy.status",                    "",                                                available, MUST),
    Rule("ImagingStudy.modality",                  "ModalitiesInStudy",                               study_modalities),
    Rule("ImagingStudy.subject",                   ISSUED_ID,                                         issued_reference),
    Rule("ImagingStudy.subject",                   "StudyInstanceUID",                                own_reference, MUST),
    Rule("ImagingStudy.encounter",                 "AdmissionID IssuerOfAdmissionIDSequence",         encounter),
    Rule("ImagingStudy.started",                  f"StudyDate StudyTime {ZONE}",                      date_time),
    Rule("ImagingStudy.basedOn",                   "AccessionNumber IssuerOfAccessionNumberSequence", accession_orders),
    Rule("ImagingStudy.basedOn",                   "RequestAttributesSequence*",                      requested_orders),
    Rule("ImagingStudy.basedOn",                   "ReferencedRequestSequence*",                      requested_orders),
    Rule("ImagingStudy.referrer",                  "ReferringPhysicianName",                          person),
    Rule("ImagingStudy.interpreter",               "NameOfPhysiciansReadingStudy*",                   persons),
    Rule("ImagingStudy.endpoint",                  "",                                                endpoint_references),
    Rule("ImagingStudy.numberOfSeries",            "",                                                number_of_series),
    Rule("ImagingStudy.numberOfInstances",         "",                                                number_of_instances),
    Rule("ImagingStudy.procedureCode",             "ProcedureCodeSequence*",                          codeable_concepts),
    Rule("ImagingStudy.reasonCode",                "ReasonForTheRequestedProcedure",                  text_concepts),
    Rule("ImagingStudy.reasonCode",                "ReasonForPerformedProcedureCodeSequence*",        codeable_concepts),
    Rule("ImagingStudy.description",               "StudyDescription",                                text),
)
SERIES = (
    Rule("ImagingStudy.series.uid",                "SeriesInstanceUID",                               uid_id, MUST),
    Rule("ImagingStudy.series.number",             "SeriesNumber",                                    unsigned_int),
    Rule("ImagingStudy.series.modality",           "Modality",                                        series_modality),
    Rule("ImagingStudy.series.modality",           "",                                                other_modality, MUST),
    Rule("ImagingStudy.series.description",        "SeriesDescription",                               text),
    Rule("ImagingStudy.series.description",        "SeriesDescriptionCodeSequence*",                  code_meaning),
    Rule("ImagingStudy.series.numberOfInstances",  "",                                                instances_of_series),
    Rule("ImagingStudy.series.bodySite",           "AnatomicRegionSequence* BodyPartExamined SharedFunctionalGroupsSequence*", body_site),
    Rule("ImagingStudy.series.laterality",         "Laterality ImageLaterality SharedFunctionalGroupsSequence*", laterality),
    Rule("ImagingStudy.series.started",           f"SeriesDate SeriesTime {ZONE}",                    date_time),
    Rule("ImagingStudy.series.performer",          "PerformingPhysicianName*",                        performing_physicians),
    Rule("ImagingStudy.series.performer",          "OperatorsName*",                                  operators),
    Rule("ImagingStudy.series.performer",          DEVICE,                                            equipment),
)
INSTANCE = (
    Rule("ImagingStudy.series.instance.uid",       "SOPInstanceUID",                                  uid_id, MUST),
    Rule("ImagingStudy.series.instance.sopClass",  "SOPClassUID",                                     sop_class, MUST),
    Rule("ImagingStudy.series.instance.number",    "InstanceNumber",                                  unsigned_int),
    Rule("ImagingStudy.series.instance.title",     "DocumentTitle",                                   text),
    Rule("ImagingStudy.series.instance.title",     "ConceptNameCodeSequence*",                        code_meaning),
    Rule("ImagingStudy.series.instance.title",     "ContentDescription",                              text),
    Rule("ImagingStudy.series.instance.title",     "ContentLabel",                                    text),
    Rule("ImagingStudy.series.instance.title",     "StructureSetLabel",                               text),
)
# fmt: on
RULES = STUDY + SERIES + INSTANCE


def imaging_study(cx: rule.Context) -> Made:
    """Return the ImagingStudy of a study; raises NotOneStudy when no instance of it can be told in FHIR."""
    made = rule.resource("ImagingStudy", STUDY, cx, cx.study.item)
    listed = cx.study.instances <= cx.site.instance_limit
    series = [one for found in cx.study.series if (one := series_of(cx, found, listed))]
    if not series:
        raise NotOneStudy(f"study {cx.study.uid} has no series that FHIR can express")
    made["series"] = series
    return made


def series_of(cx: rule.Context, series: Series, listed: bool) -> Made | None:
    """Return one series, or None when FHIR cannot express it: it stays counted."""
    cx.series = series
    try:
        made = apply(SERIES, cx, series.item)
        if listed:
            instances = [one for found in series.instances if (one := instance_of(cx, found))]
            if instances:
                made["instance"] = instances
    except MissingElement:
        return None
    finally:
        cx.series = None
    return made


def instance_of(cx: rule.Context, instance: Instance) -> Made | None:
    """Return one instance, or None when FHIR cannot express it: it stays counted."""
    try:
        return apply(INSTANCE, cx, instance.item)
    except MissingElement:
        return None
