"""The SOP classes whose instances are read in full: what they say stands in their attributes, not in pixels.

All else (patient and enhanced X-ray dose, ...) is listed as an instance and that is all.
"""

from mapper.dicom.dictionary import sop_classes

REPORTS: frozenset[str] = sop_classes(
    "BasicTextSRStorage",
    "EnhancedSRStorage",
    "ComprehensiveSRStorage",
    "Comprehensive3DSRStorage",
    "ExtensibleSRStorage",
)
"""SR documents for any template (PS3.3 A.35.1 to A.35.3, A.35.13, A.35.15)."""
DOSES: frozenset[str] = sop_classes("XRayRadiationDoseSRStorage", "RadiopharmaceuticalRadiationDoseSRStorage")
"""SR documents for doses (PS3.3 A.35.8, A.35.14)."""
CADS: frozenset[str] = sop_classes("MammographyCADSRStorage", "ChestCADSRStorage", "ColonCADSRStorage")
"""SR documents for computer-aided detection (PS3.3 A.35.5, A.35.6, A.35.12)."""
ENCAPSULATED: frozenset[str] = sop_classes("EncapsulatedPDFStorage", "EncapsulatedCDAStorage")
"""Documents of other formats (PS3.3 A.45); their bytes are never read."""
KEY_OBJECTS: frozenset[str] = sop_classes("KeyObjectSelectionDocumentStorage")
"""Key object selections, rejection notes among them (PS3.3 A.35.4)."""
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
"""Label Map Segmentation Storage (PS3.3 A.51): younger than pydicom's dictionary, and than Orthanc's."""
SEGMENTATIONS: frozenset[str] = sop_classes("SegmentationStorage") | {LABEL_MAP}
"""Segmentations (PS3.3 A.51): of them the description of the segments is read, and nothing of frames or pixels."""
FRAMES = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")
"""What a segmentation says frame by frame: it may be most of its metadata."""
IN_FULL = REPORTS | DOSES | CADS | ENCAPSULATED | KEY_OBJECTS | SEGMENTATIONS

LARGEST_CONTENT = 1 << 24
"""Bytes of a ContentSequence beyond which it is not read: a report of thousands of measurements has a few MB."""
LARGEST_TOGETHER = 1 << 26
"""Bytes of the documents of one study that are read in full; the others are listed."""


def is_document(sop_class: str | None) -> bool:
    """Tell whether an instance of a SOP class is read in full."""
    return sop_class in IN_FULL


def is_segmentation(sop_class: str | None) -> bool:
    """Tell whether an instance of a SOP class is a segmentation."""
    return sop_class in SEGMENTATIONS
