"""Modality: CS -> Coding; which of them FHIR R4 wants at the level of the study (PS3.16 CID 29 and CID 33)."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from mapper.dicom.item import Item
from mapper.fhir import systems
from mapper.maps.values.context import Context
from mapper.maps.values.context_groups import cid
from mapper.maps.values.text import as_code, as_text

ACQUISITION, ALL = 29, 33
OTHER = "OT"


def series_modality(cx: Context, value: Any) -> dict[str, str]:
    """Modality -> Coding; R4 demands one, so a series without Modality is OT."""
    try:
        raw = as_text(value)
    except ValueError:
        raw = None
    if raw is None:
        cx.note("absent: FHIR demands a modality, OT is written")
        return {"system": systems.DCM, "code": OTHER}
    code = as_code(raw)
    if code in cid(ALL):
        return {"system": systems.DCM, "code": code}
    cx.note("not a modality of PS3.16 CID 33: written under the site's own system")
    return {"system": systems.local(cx.site.base, "modality"), "code": " ".join(raw.split())}


def modality_of_series(cx: Context, value: Any) -> dict[str, str]:
    """Modality -> Coding: that of the first instance which has one; R4 demands one, so a series without it is OT."""
    named = codes_of_instances(cx)
    if len(set(map(as_code, named))) > 1:
        cx.note("several in one series: the first is kept, the study's list has all")
    return series_modality(cx, value if value is not None or not named else named[0])


def codes_of_instances(cx: Context) -> list[str]:
    """Return Modality of the instances of the series that is being read, where they have a readable one."""
    return each_readable(one.item for series in cx.study.series if series.item is cx.item for one in series.instances)


def study_modalities(cx: Context, *_: Any) -> list[dict[str, str]]:
    """Modality of all instances -> Codings, sorted: acquisition modalities only, unless the site wants all."""
    allowed = cid(ALL if cx.site.study_modality == "all" else ACQUISITION)
    items = (one.item for series in cx.study.series for one in series.instances)
    found = set(map(as_code, each_readable(items)))
    return [{"system": systems.DCM, "code": code} for code in sorted(code for code in found if code in allowed)]


def each_readable(items: Iterable[Item]) -> list[str]:
    """Return Modality of data sets, each one once, without those that have none or an unreadable one."""
    found: dict[str, None] = {}
    for item in {id(item.element("Modality")): item for item in items}.values():  # most instances share theirs
        with suppress(ValueError):  # the series' own row records it
            if (one := as_text(item["Modality"])) is not None:
                found.setdefault(one)
    return list(found)
