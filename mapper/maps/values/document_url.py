"""Where the bytes of an encapsulated document are to be had: the site's template, filled."""

from hashlib import sha1
from typing import Any

from mapper.dicom.uid import is_askable
from mapper.maps.content import Within
from mapper.maps.values.context import Context
from mapper.maps.values.text import as_text

RENDERED = "{dicomweb}/studies/{study}/series/{series}/instances/{instance}/rendered"
"""PS3.18 section 8.3.5: what a DICOMweb server answers with the document itself."""
ORTHANC = "/instances/{orthanc}/content/0042-0011"
"""The same under the root of an Orthanc: from 1.10.1 on it answers with the bytes, of a PDF and of a CDA."""


DICOM = "application/dicom"
"""The media type of what is had at the URL of an instance or a series (PS3.18 section 8.7.3)."""


def series_url(cx: Context, study: str | None, series: str | None) -> str | None:
    """Return where a DICOMweb server has a series (PS3.18 section 10.4), None where the site names no server."""
    return below(cx, study=study, series=series)


def instance_url(cx: Context, study: str | None, series: str | None, instance: str | None) -> str | None:
    """Return where a DICOMweb server has an instance (PS3.18 section 10.4), None where the site names no server."""
    return below(cx, study=study, series=series, instance=instance)


def below(cx: Context, **uids: str | None) -> str | None:
    """Return a URL below the root of DICOMweb; raises ValueError for UIDs of which none can be made."""
    if cx.site.dicomweb is None:
        return None
    if not all(one is not None and is_askable(one) for one in uids.values()):
        raise ValueError("no URL can be made of these UIDs")
    levels = {"study": "studies", "series": "series", "instance": "instances"}
    return "/".join([cx.site.dicomweb, *(f"{levels[level]}/{uid}" for level, uid in uids.items())])


def document_url(cx: Context, study: Any, series: Any, instance: Any, patient: Any) -> str | None:
    """UIDs of study, series and instance -> url by the site's template; nothing where no URL can be made of them.

    Orthanc's id is made of the PatientID of the instance itself, which may be blank where the study's is not.
    """
    template = cx.site.document_url or (RENDERED if cx.site.dicomweb else None)
    uids = [as_text(one) or "" for one in (study, series, instance)]
    if template is None:
        return None
    if not all(map(is_askable, uids)):
        raise ValueError("no URL can be made of these UIDs")
    own = cx.item.document["PatientID"] if isinstance(cx.item, Within) else patient
    id = orthanc_id(as_text(own) or "", *uids)
    if id is None and "{orthanc}" in template:
        raise ValueError("Orthanc's id of an instance is not known where PatientID is not ASCII")
    names = dict(zip(("study", "series", "instance"), uids, strict=True))
    return template.format(dicomweb=cx.site.dicomweb or "", orthanc=id, **names)


def orthanc_id(patient: str, study: str, series: str, instance: str) -> str | None:
    """Return Orthanc's id of an instance: the SHA-1 of DICOM's; None where nobody can know which bytes it is made of."""
    if not patient.isascii():
        return None
    digest = sha1("|".join((patient, study, series, instance)).encode(), usedforsecurity=False).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))
