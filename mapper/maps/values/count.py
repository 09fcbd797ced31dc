"""How many series and instances there are, counted (FHIR R4 ImagingStudy)."""

from mapper.maps.values.context import Context


def number_of_series(cx: Context) -> int:
    """The series counted: what the PACS holds and no note rejects, not what an attribute says."""
    return len(cx.study.series) + len(cx.study.unlisted)


def number_of_instances(cx: Context) -> int:
    """The instances counted: what the PACS holds and no note rejects, not what an attribute says."""
    return cx.study.instances


def instances_of_series(cx: Context) -> int | None:
    """The instances of a series counted, those that a note rejects left out."""
    return cx.series.count if cx.series else None
