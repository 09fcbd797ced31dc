"""What an IMAGE, WAVEFORM or COMPOSITE item points to (PS3.3 C.18.3, C.18.4, C.18.5)."""

from dataclasses import dataclass

from mapper.dicom.sr.reading import Reading


@dataclass(frozen=True, slots=True)
class Reference:
    """A SOP instance, or the named parts of one."""

    sop_class_uid: str | None
    sop_instance_uid: str
    frames: tuple[int, ...] = ()
    """ReferencedFrameNumber; empty: all frames."""
    segments: tuple[int, ...] = ()
    """ReferencedSegmentNumber."""
    channels: tuple[tuple[int, int], ...] = ()
    """ReferencedWaveformChannels: pairs of multiplex group and channel, channel 0: all of the group."""
    rendered_by: "tuple[Reference, ...]" = ()
    """Presentation states and real world value maps that go with the image."""


def read_reference(reading: Reading) -> Reference | None:
    """Return what a content item points to, or None where that is no SOP instance."""
    named = reading.only("ReferencedSOPSequence")
    found = named and reference(named)
    if not named or not found:
        reading.note("ReferencedSOPSequence", "names no SOP instance")
        return None
    others = [reference(one) for one in named.items("ReferencedSOPSequence")]
    return Reference(
        found.sop_class_uid,
        found.sop_instance_uid,
        named.wholes("ReferencedFrameNumber"),
        named.wholes("ReferencedSegmentNumber"),
        channels(named),
        tuple(other for other in others if other),
    )


def reference(named: Reading) -> Reference | None:
    """Return the SOP instance that an item of ReferencedSOPSequence names."""
    uid = named.one("ReferencedSOPInstanceUID")
    return Reference(named.one("ReferencedSOPClassUID"), uid) if uid else None


def channels(named: Reading) -> tuple[tuple[int, int], ...]:
    """Return ReferencedWaveformChannels in pairs."""
    flat = named.wholes("ReferencedWaveformChannels")
    if len(flat) % 2:
        named.note("ReferencedWaveformChannels", "not pairs of group and channel")
        return ()
    return tuple(zip(flat[::2], flat[1::2], strict=True))
