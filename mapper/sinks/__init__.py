"""Where FHIR goes: a FHIR server, NDJSON."""
