"""FHIR R4: datatypes made of DICOM values, code systems, ids, bundles, and the check of all of it."""
