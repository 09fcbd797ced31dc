"""Numbers of reports as they stand in the file, where DICOMweb sends them as doubles.

Orthanc 1.10.1 does so with a DS: 12.40 becomes 12.4, and very large and very small numbers other ones. What its own
REST API tells of an instance (`/instances/{id}/tags?short`) is the text of the file; Orthanc 1.12.7 needs no mending.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mapper.dicom.collector import Collector
from mapper.dicom.item import Item, tag_of
from mapper.errors import Problem
from mapper.http.target import Target
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.client import OrthancClient
from mapper.sources.orthanc.raw_texts import RawTexts, Unread, is_doubtful
from mapper.sources.orthanc.report_file import report_in_file

CONTENT = tag_of("ContentSequence")
ROUNDED = Problem(
    "Observation",
    "NumericValue",
    "sent as a double, and its text is not to be had: trailing zeros and last digits may be lost",
)
Elements = dict[str, Any]


class ExactNumbers:
    """The numbers of one study's reports, and its texts (mapper.sources.orthanc.raw_texts)."""

    def __init__(self, client: OrthancClient, study_uid: str, collector: Collector) -> None:
        """Remember whom to ask, and whom to tell of what stays rounded."""
        self._client, self._study_uid, self._collector = client, study_uid, collector
        self._texts = RawTexts(client)

    def of_series(self, series: answers.Series) -> Callable[[Elements], Elements]:
        """Return what puts texts, and the numbers of a report, of a series right; raises as OrthancClient.answer."""
        read = self._texts.of_series(series)
        members = set(series.ids)

        def mended(elements: Elements) -> Elements:
            if CONTENT not in elements:
                return read(elements)
            if is_doubtful(elements) and (whole := self._in_file(elements, members)):
                return whole
            return self._mended(read(elements), members)

        return mended

    def _in_file(self, elements: Elements, members: set[str]) -> Elements | None:
        """Return a report as its file has it, None where it is not to be had."""
        try:
            id = self._texts.id_of(Item(elements)["SOPInstanceUID"] or "", members)
        except (Unread, ValueError):
            return None
        return report_in_file(self._client, id, elements)

    def _mended(self, elements: Elements, members: set[str]) -> Elements:
        content = elements[CONTENT]
        if not has_doubles(content):
            return elements
        try:
            id = self._texts.id_of(Item(elements)["SOPInstanceUID"] or "", members)
            short = self._client.json("GET", Target("/instances/{instance}/tags", id), dict[str, Any], short="")
        except (Unread, ValueError):
            short = None
        if short is None:
            self._collector.doubt(self._study_uid, ROUNDED)
            return elements
        return {**elements, CONTENT: exact({CONTENT: content}, short)[CONTENT]}


def has_doubles(element: Any) -> bool:
    """Tell whether any DS in the items of a sequence came as a number."""
    waiting = [element]
    while waiting:
        one = waiting.pop()
        values = one.get("Value") if isinstance(one, Mapping) else None
        if not isinstance(values, list):
            continue
        if one.get("vr") == "DS" and any(value is not None and not isinstance(value, str) for value in values):
            return True
        waiting += [inner for value in values if isinstance(value, Mapping) for inner in value.values()]
    return False


def exact(elements: Mapping[str, Any], short: Mapping[str, Any]) -> Elements:
    """Return a data set whose DS are the texts that stand in the same places of another one.

    One level of sequences a call: metadata is nested no deeper than mapper.dicom.data_sets allows.
    """
    return {tag: exact_element(one, short.get(f"{tag[:4]},{tag[4:]}".lower())) for tag, one in elements.items()}


def exact_element(element: Any, said: Any) -> Any:
    """Return one attribute with its texts, as it was where the other one does not fit."""
    values = element.get("Value") if isinstance(element, Mapping) else None
    if not isinstance(values, list):
        return element
    if element.get("vr") == "DS" and isinstance(said, str):
        texts = [text.strip(" \0") or None for text in said.split("\\")]
        return {**element, "Value": texts} if len(texts) == len(values) else element
    if isinstance(said, list) and len(said) == len(values):
        pairs = zip(values, said, strict=True)
        fitting = [
            exact(one, two) if isinstance(one, Mapping) and isinstance(two, Mapping) else one for one, two in pairs
        ]
        return {**element, "Value": fitting}
    return element
