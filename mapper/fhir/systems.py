"""Every code system and identifier system that we write, each URI once, each with its source."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from mapper.dicom.characters import composed

# Code systems of DICOM designators: PS3.16 section 8, table 8-1; URIs: FHIR R4 terminologies-systems.html
UMLS: Final = "http://terminology.hl7.org/CodeSystem/umls"
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"  # since 2020; never the older .../medical/dicom
SCT: Final = "http://snomed.info/sct"
SRT: Final = "http://snomed.info/srt"  # SNOMED RT codes without a partner in SNOMED CT; not registered by HL7
LN: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
RADLEX: Final = "http://radlex.org"  # HL7 Terminology; R4's own example says www.radlex.org
IBSI: Final = "urn:oid:1.2.840.10008.2.16.13"  # PS3.6 annex A

# Code systems of HL7: FHIR R4 terminologies-v2.html, terminologies-v3.html, valuesets.html
IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
DIAGNOSTIC_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
OBSERVATION_VALUE: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
DATA_ABSENT_REASON: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
CONNECTION_TYPE: Final = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
PAYLOAD_TYPE: Final = "http://terminology.hl7.org/CodeSystem/endpoint-payload-type"
ANIMAL_GENDER_STATUS: Final = "http://hl7.org/fhir/animal-genderstatus"

# Types of DICOM's identifiers in HL7's guides: two systems of one name
SR_IDENTIFIER_TYPE: Final = "http://hl7.org/fhir/uv/dicom-sr/CodeSystem/dicom-identifier-type"
DOSE_IDENTIFIER_TYPE: Final = "http://hl7.org/fhir/uv/radiation-dose-summary/CodeSystem/dicom-identifier-type"

# Identifier systems: FHIR R4 identifier-registry.html
DICOM_UID: Final = "urn:dicom:uid"
OID_URN: Final = "urn:oid:"  # RFC 3061: how FHIR writes a UID as a URI
URI: Final = "urn:ietf:rfc:3986"
BCP_47: Final = "urn:ietf:bcp:47"
ORCID: Final = "https://orcid.org"  # support.orcid.org: an iD is a URI below it
SPARC_DATASET: Final = "urn:sparc_dataset:uid"  # as SPARC's users search; the underscore makes it no registered URN
SPARC_STUDY: Final = "urn:sparc_study:uid"
US_NPI: Final = "http://hl7.org/fhir/sid/us-npi"

# Extensions: FHIR R4 extensibility-registry
BODY_SITE: Final = "http://hl7.org/fhir/StructureDefinition/bodySite"
NAME_REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
PATIENT_ANIMAL: Final = "http://hl7.org/fhir/StructureDefinition/patient-animal"
MOTHERS_MAIDEN_NAME: Final = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
BIRTH_TIME: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
RESEARCH_STUDY: Final = "http://hl7.org/fhir/StructureDefinition/workflow-researchStudy"

# Profiles: FHIR R4 observation-vitalsigns.html
BODY_HEIGHT: Final = "http://hl7.org/fhir/StructureDefinition/bodyheight"
BODY_WEIGHT: Final = "http://hl7.org/fhir/StructureDefinition/bodyweight"
BODY_MASS_INDEX: Final = "http://hl7.org/fhir/StructureDefinition/bmi"

SNOMED_DESIGNATORS: Final = frozenset({"SCT", "SRT", "SNM3", "99SDM"})
DESIGNATORS: Final[dict[str, str]] = {
    "DCM": DCM,
    **dict.fromkeys(sorted(SNOMED_DESIGNATORS), SCT),  # after conversion, see coding.py
    "LN": LN,
    "UCUM": UCUM,
    "RADLEX": RADLEX,
    "RPID": RADLEX,
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "ICD-10": "http://hl7.org/fhir/sid/icd-10",
    "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "ICD-10-GM": "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "I11": "http://id.who.int/icd/release/11/mms",
    "NCIt": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "UMLS": UMLS,
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "C4": "http://www.ama-assn.org/go/cpt",
    "CPT": "http://www.ama-assn.org/go/cpt",
    "MSH": "https://www.nlm.nih.gov/mesh",
    "MDC": "urn:iso:std:iso:11073:10101",
    "FMA": "urn:oid:2.16.840.1.113883.6.119",
    "IBSI": IBSI,
    "ISO3166_1": "urn:iso:std:iso:3166",
    "RFC5646": BCP_47,
    # registered in PS3.6 annex A, without a URI of their own
    "DCMUID": "urn:oid:1.2.840.10008.2.6.1",
    "MA": "urn:oid:1.2.840.10008.2.16.5",
    "UBERON": "urn:oid:1.2.840.10008.2.16.6",
    "ITIS_TSN": "urn:oid:1.2.840.10008.2.16.7",
    "MGI": "urn:oid:1.2.840.10008.2.16.8",
    "PUBCHEM_CID": "urn:oid:1.2.840.10008.2.16.9",
    "DC": "urn:oid:1.2.840.10008.2.16.10",
    "NYUMCCG": "urn:oid:1.2.840.10008.2.16.11",
    "MAYONRISBSASRG": "urn:oid:1.2.840.10008.2.16.12",
    "RO": "urn:oid:1.2.840.10008.2.16.14",
    "RADELEMENT": "urn:oid:1.2.840.10008.2.16.15",
    "UNS": "urn:oid:1.2.840.10008.2.16.17",
    "RRID": "urn:oid:1.2.840.10008.2.16.18",
}
"""Code system URI by CodingSchemeDesignator (0008,0102)."""

OIDS: Final[dict[str, str]] = {
    "1.2.840.10008.2.16.4": DCM,
    "2.16.840.1.113883.6.96": SCT,
    "2.16.840.1.113883.6.1": LN,
    "2.16.840.1.113883.6.8": UCUM,
    "2.16.840.1.113883.6.256": RADLEX,
}
"""Code system URI by CodingSchemeUID (0008,010C), PS3.16 table 8-1: one scheme has one URI."""

OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")  # FHIR R4 datatypes.html, oid without its prefix


def local(base: str, kind: str, name: str | None = None) -> str:
    """Return a URI of a site's own: its base, a kind of thing, and a percent-encoded name.

    >>> local("https://example.org/id", "patient", "HOSP A")
    'https://example.org/id/patient/HOSP%20A'
    """
    of_kind = f"{base}/{kind}"
    return of_kind if name is None else f"{of_kind}/{quote(composed(name), safe='')}"


def code_system(base: str, schemes: Mapping[str, str], designator: str, uid: str | None = None) -> str:
    """CodingSchemeDesignator + CodingSchemeUID -> URI of the code system; never a bare designator.

    A site's own `schemes`, by designator, come before the ones that are known to all.
    """
    known = schemes.get(composed(designator)) or DESIGNATORS.get(designator)
    if known is None and uid is not None and OID.fullmatch(uid):
        known = OIDS.get(uid, f"urn:oid:{uid}")
    return known or local(base, "codesystem", designator)
