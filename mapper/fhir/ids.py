"""Resource ids: UUIDv5 of a key under the site's namespace, the same for the same thing for ever."""

from uuid import UUID, uuid5

from mapper.dicom.characters import composed


def resource_id(namespace: UUID, *key: str) -> str:
    """Return the id of the resource with this key: its type, then what identifies it.

    Parts are joined by `|`; a backslash and `|` inside a part are escaped, so that two keys never make one text.
    """
    parts = (part.replace("\\", "\\\\").replace("|", "\\|") for part in key)
    return str(uuid5(namespace, composed("|".join(parts))))
