"""What the segmentations of a study become, where a site wants it: a BodyStructure for each segment.

What several segmentations track under one UID the newest says.
"""

from collections.abc import Iterator

from mapper.errors import Problem
from mapper.maps.newest import newest_first
from mapper.maps.rule import Made
from mapper.maps.segmentation import Segmentation, is_segmented
from mapper.maps.silence import STUDY
from mapper.maps.silence import of_documents as place_of
from mapper.maps.tables import segment
from mapper.maps.values.context import Context

MOST_SEGMENTS = 5_000
"""Segments of one segmentation; what comes behind them is recorded and left out."""
TOO_MANY = Problem(
    "BodyStructure", "SegmentSequence", f"more than {MOST_SEGMENTS} in one segmentation: the others are left out"
)
SAME_SEGMENT = Problem(
    "BodyStructure", "SegmentNumber TrackingUID", "the same in several segments of one segmentation: the first speaks"
)


def of_segmentations(cx: Context) -> Iterator[Made]:
    """Yield the segments of a study where a site wants them, those of the newest segmentation first."""
    numbered = [(number, one) for number, series in enumerate(cx.study.series, 1) for one in series.instances]
    found = [Segmentation(one, number) for number, one in numbered if is_segmented(one)]
    if segment.OPTION not in cx.site.options:
        if found:
            cx.silent(segment.RULES[0], f"option {segment.OPTION} is off")
        return
    said: dict[str, Segmentation] = {}
    for one in newest_first(cx, found):
        cx.place = place_of(one.series)
        for made in of_segmentation(cx, one):
            if made["id"] not in said:
                yield made
            elif said[made["id"]] is one:
                cx.record(SAME_SEGMENT)
            said.setdefault(made["id"], one)
    cx.place = STUDY


def of_segmentation(cx: Context, one: Segmentation) -> Iterator[Made]:
    """Yield what the segments of one segmentation make."""
    segments, problems = one.segments(cx.study)
    for problem in problems:
        cx.record(problem)
    if len(segments) > MOST_SEGMENTS:
        cx.record(TOO_MANY)
    yield from filter(None, (segment.body_structure(cx, each) for each in segments[:MOST_SEGMENTS]))
