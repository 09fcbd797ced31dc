"""What the content items of one document point to: instances by themselves and below, other items by reference."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.reading import Positions
from mapper.dicom.sr.reference import Reference

FARTHEST = 200
"""Items by reference that are followed from one item: reports that have more of them are not about more studies."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """What an item points to."""

    instances: tuple[str, ...] = ()
    """SOP Instance UIDs, each once, in the order of the document."""
    targets: tuple[ContentItem, ...] = ()
    """The items that those by reference stand for."""

    def __bool__(self) -> bool:
        """Tell whether it points to anything at all."""
        return bool(self.instances or self.targets)


class Pointers:
    """The pointers of one document, each item looked at once; `parts` are the items that become Observations."""

    def __init__(self, parts: Collection[Positions]) -> None:
        """Begin with nothing looked at."""
        self._parts = parts
        self._below: dict[Positions, Pointed] = {}
        self._beside: dict[Positions, Pointed] = {}

    def of(self, content: ContentItem) -> Iterator[str]:
        """Yield the instances that an item is of: those that it points to, else those of the nearest item above.

        What it was inferred from counts as what it points to itself.
        """
        waiting, looked_at = [content], {content.positions}
        for item in waiting:  # grows while it is read
            pointed = self.below(item)
            if not pointed and (item is content or item.positions in self._parts):
                pointed = next(filter(None, map(self.beside, item.ancestors())), pointed)
            yield from pointed.instances
            for target in pointed.targets:
                if target.positions not in looked_at and len(looked_at) < FARTHEST:
                    looked_at.add(target.positions)
                    waiting.append(target)

    def below(self, item: ContentItem) -> Pointed:
        """Return what an item and all below it point to."""
        if item.positions not in self._below:
            self._below[item.positions] = pointed([item], lambda _: True)
        return self._below[item.positions]

    def beside(self, item: ContentItem) -> Pointed:
        """Return what an item points to for all that it holds: not what sections or Observations in it point to."""
        if item.positions not in self._beside:
            self._beside[item.positions] = pointed(item.children, self._belongs)
        return self._beside[item.positions]

    def _belongs(self, item: ContentItem) -> bool:
        return item.value_type != "CONTAINER" and item.positions not in self._parts


def pointed(items: Iterable[ContentItem], belongs: Callable[[ContentItem], bool]) -> Pointed:
    """Return what items point to, and those below them that belong to them."""
    instances, targets = [], []
    waiting = list(items)[::-1]
    while waiting:
        item = waiting.pop()
        meant = item if item.reference is None else item.target
        if meant is None or not belongs(meant):
            continue
        if meant is not item:
            targets.append(meant)
        elif isinstance(item.value, Reference):
            instances.append(item.value.sop_instance_uid)
        waiting.extend(reversed(item.children))
    return Pointed(tuple(dict.fromkeys(instances)), tuple(dict.fromkeys(targets)))
