"""The plugin loaded as Orthanc loads it, into a strict fake of its module, with a real HTTP server for a mapper."""

import importlib
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.mapper_fake import MapperFake
from tests.support.orthanc_fake import ChangeType, ResourceType, Sdk, fake_orthanc

FOLDER = Path(__file__).parents[2] / "orthanc_plugin"
SCRIPTS = sorted(path.name for path in FOLDER.glob("fhir_sync*.py"))
TOKEN = "secret-token"
ID = "0a9b3153-2512774b-2d9580de-1fc3dcf6-3bd83918"
OTHER_ID = "66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e"
STUDY_UID, OTHER_UID = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2"
STUDY = {
    "ID": ID,
    "MainDicomTags": {"StudyInstanceUID": STUDY_UID, "StudyDescription": "Chest <b>&", "StudyDate": "20240102"},
    "PatientMainDicomTags": {"PatientName": 'Müller^<script>"x"', "PatientID": "ID-4711"},
}
OTHER = {"ID": OTHER_ID, "MainDicomTags": {"StudyInstanceUID": OTHER_UID}, "PatientMainDicomTags": {}}
VALUES = ("Müller", "4711", "Chest", "20240102", "2024-01-02")
STUDY_URI = f"/fhir-sync/studies/{ID}"
JSON = {"content-type": "application/json"}

WAITS: tuple[tuple[str, str, Any], ...] = (
    ("fhir_sync_bell", "PAUSE", 0.02),
    ("fhir_sync_bell", "BACKOFF", (0.02, 0.05)),
    ("fhir_sync_bell", "RING_TIMEOUT", 0.5),
    ("fhir_sync_follower", "EVERY", 0.02),
    ("fhir_sync_follower", "BACKOFF", (0.02, 0.05)),
    ("fhir_sync_follower", "TIMEOUT", 0.5),
    ("fhir_sync_listing", "TIMEOUT", 0.5),
    ("fhir_sync_mapper", "TIMEOUT", 0.5),
)
"""Seconds, short enough for tests."""

Load = Callable[..., tuple[ModuleType, Sdk]]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import the plugin as Orthanc does, anew each time, with short waits; stop it in the end."""
    loaded: list[Sdk] = []

    def load(configuration: Any, folder: Path = FOLDER, before: Callable[[Sdk], None] = lambda sdk: None) -> Any:
        orthanc, sdk = fake_orthanc(configuration)
        before(sdk)
        for name in SCRIPTS:
            monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
        monkeypatch.setitem(sys.modules, "orthanc", orthanc)
        monkeypatch.syspath_prepend(str(folder))
        plugin = importlib.import_module("fhir_sync")
        for module, name, value in WAITS:
            if module in sys.modules:  # of a folder copied in part, some are missing
                monkeypatch.setattr(sys.modules[module], name, value)
        loaded.append(sdk)
        return plugin, sdk

    yield load
    for sdk in loaded:
        sdk.change(ChangeType.ORTHANC_STOPPED, ResourceType.NONE, "")


@pytest.fixture
def mapper() -> Iterator[MapperFake]:
    with MapperFake(TOKEN) as mapper:
        yield mapper


@pytest.fixture
def sdk(load: Load, mapper: MapperFake) -> Sdk:
    """A started Orthanc that holds two studies, with the plugin."""
    sdk = load(settings(mapper.url))[1]
    sdk.studies |= {ID: STUDY, OTHER_ID: OTHER}
    sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
    return sdk


def settings(url: str, token: str = TOKEN, script: str = "/python/fhir_sync.py") -> dict[str, Any]:
    return {"PythonScript": script, "FhirSync": {"MapperUrl": url, "Token": token}}


def nobody() -> str:
    """A URL at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
