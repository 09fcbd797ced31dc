"""Device <- the algorithm that measured (PS3.16 TID 4019): one a name and version, wherever it is named."""

from typing import Any

from mapper.dicom.sr.content_item import ContentItem
from mapper.maps import derived_keys, engine
from mapper.maps.content import ContentRule, Within
from mapper.maps.rule import MUST, Made, Rule
from mapper.maps.tables.device import IDENTITY as EQUIPMENT
from mapper.maps.tables.device import device_reference
from mapper.maps.values import content
from mapper.maps.values.concepts import ALGORITHM_FAMILY, ALGORITHM_NAME, ALGORITHM_PARAMETERS, ALGORITHM_VERSION
from mapper.maps.values.context import Context

NAMED = (ALGORITHM_NAME, ALGORITHM_VERSION)


def algorithm_id(cx: Context, names: list[ContentItem], versions: list[ContentItem]) -> str | None:
    """Algorithm Name and Algorithm Version -> id: another version is another Device."""
    name = content.text_of(content.first(cx, names))
    version = content.text_of(content.first(cx, versions))
    return cx.id(*derived_keys.algorithm(name, version)) if name else None


def algorithm_reference(cx: Context, names: list[ContentItem], versions: list[ContentItem]) -> dict[str, str] | None:
    """Algorithm Name and Algorithm Version of the item, else of the nearest above -> Reference to the Device."""
    id = algorithm_id(cx, names, versions)
    return {"reference": f"Device/{id}"} if id else None


def typed(concept: Any, value: str) -> dict[str, Any]:
    """Return a value with the concept that says what it is."""
    return {"type": {"coding": [concept.coding]}, "value": value}


def identifiers(cx: Context, names: list[ContentItem]) -> list[dict[str, Any]]:
    """Algorithm Name -> identifier without a system: it is nobody's number."""
    name = content.text_of_first(names)
    return [typed(ALGORITHM_NAME, name)] if name else []


def device_names(cx: Context, names: list[ContentItem]) -> list[dict[str, str]]:
    """Algorithm Name -> deviceName, as users know it."""
    name = content.text_of_first(names)
    return [{"name": name, "type": "user-friendly-name"}] if name else []


def versions(cx: Context, found: list[ContentItem]) -> list[dict[str, Any]]:
    """Algorithm Version -> version, typed by DCM 111003."""
    version = content.text_of_first(found)
    return [typed(ALGORITHM_VERSION, version)] if version else []


def parameters(cx: Context, found: list[ContentItem]) -> list[dict[str, Any]]:
    """Algorithm Parameters -> property, one for each text."""
    words = dict.fromkeys(filter(None, map(content.text_of, found)))
    concept = {"coding": [ALGORITHM_PARAMETERS.coding]}
    return [{"type": concept, "valueCode": [{"text": one}]} for one in words]


# fmt: off
RULES = (
    #           FHIR element           content item  by
    ContentRule("Device.id",           "",           algorithm_id, MUST, concepts=NAMED),
    ContentRule("Device.identifier",   "",           identifiers, concepts=(ALGORITHM_NAME,)),
    ContentRule("Device.deviceName",   "",           device_names, concepts=(ALGORITHM_NAME,)),
    ContentRule("Device.version",      "",           versions, concepts=(ALGORITHM_VERSION,)),
    ContentRule("Device.type",         "",           content.one_concept, concepts=(ALGORITHM_FAMILY,)),
    ContentRule("Device.property",     "",           parameters, concepts=(ALGORITHM_PARAMETERS,)),
    Rule("Device.parent",              EQUIPMENT,    device_reference),
)
# fmt: on


def algorithm(cx: Context, within: Within) -> Made:
    """Return the algorithm that an item names; raises MissingElement where it names none."""
    return engine.resource(RULES, cx, within, "Device")
