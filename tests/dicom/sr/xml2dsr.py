"""The sixty measurements of samples/sr/echo.py by another writer: DCMTK's xml2dsr, from a tree of XML made here."""

import subprocess
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from pydicom import Dataset, dcmread
from pydicom.sr.coding import Code

from samples.dataset import uid
from samples.header import Header
from samples.sr import echo
from samples.sr.settled import settled

CLASS = "1.2.840.10008.5.1.4.1.1.88.33"


def echo_by_dcmtk(header: Header, folder: Path, number: int = 32) -> Dataset:
    """Return the report; raises CalledProcessError when the writer refuses."""
    source, made = folder / "echo.xml", folder / "echo.dcm"
    source.write_bytes(tostring(report(header), encoding="utf-8", xml_declaration=True))
    subprocess.run(["xml2dsr", source, made], check=True, capture_output=True, timeout=60)
    return settled(dcmread(made), header, echo.series(header, number))


def report(header: Header) -> Element:
    """Return the document as DCMTK's dsr2xml.xsd has it."""
    root = Element("report", type="Comprehensive SR")
    SubElement(root, "sopclass", uid=CLASS)
    leaf(root, "charset", "ISO_IR 192")
    leaf(root, "modality", "SR")
    leaf(SubElement(root, "patient"), "id", "1")
    SubElement(root, "study", uid=header.study_uid)
    leaf(SubElement(root, "series", uid=uid(header.name, "xml", 1)), "number", "1")
    leaf(SubElement(root, "instance", uid=uid(header.name, "xml", 2)), "number", "1")
    document = SubElement(root, "document")
    SubElement(document, "completion", flag="COMPLETE")
    SubElement(document, "verification", flag="UNVERIFIED")
    content = SubElement(document, "content")
    leaf(content, "date", "2024-05-17")
    leaf(content, "time", "09:51:10")
    title = container(content, None, echo.TITLE)
    SubElement(title, "template", resource="DCMR", tid="5200")
    for site, groups in echo.SECTIONS:
        section = container(title, "CONTAINS", echo.FINDINGS)
        code(section, "HAS CONCEPT MOD", echo.SITE, site)
        for mode, table in groups:
            group = container(section, "CONTAINS", echo.GROUP)
            code(group, "HAS CONCEPT MOD", echo.MODE, mode)
            for one in echo.measurements(table):
                number(group, one)
    return root


def leaf(parent: Element, name: str, text: str) -> None:
    """Append an element that holds a text."""
    SubElement(parent, name).text = text


def entry(parent: Element, concept: Code) -> None:
    """Append value, scheme and meaning of a code."""
    leaf(parent, "value", concept.value)
    leaf(SubElement(parent, "scheme"), "designator", concept.scheme_designator)
    leaf(parent, "meaning", concept.meaning)


def item(parent: Element, kind: str, how: str | None, name: Code) -> Element:
    """Append a content item with its relationship and concept name."""
    made = SubElement(parent, kind)
    if how:
        leaf(made, "relationship", how)
    entry(SubElement(made, "concept"), name)
    return made


def container(parent: Element, how: str | None, name: Code) -> Element:
    """Append a CONTAINER."""
    made = item(parent, "container", how, name)
    made.set("flag", "SEPARATE")
    return made


def code(parent: Element, how: str, name: Code, value: Code) -> None:
    """Append a CODE."""
    entry(item(parent, "code", how, name), value)


def number(parent: Element, one: echo.Measurement) -> None:
    """Append a NUM with what modifies it."""
    made = item(parent, "num", "CONTAINS", one.name)
    for how, name, value in one.said:
        code(made, how, name, value)
    leaf(made, "value", one.value)
    entry(SubElement(made, "unit"), one.unit)
