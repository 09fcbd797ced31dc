"""The mapping tables, a module a resource: read them beside FHIR R4 and PS3.3."""
