"""Content items as tables of keywords (PS3.3 C.17.3, C.18): what a template's row says becomes one call."""

from __future__ import annotations

from pydicom.sr.coding import Code

from samples.dataset import Attributes, code

CONTAINS = "CONTAINS"
MOD = "HAS CONCEPT MOD"
CONTEXT = "HAS OBS CONTEXT"
ACQUIRED = "HAS ACQ CONTEXT"
PROPERTY = "HAS PROPERTIES"
INFERRED = "INFERRED FROM"
SELECTED = "SELECTED FROM"


def unit(value: str, meaning: str | None = None) -> Code:
    """Return a unit of UCUM."""
    return Code(value, "UCUM", meaning or value)


def item(how: str, value_type: str, name: Code | None, value: Attributes, *below: Attributes) -> Attributes:
    """Return a content item: relationship, value type, concept name, the attributes of its value, its children."""
    return {
        **({"RelationshipType": how} if how else {}),
        "ValueType": value_type,
        **({"ConceptNameCodeSequence": [code(name)]} if name else {}),
        **value,
        **({"ContentSequence": list(below)} if below else {}),
    }


def container(how: str, name: Code, *below: Attributes, template: str | None = None) -> Attributes:
    """Return a CONTAINER; the root has no relationship and says its template."""
    said = [{"MappingResource": "DCMR", "TemplateIdentifier": template}]
    value: Attributes = {
        "ContinuityOfContent": "SEPARATE",
        **({"ContentTemplateSequence": said} if template else {}),
    }
    return item(how, "CONTAINER", name, value, *below)


def text(how: str, name: Code, value: str, *below: Attributes) -> Attributes:
    """Return a TEXT."""
    return item(how, "TEXT", name, {"TextValue": value}, *below)


def coded(how: str, name: Code, value: Code, *below: Attributes) -> Attributes:
    """Return a CODE."""
    return item(how, "CODE", name, {"ConceptCodeSequence": [code(value)]}, *below)


def num(how: str, name: Code, value: str, measured_in: Code, *below: Attributes, **more: object) -> Attributes:
    """Return a NUM; `more` goes beside NumericValue."""
    measured = {"NumericValue": value, "MeasurementUnitsCodeSequence": [code(measured_in)], **more}
    return item(how, "NUM", name, {"MeasuredValueSequence": [measured]}, *below)


def not_measured(how: str, name: Code, why: Code | None, *below: Attributes) -> Attributes:
    """Return a NUM without a value, and the qualifier that says why (CID 42)."""
    qualifier = {"NumericValueQualifierCodeSequence": [code(why)]} if why else {}
    return item(how, "NUM", name, {"MeasuredValueSequence": [], **qualifier}, *below)


def uidref(how: str, name: Code, value: str, *below: Attributes) -> Attributes:
    """Return a UIDREF."""
    return item(how, "UIDREF", name, {"UID": value}, *below)


def datetime(how: str, name: Code, value: str, *below: Attributes) -> Attributes:
    """Return a DATETIME."""
    return item(how, "DATETIME", name, {"DateTime": value}, *below)


def pname(how: str, name: Code, value: str, *below: Attributes) -> Attributes:
    """Return a PNAME."""
    return item(how, "PNAME", name, {"PersonName": value}, *below)


def referring(how: str, value_type: str, name: Code | None, sop: tuple[str, str], **more: object) -> Attributes:
    """Return an IMAGE, WAVEFORM or COMPOSITE of a (SOP class, SOP instance); `more` goes into the reference."""
    named = {"ReferencedSOPClassUID": sop[0], "ReferencedSOPInstanceUID": sop[1], **more}
    return item(how, value_type, name, {"ReferencedSOPSequence": [named]})


def point(how: str, name: Code, column: float, row: float, *below: Attributes) -> Attributes:
    """Return a SCOORD that is a point of an image."""
    return item(how, "SCOORD", name, {"GraphicType": "POINT", "GraphicData": [column, row]}, *below)


def by_reference(how: str, *positions: int) -> Attributes:
    """Return an item that stands for another one of the same document."""
    return {"RelationshipType": how, "ReferencedContentItemIdentifier": list(positions)}
