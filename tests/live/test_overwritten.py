"""An instance is stored over another one: what Orthanc's DICOMweb has kept of it is not taken for what it holds.

From 1.15 on the plugin keeps the metadata of a series as long as its instances have the same ids, and makes them anew
when it is stable again. An Orthanc that is stopped before never does.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from mapper.dicom.item import Item
from mapper.sources.orthanc.source import Orthanc as Source
from samples.dataset import part10
from stack import FhirServer, Orthanc, OrthancInFolder
from tests.support.database_read import READER
from tests.support.stack import Stack, session, until
from tests.support.study import study

MANY, ALL = 3, 6
"""Instances of a series, and of the study."""
EVERYTHING = ""


class Archive:
    """An Orthanc that holds a study of two series, of which the metadata were asked for once."""

    def __init__(self, server: Orthanc) -> None:
        self.server = server
        self.source = Source(server.url, READER, *server.auth)
        self.http = session()
        self.http.auth = server.auth
        self.sample = study(series=2, instances=MANY, ContentDescription="old")
        self.store(ALL)
        assert self.kept() == {"old": ALL}

    def store(self, number: int) -> None:
        """Store the first instances of the study."""
        for one in self.sample.datasets[:number]:
            self.http.post(f"{self.server.url}/instances", data=part10(one), timeout=60).raise_for_status()

    def overwrite(self, number: int) -> None:
        """Store the first instances over themselves, with another description."""
        for one in self.sample.datasets[:number]:
            one.ContentDescription = "new"
        self.store(number)

    def kept(self) -> Counter[str]:
        """Return what the instances say by what the plugin answers now."""
        url = f"{self.server.url}/dicom-web/studies/{self.sample.uid}/metadata"
        return Counter(Item(one)["ContentDescription"] for one in self.http.get(url, timeout=60).json())

    def said(self, since: str) -> Counter[str]:
        """Return what the instances say, read past what was kept of what moved since a state."""
        found = self.source.read_again(self.sample.uid, [], since).study
        return Counter(str(one.item["ContentDescription"]) for series in found.series for one in series.instances)


@pytest.fixture
def archive(orthanc_class: type[Orthanc], new_orthanc: Callable[..., Orthanc]) -> Archive:
    return Archive(new_orthanc(orthanc_class, plugin_script=None, overrides={"StableAge": 600}))


@pytest.mark.parametrize("restarted", [False, True], ids=["not stable yet", "never said to be stable"])
@pytest.mark.parametrize("number", [1, MANY, MANY + 1, ALL], ids="{} instances".format)
def test_of_a_series_that_moved_nothing_is_read_that_was_kept(archive: Archive, number: int, restarted: bool) -> None:
    archive.overwrite(number)
    if restarted:
        archive.server.kill()
        archive.server.start().wait_ready()
    if isinstance(archive.server, OrthancInFolder):
        assert archive.kept() == {"old": ALL}, "that is what this is all about: later releases may mend it"
    new = Counter(new=number, old=ALL - number)
    assert archive.said(EVERYTHING) == +new
    assert archive.kept() == +new, "what is kept was made anew, for whoever asks"


def test_a_study_that_just_moved_is_read_so_by_whoever_knows_nothing_of_it(archive: Archive) -> None:
    archive.overwrite(1)
    found = archive.source.read(archive.sample.uid, []).study
    assert str(found.series[0].instances[0].item["ContentDescription"]) == "new"


def test_fhir_says_what_was_stored_last_although_orthanc_was_killed_before_it_was_stable(
    run_folder: Path, fhir_server: FhirServer, orthanc_class: type[Orthanc]
) -> None:
    folder = run_folder / f"overwritten-{orthanc_class.__name__}"
    with Stack(folder, fhir_server, orthanc_class, overrides={"StableAge": 600}) as stack:

        def kill_orthanc() -> None:
            stack.orthanc.kill()
            until(lambda: "source down" in stack.mapper.log_tail(50))
            stack.orthanc.start().wait_ready()

        sample = study(series=1, instances=2, SeriesDescription="old")
        stack.upload(sample)
        kill_orthanc()
        assert stack.until_found(sample.uid, 2, seconds=90)["series"][0]["description"] == "old"
        sample.datasets[0].SeriesDescription = "new"
        stack.store([part10(sample.datasets[0])])
        kill_orthanc()
        until(lambda: stack.imaging_study(sample.uid)["series"][0]["description"] == "new", 90)
