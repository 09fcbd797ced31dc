"""A StudyInstanceUID that somebody sends."""

from typing import Annotated

from pydantic import AfterValidator

from mapper.dicom.uid import is_askable


def uid(text: str) -> str:
    """Return a text that is a UID; raises ValueError without repeating it, as it may be anything."""
    if not is_askable(text):
        raise ValueError("no StudyInstanceUID such as 1.2.840.99.1")
    return text


StudyUID = Annotated[str, AfterValidator(uid)]
