"""Which of several documents is the newest: by the moment that it was written at."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from mapper.dicom.item import Item
from mapper.maps.values.context import Context, beside
from mapper.maps.values.date_time import instant


class Written(Protocol):
    """A document with its data set and its SOPInstanceUID."""

    uid: str
    item: Item


Document = TypeVar("Document", bound=Written)


def newest_first(cx: Context, documents: Iterable[Document]) -> list[Document]:
    """Return documents in order of ContentDate and ContentTime; of two of one moment the one with the larger UID."""

    def moment(one: Document) -> tuple[object, str]:
        cx.rule, cx.item = None, one.item
        da, tm, offset = (beside(cx, name) for name in ("ContentDate", "ContentTime", "TimezoneOffsetFromUTC"))
        return instant(cx, da, tm, offset), one.uid

    return sorted(documents, key=moment, reverse=True)
