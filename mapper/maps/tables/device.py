"""Device <- DICOM General Equipment module (PS3.3 C.7.5.1), one a series: a derived series has its creator's.

Identity: DeviceUID, else manufacturer, model and serial number, else manufacturer, model, station and
institution. A software update is the same device.
"""

from collections.abc import Iterator
from typing import Any

from mapper.dicom.item import Item
from mapper.dicom.study import Study
from mapper.maps import engine, keys
from mapper.maps.rule import MUST, Made, MissingElement, Rule
from mapper.maps.silence import STUDY, of_series
from mapper.maps.values.context import Context
from mapper.maps.values.context_groups import cid
from mapper.maps.values.identifier import serial_number
from mapper.maps.values.modality import ACQUISITION, series_modality
from mapper.maps.values.person import performers
from mapper.maps.values.text import as_items, as_text, text
from mapper.maps.values.uid import uid_identifier

IDENTITY = "DeviceUID Manufacturer ManufacturerModelName DeviceSerialNumber StationName InstitutionName"


def device_id(cx: Context, *known: Any) -> str | None:
    """Equipment attributes -> id; fewer than two known parts identify nothing."""
    key = keys.device(*map(as_text, known))
    return cx.id(*key) if key else None


def device_reference(cx: Context, *known: Any) -> dict[str, str] | None:
    """Equipment attributes -> Reference to the Device."""
    id = device_id(cx, *known)
    return {"reference": f"Device/{id}"} if id else None


def identifiers(cx: Context, uid: Any, serial: Any) -> list[dict[str, Any]]:
    """DeviceUID, DeviceSerialNumber -> identifiers, the number of type SNO without a system of its own."""
    return [made for made in (uid_identifier(cx, uid), serial_number(cx, serial)) if made]


def names(cx: Context, station: Any, model: Any) -> list[dict[str, str]]:
    """StationName, ManufacturerModelName -> deviceName, told apart by type."""
    kinds = {"user-friendly-name": as_text(station), "model-name": as_text(model)}
    return [{"name": name, "type": kind} for kind, name in kinds.items() if name]


def kind(cx: Context, modality: Any) -> dict[str, Any] | None:
    """Modality -> what kind of device it is."""
    return {"coding": [series_modality(cx, modality)]} if as_text(modality) else None


def versions(cx: Context, software: Any) -> list[dict[str, str]]:
    """SoftwareVersions -> versions, sorted: their order says nothing."""
    return [{"value": value} for value in sorted(set(software))]


def udi(cx: Context, identifications: Any) -> list[dict[str, str]]:
    """UniqueDeviceIdentifier of UDISequence -> UDI as people read it."""
    carriers = [as_text(item["UniqueDeviceIdentifier"]) for item in as_items(identifications)]
    return [{"carrierHRF": carrier} for carrier in carriers if carrier]


def equipment(cx: Context, *known: Any) -> list[dict[str, Any]]:
    """Equipment attributes -> the device that performed (DEV), by name only where nothing identifies it."""
    actor = device_reference(cx, *known) or device_display(*known)
    return performers("DEV", [actor]) if actor else []


def device_display(uid: Any, manufacturer: Any, model: Any, serial: Any, station: Any, institution: Any) -> Any:
    """Return a Reference with the one name of a device that is known, None for only a number or a place."""
    name = as_text(station) or as_text(model) or as_text(manufacturer)
    return {"display": name} if name else None


def owner(cx: Context, institution: Any) -> dict[str, str] | None:
    """InstitutionName -> owner, by name only."""
    name = as_text(institution)
    return {"display": name} if name else None


# fmt: off
RULES = (
    #    FHIR element             DICOM attribute                        by
    Rule("Device.id",             IDENTITY,                              device_id, MUST),
    Rule("Device.identifier",     "DeviceUID DeviceSerialNumber",        identifiers),
    Rule("Device.udiCarrier",     "UDISequence*",                        udi),
    Rule("Device.manufacturer",   "Manufacturer",                        text),
    Rule("Device.serialNumber",   "DeviceSerialNumber",                  text),
    Rule("Device.deviceName",     "StationName ManufacturerModelName",   names),
    Rule("Device.modelNumber",    "ManufacturerModelName",               text),
    Rule("Device.type",           "Modality",                            kind),
    Rule("Device.version",        "SoftwareVersions*",                   versions),
    Rule("Device.owner",          "InstitutionName",                     owner),
)
# fmt: on


def device(cx: Context, item: Item) -> Made:
    """Return the Device that made a series; raises MissingElement when nothing identifies it."""
    return engine.resource(RULES, cx, item, "Device")


def devices(cx: Context) -> list[Made]:
    """Return the Device of each series and of each document, the newest series last; the versions of all add up."""
    found: dict[str, Made] = {}
    for number, item in makers(cx.study):
        cx.place = of_series(number)
        try:
            one = device(cx, item)
        except MissingElement:
            continue
        if before := found.get(one["id"]):
            versions = [*before.get("version", []), *one.get("version", [])]
            if versions:
                unique = {version["value"]: version for version in versions}
                one["version"] = [unique[value] for value in sorted(unique)]
                one.rules.setdefault("version", before.rules.get("version", []))
            if is_acquisition(before) and not is_acquisition(one):
                one["type"] = before["type"]  # a scanner is no SR for having written one
            one.fill(before)
        found[one["id"]] = one
    cx.place = STUDY
    return list(found.values())


def makers(study: Study) -> Iterator[tuple[int, Item]]:
    """Yield what says who made a series or a document, with the series' place in the study, the newest series last.

    Documents refer to their own equipment: several stations may write into one series.
    """
    for number, series in sorted(enumerate(study.series, 1), key=lambda pair: newest_last(pair[1])):
        yield number, series.item
        yield from ((number, one.document) for one in series.instances if one.document is not None)


def is_acquisition(made: Made) -> bool:
    """Tell whether a Device has the type of what acquires images (PS3.16 CID 29)."""
    return any(one.get("code") in cid(ACQUISITION) for one in made.get("type", {}).get("coding", ()))


def newest_last(series: Any) -> tuple[str, str, str]:
    """Return a sort key of a series: date, time, UID; the unreadable counts as oldest."""

    def read(keyword: str) -> str:
        try:
            return str(series.item[keyword] or "")
        except ValueError:
            return ""

    return read("SeriesDate"), read("SeriesTime"), series.uid
