"""Device <- a phantom's Patient module: a quality control subject is no Patient (PS3.3 C.7.1.1)."""

from typing import Any

from mapper.dicom.item import Item
from mapper.fhir import systems
from mapper.maps import engine
from mapper.maps.keys import PHANTOM_CODE
from mapper.maps.rule import MUST, Made, Rule, many
from mapper.maps.tables.subject import ISSUED_ID, PHANTOM, own_phantom_id, phantom_id
from mapper.maps.values.context import Context
from mapper.maps.values.context_groups import meaning
from mapper.maps.values.human_name import display_name
from mapper.maps.values.identifier import patient_identifier


def identifier(cx: Context, *issued: Any) -> dict[str, Any]:
    """PatientID with its issuer -> Identifier of the phantom, without a use."""
    made = patient_identifier(cx, *issued) or {}
    return {name: part for name, part in made.items() if name != "use"}


def called(cx: Context, name: Any) -> dict[str, str] | None:
    """PatientName -> how people call the phantom."""
    shown = display_name(cx, name)
    return {"name": shown, "type": "user-friendly-name"} if shown else None


def phantom_type(cx: Context) -> dict[str, Any]:
    """A phantom, by SNOMED CT."""
    code = {"system": systems.SCT, "code": PHANTOM_CODE, "display": meaning("SCT", PHANTOM_CODE) or "Phantom"}
    return {"coding": [code]}


# fmt: off
RULES = (
    #    FHIR element            DICOM attribute             by
    Rule("Device.id",            PHANTOM,                    phantom_id),
    Rule("Device.id",            "QualityControlSubject?",   own_phantom_id, MUST),
    Rule("Device.identifier",    ISSUED_ID,                  many(identifier)),
    Rule("Device.deviceName",    "PatientName",              many(called)),
    Rule("Device.type",          "",                         phantom_type),
)
# fmt: on


def phantom(cx: Context, item: Item) -> Made:
    """Return the Device that a phantom is; raises MissingElement when the study is of a patient."""
    return engine.resource(RULES, cx, item, "Device")
