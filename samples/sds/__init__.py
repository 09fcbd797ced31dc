"""Two small SDS datasets, breast and heart, in the layouts of SDS 2.1.0 and 3.0.2, with DICOM files in them.

One person is in both, under one PatientID; the second subject of the heart dataset is a pig.
"""

from samples.sds.catalogue import DATASETS, VERSIONS
from samples.sds.writing import write

__all__ = ["DATASETS", "VERSIONS", "write"]
