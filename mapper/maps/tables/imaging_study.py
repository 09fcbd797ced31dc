"""ImagingStudy <- DICOM General Study, General Series and SOP Common modules.

This file is the mapping table: read it beside FHIR R4 ImagingStudy > Mappings > DICOM and PS3.3 C.7.2.1, C.7.3.1,
C.12.1. `orthanc-fhir table` prints it into docs/mapping.md.
"""

from typing import Any

from mapper.dicom.study import Instance, Series
from mapper.errors import NotOneStudy, Problem
from mapper.maps import engine, keys, silence
from mapper.maps.rule import MUST, Made, MissingElement, Rule, many
from mapper.maps.tables.deidentified import meta
from mapper.maps.tables.device import IDENTITY as DEVICE
from mapper.maps.tables.device import equipment
from mapper.maps.tables.endpoint import endpoint_reference
from mapper.maps.tables.kept import keep
from mapper.maps.tables.practitioner import OPERATING, PERFORMING, READING, REFERRING
from mapper.maps.tables.service_request import ACCESSION, OPTION, order_id
from mapper.maps.tables.subject import subject
from mapper.maps.values.body_site import body_site
from mapper.maps.values.coding import code_meaning, codeable_concepts
from mapper.maps.values.context import Context
from mapper.maps.values.count import instances_of_series, number_of_instances, number_of_series
from mapper.maps.values.date_time import date_time
from mapper.maps.values.laterality import laterality
from mapper.maps.values.modality import modality_of_series, series_modality, study_modalities
from mapper.maps.values.order import accession_order, encounter, filler_order, placer_order, requested_orders
from mapper.maps.values.order_number import accession
from mapper.maps.values.person import operating, people, performing, referrer
from mapper.maps.values.request import requested_descriptions, requested_procedures, requested_reasons
from mapper.maps.values.specimen import specimens
from mapper.maps.values.text import as_text, display_reference, text, text_concepts, unsigned_int
from mapper.maps.values.uid import sop_class, study_identifier, uid_id

ZONE = "TimezoneOffsetFromUTC"


def study_id(cx: Context, *_: Any) -> str:
    """StudyInstanceUID -> id: one study is one ImagingStudy, whoever sends it."""
    return cx.id(*keys.imaging_study(cx.study.uid))


def source(cx: Context) -> str | None:
    """DICOMweb root: which PACS this comes from."""
    return cx.site.dicomweb


def uid_of_study(cx: Context, *_: Any) -> dict[str, Any] | None:
    """StudyInstanceUID -> Identifier with its type, DCM 110180."""
    return study_identifier(cx, cx.study.uid)


def status(cx: Context) -> str:
    """A study with an instance in the PACS is available, one that a rejection note takes back whole is in error."""
    return "entered-in-error" if cx.in_error else "available"


def number_of_study(cx: Context, value: Any) -> dict[str, str] | None:
    """StudyID -> Identifier without a system: it is not unique."""
    number = as_text(value)
    return {"value": number} if number else None


def order_stub(cx: Context, *issued: Any) -> dict[str, str] | None:
    """AccessionNumber with its issuer -> Reference to the stub of the order."""
    id = order_id(cx, *issued)
    return {"reference": f"ServiceRequest/{id}"} if id else None


def note(cx: Context, comments: Any) -> dict[str, str] | None:
    """StudyComments (retired) -> Annotation without author and time: nobody knows them."""
    said = as_text(comments)
    return {"text": said} if said else None


def image_type(cx: Context, values: Any) -> str | None:
    """ImageType -> its values as DICOM writes them."""
    return "\\".join(values) or None


def other_modality(cx: Context) -> dict[str, str]:
    """R4 demands a modality of every series: OT where it is absent or unreadable."""
    return series_modality(cx, None)


