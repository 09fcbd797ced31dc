"""Studies of an Orthanc: its own REST API says what there is, DICOMweb says what is in it. Orthanc 1.10.1 and later."""
