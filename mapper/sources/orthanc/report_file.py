"""A report read from its file at Orthanc: one request, where text by text would be thousands."""

import warnings
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.datadict import keyword_for_tag

from mapper.http.target import Target
from mapper.sources.data_set import json_model
from mapper.sources.orthanc.client import OrthancClient


def report_in_file(client: OrthancClient, id: str, tags: Iterable[str]) -> dict[str, Any] | None:
    """Return the attributes with these tags as the file of an instance has them, in the DICOM JSON Model.

    None where Orthanc does not have the file, or nobody can read it; raises as OrthancClient.answer.
    """
    with client.answer("GET", Target("/instances/{instance}/file", id), accept="application/dicom") as found:
        if found is None:
            return None
        body = found.read()
    keywords = [keyword for tag in tags if (keyword := keyword_for_tag(tag))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings quote values
        try:
            data = dcmread(BytesIO(body), stop_before_pixels=True, specific_tags=[*keywords, "SpecificCharacterSet"])
            return json_model(data, keywords)
        except Exception:  # pydicom raises many kinds on broken files: what DICOMweb said is there still
            return None
