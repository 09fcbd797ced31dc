"""The value types of PS3.3 table C.17.3-7 and how the value of each is read."""

from collections.abc import Callable
from typing import Any

from mapper.dicom.sr.code import Code, read_code
from mapper.dicom.sr.coordinates import Coordinates, TemporalCoordinates, read_scoord, read_scoord3d, read_tcoord
from mapper.dicom.sr.measured_value import MeasuredValue, read_measured_value
from mapper.dicom.sr.reading import Reading
from mapper.dicom.sr.reference import Reference, read_reference

Value = str | dict[str, str] | Code | MeasuredValue | Reference | Coordinates | TemporalCoordinates | None
"""What an item says: a text, a person name, a code, a measured value, a reference, or coordinates."""


def attribute(keyword: str) -> Callable[[Reading], Any]:
    """Return a reader of the value that stands in one attribute."""

    def read(reading: Reading) -> Any:
        value = reading.one(keyword)
        if value is None and keyword not in reading.item:
            reading.note(keyword, "absent")
        return value

    return read


def read_coded(reading: Reading) -> Code | None:
    """Return the value of a CODE item."""
    return read_code(reading, "ConceptCodeSequence")


def nothing(reading: Reading) -> None:
    """Return nothing: what the item says is what hangs below it, or what a rule asks `item` for."""


READERS: dict[str, Callable[[Reading], Value]] = {
    "CONTAINER": nothing,
    "TEXT": attribute("TextValue"),
    "CODE": read_coded,
    "NUM": read_measured_value,
    "DATETIME": attribute("DateTime"),
    "DATE": attribute("Date"),
    "TIME": attribute("Time"),
    "PNAME": attribute("PersonName"),
    "UIDREF": attribute("UID"),
    "COMPOSITE": read_reference,
    "IMAGE": read_reference,
    "WAVEFORM": read_reference,
    "SCOORD": read_scoord,
    "SCOORD3D": read_scoord3d,
    "TCOORD": read_tcoord,
    "TABLE": nothing,
}
"""Reader by ValueType (0040,A040). Dates, times and texts come as sent, person names as Item has them."""
