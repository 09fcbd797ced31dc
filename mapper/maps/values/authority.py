"""Who assigned an identifier: an HL7v2 hierarchic designator in DICOM -> a FHIR identifier system.

PS3.3 table 10-17: LocalNamespaceEntityID, UniversalEntityID, UniversalEntityIDType.
"""

import re
from typing import Any

from mapper.dicom.characters import composed
from mapper.dicom.item import Item
from mapper.fhir import systems
from mapper.maps.values.context import Context, beside
from mapper.maps.values.text import as_code, as_items, as_text

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")
HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?")


def first_item(cx: Context, sequence: Any) -> Item:
    """Return the first item of a sequence that should have one, an empty item when there is none."""
    items = as_items(sequence)
    if len(items) > 1:
        cx.note("several items where one is allowed: the first one speaks")
    return items[0] if items else Item()


def universal_system(cx: Context, item: Item, kind: str) -> str | None:
    """UniversalEntityID + UniversalEntityIDType -> identifier system; None when absent or malformed."""
    value = as_text(item["UniversalEntityID"])
    if value is None:
        return None
    match as_code(item["UniversalEntityIDType"]):
        case "ISO":
            found = f"urn:oid:{value}" if systems.OID.fullmatch(value) else None
        case "UUID":
            found = f"urn:uuid:{value.lower()}" if UUID.fullmatch(value.lower()) else None
        case "URI":
            found = value if ABSOLUTE_URI.fullmatch(value) else None
        case "DNS":
            found = f"http://{value}" if HOST.fullmatch(value) else None
        case _:  # EUI64, X400, X500 and what is not defined
            found = systems.local(cx.site.base, kind, value)
    if found is None:
        cx.note("UniversalEntityID is not what its type says: ignored")
    return found


def local_system(cx: Context, name: str | None, kind: str) -> str | None:
    """Issuer's name -> the site's system for it, else one of the site's base; None without a name."""
    if name is None:
        return None
    return cx.site.issuers.get(composed(name)) or systems.local(cx.site.base, kind, name)


def issuer_system(cx: Context, sequence: Any, kind: str) -> str:
    """Issuer sequence -> identifier system: universal id, local name, the site's own."""
    item = first_item(cx, sequence)
    return (
        universal_system(cx, item, kind)
        or local_system(cx, as_text(item["LocalNamespaceEntityID"]), kind)
        or systems.local(cx.site.base, kind)
    )


def facility(item: Item) -> str | None:
    """Return the name of who assigned an id: facility, else jurisdiction, else agency or department."""
    for assigner in as_items(item.values("AssigningFacilitySequence")):
        found = as_text(assigner["LocalNamespaceEntityID"]) or as_text(assigner["UniversalEntityID"])
        if found:
            return found
    for keyword in ("AssigningJurisdictionCodeSequence", "AssigningAgencyOrDepartmentCodeSequence"):
        for code in as_items(item.values(keyword)):
            if found := as_text(code["CodeMeaning"]):
                return found
    return None


def identity_removed(cx: Context) -> bool:
    """Tell whether the data set says that its patient was de-identified (PS3.3 C.7.1.1)."""
    return as_code(beside(cx, "PatientIdentityRemoved")) == "YES"
