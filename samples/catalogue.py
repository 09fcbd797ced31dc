"""What each sample study says of itself; why it is there stands above it."""

from __future__ import annotations

from pydicom.sr.codedict import codes

from samples.dataset import Attributes, code, issuer
from samples.evidence import CHEST_CT

CATALOGUE: dict[str, tuple[str, Attributes]] = {  # name -> patient, attributes of the study
    "chest-ct": (  # the full header: accession with its issuer, procedure code, performers, height and weight; a nodule
        "anna",
        {
            "StudyDescription": "CT chest with contrast",
            "StudyDate": "20240517",
            "StudyTime": "093105",
            "TimezoneOffsetFromUTC": "+0200",
            "StudyID": "CT-1",
            "AccessionNumber": "A2024-001",
            "IssuerOfAccessionNumberSequence": [issuer("orders of the hospital")],
            "ReferringPhysicianName": "Example^Karl^^Dr.",
            "ProcedureCodeSequence": [code(CHEST_CT)],
            "ReasonForTheRequestedProcedure": "Cough for six weeks",
            "PatientAge": "054Y",
            "PatientSize": "1.68",
            "PatientWeight": "64.5",
        },
    ),
    "chest-ct-follow-up": (  # the same patient half a year later: the nodule has grown, a report says so
        "anna",
        {
            "StudyDescription": "CT chest low dose, follow-up",
            "StudyDate": "20241120",
            "StudyTime": "141500",
            "TimezoneOffsetFromUTC": "+0100",
            "StudyID": "CT-2",
            "AccessionNumber": "A2024-117",
            "IssuerOfAccessionNumberSequence": [issuer("orders of the hospital")],
            "ReferringPhysicianName": "Example^Karl^^Dr.",
            "ProcedureCodeSequence": [code(CHEST_CT)],
            "PatientAge": "054Y",
            "PatientSize": "1.68",
            "PatientWeight": "63",
        },
    ),
    "brain-mr": (  # no time zone; the body part as a code in one series, as a text in the other; a PDF
        "boris",
        {
            "StudyDescription": "MR brain",
            "StudyDate": "20240306",
            "StudyTime": "101530",
            "AccessionNumber": "A2024-031",
            "ReferringPhysicianName": "Example^Nora",
            "PatientWeight": "81",
        },
    ),
    "hand-cr": (  # a name in three groups, a description in Japanese, a laterality, a time without seconds
        "hanako",
        {
            "StudyDescription": "左手 2方向",  # left hand, two views
            "StudyDate": "20240709",
            "StudyTime": "1642",
            "TimezoneOffsetFromUTC": "+0900",
            "AccessionNumber": "A2024-077",
        },
    ),
    "breast-mg": (  # both sides in one series, Latin-1; marks of computer-aided detection
        "käthe",
        {
            "StudyDescription": "Mammographie beidseits, Früherkennung",
            "StudyDate": "20240212",
            "StudyTime": "110000",
            "TimezoneOffsetFromUTC": "+0100",
            "AccessionNumber": "A2024-019",
            "PatientAge": "061Y",
        },
    ),
    "heart-us": (  # many frames in one instance, fractions of a second; a report of sixty measurements
        "eleni",
        {
            "StudyDescription": "Echocardiogram, four chambers",
            "StudyDate": "20240827",
            "StudyTime": "083012.250",
            "TimezoneOffsetFromUTC": "+0300",
            "AccessionNumber": "A2024-090",
            "PatientSize": "1.59",
            "PatientWeight": "58",
        },
    ),
    "chest-dx": (  # an issuer as a text only, a zone west of Greenwich, an image that a note rejects
        "oliver",
        {
            "StudyDescription": "XR chest, two views",
            "StudyDate": "20240112",
            "StudyTime": "195905",
            "TimezoneOffsetFromUTC": "-0500",
            "AccessionNumber": "7781",
        },
    ),
    "emergency-dx": (  # no patient id
        "nobody",
        {
            "StudyDescription": "XR chest, emergency room",
            "StudyDate": "20240430",
            "StudyTime": "031742",
        },
    ),
    "skin-xc": (  # in colour
        "mia",
        {
            "StudyDescription": "Photograph of a mole, right forearm",
            "StudyDate": "20240603",
            "StudyTime": "120000",
            "TimezoneOffsetFromUTC": "+0000",
        },
    ),
    "deidentified-ct": (  # de-identified by the Basic Profile, with shifted dates and without a time
        "pseudonym",
        {
            "StudyDescription": "CT chest",
            "StudyDate": "20190103",
            "StudyTime": "",
            "PatientIdentityRemoved": "YES",
            "DeidentificationMethodCodeSequence": [
                code(codes.DCM.BasicApplicationConfidentialityProfile),
                code(codes.DCM.RetainLongitudinalTemporalInformationModifiedDatesOption),
            ],
            "LongitudinalTemporalInformationModified": "MODIFIED",
        },
    ),
}