# fmt: off
STUDY = (
    #    FHIR element                              DICOM attribute                                    by
    Rule("ImagingStudy.id",                        "StudyInstanceUID",                                study_id, MUST),
    Rule("ImagingStudy.meta.source",               "",                                                source),
    *meta("ImagingStudy"),
    Rule("ImagingStudy.identifier",                "StudyInstanceUID",                                many(uid_of_study)),
    Rule("ImagingStudy.identifier",                ACCESSION,                                         many(accession)),
    Rule("ImagingStudy.identifier",                "StudyID",                                         many(number_of_study), option="study_id"),
    Rule("ImagingStudy.status",                    "",                                                status, MUST),
    Rule("ImagingStudy.modality",                  "ModalitiesInStudy",                               study_modalities),
    *subject("ImagingStudy.subject"),
    Rule("ImagingStudy.encounter",                 "AdmissionID IssuerOfAdmissionIDSequence*",        encounter),
    Rule("ImagingStudy.started",                  f"StudyDate StudyTime? {ZONE}?",                    date_time),
    Rule("ImagingStudy.basedOn",                   ACCESSION,                                         many(order_stub), option=OPTION),
    Rule("ImagingStudy.basedOn",                   ACCESSION,                                         many(accession_order), otherwise=True),
    Rule("ImagingStudy.basedOn",                   "RequestAttributesSequence**",                     requested_orders),
    Rule("ImagingStudy.basedOn",                   "ReferencedRequestSequence**",                     requested_orders),
    Rule("ImagingStudy.basedOn",                   "PlacerOrderNumberImagingServiceRequest OrderPlacerIdentifierSequence*", many(placer_order)),
    Rule("ImagingStudy.basedOn",                   "FillerOrderNumberImagingServiceRequest OrderFillerIdentifierSequence*", many(filler_order)),
    Rule("ImagingStudy.referrer",                  REFERRING,                                         referrer),
    Rule("ImagingStudy.interpreter",               READING,                                           people),
    Rule("ImagingStudy.endpoint",                  "",                                                many(endpoint_reference)),
    Rule("ImagingStudy.numberOfSeries",            "",                                                number_of_series),
    Rule("ImagingStudy.numberOfInstances",         "",                                                number_of_instances),
    Rule("ImagingStudy.procedureCode",             "ProcedureCodeSequence*",                          codeable_concepts),
    Rule("ImagingStudy.procedureCode",             "RequestedProcedureCodeSequence*",                 codeable_concepts, otherwise=True),
    Rule("ImagingStudy.procedureCode",             "RequestAttributesSequence**",                     requested_procedures, otherwise=True),
    Rule("ImagingStudy.procedureCode",             "RequestedProcedureDescription",                   text_concepts, otherwise=True),
    Rule("ImagingStudy.procedureCode",             "RequestAttributesSequence**",                     requested_descriptions, otherwise=True),
    Rule("ImagingStudy.location",                  "InstitutionalDepartmentName",                     display_reference),
    Rule("ImagingStudy.location",                  "PerformedLocation",                               display_reference),
    Rule("ImagingStudy.reasonCode",                "ReasonForTheRequestedProcedure",                  text_concepts),
    Rule("ImagingStudy.reasonCode",                "ReasonForRequestedProcedureCodeSequence*",        codeable_concepts),
    Rule("ImagingStudy.reasonCode",                "RequestAttributesSequence**",                     requested_reasons),
    Rule("ImagingStudy.reasonCode",                "ReasonForPerformedProcedureCodeSequence*",        codeable_concepts),
    Rule("ImagingStudy.reasonCode",                "AdmittingDiagnosesDescription*",                  text_concepts),
    Rule("ImagingStudy.reasonCode",                "AdmittingDiagnosesCodeSequence*",                 codeable_concepts),
    Rule("ImagingStudy.note",                      "StudyComments",                                   many(note)),
    Rule("ImagingStudy.description",               "StudyDescription",                                text),
)
SERIES = (
    Rule("ImagingStudy.series.uid",                "SeriesInstanceUID",                               uid_id, MUST),
    Rule("ImagingStudy.series.number",             "SeriesNumber",                                    unsigned_int),
    Rule("ImagingStudy.series.modality",           "Modality",                                        modality_of_series),
    Rule("ImagingStudy.series.modality",           "",                                                other_modality, MUST),
    Rule("ImagingStudy.series.description",        "SeriesDescription",                               text),
    Rule("ImagingStudy.series.description",        "SeriesDescriptionCodeSequence*",                  code_meaning),
    Rule("ImagingStudy.series.numberOfInstances",  "",                                                instances_of_series),
    Rule("ImagingStudy.series.bodySite",           "AnatomicRegionSequence*? BodyPartExamined? SharedFunctionalGroupsSequence*? PerFrameFunctionalGroupsSequence*?", body_site),
    Rule("ImagingStudy.series.laterality",         "Laterality? ImageLaterality*? SharedFunctionalGroupsSequence*? PerFrameFunctionalGroupsSequence*?", laterality),
    Rule("ImagingStudy.series.specimen",           "SpecimenDescriptionSequence*",                    specimens),
    Rule("ImagingStudy.series.started",           f"SeriesDate SeriesTime? {ZONE}?",                  date_time),
    Rule("ImagingStudy.series.performer",          PERFORMING,                                        performing),
    Rule("ImagingStudy.series.performer",          OPERATING,                                         operating),
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
    Rule("ImagingStudy.series.instance.title",     "ImageType*",                                      image_type, option="image_type_title"),
)
# fmt: on
RULES = STUDY + SERIES + INSTANCE


def imaging_study(cx: Context) -> Made:
    """Return the ImagingStudy of a study; raises NotOneStudy when no instance of it can be told in FHIR."""
    made = engine.resource(STUDY, cx, cx.study.item, "ImagingStudy")
    keep(cx, made)
    listed = cx.study.instances <= cx.site.instance_limit
    if not listed:
        cx.record(Problem("ImagingStudy.series.instance", "", "more instances than instance_limit: series only"))
    series = [one for number, found in enumerate(cx.study.series, 1) if (one := series_of(cx, found, number, listed))]
    if not series:
        raise NotOneStudy(f"study {cx.study.uid} has no series that FHIR can express")
    made["series"] = series
    return made


def series_of(cx: Context, series: Series, number: int, listed: bool) -> Made | None:
    """Return one series, or None when FHIR cannot express it: it stays counted."""
    cx.series, cx.place = series, silence.of_series(number)
    try:
        made = engine.apply(SERIES, cx, series.item, "ImagingStudy.series")
        if listed:
            cx.place = silence.of_instances(number)
            before: engine.Before | None = {} if cx.silences is None else None  # else each says why it made nothing
            instances = [one for found in series.instances if (one := instance_of(cx, found, before))]
            if instances:
                made["instance"] = instances
    except MissingElement as missing:
        cx.left_out(missing)
        return None
    finally:
        cx.series, cx.place = None, silence.STUDY
    return made


def instance_of(cx: Context, instance: Instance, before: engine.Before | None) -> Made | None:
    """Return one instance, or None when FHIR cannot express it: it stays counted."""
    rows = INSTANCE if before is None else engine.having(INSTANCE, instance.item)
    try:
        return engine.apply(rows, cx, instance.item, "ImagingStudy.series.instance", before)
    except MissingElement as missing:
        cx.left_out(missing)
        return None
