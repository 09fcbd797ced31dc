"""What a dataset of research says beside its images: one Dataset in, FHIR R4 resources out; pure.

Tables of rows as of DICOM, but a row reads cells of sheets: their columns, or the elements of dataset_description.
"""
