"""Put patient, study, series and equipment in front of every instance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydicom import Dataset

from samples.dataset import Attributes, uid
from samples.dataset import dataset as make
from samples.equipment import EQUIPMENT
from samples.patients import PATIENTS


@dataclass(frozen=True)
class Header:
    """Hold what all instances of one study share."""

    name: str
    patient: str
    study: Attributes

    @property
    def study_uid(self) -> str:
        """Return the StudyInstanceUID."""
        return uid(self.name)

    @property
    def shared(self) -> Attributes:
        """Return the attributes of patient and study."""
        return {
            **PATIENTS[self.patient],
            "StudyInstanceUID": self.study_uid,
            "StudyID": "",
            "AccessionNumber": "",
            "ReferringPhysicianName": "",
            **self.study,
        }

    def series(self, number: int, modality: str, description: str, minute: int = 0) -> Attributes:
        """Return the attributes of one series that began some minutes after the study."""
        time = self.study["StudyTime"]
        if time:
            hour, begun = divmod(int(time[:2]) * 60 + int(time[2:4]) + minute, 60)
            time = f"{hour:02}{begun:02}10"
        return {
            **EQUIPMENT[modality],
            "Modality": modality,
            "SeriesInstanceUID": uid(self.name, number),
            "SeriesNumber": number,
            "SeriesDescription": description,
            "SeriesDate": self.study["StudyDate"],
            "SeriesTime": time,
            "ContentDate": self.study["StudyDate"],
            "ContentTime": time,
        }

    def instances(self, series: Attributes, sop_class: str, images: Iterable[Attributes]) -> list[Dataset]:
        """Return one data set for each table of `images`, numbered from 1."""
        return [
            make(
                {
                    **self.shared,
                    **series,
                    "SOPClassUID": sop_class,
                    "SOPInstanceUID": uid(self.name, series["SeriesNumber"], number),
                    "InstanceNumber": number,
                    **image,
                }
            )
            for number, image in enumerate(images, 1)
        ]
