"""Concept names and codes of DICOM's templates that the tables of documents ask for, each with its template.

A retired code means the same (PS3.16 annex J, O): whoever asks by these finds both.
"""

from dataclasses import dataclass

from mapper.fhir import systems


@dataclass(frozen=True, slots=True)
class Concept:
    """A coded concept, and where PS3.16 uses it."""

    code: str
    scheme: str
    meaning: str
    source: str

    @property
    def pair(self) -> tuple[str, str]:
        """Code and CodingSchemeDesignator, as content items are asked."""
        return self.code, self.scheme

    @property
    def coding(self) -> dict[str, str]:
        """The Coding of FHIR."""
        return {"system": systems.DESIGNATORS[self.scheme], "code": self.code, "display": self.meaning}

    def __str__(self) -> str:
        return f"{self.meaning} ({self.code}, {self.scheme})"


# fmt: off
# Measurement reports
MEASUREMENT_GROUP     = Concept("125007", "DCM", "Measurement Group", "TID 1410, TID 1411, TID 1501")
DERIVED_MEASUREMENTS  = Concept("126011", "DCM", "Derived Imaging Measurements", "TID 1420")
IMAGE_LIBRARY         = Concept("111028", "DCM", "Image Library", "TID 1600")
FINDING               = Concept("121071", "DCM", "Finding", "TID 1410, TID 1411, TID 1501")
FINDING_CATEGORY      = Concept("276214006", "SCT", "Findings category type", "TID 1410, TID 1411, TID 1501")
FINDING_SITE          = Concept("363698007", "SCT", "Finding Site", "TID 1410, TID 1411, TID 1501")
LATERALITY            = Concept("272741003", "SCT", "Laterality", "TID 1410, TID 1411, TID 1501")
TOPOGRAPHICAL_MODIFIER = Concept("106233006", "SCT", "Topographical modifier", "TID 1410, TID 1411, TID 1501")
TRACKING_IDENTIFIER   = Concept("112039", "DCM", "Tracking Identifier", "TID 4108")
TRACKING_UID          = Concept("112040", "DCM", "Tracking Unique Identifier", "TID 4108")
MEASUREMENT_METHOD    = Concept("370129005", "SCT", "Measurement Method", "TID 1419")
DERIVATION            = Concept("121401", "DCM", "Derivation", "TID 300, TID 1419")
NORMALITY             = Concept("121402", "DCM", "Normality", "TID 310")
NORMAL_RANGE_LOWER    = Concept("385524004", "SCT", "Normal Range Lower Limit", "TID 312")
NORMAL_RANGE_UPPER    = Concept("371933006", "SCT", "Normal Range Upper Limit", "TID 312")
NORMAL_RANGE_TEXT     = Concept("121407", "DCM", "Normal Range description", "TID 312")
NORMAL_RANGE_AUTHORITY = Concept("121408", "DCM", "Normal Range Authority", "TID 312")
ALGORITHM_NAME        = Concept("111001", "DCM", "Algorithm Name", "TID 4019")
ALGORITHM_VERSION     = Concept("111003", "DCM", "Algorithm Version", "TID 4019")
ALGORITHM_PARAMETERS  = Concept("111002", "DCM", "Algorithm Parameters", "TID 4019")
ALGORITHM_FAMILY      = Concept("111000", "DCM", "Algorithm Family", "TID 4019")
REGION_PURPOSE        = Concept("130400", "DCM", "Geometric purpose of region", "TID 1410")
ACTIVITY_SESSION      = Concept("C67447", "NCIt", "Activity Session", "TID 1410, TID 1411, TID 1501")
QUALITATIVE           = Concept("C0034375", "UMLS", "Qualitative Evaluations", "HL7 DICOM SR to FHIR 1.0.0")
PERSON_OBSERVER       = Concept("121008", "DCM", "Person Observer Name", "TID 1003")
# Ultrasound reports
ECHOCARDIOGRAPHY      = Concept("125200", "DCM", "Adult Echocardiography Procedure Report", "TID 5200, TID 5300")
VASCULAR_ULTRASOUND   = Concept("125100", "DCM", "Vascular Ultrasound Procedure Report", "TID 5100")
FINDINGS              = Concept("121070", "DCM", "Findings", "TID 5103, TID 5202")
FINDINGS_LN           = Concept("59776-5", "LN", "Findings", "TID 5103, TID 5202")
PATIENT_CHARACTERISTICS = Concept("121118", "DCM", "Patient Characteristics", "TID 5101, TID 5201")
IMAGE_MODE            = Concept("399264008", "SCT", "Image mode", "TID 5202, TID 5203")
CARDIAC_CYCLE_POINT   = Concept("272518008", "SCT", "Cardiovascular cycle point", "TID 5203, CID 12233")
RESPIRATORY_CYCLE_POINT = Concept("272517003", "SCT", "Respiratory cycle point", "TID 5203, CID 12234")
FLOW_DIRECTION        = Concept("260674002", "SCT", "Direction of flow", "TID 5203, CID 12221")
VESSEL_BRANCH         = Concept("125101", "DCM", "Vessel Branch", "TID 5104, CID 12117")
ACQUISITION_PROTOCOL  = Concept("125203", "DCM", "Acquisition Protocol", "TID 5202")
STAGE                 = Concept("18139-6", "LN", "Stage", "TID 5202")
SELECTION_STATUS      = Concept("121404", "DCM", "Selection Status", "TID 310, CID 224")
MEAN                  = Concept("373098007", "SCT", "Mean", "CID 3627")
# Computer-aided detection
MAMMOGRAPHY_CAD       = Concept("111036", "DCM", "Mammography CAD Report", "TID 4000")
CHEST_CAD             = Concept("112000", "DCM", "Chest CAD Report", "TID 4100")
COLON_CAD             = Concept("112220", "DCM", "Colon CAD Report", "TID 4120")
CAD_SUMMARY           = Concept("111017", "DCM", "CAD Processing and Findings Summary", "TID 4001, TID 4101, TID 4121")
CAD_IMPRESSION        = Concept("111034", "DCM", "Individual Impression/Recommendation", "TID 4003")
COMPOSITE_FEATURE     = Concept("111015", "DCM", "Composite Feature", "TID 4004, TID 4102")
SINGLE_IMAGE_FINDING  = Concept("111059", "DCM", "Single Image Finding", "TID 4006, TID 4104, TID 4127")
RENDERING_INTENT      = Concept("111056", "DCM", "Rendering Intent", "TID 4003, TID 4006, TID 4104, TID 4127")
PRESENTATION_REQUIRED = Concept("111150", "DCM", "Presentation Required: Rendering device is expected to present", "CID 6034")
# Doses
X_RAY_DOSE            = Concept("113701", "DCM", "X-Ray Radiation Dose Report", "TID 10001, TID 10011")
RADIOPHARMACEUTICAL_DOSE = Concept("113500", "DCM", "Radiopharmaceutical Radiation Dose Report", "TID 10021")
ACCUMULATED_X_RAY     = Concept("113702", "DCM", "Accumulated X-Ray Dose Data", "TID 10002")
ACCUMULATED_CT        = Concept("113811", "DCM", "CT Accumulated Dose Data", "TID 10012")
ADMINISTRATION        = Concept("113502", "DCM", "Radiopharmaceutical Administration", "TID 10022")
ADMINISTRATION_UID    = Concept("113503", "DCM", "Radiopharmaceutical Administration Event UID", "TID 10022")
AGENT                 = Concept("349358000", "SCT", "Radiopharmaceuticals", "TID 10022")
ACQUISITION_PLANE     = Concept("113764", "DCM", "Acquisition Plane", "TID 10002, TID 10003")
SCOPE                 = Concept("113705", "DCM", "Scope of Accumulation", "TID 10001, TID 10011")
CT_ACQUISITION        = Concept("113819", "DCM", "CT Acquisition", "TID 10013")
X_RAY_EVENT           = Concept("113706", "DCM", "Irradiation Event X-Ray Data", "TID 10003")
EVENT_UID             = Concept("113769", "DCM", "Irradiation Event UID", "TID 10003, TID 10013")
TARGET_REGION         = Concept("123014", "DCM", "Target Region", "TID 10003, TID 10013")
DATETIME_STARTED      = Concept("111526", "DCM", "DateTime Started", "TID 10003")
MEAN_CTDIVOL          = Concept("113830", "DCM", "Mean CTDIvol", "TID 10013")
DLP                   = Concept("113838", "DCM", "DLP", "TID 10013")
SSDE                  = Concept("113930", "DCM", "Size Specific Dose Estimate", "TID 10013")
DOSE_AREA_PRODUCT     = Concept("122130", "DCM", "Dose Area Product", "TID 10003")
DOSE_RP               = Concept("113738", "DCM", "Dose (RP)", "TID 10003")
GLANDULAR_DOSE        = Concept("111631", "DCM", "Average Glandular Dose", "TID 10003B")
PHANTOM_TYPE          = Concept("113835", "DCM", "CTDIw Phantom Type", "TID 10013")
PERSON_NAME           = Concept("113870", "DCM", "Person Name", "TID 1020")
PERSON_ROLE           = Concept("113875", "DCM", "Person Role in Procedure", "TID 1020")
PERSON_ID             = Concept("113871", "DCM", "Person ID", "TID 1020")
PERSON_ID_ISSUER      = Concept("113872", "DCM", "Person ID Issuer", "TID 1020")
AUTHORIZING           = Concept("113850", "DCM", "Irradiation Authorizing", "TID 1020, CID 7453")
DOSE_SUMMARY          = Concept("73569-6", "LN", "Radiation exposure and protection information [Description] Document Diagnostic imaging", "LOINC 2.78")
# Text reports
LANGUAGE              = Concept("121049", "DCM", "Language of Content Item and Descendants", "TID 1204")
IMPRESSIONS           = Concept("121072", "DCM", "Impressions", "TID 2000")
IMPRESSION            = Concept("121073", "DCM", "Impression", "TID 2000")
CONCLUSIONS           = Concept("121076", "DCM", "Conclusions", "TID 2000")
CONCLUSION            = Concept("121077", "DCM", "Conclusion", "TID 2000")
IMPRESSIONS_LN        = Concept("19005-8", "LN", "Impressions", "CID 7001")
CONCLUSIONS_LN        = Concept("55110-1", "LN", "Conclusions", "CID 7001")
ADDENDUM              = Concept("55107-7", "LN", "Addendum", "CID 7001")
KEY_IMAGES            = Concept("55113-5", "LN", "Key Images", "CID 7001")
IMAGING_REPORT        = Concept("18748-4", "LN", "Diagnostic Imaging Report", "CID 7000")
# Key objects
REJECTED_QUALITY      = Concept("113001", "DCM", "Rejected for Quality Reasons", "CID 7010")
REJECTED_SAFETY       = Concept("113037", "DCM", "Rejected for Patient Safety Reasons", "CID 7010")
INCORRECT_WORKLIST    = Concept("113038", "DCM", "Incorrect Modality Worklist Entry", "CID 7010")
RETENTION_EXPIRED     = Concept("113039", "DCM", "Data Retention Policy Expired", "CID 7010")
KEY_OBJECT_DESCRIPTION = Concept("113012", "DCM", "Key Object Description", "TID 2010")
# Segmentations
ANATOMICAL_STRUCTURE  = Concept("91723000", "SCT", "Anatomical Structure", "CID 7150")
BODY_STRUCTURE        = Concept("123037004", "SCT", "Body structure", "CID 7150, as dcmqi and MONAI Label write it")
TISSUE                = Concept("85756007", "SCT", "Tissue", "CID 7150")
BACKGROUND            = Concept("125040", "DCM", "Background", "CID 7151")
# fmt: on

CONCEPTS: tuple[Concept, ...] = tuple(one for one in list(globals().values()) if isinstance(one, Concept))
"""Every concept that the tables ask for."""
