"""Why a series is read by the metadata of all its instances although the database may be asked: for metric and docs."""

NOT_EXTENDED = "Orthanc before 1.12.5"
NOT_KEPT = "attributes that Orthanc does not keep"
FEW = "few instances"
OTHERS = "other instances than listed"
IN_FULL = "objects read in full"
ABSENT = "attributes that are absent"
ODD = "values that are not plain"
SEQUENCES = "sequences"
TEXTS = "character sets"
DIFFERENT = "metadata say otherwise"

REASONS = {
    NOT_EXTENDED: "an older Orthanc, or a database plugin without extended finds (`HasExtendedFind` in `/system`)",
    NOT_KEPT: "`ExtraMainDicomTags` does not name all of the list above; it is looked at when the mapper starts",
    FEW: "fewer of the study than the setting says, or one of the series",
    OTHERS: "some were stored before Orthanc kept the attributes (`/studies/{id}/reconstruct` mends it), or came or "
    "went meanwhile",
    IN_FULL: "reports, doses, key objects, segmentations and encapsulated documents",
    ABSENT: "an instance without InstanceNumber, Modality, PatientID or SOPClassUID: one that Orthanc did not keep "
    "looks the same",
    ODD: "not ASCII, blanks around a text, a number that is none: DICOMweb and a database may differ in it",
    SEQUENCES: "a title that is a code, or an issuer of the PatientID by qualifiers",
    TEXTS: "a SpecificCharacterSet by which Orthanc does not decode as PS3.3 means it",
    DIFFERENT: "the metadata of the one instance that was read are not what the database says of it",
}
"""Reason -> what it means."""
