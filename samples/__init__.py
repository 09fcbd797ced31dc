"""Synthetic DICOM objects: small, valid, nobody's, and the same bytes in every run."""
