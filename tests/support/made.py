"""Series and ImagingStudies as the tests of the mapping make them."""

from typing import Any

from mapper.dicom.collector import Collector
from mapper.maps import study_to_fhir
from mapper.maps.rule import Made
from mapper.maps.site import Site
from tests.support.datasets import dataset, site

CT = "1.2.840.10008.5.1.4.1.1.2"


def series(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return one instance that is a series of its own."""
    uids = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": f"1.2.3.{number}", "SOPInstanceUID": f"1.2.3.{number}.1"}
    return dataset(**{**uids, "SOPClassUID": CT, "Modality": "CT", "SeriesNumber": number, "PatientID": "1", **more})


def made_of(*instances: dict[str, Any], at: Site | None = None) -> dict[str, Made]:
    """Return the resources of one study by type, the last of several."""
    collector = Collector()
    for one in instances:
        collector.add(one)
    return {one["resourceType"]: one for one in study_to_fhir(collector.only_study(), at or site()).resources}
