"""How long a measurement report takes by its number of measurements: twice as many should take twice as long.

uv run python -m bench.reports
"""

import json
import time

from pydicom.sr.codedict import codes
from pydicom.uid import ComprehensiveSRStorage
from rich.console import Console
from rich.table import Table

from mapper import bundle_from_metadata
from samples.dataset import Attributes, dataset
from samples.sr.content import CONTAINS, CONTEXT, coded, container, num, text, uidref, unit
from samples.sr.measurements import LONG_AXIS, LUNG, MASS

MEASUREMENTS = (500, 1_000, 2_000, 4_000)
OF_GROUP, ROUNDS = 10, 3
STUDY = "1.2.826.0.1.3680043.10.1500"


def group(number: int) -> Attributes:
    """Return a lesion with its measurements."""
    return container(
        CONTAINS,
        codes.DCM.MeasurementGroup,
        text(CONTEXT, codes.DCM.TrackingIdentifier, f"Lesion {number}"),
        uidref(CONTEXT, codes.DCM.TrackingUniqueIdentifier, f"{STUDY}.9.{number}"),
        coded(CONTAINS, codes.DCM.Finding, MASS),
        coded(CONTAINS, codes.SCT.FindingSite, LUNG),
        *(num(CONTAINS, LONG_AXIS, f"{one}.50", unit("mm", "millimeter")) for one in range(OF_GROUP)),
    )


def metadata(measurements: int) -> bytes:
    """Return what WADO-RS answers for a study of one report."""
    groups = (group(number) for number in range(measurements // OF_GROUP))
    imaging = container(CONTAINS, codes.DCM.ImagingMeasurements, *groups)
    root = container("", codes.DCM.ImagingMeasurementReport, imaging, template="1500")
    report = dataset(
        {
            "SOPClassUID": ComprehensiveSRStorage,
            "StudyInstanceUID": STUDY,
            "SeriesInstanceUID": f"{STUDY}.1",
            "SOPInstanceUID": f"{STUDY}.1.1",
            "Modality": "SR",
            "PatientID": "P1",
            "VerificationFlag": "VERIFIED",
            "CompletionFlag": "COMPLETE",
            **root,
        }
    )
    return json.dumps([report.to_json_dict()]).encode()


def best(raw: bytes) -> tuple[float, int]:
    """Return the seconds of the quickest of some rounds, and how many resources were made."""
    taken, made = [], b""
    for _ in range(ROUNDS):
        began = time.perf_counter()
        made = bundle_from_metadata(raw)
        taken.append(time.perf_counter() - began)
    return min(taken), len(json.loads(made)["entry"])


def main() -> None:
    """Measure and print."""
    table = Table("measurements of a report", "resources", "seconds", "µs each", "beside the first", box=None)
    first = 0.0
    for measurements in MEASUREMENTS:
        seconds, resources = best(metadata(measurements))
        each = seconds / measurements
        first = first or each
        cells = (f"{measurements:,}", f"{resources:,}", f"{seconds:.2f}", f"{each * 1e6:.0f}", f"{each / first:.2f}")
        table.add_row(*cells)
    Console().print(table)


if __name__ == "__main__":
    main()
