"""DICOM, read by keyword: data sets, studies, and the JSON they come in."""
