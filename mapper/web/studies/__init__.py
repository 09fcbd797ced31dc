"""Studies: found by state, failure, time, UID, or what Orthanc knows of them; put back in line many at a time."""
