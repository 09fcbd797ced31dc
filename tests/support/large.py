"""Large studies, made fast: one header is written by pydicom, the instances differ by patched bytes."""

from collections.abc import Iterator

from pydicom.uid import CTImageStorage

from samples.dataset import Attributes, part10
from tests.support.study import Sample, new_uid, study

NUMBER = 100_000
"""Stands for InstanceNumber in the header: as many digits as any number behind it."""

CT: Attributes = {
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    "InstanceCreationDate": "20240517",
    "InstanceCreationTime": "093105.123000",
    "SeriesDate": "20240517",
    "AcquisitionDate": "20240517",
    "ContentDate": "20240517",
    "SeriesTime": "093106.000000",
    "AcquisitionTime": "093106.500000",
    "ContentTime": "093107.000000",
    "InstitutionName": "Example Hospital",
    "InstitutionAddress": "1 Example Street",
    "InstitutionalDepartmentName": "Radiology",
    "StationName": "CT1",
    "PerformingPhysicianName": "Example^Eva",
    "OperatorsName": "Example^Otto",
    "ProtocolName": "Chest 1.0 mm",
    "BodyPartExamined": "CHEST",
    "ScanOptions": "HELICAL MODE",
    "SliceThickness": "1.000000",
    "KVP": "120",
    "DataCollectionDiameter": "500.000000",
    "SoftwareVersions": ["syngo CT 2024A", "07.1"],
    "ReconstructionDiameter": "360.000000",
    "DistanceSourceToDetector": "949.075012",
    "DistanceSourceToPatient": "541.000000",
    "GantryDetectorTilt": "0.000000",
    "TableHeight": "151.100006",
    "RotationDirection": "CW",
    "ExposureTime": "500",
    "XRayTubeCurrent": "275",
    "Exposure": "12",
    "FilterType": "BODY FILTER",
    "GeneratorPower": "33000",
    "FocalSpots": "0.700000",
    "ConvolutionKernel": ["Br44d", "3"],
    "PatientPosition": "FFS",
    "SingleCollimationWidth": 0.625,
    "TotalCollimationWidth": 40.0,
    "TableSpeed": 78.75,
    "SpiralPitchFactor": 0.984375,
    "ExposureModulationType": "XYZ_EC",
    "CTDIvol": 6.6,
    "PatientAge": "054Y",
    "PatientSize": "1.68",
    "PatientWeight": "64.5",
    "AcquisitionNumber": "1",
    "ImagePositionPatient": ["-180.000000", "-180.000000", "-612.500000"],
    "ImageOrientationPatient": ["1.000000", "0.000000", "0.000000", "0.000000", "1.000000", "0.000000"],
    "FrameOfReferenceUID": new_uid(),
    "PositionReferenceIndicator": "SN",
    "SliceLocation": "-612.500000",
    "PixelSpacing": ["0.703125", "0.703125"],
    "WindowCenter": ["40", "-600"],
    "WindowWidth": ["400", "1500"],
    "RescaleIntercept": "-1024",
    "RescaleSlope": "1",
    "RescaleType": "HU",
    "RequestedProcedureDescription": "CT chest",
    "PerformedProcedureStepStartDate": "20240517",
    "PerformedProcedureStepStartTime": "093105",
    "PerformedProcedureStepID": "CT-1",
    "RequestAttributesSequence": [
        {"ScheduledProcedureStepID": "1", "RequestedProcedureID": "1", "ScheduledProcedureStepDescription": "CT"}
    ],
}


def header() -> Sample:
    """Return a study with one CT image of a header as scanners write it."""
    sample = study(0, 0, SOPClassUID=CTImageStorage, Modality="CT", StudyDescription="CT chest, thin")
    sample.add(1, **CT, InstanceNumber=NUMBER)
    return sample


def files(sample: Sample, series: int, instances: int) -> Iterator[bytes]:
    """Yield the DICOM files of a study like its one image, series by series, each with UIDs of its own."""
    (image,) = sample.datasets
    written = part10(image)
    length = len(image.SOPInstanceUID)
    for _ in range(series):
        of_series = written.replace(image.SeriesInstanceUID.encode(), uid_of(len(image.SeriesInstanceUID)))
        for number in range(1, instances + 1):
            file = of_series.replace(image.SOPInstanceUID.encode(), uid_of(length))
            yield file.replace(str(NUMBER).encode(), f"{number:06}".encode())


def uid_of(length: int) -> bytes:
    """Return a new UID of a given length: UIDs of random UUIDs differ by a digit now and then."""
    while len(made := new_uid()) != length:
        pass
    return made.encode()
