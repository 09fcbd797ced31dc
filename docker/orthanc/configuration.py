"""Merge Orthanc's configuration as the image orthancteam/orthanc does, then become Orthanc.

The later wins: what the image itself needs, /etc/orthanc/*.json, /run/secrets/*.json, then the environment
(ORTHANC__DICOM_WEB__ENABLE -> DicomWeb.Enable). ${NAME} inside the files is Orthanc's own business.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

MERGED = Path("/tmp/orthanc.json")
PREFIX = "ORTHANC__"
Configuration = dict[str, Any]


def image() -> Configuration:
    """What holds for every container of this image unless a file says otherwise."""
    plugins = "/usr/share/orthanc/plugins"
    return {
        "StorageDirectory": "/var/lib/orthanc/db",
        "IndexDirectory": "/var/lib/orthanc/db",
        "RemoteAccessAllowed": True,
        "AuthenticationEnabled": True,
        "HttpsCACertificates": "/etc/ssl/certs/ca-certificates.crt",
        "Plugins": [f"{plugins}/libOrthancDicomWeb.so", f"{plugins}/libOrthancPython.so"],
    }


def files() -> list[Configuration]:
    """Read the mounted files, folder by folder, by name."""
    return [
        json.loads(path.read_text(encoding="utf-8"))
        for folder in ("/etc/orthanc", "/run/secrets")
        for path in sorted(Path(folder).glob("*.json"))
    ]


def environment() -> list[Configuration]:
    """Turn each ORTHANC__SECTION__SETTING into the section it names."""
    found = []
    for name, text in sorted(os.environ.items()):
        if name.startswith(PREFIX):
            value: Any = _json_or_text(text)
            for word in reversed(name.removeprefix(PREFIX).split("__")):
                value = {"".join(part.capitalize() for part in word.split("_")): value}
            found.append(value)
    return found


def merge(into: Configuration, over: Configuration) -> Configuration:
    """Lay one configuration over another, section by section."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
    return into


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def main() -> None:
    """Write the merged file for Orthanc's eyes only, and become Orthanc."""
    merged = image()
    for part in [*files(), *environment()]:
        merge(merged, part)
    if merged["RemoteAccessAllowed"] and not (merged["AuthenticationEnabled"] and merged.get("RegisteredUsers")):
        sys.exit("Orthanc would be open to all: declare RegisteredUsers in a file under /run/secrets or /etc/orthanc")
    os.umask(0o077)  # what Orthanc stores is its own as well
    MERGED.unlink(missing_ok=True)
    MERGED.touch(mode=0o600)
    MERGED.write_text(json.dumps(merged, indent=2), encoding="utf-8")
    os.execv("/usr/sbin/Orthanc", ["Orthanc", *sys.argv[1:], str(MERGED)])


if __name__ == "__main__":
    main()
