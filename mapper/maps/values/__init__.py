"""DICOM values -> FHIR R4 datatypes, and the site's choices on the way: converters, each of them a noun."""
