"""The content tree of a structured report (PS3.3 C.17.3), read from DICOM JSON: tolerant, bounded, nothing of FHIR."""
