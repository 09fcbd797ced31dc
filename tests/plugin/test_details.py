"""The plugin and the mapper's own API, each as it is: what a study's page in Orthanc shows of a real ledger."""

from collections.abc import Iterator
from html import escape

import pytest

from mapper.errors import BundleRejected
from mapper.ledger.state import OPEN
from mapper.remedies import remedy
from tests.support.loaded import ID, STUDY_URI, Load, load, settings
from tests.support.orthanc_fake import ChangeType, ResourceType, Sdk
from tests.support.served import Served
from tests.support.situations import TOKEN, A, Site
from tests.support.stack import until

__all__ = ["load"]

NO_DATE = "1970X"


@pytest.fixture
def site(ledger_url: str) -> Iterator[Site]:
    site = Site(ledger_url)
    yield site
    site.world.database.close()


@pytest.fixture
def real(load: Load, site: Site) -> Iterator[Sdk]:
    """Give an Orthanc whose plugin asks that mapper."""
    with Served(site.app) as served:
        sdk = load(settings(f"http://127.0.0.1:{served.port}", TOKEN))[1]
        sdk.studies[ID] = {"ID": ID, "MainDicomTags": {"StudyInstanceUID": A}, "PatientMainDicomTags": {}}
        sdk.change(ChangeType.ORTHANC_STARTED, ResourceType.NONE, "")
        yield sdk
        sdk.change(ChangeType.ORTHANC_STOPPED, ResourceType.NONE, "")


def settled(site: Site) -> None:
    """Sync what is due, or wait until the threads of the service that is served did."""
    site.world.work()
    until(lambda: site.world.state(A) not in OPEN)


def test_a_study_that_is_new_to_the_mapper(real: Sdk) -> None:
    html = real.request("GET", STUDY_URI + "/page").body.decode()
    assert "FHIR: pending" in html
    assert "has not seen this study yet" in html


def test_a_study_with_problems_and_a_past(real: Sdk, site: Site) -> None:
    site.world.sink.failures.append(BundleRejected("HTTP 422 (processing)"))
    site.world.source.store(A, PatientBirthDate=NO_DATE)
    site.triggers.turn()  # or those that are served did: it is seen, and marked, once
    settled(site)
    html = real.request("GET", STUDY_URI + "/page").body.decode()
    assert "FHIR: parked" in html
    assert "HTTP 422 (processing)" in html
    first, *rest = remedy("BundleRejected").do.split(". ")
    assert escape(first) in html
    assert rest
    assert html.count("<td>BundleRejected</td>") == 1

    site.world.mark(A)
    settled(site)
    html = real.request("GET", STUDY_URI + "/page").body.decode()
    assert "FHIR: synced" in html
    assert "<td>Patient.birthDate</td><td>PatientBirthDate StudyDate</td>" in html
    assert NO_DATE not in html
    assert html.index("<td>synced</td>") < html.index("<td>parked</td>"), "the newest first"
    assert "Open in FHIR" in html
    assert escape(first) not in html
