"""What SCOORD, SCOORD3D and TCOORD items mark in space and time (PS3.3 C.18.6, C.18.7, C.18.9)."""

from dataclasses import dataclass
from decimal import Decimal

from mapper.dicom.sr.reading import Reading

Point = tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A graphic: in an image (columns and rows, or millimetres of a slide) or in a frame of reference (millimetres)."""

    graphic_type: str | None
    data: tuple[Decimal, ...]
    """GraphicData as sent, one number after the other."""
    dimensions: int
    """Numbers a point: 2 in an image, 3 in a frame of reference."""
    frame_of_reference_uid: str | None = None
    pixel_origin: str | None = None
    """PixelOriginInterpretation: FRAME or VOLUME."""
    fiducial_uid: str | None = None

    @property
    def points(self) -> tuple[Point, ...]:
        """The points, each with its two or three numbers."""
        size = self.dimensions
        return tuple(self.data[start : start + size] for start in range(0, len(self.data), size))


@dataclass(frozen=True, slots=True)
class TemporalCoordinates:
    """Moments or stretches of time, in one of three ways."""

    range_type: str | None
    samples: tuple[int, ...] = ()
    """ReferencedSamplePositions, the first sample is 1."""
    offsets: tuple[Decimal, ...] = ()
    """ReferencedTimeOffsets in seconds after the start of the data."""
    times: tuple[str, ...] = ()
    """ReferencedDateTime as sent."""


def read_scoord(reading: Reading) -> Coordinates | None:
    """Return the graphic of a SCOORD item."""
    return graphic(reading, 2)


def read_scoord3d(reading: Reading) -> Coordinates | None:
    """Return the graphic of a SCOORD3D item."""
    return graphic(reading, 3)


def graphic(reading: Reading, dimensions: int) -> Coordinates | None:
    """Return a graphic, or None where GraphicData is no list of points."""
    data = tuple(reading.all("GraphicData"))
    if not data or len(data) % dimensions:
        reading.note("GraphicData", "no points")
        return None
    return Coordinates(
        reading.one("GraphicType"),
        data,
        dimensions,
        reading.one("ReferencedFrameOfReferenceUID"),
        reading.one("PixelOriginInterpretation"),
        reading.one("FiducialUID"),
    )


def read_tcoord(reading: Reading) -> TemporalCoordinates | None:
    """Return the times of a TCOORD item, or None where it names none."""
    found = TemporalCoordinates(
        reading.one("TemporalRangeType"),
        reading.wholes("ReferencedSamplePositions"),
        tuple(reading.all("ReferencedTimeOffsets")),
        tuple(reading.all("ReferencedDateTime")),
    )
    if not (found.samples or found.offsets or found.times):
        reading.note("ReferencedSamplePositions", "no times")
        return None
    return found
