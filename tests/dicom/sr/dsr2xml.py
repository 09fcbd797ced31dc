"""What DCMTK's dsr2xml reads in an SR document, as rows: an independent reader to compare content trees with.

Left out, since it does not say them: fractions of a second, more than nine digits of a float, a unit without a
number, meanings. It numbers items itself; paths are counted here, from the nesting of its elements.
"""

import subprocess
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

TOLERANT = ("-Er", "-Ev", "-Ec", "-Ee")
"""With these it only warns of unknown relationships, values against their VR, what an IOD forbids, parts that lack."""
Row = tuple[str, str, str, Any, Any]
"""Path, value type, relationship, concept name (code, scheme), and the value in a form of its own for each type."""


class Refused(Exception):
    """dsr2xml does not read this document; the message is its own."""


def rows(file: Path, *, tolerant: bool = True) -> list[Row]:
    """Return one row a content item, in the order of the document; raises Refused."""
    options = ("+U8", "+Wi", "+Wt", "+Ca", "latin-1", *(TOLERANT if tolerant else ()))
    done = subprocess.run(["dsr2xml", *options, file], capture_output=True, timeout=60)
    if done.returncode:
        said = done.stderr.decode(errors="replace").splitlines()
        raise Refused(next(line for line in said if line.startswith("E: ")))
    root = ElementTree.fromstring(done.stdout).find("document/content/container")
    assert root is not None
    paths: dict[str, str] = {}
    number(root, "1", paths)
    return list(walked(root, "1", paths))


def number(element: Element, path: str, paths: dict[str, str]) -> None:
    """Remember the path of every item by the number that dsr2xml gives it."""
    paths[element.attrib["id"]] = path
    for position, child in enumerate(children(element), 1):
        number(child, f"{path}.{position}", paths)


def children(element: Element) -> list[Element]:
    return [child for child in element if child.tag in VALUES]


def walked(element: Element, path: str, paths: dict[str, str]) -> Iterator[Row]:
    """Yield the row of an item and of all below it."""
    value = paths[element.attrib["ref"]] if element.tag == "reference" else VALUES[element.tag](element)
    yield path, element.tag.upper(), element.findtext("relationship") or "", code(element.find("concept")), value
    for position, child in enumerate(children(element), 1):
        yield from walked(child, f"{path}.{position}", paths)


def code(element: Element | None) -> Any:
    if element is None:
        return None
    found = element.findtext("value") or "", element.findtext("scheme/designator") or ""
    return found if any(found) else None


def text(element: Element) -> Any:
    """Return a text with one kind of line end and without padding (PS3.5 section 6.2, UT)."""
    value = element.findtext("value")
    return value and value.replace("\r\n", "\n").replace("\r", "\n").rstrip()


def digits(element: Element) -> Any:
    """Return a date or time without the marks between its parts."""
    value = element.findtext("value")
    return value and "".join(letter for letter in value if letter not in "-:T")


def measured(element: Element) -> Any:
    value = decimal(element.findtext("value"))
    rational = element.find("rational")
    floating = element.findtext("float")
    return (
        value,
        f"{float(floating):.7g}" if floating else None,
        rational and (int(rational.findtext("numerator") or ""), int(rational.findtext("denominator") or "")),
        code(element.find("unit")) if value is not None else None,
        code(element.find("qualifier")),
    )


def decimal(said: str | None) -> str | None:
    """Return a number so that its digits count and its exponent does not; None where it is no number."""
    try:
        return f"{Decimal(said or ''):f}"
    except InvalidOperation:
        return None


def name(element: Element) -> Any:
    value = element.find("value")
    if value is None:
        return None
    parts = (value.findtext(part) or "" for part in ("last", "first", "middle", "prefix", "suffix"))
    return "^".join(parts).rstrip("^")


def sop(element: Element | None) -> Any:
    if element is None:
        return None
    found = tuple(
        "" if one is None else one.attrib.get("uid", "") for one in map(element.find, ("sopclass", "instance"))
    )
    return found if found[1] else None


def referenced(element: Element) -> Any:
    value = element.find("value")
    if value is None or sop(value) is None:
        return None
    lists = (whole(value.findtext(part)) for part in ("frames", "segments", "channels"))
    others = tuple(found for found in (sop(value.find("pstate")), sop(value.find("mapping"))) if found)
    return (sop(value), *lists, others)


def whole(said: str | None) -> tuple[int, ...]:
    return tuple(int(one) for one in (said or "").replace("/", ",").split(",") if one.strip())


def graphic(element: Element) -> Any:
    data = element.find("data")
    if data is None:
        return None
    flat = tuple(f"{float(one):.6g}" for one in (data.text or "").replace("/", ",").split(",") if one.strip())
    fiducial = element.find("fiducial")
    return (
        element.attrib.get("type"),
        flat,
        data.attrib.get("uid"),
        None if fiducial is None else fiducial.attrib.get("uid"),
    )


def temporal(element: Element) -> Any:
    data = element.find("data")
    if data is None:
        return None
    values = [one.strip() for one in (data.text or "").split(",")]
    kind = data.attrib.get("type")
    if kind == "DATETIME":
        values = ["".join(letter for letter in one if letter not in "-:T") for one in values]
    elif kind == "TIME OFFSET":
        values = [str(float(one)) for one in values]
    return (element.attrib.get("type"), kind, tuple(values))


def template(element: Element) -> Any:
    return element.findtext("template/id")


VALUES: dict[str, Any] = {
    "container": template,
    "text": text,
    "code": code,
    "num": measured,
    "datetime": digits,
    "date": digits,
    "time": digits,
    "uidref": text,
    "pname": name,
    "composite": referenced,
    "image": referenced,
    "waveform": referenced,
    "scoord": graphic,
    "scoord3d": graphic,
    "tcoord": temporal,
    "reference": None,
}
"""How the value of each kind of element is read."""
