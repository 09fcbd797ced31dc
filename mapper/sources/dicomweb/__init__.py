"""Studies of any archive that speaks DICOMweb (PS3.18): QIDO-RS says what there is, WADO-RS what is in it."""
