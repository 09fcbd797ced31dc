"""FHIR resources as files: NDJSON in the layout of FHIR Bulk Data, a type a file, in chunks."""
