"""Device <- a phantom's Patient module: a quality control subject is no Patient (PS3.3 C.7.1.1)."""

from typing import Any

from mapper.dicom.item import Item
from mapper.fhir import systems
from mapper.maps import engine
from mapper.maps.keys import PHANTOM_CODE
from mapper.maps.rule import MUST, Made, Rule
from mapper.maps.tables.subject import ISSUED_ID, PHANTOM, own_phantom_id, phantom_id
from mapper.maps.values.context import Context
from mapper.maps.values.human_name import display_name
from mapper.maps.values.identifier import patient_identifier
from mapper.maps.values.pydicom_codes import meaning


def identifiers(cx: Context, *issued: Any) -> list[dict[str, Any]]:
    """PatientID with its issuer -> the phantom's identifier."""
    identifier = patient_identifier(cx, *issued)
    return [{name: part for name, part in identifier.items() if name != "use"}] if identifier else []


def names(cx: Context, name: Any) -> list[dict[str, str]]:
    """PatientName -> how people call the phantom."""
    shown = display_name(cx, name)
    return [{"name": shown, "type": "user-friendly-name"}] if shown else []


def phantom_type(cx: Context) -> dict[str, Any]:
    """A phantom, by SNOMED CT."""
    code = {"system": systems.SCT, "code": PHANTOM_CODE, "display": meaning("SCT", PHANTOM_CODE) or "Phantom"}
    return {"coding": [code]}


# fmt: off
RULES = (
    #    FHIR element            DICOM attribute             by
    Rule("Device.id",            PHANTOM,                    phantom_id),
    Rule("Device.id",            "QualityControlSubject?",   own_phantom_id, MUST),
    Rule("Device.identifier",    ISSUED_ID,                  identifiers),
    Rule("Device.deviceName",    "PatientName",              names),
    Rule("Device.type",          "",                         phantom_type),
)
# fmt: on


def phantom(cx: engine.Context, item: Item) -> Made:
    """Return the Device that a phantom is; raises MissingElement when the study is of a patient."""
    return engine.resource(RULES, cx, item, "Device")
