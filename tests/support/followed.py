"""The plugin's follower of labels, in an Orthanc that holds two studies, before the mapper's own API."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.loaded import ID, OTHER_ID, Load
from tests.support.loaded import TOKEN as PLUGINS
from tests.support.orthanc_fake import Sdk
from tests.support.situations import TOKEN, A, B, Site


def settings(url: str, token: str = PLUGINS, labels: Any = True, editor: Any = False) -> dict[str, Any]:
    section = {"MapperUrl": url, "Token": token, "Labels": labels}
    explorer2 = {"UiOptions": {"EnableEditLabels": editor}}
    return {"PythonScript": "/python/fhir_sync.py", "FhirSync": section, "OrthancExplorer2": explorer2}


def of(study_uid: str) -> dict[str, Any]:
    return {"MainDicomTags": {"StudyInstanceUID": study_uid}, "PatientMainDicomTags": {}}


@pytest.fixture
def site(ledger_url: str) -> Iterator[Site]:
    site = Site(ledger_url)
    site.service.threads = Asleep()  # type: ignore[assignment]
    yield site
    site.world.database.close()


class Asleep:
    """Threads that do nothing: a test itself says when work is done."""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


def follower(load: Load, url: str) -> tuple[Any, Sdk]:
    """Load the plugin into an Orthanc that holds A and B; its thread is not started: a test turns it."""
    plugin, sdk = load(settings(url, TOKEN))
    for module in ("fhir_sync_listing", "fhir_sync_mapper"):
        sys.modules[module].TIMEOUT = 60.0  # type: ignore[attr-defined]  # the mapper is real, the machine may be busy
    sdk.started, sdk.studies = True, {ID: of(A), OTHER_ID: of(B)}
    return plugin.FOLLOWER, sdk
