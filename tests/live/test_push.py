"""A folder of NDJSON into a real HAPI: twice, after a kill, and equal to what the direct path writes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from mapper.jobs.into_folder import into_folder
from mapper.jobs.same import same
from mapper.maps import Mapped, study_to_fhir
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer as Sink
from mapper.sinks.ndjson.sink import Ndjson
from stack import FhirServer
from tests.support.fakes import SITE, FakeSource
from tests.support.stack import orthanc_fhir, until

STUDIES = 300


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Mapped]]:
    """Return a folder of studies under UIDs of their own, and what they are mapped to."""
    source, patients = FakeSource(), [uuid4().hex for _ in range(20)]
    into = into_folder(Ndjson(tmp_path_factory.mktemp("ndjson")), SITE)
    found = []
    for number in range(STUDIES):
        uid = f"2.25.{uuid4().int >> 32}"
        source.store(uid, patients[number % 20], StudyDate="20240517", PatientSize="1.70", PatientWeight="71.50")
        found.append(study_to_fhir(source.read(uid, []).study, SITE))
        into.write(uid, found[-1])
    into.sink.close()
    return into.sink.folder, found


def versions(fhir: FhirServer, folder: Path) -> dict[str, str]:
    """Return the version that the server holds of every resource of a folder; each must be as the folder says."""
    files, sink = Ndjson(folder), Sink(FhirClient(fhir.url), fhir.url)
    found = {}
    for kind in files.kinds():
        for one in files.latest(kind):
            held = sink.read((kind, one["id"])) or {}
            assert same(one, held), f"{kind} differs"
            found[f"{kind}/{one['id']}"] = held["meta"]["versionId"]
    files.close()
    return found


def test_it_arrives_once_through_a_kill_and_the_direct_path_has_nothing_to_change(
    made: tuple[Path, list[Mapped]], fhir_server: FhirServer
) -> None:
    folder, mapped = made
    environment = {"ORTHANC_FHIR_FHIR_URL": fhir_server.url}
    sink = Sink(FhirClient(fhir_server.url), fhir_server.url)
    program = [str(Path(sys.executable).parent / "orthanc-fhir"), "push", str(folder)]
    first = subprocess.Popen(program, env={**os.environ, **environment}, cwd="/")
    keys = [
        ("Observation", one["id"])
        for study in mapped
        for one in study.resources
        if one["resourceType"] == "Observation"
    ]
    until(lambda: sink.version(keys[0]) or sink.version(keys[len(keys) // 2]), 120)
    first.send_signal(signal.SIGKILL)
    assert first.wait(20) == -signal.SIGKILL, "it was still at work"

    again = orthanc_fhir("push", str(folder), "--json", **environment)
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert told["sent"] > 0
    before = versions(fhir_server, folder)
    assert set(before.values()) == {"1"}

    third = orthanc_fhir("push", str(folder), "--json", **environment)
    assert json.loads(third.stdout) == {"sent": 0, "already": len(before), "left_alone": []}
    for one in mapped[:30]:
        sink.put(one.resources)
    assert versions(fhir_server, folder) == before


def test_a_folder_whose_memory_is_lost_makes_no_second_version(
    made: tuple[Path, list[Mapped]], fhir_server: FhirServer, tmp_path: Path
) -> None:
    folder, _ = made
    for path in folder.glob("*.ndjson"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    environment = {"ORTHANC_FHIR_FHIR_URL": fhir_server.url}
    assert orthanc_fhir("push", str(tmp_path), **environment).returncode == 0
    assert set(versions(fhir_server, tmp_path).values()) == {"1"}


def test_a_server_that_is_none_is_one_line(made: tuple[Path, list[Mapped]]) -> None:
    said = orthanc_fhir("push", str(made[0]), ORTHANC_FHIR_FHIR_URL="http://127.0.0.1:9/fhir")
    assert (said.returncode, said.stdout) == (1, "")
    assert len(said.stderr.strip().splitlines()) == 1
