"""An object of a JSON file as a record: what is not known of it is kept, and written back the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar

Json = Mapping[str, Any]
T = TypeVar("T", bound="Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An object of the file; a field that is None is not written."""

    extra: Json = field(default_factory=dict)

    KEYS: ClassVar[Mapping[str, tuple[str, Any]]] = {}
    """Field -> its key, and its type: str, int, dict, or the class of the objects in a list."""

    def json(self) -> dict[str, Any]:
        """Return the object as JSON has it."""
        written: dict[str, Any] = {}
        for name, (key, _) in self.KEYS.items():
            value = getattr(self, name)
            if isinstance(value, tuple):
                written[key] = [part.json() for part in value]
            elif value is not None:
                written[key] = value
        return {**written, **self.extra}


def part(kind: type[T], document: Json) -> T:
    """Return one object as a record."""
    known = {key: (name, shape) for name, (key, shape) in kind.KEYS.items()}
    given: dict[str, Any] = {one.name: None for one in fields(kind) if one.name in kind.KEYS}
    extra: dict[str, Any] = {}
    for key, value in document.items():
        name, shape = known.get(key, ("", None))
        if shape in (str, int, dict) and isinstance(value, shape) and not isinstance(value, bool):
            given[name] = value
        elif name and shape not in (str, int, dict) and is_list_of_objects(value):
            given[name] = tuple(part(shape, one) for one in value)
        else:
            extra[key] = value
    return kind(**given, extra=extra)


def is_list_of_objects(value: Any) -> bool:
    """Tell whether a value is a list with nothing but objects in it."""
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)
