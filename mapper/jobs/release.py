"""Which release this is: processes that work together have to be of one."""

from importlib.metadata import version

from mapper.maps import MAPPING_VERSION


def release() -> str:
    """Return the versions of program and mapping."""
    return f"orthanc-fhir {version('orthanc-fhir')}, mapping {MAPPING_VERSION}"
