"""A content tree as a page for people: XHTML, the same for the same tree, every text of it escaped."""

from collections.abc import Iterator
from html import escape

from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.coordinates import Coordinates, TemporalCoordinates
from mapper.dicom.sr.reference import Reference
from mapper.maps.values import content
from mapper.maps.values.context import Context

DEEPEST_HEADING = 6
KINDS = {Reference: "see the instance", Coordinates: "see the region", TemporalCoordinates: "see the moment"}
"""What is said of values that no text can show."""


def page(cx: Context, root: ContentItem, title: str) -> str:
    """Return a report as one page: all of its tree but the pictures that it points to."""
    body = "".join(section(cx, root, 1))
    return f"<h1>{escape(title)}</h1>{body}"


def section(cx: Context, above: ContentItem, level: int) -> Iterator[str]:
    """Yield what stands below an item, containers as sections with headings."""
    for item in above.children:
        if item.reference is not None:
            continue
        if item.value_type == "CONTAINER":
            yield from container(cx, item, min(level + 1, DEEPEST_HEADING))
        elif line := "".join(statement(cx, item)):
            yield f"<p>{line}</p>"


def container(cx: Context, item: ContentItem, level: int) -> Iterator[str]:
    """Yield one section."""
    name = content.name_of(item)
    yield "<div>"
    if name:
        yield f"<h{level}>{escape(name)}</h{level}>"
    yield from section(cx, item, level)
    yield "</div>"


def statement(cx: Context, item: ContentItem) -> Iterator[str]:
    """Yield name and value of an item, and of those that belong to it."""
    name, words = content.name_of(item), value(cx, item)
    if name:
        yield f"<b>{escape(name)}</b>"
    if words:
        yield ": " if name else ""
        yield "<br/>".join(map(escape, words.splitlines()))
    inside = [text for child in item.children if child.reference is None and (text := "".join(statement(cx, child)))]
    if inside:
        yield f" ({'; '.join(inside)})"


def value(cx: Context, item: ContentItem) -> str | None:
    """Return the value of an item as a person reads it."""
    known = KINDS.get(type(item.value))
    return known or content.in_words(cx, item)
