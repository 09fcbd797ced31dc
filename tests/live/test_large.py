"""A study of 5 x 1,000 instances, and what it costs the mapper."""

from pathlib import Path

from stack import FhirServer
from tests.support.large import files, header
from tests.support.stack import Stack

SERIES, INSTANCES = 5, 1_000
MEMORY = 200_000_000


def test_five_thousand_instances_go_through_in_little_memory(run_folder: Path, fhir_server: FhirServer) -> None:
    with Stack(run_folder / "large", fhir_server) as stack:
        sample = header()
        assert len(sample.datasets[0]) >= 60
        stack.store(files(sample, SERIES, INSTANCES), threads=6)

        found = stack.until_found(sample.uid, SERIES * INSTANCES, seconds=150)
        stack.until_state(sample.uid, "synced", seconds=60)

        assert [len(one["instance"]) for one in found["series"]] == [INSTANCES] * SERIES
        assert [one["number"] for one in found["series"][0]["instance"]] == list(range(1, INSTANCES + 1))
        assert stack.peak_memory() < MEMORY
