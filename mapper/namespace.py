"""The secret under which all ids are made: kept outside the ledger, the same for all replicas."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp
from uuid import UUID, uuid4

from mapper.errors import SettingError
from mapper.maps.site import PUBLIC_NAMESPACE
from mapper.settings import Settings


def namespace_of(settings: Settings, *, make: bool = False) -> UUID:
    """Return the namespace of the site: the file's where one is named, else the setting.

    `make`: a file that is named but absent is made, with a secret of its own, readable for its owner only.
    Raises SettingError when the file holds no UUID.
    """
    path = settings.namespace_file
    if path is None:
        return settings.namespace
    try:
        if make and not path.exists():
            write(path, uuid4())
        return UUID(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise SettingError(f"namespace_file: {path} cannot be read or made ({type(error).__name__})") from None
    except ValueError:
        raise SettingError(f"namespace_file: {path} holds no UUID") from None


def write(path: Path, secret: UUID | str) -> None:
    """Write a secret where none is yet, whole or not at all; another process that was quicker wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = mkstemp(dir=path.parent)  # readable for its owner only
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secret}\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)


def fingerprint(namespace: UUID) -> str:
    """Return what may be shown and stored of a namespace: enough to tell two apart, nothing to guess with."""
    return sha256(b"orthanc-fhir namespace " + namespace.bytes).hexdigest()[:16]


def is_public(namespace: UUID) -> bool:
    """Tell whether everybody knows this namespace: patients' ids can then be guessed."""
    return namespace == PUBLIC_NAMESPACE
