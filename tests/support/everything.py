"""A study in which every attribute that the tables read has a value: what breaks one of them is seen."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.dicom.study import IDENTITY, Study
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.site import Option, Site
from tests.support.datasets import BASE, BERLIN, dataset

ALL = Site(
    base=BASE,
    dicomweb="https://pacs.example.org/dicom-web",
    fhir_public_url="https://fhir.example.org/fhir",
    timezone=BERLIN,
    timezones={"Elsewhere Clinic": "Asia/Tokyo"},
    options=get_args(Option),
    issuers={"HOSP": "urn:oid:1.2.276.0.76.3.1.999"},
)
"""A site that has chosen every option."""


def code(value: str, designator: str, meaning: str) -> dict[str, Any]:
    """Return one item of a code sequence."""
    return {"CodeValue": value, "CodingSchemeDesignator": designator, "CodeMeaning": meaning}


def issuer(number: int) -> dict[str, Any]:
    """Return the issuer of some identifier."""
    return {"UniversalEntityID": f"1.2.276.0.76.3.1.{number}", "UniversalEntityIDType": "ISO"}


def person(number: str) -> dict[str, Any]:
    """Return the identification of one person."""
    return {"PersonIdentificationCodeSequence": code(number, "NPI", "National Provider Identifier")}


REQUEST = {
    "AccessionNumber": "A2024-002",
    "IssuerOfAccessionNumberSequence": issuer(998),
    "ReasonForTheRequestedProcedure": "Dyspnoea",
    "ReasonForRequestedProcedureCodeSequence": code("49727002", "SCT", "Cough"),
    "RequestedProcedureCodeSequence": code("24627-2", "LN", "CT Chest"),
}

PATIENT: dict[str, Any] = {
    "PatientID": "MRN-0042",
    "IssuerOfPatientID": "HOSP",
    "IssuerOfPatientIDQualifiersSequence": issuer(999) | {"IdentifierTypeCode": "MR"},
    "PatientName": "Example^Anna",
    "PatientSex": "F",
    "PatientBirthDate": "19700228",
    "PatientBirthTime": "0815",
    "OtherPatientIDsSequence": {"PatientID": "4711", "TypeOfPatientID": "TEXT", "IssuerOfPatientID": "CLINIC"},
    "OtherPatientNames": "Example^A.",
    "PatientBirthName": "Sample^Anna",
    "PatientMotherBirthName": "Specimen^Berta",
    "PatientTelephoneNumbers": "+49 30 1234",
    "PatientAddress": "Example Street 1",
    "PatientPrimaryLanguageCodeSequence": code("de", "RFC5646", "German"),
    "ResponsiblePerson": "Example^Jane",
    "ResponsiblePersonRole": "OWNER",
    "ResponsibleOrganization": "Example Stables",
    "PatientSpeciesDescription": "Canine",
    "PatientSpeciesCodeSequence": code("448771007", "SCT", "Canis lupus familiaris"),
    "PatientBreedDescription": "Beagle",
    "PatientBreedCodeSequence": code("132558004", "SCT", "Beagle dog breed"),
    "PatientSexNeutered": "ALTERED",
    "QualityControlSubject": "NO",
    "PatientIdentityRemoved": "NO",
    "DeidentificationMethodCodeSequence": code("113100", "DCM", "Basic Application Confidentiality Profile"),
    "LongitudinalTemporalInformationModified": "MODIFIED",
    "ClinicalTrialSubjectID": "S-17",
    "ClinicalTrialProtocolID": "TRIAL-3",
    "PatientSize": "1.68",
    "PatientWeight": "63.5",
    "PatientBodyMassIndex": "22.5",
    "PatientAge": "054Y",
    "PregnancyStatus": 1,
    "LastMenstrualDate": "20240501",
    "SmokingStatus": "NO",
}
STUDY: dict[str, Any] = {
    "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.1",
    "StudyID": "7",
    "StudyDate": "20240517",
    "StudyTime": "093105",
    "TimezoneOffsetFromUTC": "+0200",
    "ModalitiesInStudy": ["CT", "MR"],
    "AccessionNumber": "A2024-001",
    "IssuerOfAccessionNumberSequence": issuer(998),
    "PlacerOrderNumberImagingServiceRequest": "P-1",
    "OrderPlacerIdentifierSequence": issuer(997),
    "FillerOrderNumberImagingServiceRequest": "F-1",
    "OrderFillerIdentifierSequence": issuer(996),
    "RequestAttributesSequence": REQUEST,
    "ReferencedRequestSequence": REQUEST | {"AccessionNumber": "A2024-003"},
    "AdmissionID": "V-1",
    "IssuerOfAdmissionIDSequence": issuer(995),
    "ReferringPhysicianName": "Weber^Karl",
    "ReferringPhysicianIdentificationSequence": person("1234567893"),
    "NameOfPhysiciansReadingStudy": "Reader^Rita",
    "PhysiciansReadingStudyIdentificationSequence": person("1234567894"),
    "RequestingPhysician": "Asker^Anton",
    "ProcedureCodeSequence": code("24627-2", "LN", "CT Chest"),
    "RequestedProcedureCodeSequence": code("ABC1", "99HOSP", "Local chest protocol"),
    "RequestedProcedureDescription": "CT of the chest",
    "CodingSchemeIdentificationSequence": {
        "CodingSchemeDesignator": "99HOSP",
        "CodingSchemeUID": "1.2.276.0.76.3.1.994",
    },
    "InstitutionalDepartmentName": "Radiology",
    "PerformedLocation": "Room 2",
    "ReasonForTheRequestedProcedure": "Cough",
    "ReasonForRequestedProcedureCodeSequence": code("49727002", "SCT", "Cough"),
    "ReasonForPerformedProcedureCodeSequence": code("267036007", "SCT", "Dyspnea"),
    "AdmittingDiagnosesDescription": "Pneumonia?",
    "AdmittingDiagnosesCodeSequence": code("J18.9", "I10", "Pneumonia, unspecified"),
    "StudyComments": "Breath hold was short",
    "StudyDescription": "CT Thorax nativ",
}
SERIES: dict[str, Any] = {
    "BodyPartExamined": "CHEST",
    "AnatomicRegionSequence": code("51185008", "SCT", "Chest"),
    "SharedFunctionalGroupsSequence": {"FrameAnatomySequence": {"FrameLaterality": "R"}},
    "PerFrameFunctionalGroupsSequence": [
        {
            "FrameAnatomySequence": {
                "FrameLaterality": "L",
                "AnatomicRegionSequence": code("39607008", "SCT", "Lung"),
            }
        }
    ]
    * 2,
    "SeriesDescription": "Lung 1.0",
    "SeriesDescriptionCodeSequence": code("99", "99HOSP", "Lung kernel"),
    "SeriesDate": "20240517",
    "SeriesTime": "093210",
    "AcquisitionDate": "20240517",
    "AcquisitionTime": "093211",
    "ContentDate": "20240517",
    "ContentTime": "093212",
    "Laterality": "R",
    "SpecimenDescriptionSequence": {"SpecimenIdentifier": "SP-1"},
    "PerformingPhysicianName": "Roth^Eva",
    "PerformingPhysicianIdentificationSequence": person("1234567895"),
    "OperatorsName": "Tech^Tom",
    "OperatorIdentificationSequence": person("1234567896"),
    "InstitutionName": "General Hospital",
}
INSTANCE: dict[str, Any] = {
    "ImageLaterality": "R",
    "DocumentTitle": "A title",
    "ConceptNameCodeSequence": code("18748-4", "LN", "Diagnostic imaging study"),
    "ContentDescription": "What it shows",
    "ContentLabel": "LABEL",
    "StructureSetLabel": "Structures",
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
}
MACHINES = {"CT": ("ACME Medical", "Scan 5000", "CT01"), "MR": ("Other Vendor", "Coil 3", "MR01")}
SOP_CLASS = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4"}


def instances(**changed: Any) -> list[dict[str, Any]]:
    """Return a CT and an MR series of two instances each as DICOM JSON; `changed` holds in all of them."""
    made = []
    for number, (modality, (manufacturer, model, station)) in enumerate(MACHINES.items(), 1):
        series_uid = f"{STUDY['StudyInstanceUID']}.{number}"
        for image in (1, 2):
            own = {
                "SOPClassUID": SOP_CLASS[modality],
                "SeriesInstanceUID": series_uid,
                "SOPInstanceUID": f"{series_uid}.{image}",
                "SeriesNumber": number,
                "InstanceNumber": image,
                "Modality": modality,
                "Manufacturer": manufacturer,
                "ManufacturerModelName": model,
                "StationName": station,
                "DeviceSerialNumber": f"SN-{number}",
                "DeviceUID": f"1.2.276.0.76.3.2.{number}",
                "SoftwareVersions": [f"V{number}", "B2"],
                "UDISequence": {"UniqueDeviceIdentifier": f"(01)0000{number}"},
            }
            made.append(dataset(**PATIENT | STUDY | SERIES | INSTANCE | own | changed))
    return made


HUMAN = dict.fromkeys(key for key in PATIENT if key.startswith(("PatientSpecies", "PatientBreed")))
"""A data set that names neither species nor breed."""
PHANTOM = {"BodyPartExamined": "PHANTOM", "PatientBirthDate": None, "PatientID": "QC1"}
UNTITLED = dict.fromkeys(("DocumentTitle", "ConceptNameCodeSequence", "ContentDescription"))
SECOND_CHOICES = HUMAN | dict.fromkeys(
    (
        "StudyDate",
        "SeriesDate",
        "AcquisitionDate",
        "TimezoneOffsetFromUTC",
        "IssuerOfPatientIDQualifiersSequence",
        "Laterality",
        "SharedFunctionalGroupsSequence",
        "AnatomicRegionSequence",
        "ProcedureCodeSequence",
        "RequestedProcedureCodeSequence",
        "RequestAttributesSequence",
        "InstitutionalDepartmentName",
        "SeriesDescription",
        "DocumentTitle",
        "DeviceUID",
    )
)
"""Without what is preferred, so that what stands behind it speaks."""
VARIANTS: dict[str, dict[str, Any]] = {
    "everything": {},
    "a human": HUMAN,
    "second choices": SECOND_CHOICES,
    "a phantom": {"QualityControlSubject": "YES"},
    "a phantom by its PatientID": PHANTOM,
    "de-identified": {"PatientIdentityRemoved": "YES", "IssuerOfPatientIDQualifiersSequence": None},
    "de-identified, without an issuer": {
        "PatientIdentityRemoved": "YES",
        "IssuerOfPatientID": None,
        "IssuerOfPatientIDQualifiersSequence": None,
    },
    "pregnancy unknown": {"PregnancyStatus": 4, "StudyDate": None, "SeriesDate": None, "AcquisitionDate": None},
    "no code for the request": {"RequestedProcedureCodeSequence": None, "ProcedureCodeSequence": None},
    "only the request has a code": {"ProcedureCodeSequence": None},
    "only the request of a series has words": {
        "ProcedureCodeSequence": None,
        "RequestedProcedureCodeSequence": None,
        "RequestedProcedureDescription": None,
        "RequestAttributesSequence": {"RequestedProcedureDescription": "CT of the chest"},
    },
    "only frames say where": dict.fromkeys(
        (
            "Laterality",
            "ImageLaterality",
            "AnatomicRegionSequence",
            "BodyPartExamined",
            "SharedFunctionalGroupsSequence",
        )
    ),
    "no title": UNTITLED,
    "a description for a title": {"DocumentTitle": None, "ConceptNameCodeSequence": None},
    "structures for a title": UNTITLED | {"ContentLabel": None},
    "no label": UNTITLED | {"ContentLabel": None, "StructureSetLabel": None},
    "the date of the series": {"StudyDate": None},
    "the date of acquisition": {"StudyDate": None, "SeriesDate": None},
    "no PatientID": {"PatientID": None},
    "a phantom without PatientID": {"QualityControlSubject": "YES", "PatientID": None},
    "a modality that is no text": {"Modality": {}},
    "orders live elsewhere": {},
    "no zone": {"TimezoneOffsetFromUTC": None, "InstitutionName": "Elsewhere Clinic"},
    "nothing but UIDs": dict.fromkeys(KEYWORDS - {*IDENTITY, "SeriesInstanceUID"}),
}
"""What is different from a study that has everything; together every row has something to do."""

WITHOUT = {"orders live elsewhere": "order_stub"}
"""The option that the site of a variant has not chosen."""


def variants() -> Iterator[tuple[str, bytes, Site]]:
    """Yield the variants of the study: name, metadata, site."""
    site = ALL.model_copy(update={"phantom_ids": ("QC.*",)})
    for name, changed in VARIANTS.items():
        options = tuple(option for option in site.options if option != WITHOUT.get(name))
        yield name, json.dumps(instances(**changed)).encode(), site.model_copy(update={"options": options})


def studies_of(metadata: bytes) -> Collector:
    """Return what the service's own reader makes of WADO-RS metadata."""
    collector = Collector()
    Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read(metadata, collector)
    return collector


def study_of(metadata: bytes) -> Study:
    """Return the one study of WADO-RS metadata."""
    return studies_of(metadata).only_study()
