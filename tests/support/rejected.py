"""Images of a study, and key objects that name some of them."""

from typing import Any

from tests.support.reported import KEY_OBJECTS, STUDY_UID, instance

OTHER_STUDY = "1.2.826.0.1.3680043.8.498.8"
CT = "1.2.840.10008.5.1.4.1.1.2"


def uid(place: str) -> str:
    """Return the UID of an instance by the numbers of its series and its own, `1.2`."""
    return f"{STUDY_UID}.{place}"


def image(series: int, number: int, **more: Any) -> dict[str, Any]:
    """Return an image of a series of the study."""
    place = {"SOPInstanceUID": uid(f"{series}.{number}"), "InstanceNumber": number, "SeriesNumber": series}
    return instance({}, "2", series, **{"Modality": "CT", "PatientWeight": "63.5", **place, **more})


IMAGES = (image(1, 1), image(1, 2), image(2, 1))


def note(code: str, *named: str, study: str = STUDY_UID, number: int = 9, **more: Any) -> dict[str, Any]:
    """Return key objects with a title of PS3.16 CID 7010 that name instances."""
    title = {"CodeValue": code, "CodingSchemeDesignator": "DCM", "CodeMeaning": "a title"}
    references = [{"ReferencedSOPClassUID": CT, "ReferencedSOPInstanceUID": one} for one in named]
    evidence = {
        "StudyInstanceUID": study,
        "ReferencedSeriesSequence": [{"SeriesInstanceUID": f"{study}.1", "ReferencedSOPSequence": references}],
    }
    kind = {"RelationshipType": "CONTAINS", "ValueType": "IMAGE"}
    items = [{**kind, "ReferencedSOPSequence": [one]} for one in references]
    root = {"ValueType": "CONTAINER", "ConceptNameCodeSequence": [title], "ContentSequence": items}
    said = {"CurrentRequestedProcedureEvidenceSequence": [evidence], "Modality": "KO", "SeriesNumber": number}
    return instance({**root, **said, **more}, KEY_OBJECTS, number)
