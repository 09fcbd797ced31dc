"""Where studies come from: Orthanc, any DICOMweb archive, files."""
