"""orthanc-fhir: upload DICOM to Orthanc, and FHIR R4 appears.

The public names: `bundle_from_metadata`, `NotOneStudy`.
"""

from importlib import import_module
from typing import Any

__all__ = ["NotOneStudy", "bundle_from_metadata"]

_HOMES = {"NotOneStudy": "mapper.errors", "bundle_from_metadata": "mapper.convert"}


def __getattr__(name: str) -> Any:
    """Hand on a public name; what it needs is imported when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("orthanc-fhir")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
