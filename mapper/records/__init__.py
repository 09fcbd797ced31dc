"""What is not DICOM, as plain records: they know neither a file format nor FHIR."""
