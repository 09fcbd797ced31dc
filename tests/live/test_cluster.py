"""A backfill on a real Dask cluster: the same files, through the death of a worker and of the scheduler."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mapper.sinks.ndjson.sink import Ndjson
from stack import Orthanc, free_port
from tests.support.stack import orthanc_fhir, session, until
from tests.support.study import study

STUDIES = 150
DASK = str(Path(sys.executable).parent / "dask")


@pytest.fixture(scope="module")
def orthanc(run_folder: Path) -> Iterator[Orthanc]:
    """Run an Orthanc that holds studies, stable."""
    with Orthanc(run_folder / "cluster-orthanc", overrides={"StableAge": 1}, plugin_script=None) as server:
        http = session()
        for _ in range(STUDIES):
            for file in study(instances=1).files:
                http.post(f"{server.url}/instances", data=file, auth=server.auth, timeout=60).raise_for_status()
        listed = lambda: http.get(f"{server.url}/studies?expand", auth=server.auth, timeout=60).json()  # noqa: E731
        until(lambda: all(one["IsStable"] for one in listed()), 60)
        yield server
    server.clean()


class Cluster:
    """A scheduler and workers, as processes of their own on loopback."""

    def __init__(self, running: ExitStack, folder: Path) -> None:
        self._running, self._folder = running, folder
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.scheduler = self.start_scheduler()
        self.workers = [self.start_worker() for _ in range(2)]

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        port = self.address.rpartition(":")[2]
        return self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show")

    def start_worker(self) -> "subprocess.Popen[bytes]":
        options = ["--nthreads", "1", "--nworkers", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        return self._start("worker", self.address, *options, "--local-directory", str(self._folder))

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        log = (self._folder / f"{arguments[0]}.log").open("ab")
        process = subprocess.Popen([DASK, *arguments], stdout=log, stderr=log, cwd=self._folder)
        self._running.callback(log.close)
        self._running.callback(process.wait, 20)
        self._running.callback(process.kill)
        return process


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as running:
        yield Cluster(running, tmp_path)


def settings(orthanc: Orthanc) -> dict[str, str]:
    user, password = orthanc.auth or ("", "")
    there = {"ORTHANC_URL": orthanc.url, "ORTHANC_USER": user, "ORTHANC_PASSWORD": password, "TIMEOUT": "20"}
    return {f"ORTHANC_FHIR_{name}": value for name, value in there.items()}


def view(folder: Path) -> dict[tuple[str, str], str]:
    sink = Ndjson(folder)
    found = {(kind, one["id"]): json.dumps(one, default=str) for kind in sink.kinds() for one in sink.latest(kind)}
    sink.close()
    return found


def begun(arguments: list[str], environment: dict[str, str], folder: Path) -> "subprocess.Popen[str]":
    """Start a backfill and wait until some of it is done."""
    import os

    program = [str(Path(sys.executable).parent / "orthanc-fhir"), *arguments]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(program, env={**os.environ, **environment}, cwd="/", **pipes)
    until(lambda: any(path.stat().st_size > 5_000 for path in folder.glob(".ImagingStudy.*.part")), 90)
    return process


def test_a_worker_and_the_scheduler_may_die(orthanc: Orthanc, cluster: Cluster, tmp_path: Path) -> None:
    environment, out, plain = settings(orthanc), tmp_path / "out", tmp_path / "plain"
    out.mkdir()
    to = ["backfill", "--to", f"ndjson:{out}", "--dask", cluster.address, "--json"]

    first = begun(to, environment, out)
    cluster.workers[0].send_signal(signal.SIGKILL)
    said, wrong = first.communicate(timeout=120)
    assert first.returncode == 0, wrong
    assert json.loads(said)["written"] == STUDIES

    for path in [*out.glob("*.ndjson"), *out.glob(".index*")]:
        path.unlink()
    second = begun(to, environment, out)
    cluster.scheduler.send_signal(signal.SIGKILL)
    said, wrong = second.communicate(timeout=120)
    if second.returncode:  # it may have been at the last study
        assert "scheduler is gone" in wrong
        assert "Traceback" not in wrong
    cluster.scheduler = cluster.start_scheduler()
    cluster.workers.append(cluster.start_worker())
    third = orthanc_fhir(*to, **environment)
    assert third.returncode == 0, third.stderr
    assert json.loads(third.stdout)["listed"] == STUDIES

    assert orthanc_fhir("backfill", "--to", f"ndjson:{plain}", **environment).returncode == 0
    assert view(out) == view(plain)


def test_no_scheduler_is_one_line(orthanc: Orthanc, tmp_path: Path) -> None:
    to = ["backfill", "--to", f"ndjson:{tmp_path}", "--dask", f"tcp://127.0.0.1:{free_port()}"]
    said = orthanc_fhir(*to, **settings(orthanc))
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.strip().splitlines()[-1].startswith("orthanc-fhir: --dask: no scheduler answers there")
