"""Modality: CS -> Coding; which of them FHIR R4 wants at the level of the study (PS3.16 CID 29 and CID 33)."""

from typing import Any

from mapper.fhir import systems
from mapper.fhir.context import Context
from mapper.fhir.pydicom_codes import cid
from mapper.fhir.text import as_code, as_text

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
    return {"system": systems.local(cx.site, "modality"), "code": " ".join(raw.split())}


def study_modalities(cx: Context, *_: Any) -> list[dict[str, str]]:
    """Modality of all series -> Codings, sorted: acquisition modalities only, unless the site wants all."""
    allowed = cid(ALL if cx.site.study_modality == "all" else ACQUISITION)
    found = set()
    for series in cx.study.series:
        try:
            found.add(as_code(series.item["Modality"]))
        except ValueError:
            continue  # the series' own row records it
    return [{"system": systems.DCM, "code": code} for code in sorted(code for code in found if code in allowed)]
