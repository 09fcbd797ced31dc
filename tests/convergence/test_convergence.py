"""Random walks over real servers, with faults: in the end FHIR says what Orthanc holds, and says it once.

This is the short run; `python -m tests.convergence` is the long one.
"""

import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stack.orthanc_in_folder import INSIDE
from stack.process import ROOT
from tests.convergence.machine import run
from tests.convergence.plan import Plan
from tests.convergence.servers import Servers

pytestmark = pytest.mark.live
BATCHES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("seeds.toml").read_text())["batch"]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Run PostgreSQL and HAPI, which all batches share."""
    folder = ROOT / ".run/tests" / f"convergence-{os.getpid()}"
    with Servers(folder) as running:
        yield running
    if not list(folder.glob("wrong-*.txt")):
        shutil.rmtree(folder)


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: f"{batch['seed']}: {batch['why']}")
def test_whatever_happens_fhir_says_in_the_end_what_orthanc_holds(servers: Servers, batch: dict[str, Any]) -> None:
    newer = batch.get("orthanc", "1.12.7") == "1.12.7"
    if newer and not INSIDE.exists():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("Orthanc 1.12.7 is not here: setup/orthanc-trixie.sh (as root) puts it there")
    faults = tuple(batch["faults"]) if "faults" in batch else None
    outcome = run(
        servers, Plan(batch["seed"], batch["walks"], batch["steps"], newer, faults, batch.get("stored", "images"))
    )
    assert not outcome.wrong, outcome.story()
