"""Small synthetic studies with UIDs of their own: as many series and instances as a test asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID, MRImageStorage, generate_uid

from samples.dataset import Attributes, dataset, part10

SIDE = 8
PIXELS: Attributes = {
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "Rows": SIDE,
    "Columns": SIDE,
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
    "PixelRepresentation": 0,
    "PixelData": bytes(4 * value for value in range(SIDE * SIDE)),
}


def new_uid() -> UID:
    """Return a UID nobody else has (`2.25.` and a random UUID)."""
    return generate_uid(prefix=None)


def new_name() -> str:
    """Return a short text nobody else has: for PatientID and serial numbers, as tests share servers."""
    return "T" + new_uid()[-12:]


@dataclass
class Sample:
    """One study: its attributes, and the files made of it so far."""

    attributes: dict[str, Any]
    uid: UID = field(default_factory=new_uid)
    series: list[UID] = field(default_factory=list)
    datasets: list[Dataset] = field(default_factory=list)

    @property
    def patient_id(self) -> str:
        """Return the PatientID."""
        return str(self.attributes["PatientID"])

    @property
    def files(self) -> Iterator[bytes]:
        """Yield every instance as a DICOM file."""
        return map(part10, self.datasets)

    def add(self, series: int = 1, **attributes: Any) -> Dataset:
        """Make one more instance of a series (counted from 1) and return it."""
        while len(self.series) < series:
            self.series.append(new_uid())
        number = 1 + sum(made.SeriesNumber == series for made in self.datasets)
        made = dataset(
            {
                **self.attributes,
                "StudyInstanceUID": self.uid,
                "SeriesInstanceUID": self.series[series - 1],
                "SeriesNumber": series,
                "SOPInstanceUID": new_uid(),
                "InstanceNumber": number,
                **PIXELS,
                **attributes,
            }
        )
        self.datasets.append(made)
        return made


def study(series: int = 1, instances: int = 2, **attributes: Any) -> Sample:
    """Return a new study of `series` x `instances` MR images, of a new patient and a new scanner unless told."""
    sample = Sample(
        {
            "SpecificCharacterSet": "ISO_IR 192",
            "SOPClassUID": MRImageStorage,
            "PatientID": new_name(),
            "PatientName": "Example^Live",
            "PatientBirthDate": "19700228",
            "PatientSex": "O",
            "StudyDate": "20240517",
            "StudyTime": "093105",
            "TimezoneOffsetFromUTC": "+0200",
            "StudyID": "1",
            "AccessionNumber": "",
            "ReferringPhysicianName": "Example^Karl^^Dr.",
            "StudyDescription": "MR of a test",
            "Modality": "MR",
            "SeriesDescription": "T1",
            "Manufacturer": "Example",
            "ManufacturerModelName": "Scanner",
            "DeviceSerialNumber": new_name(),
            **attributes,
        }
    )
    for number in range(1, series + 1):
        for _ in range(instances):
            sample.add(number)
    return sample
