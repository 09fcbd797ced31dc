"""Items by reference: each gets the item that it stands for, unless that makes a loop (PS3.3 C.17.3.2.5)."""

from collections.abc import Mapping

from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.reading import Positions, Problems

IDENTIFIER = "ReferencedContentItemIdentifier"


def resolve(items: Mapping[Positions, ContentItem], problems: Problems) -> None:
    """Set the target of every item by reference; what stays without one is recorded."""
    references = [item for item in items.values() if item.reference is not None]
    for item in references:
        assert item.reference is not None
        found = items.get(item.reference)
        if found is None:
            problems.add(item.positions, "", IDENTIFIER, "names no content item")
        elif found.reference is not None:
            problems.add(item.positions, "", IDENTIFIER, "names an item that is itself a reference")
        elif item.positions[: len(item.reference)] == item.reference:
            problems.add(item.positions, "", IDENTIFIER, "names an item above itself: a loop")
        else:
            item.target = found
    linked = [item for item in references if item.target is not None]
    endless = leading_into_loops(items, linked) if linked else set()
    for item in linked:
        assert item.target is not None
        if item.target.positions in endless:
            item.target = None
            problems.add(item.positions, "", IDENTIFIER, "leads into a loop")


def leading_into_loops(items: Mapping[Positions, ContentItem], linked: list[ContentItem]) -> set[Positions]:
    """Return the items from which one can go down for ever, by children and references: what no leaf can retire."""
    open_ways = {positions: len(item.children) + (item.target is not None) for positions, item in items.items()}
    sources: dict[Positions, list[ContentItem]] = {}
    for item in linked:
        assert item.target is not None
        sources.setdefault(item.target.positions, []).append(item)
    done = [items[positions] for positions, ways in open_ways.items() if not ways]
    for item in done:  # grows while it is read
        del open_ways[item.positions]
        for above in (item.parent, *sources.get(item.positions, ())):
            if above is not None:
                open_ways[above.positions] -= 1
                if not open_ways[above.positions]:
                    done.append(above)
    return set(open_ways)
