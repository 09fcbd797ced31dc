"""Instances of one series that arrive in any order -> the series in its canonical order."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.study import Instance, Series


class SeriesCollector:
    """A series while its instances arrive in any order."""

    def __init__(self) -> None:
        self.instances: dict[str, tuple[Any, Instance]] = {}
        self.last: Mapping[str, Any] = {}
        self.first: tuple[Any, Callable[[], Mapping[str, Any]]] | None = None

    def add(self, key: Any, instance: Instance, full: Callable[[], Mapping[str, Any]]) -> bool:
        """Take one instance; False when its SOPInstanceUID is there already."""
        known = self.instances.get(instance.uid)
        if known is None or precedes(key, instance.whole, known[0], known[1].whole):
            self.instances[instance.uid] = (key, instance)
        ahead = self.first is None or key < self.first[0]
        if self.first is not None and key == self.first[0]:
            ahead = precedes(key, Item(full()), key, Item(self.first[1]()))
        if ahead:
            self.first = (key, full)
        return known is None

    def leave_out(self, uid: str) -> None:
        """Keep of a document what is kept of every instance."""
        key, instance = self.instances[uid]
        self.instances[uid] = key, replace(instance, document=None)

    def sharing(self, elements: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the same elements, those that repeat the instance before by reference: it halves a large study."""
        before = self.last
        self.last = {tag: before[tag] if same(before.get(tag), one) else one for tag, one in elements.items()}
        return self.last

    def settle(self) -> None:
        """Read the first instance in full now: what it is read from may go."""
        if self.first is not None:
            elements = self.first[1]()
            self.first = (self.first[0], lambda: elements)

    def finished(self, uid: str) -> Series:
        assert self.first is not None
        ordered = sorted(self.instances.values(), key=lambda pair: pair[0])
        return Series(uid, Item(self.first[1]()), tuple(instance for _, instance in ordered))


def precedes(key: Any, item: Item, other_key: Any, other: Item) -> bool:
    """Tell which of two instances speaks; of two that claim to be the same the content decides, not the arrival."""
    return bool(key < other_key or (key == other_key and item.canonical() < other.canonical()))


def same(one: Any, other: Any) -> bool:
    """Tell whether two raw attributes are the same to the letter: 1, 1.0 and true are equal, but not the same."""
    return one is other or (one == other and repr(one) == repr(other))
