"""A backfill of a real Orthanc, by its own API and as any DICOMweb archive, into files and into a real HAPI."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mapper.sinks.ndjson.sink import Ndjson
from stack import FhirServer, Orthanc
from tests.support.stack import entries, orthanc_fhir, session, until
from tests.support.study import Sample, new_name, study

STUDIES = 100
PATIENTS = 12
NAMESPACE = "6f0d3a52-5d0f-4b1c-9d0e-3b1f6d1f9a17"
BASE = "https://backfill.example.org/fhir/id"


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    names = [new_name() for _ in range(PATIENTS)]
    return [
        study(PatientID=names[one % PATIENTS], instances=2, StudyDate=f"2024{1 + one % 12:02}{1 + one % 28:02}")
        for one in range(STUDIES)
    ]


@pytest.fixture(scope="module")
def orthanc(run_folder: Path, samples: list[Sample]) -> Iterator[Orthanc]:
    """Run an Orthanc that holds them, stable."""
    with Orthanc(run_folder / "backfill-orthanc", overrides={"StableAge": 1}, plugin_script=None) as server:
        http = session()
        for sample in samples:
            for file in sample.files:
                http.post(f"{server.url}/instances", data=file, auth=server.auth, timeout=60).raise_for_status()
        listed = lambda: http.get(f"{server.url}/studies?expand", auth=server.auth, timeout=60).json()  # noqa: E731
        until(lambda: all(one["IsStable"] for one in listed()), 60)
        yield server
    server.clean()


def settings(orthanc: Orthanc, fhir: FhirServer, folder: Path, kind: str = "orthanc") -> dict[str, str]:
    """Return the environment of a command: the same ids, whichever way the archive is asked."""
    user, password = orthanc.auth or (None, None)
    there = {"name": "pacs", "kind": kind, "url": orthanc.url, "user": user, "password": password}
    return {
        "ORTHANC_FHIR_SOURCES": json.dumps([there | {"patient_system": f"{BASE}/patient"}]),
        "ORTHANC_FHIR_FHIR_URL": fhir.url,
        "ORTHANC_FHIR_BASE": BASE,
        "ORTHANC_FHIR_NAMESPACE": NAMESPACE,
        "ORTHANC_FHIR_LEDGER": f"sqlite:///{folder}/ledger.db",
    }


def killed(arguments: list[str], environment: dict[str, str], when: Any) -> None:
    """Start a command and kill it outright when something is to be seen."""
    program = [str(Path(sys.executable).parent / "orthanc-fhir"), *arguments]
    process = subprocess.Popen(program, env={**os.environ, **environment}, cwd="/")
    try:
        until(when, 60)
        assert process.poll() is None, "it was still at work"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)


def run(*arguments: str, code: int = 0, **environment: str) -> dict[str, Any]:
    said = orthanc_fhir(*arguments, "--json", **environment)
    assert said.returncode == code, said.stderr
    return dict(json.loads(said.stdout))


def view(folder: Path) -> dict[tuple[str, str], str]:
    """Return the latest view of a folder, as JSON."""
    sink = Ndjson(folder)
    found = {(kind, one["id"]): json.dumps(one, default=str) for kind in sink.kinds() for one in sink.latest(kind)}
    sink.close()
    return found


WAYS: dict[str, tuple[str, list[str]]] = {
    "orthanc by threads": ("orthanc", []),
    "orthanc by processes": ("orthanc", ["--processes", "2"]),
    "dicomweb by threads": ("dicomweb", []),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: tmp_path_factory.mktemp("ndjson") for name in WAYS}


@pytest.mark.parametrize("name", WAYS)
def test_files_say_the_same_by_whatever_way(
    orthanc: Orthanc, fhir_server: FhirServer, folders: dict[str, Path], name: str, tmp_path: Path
) -> None:
    kind, options = WAYS[name]
    environment, folder = settings(orthanc, fhir_server, tmp_path, kind), folders[name]
    to = ["backfill", "--to", f"ndjson:{folder}", *options]
    if name != "dicomweb by threads":
        killed(
            to, environment, lambda: any(path.stat().st_size > 20_000 for path in folder.glob(".ImagingStudy.*.part"))
        )
    found = run(*to, **environment)
    assert found["listed"] == STUDIES
    assert found["written"] + found["already there"] == STUDIES
    assert found["failed"] == {}
    assert list(folder.glob(".*.part")) == []
    again = run(*to, **environment)
    assert (again["written"], again["already there"]) == (0, STUDIES)
    report = run("backfill", "--report-only", "--to", f"ndjson:{folder}", **environment)
    assert sum(one["fhir"] for one in report["days"]) == STUDIES
    assert view(folder) == view(folders["orthanc by threads"])


@pytest.mark.parametrize("what", ["source", "namespace", "base"])
def test_a_folder_of_something_else_is_refused_in_one_line_and_stays_as_it_is(
    orthanc: Orthanc, fhir_server: FhirServer, folders: dict[str, Path], what: str, tmp_path: Path
) -> None:
    environment, folder = settings(orthanc, fhir_server, tmp_path), folders["orthanc by threads"]
    other = {
        "source": {"ORTHANC_FHIR_SOURCES": environment["ORTHANC_FHIR_SOURCES"].replace("127.0.0.1", "localhost")},
        "namespace": {"ORTHANC_FHIR_NAMESPACE": str(uuid4())},
        "base": {"ORTHANC_FHIR_BASE": "https://other.example.org/fhir/id"},
    }[what]
    before = view(folder)
    said = orthanc_fhir("backfill", "--to", f"ndjson:{folder}", **environment | other)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.splitlines()[-1].startswith(f"orthanc-fhir: {what}: differs from what {folder} was made with")
    assert view(folder) == before


def held(fhir: FhirServer) -> dict[str, dict[str, Any]]:
    """Return the ImagingStudies of this archive in the FHIR server."""
    found = entries(session(), f"{fhir.url}/ImagingStudy", {"_count": "200"})
    ours = [one for one in found if one.get("endpoint")]
    return {one["identifier"][0]["value"].removeprefix("urn:oid:"): one for one in ours}


@pytest.fixture(scope="module")
def fhir(run_folder: Path) -> Iterator[FhirServer]:
    with FhirServer(run_folder / "backfill-fhir") as server:
        yield server


@pytest.fixture(scope="module")
def ledger_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ledger")


def test_into_fhir_through_a_kill_nothing_is_twice_and_the_files_equal_it(
    orthanc: Orthanc, fhir: FhirServer, folders: dict[str, Path], ledger_folder: Path
) -> None:
    environment = settings(orthanc, fhir, ledger_folder)
    killed(["backfill", "--processes", "2"], environment, lambda: len(held(fhir)) >= 10)
    done = run("backfill", "--processes", "2", "--report", **environment)
    assert (done["synced"], done["left"]) == (STUDIES, 0)
    assert all(not (day["missing"] or day["short"] or day["superfluous"]) for day in done["days"])
    assert {one["meta"]["versionId"] for one in held(fhir).values()} == {"1"}
    pushed = orthanc_fhir("push", str(folders["orthanc by processes"]), "--json", **environment)
    assert (pushed.returncode, json.loads(pushed.stdout)["left_alone"]) == (0, []), pushed.stderr
    assert {one["meta"]["versionId"] for one in held(fhir).values()} == {"1"}, (
        "what was pushed was there, word for word"
    )


def test_the_report_finds_what_is_missing_short_and_too_much(
    orthanc: Orthanc, fhir: FhirServer, samples: list[Sample], ledger_folder: Path
) -> None:
    environment, http = settings(orthanc, fhir, ledger_folder), session()
    missing, short, superfluous = (sample.uid for sample in samples[:3])
    found = held(fhir)
    http.delete(f"{fhir.url}/ImagingStudy/{found[missing]['id']}?_cascade=delete", timeout=60).raise_for_status()
    changed = {**found[short], "numberOfInstances": 1}
    http.put(f"{fhir.url}/ImagingStudy/{changed['id']}", json=changed, timeout=60).raise_for_status()
    (there,) = http.post(f"{orthanc.url}/tools/lookup", data=superfluous, auth=orthanc.auth, timeout=60).json()
    http.delete(f"{orthanc.url}{there['Path']}", auth=orthanc.auth, timeout=60).raise_for_status()
    for kind in ("orthanc", "dicomweb"):
        environment = settings(orthanc, fhir, ledger_folder, kind)
        said = run("backfill", "--report-only", code=1, **environment)
        for why, uid in (("missing", missing), ("short", short), ("superfluous", superfluous)):
            assert [one for day in said["days"] for one in day[why]] == [uid], kind
        text = orthanc_fhir("backfill", "--report-only", **environment)
        assert text.returncode == 1
        assert all(uid in text.stdout for uid in (missing, short, superfluous))
