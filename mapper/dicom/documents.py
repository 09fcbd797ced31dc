"""The SOP classes whose instances are read in full: what they say stands in their attributes, not in pixels.

All else (CAD, key objects, patient and enhanced X-ray dose, ...) is listed as an instance and that is all.
"""

from pydicom.uid import (
    BasicTextSRStorage,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EncapsulatedCDAStorage,
    EncapsulatedPDFStorage,
    EnhancedSRStorage,
    ExtensibleSRStorage,
    RadiopharmaceuticalRadiationDoseSRStorage,
    XRayRadiationDoseSRStorage,
)

REPORTS: frozenset[str] = frozenset(
    {
        BasicTextSRStorage,
        EnhancedSRStorage,
        ComprehensiveSRStorage,
        Comprehensive3DSRStorage,
        ExtensibleSRStorage,
    }
)
"""SR documents for any template (PS3.3 A.35.1 to A.35.3, A.35.13, A.35.15)."""
DOSES: frozenset[str] = frozenset({XRayRadiationDoseSRStorage, RadiopharmaceuticalRadiationDoseSRStorage})
"""SR documents for doses (PS3.3 A.35.8, A.35.14)."""
ENCAPSULATED: frozenset[str] = frozenset({EncapsulatedPDFStorage, EncapsulatedCDAStorage})
"""Documents of other formats (PS3.3 A.45); their bytes are never read."""
IN_FULL = REPORTS | DOSES | ENCAPSULATED

LARGEST_CONTENT = 1 << 24
"""Bytes of a ContentSequence beyond which it is not read: a report of thousands of measurements has a few MB."""
LARGEST_TOGETHER = 1 << 26
"""Bytes of the documents of one study that are read in full; the others are listed."""


def is_document(sop_class: str | None) -> bool:
    """Tell whether an instance of a SOP class is read in full."""
    return sop_class in IN_FULL
