"""Several data sets read as one: a study through its series."""

from collections.abc import Iterable, Mapping
from typing import Any

from mapper.dicom.decoding import JSON_OBJECT
from mapper.dicom.item import EMPTY, Item


class Layers(Item):
    """Several data sets read as one: the first that has a value speaks (a study through its series).

    `settled` names the data set that speaks for an attribute instead, whatever the others have. Who speaks is looked up
    once an attribute: each of a study's many reports asks for the same ones.
    """

    __slots__ = ("_disagree", "_items", "_settled", "_speaking")

    def __init__(self, items: Iterable[Item], settled: Mapping[str, Item] | None = None) -> None:
        super().__init__()
        self._items = tuple(items)
        self._settled = settled or {}
        self._speaking: dict[str, Item] = dict(self._settled)
        self._disagree: dict[str, bool] = dict.fromkeys(self._settled, False)  # whoever settled it looked

    def element(self, keyword: str) -> Any:
        return self.layer(keyword).element(keyword)

    def values_of_all(self, keyword: str) -> list[Any]:
        return [value for item in self._items for value in item.values(keyword)]

    def layer(self, keyword: str) -> Item:
        """Return the first data set with a value, else the first that has the attribute at all."""
        if keyword not in self._speaking:
            having = [item for item in self._items if keyword in item]
            with_value = (item for item in having if has_value(item.element(keyword)))
            self._speaking[keyword] = next(with_value, next(iter(having), Item()))
        return self._speaking[keyword]

    def is_settled(self, keyword: str) -> bool:
        return keyword in self._settled

    def disagrees(self, keyword: str) -> bool:
        if keyword not in self._disagree:
            elements = [element for item in self._items if has_value(element := item.element(keyword))]
            self._disagree[keyword] = any(one.get("Value") != elements[0].get("Value") for one in elements)
        return self._disagree[keyword]


def has_value(element: Any) -> bool:
    """Tell whether a raw attribute holds anything but empty values."""
    if not isinstance(element, JSON_OBJECT):
        return False
    values = element.get("Value")
    if isinstance(values, list):
        return any(value not in EMPTY for value in values)
    return values is not None or "InlineBinary" in element or "BulkDataURI" in element
