"""A dataset of research becomes FHIR: its studies by the same maps as everything, and what it says beside them."""
