"""The reports that pydicom ships."""

OF_PYDICOM = ("test-SR", "reportsi", "reportsi_with_empty_number_tags")
"""SR documents that come with pydicom, by others."""
