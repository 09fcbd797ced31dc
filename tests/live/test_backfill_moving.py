"""Studies that change while a backfill has them in hand, the live path beside it: FHIR says what Orthanc holds."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Lock
from uuid import UUID

import pytest

from mapper.maps import keys
from stack import FhirServer, Mapper, Orthanc, Postgres, free_port
from stack.mapper import NAMESPACE
from tests.convergence.proxy import Proxy
from tests.support.stack import TOKEN, Json, entries, session, until
from tests.support.study import Sample, new_name, study

STILL = 40
"""Studies that nobody touches meanwhile."""
HELD_AT_MOST = 240.0
PATIENCE = 2 * HELD_AT_MOST
"""Seconds for which the mapper waits for an answer: what is held here is no outage."""
WAYS: dict[str, list[str]] = {"threads": [], "processes": ["--processes", "2"]}


class Gate:
    """Holds writes and reads of chosen studies on their way, and counts how often each study is written."""

    def __init__(self, written: set[str], read: set[str]) -> None:
        self._lock, self.writes = Lock(), Counter[str]()
        self._written = {imaging_study(uid): uid for uid in written}
        self._read = set(read)
        self.reached = {uid: Event() for uid in written | read}
        self._open = Event()

    @contextmanager
    def over(self, body: bytes) -> Iterator[None]:
        """Hold the first write of a chosen study before the server sees it."""
        ids = [one["resource"]["id"] for one in json.loads(body)["entry"] if "ImagingStudy" in one["request"]["url"]]
        with self._lock:
            self.writes.update(ids)
        for id in ids:
            if uid := self._written.get(id):
                self._hold(uid)
        yield

    def edit(self, path: str, content: bytes) -> bytes:
        """Hold the metadata of a chosen study that was asked for first."""
        for uid in self._read:
            if uid in path and path.endswith("/metadata"):
                self._hold(uid)
        return content

    def _hold(self, uid: str) -> None:
        self.reached[uid].set()
        assert self._open.wait(HELD_AT_MOST)

    def let_go(self) -> None:
        """Hold nothing any more."""
        self._open.set()


def imaging_study(uid: str) -> str:
    """Return the id of a study's ImagingStudy."""
    return keys.id_of(UUID(NAMESPACE), keys.imaging_study(uid))


class Site:
    """An Orthanc, and a mapper that is not started yet, before one HAPI and one ledger."""

    def __init__(self, folder: Path, fhir: FhirServer, fhir_url: str, ledger: str) -> None:
        port = free_port()
        self.http = session()
        self.fhir = fhir
        self.stored = set[str]()
        self.orthanc = Orthanc(
            folder / "orthanc", overrides={"StableAge": 1}, mapper_url=f"http://127.0.0.1:{port}", token=TOKEN
        )
        told = {"ORTHANC_FHIR_FHIR_URL": fhir_url, "ORTHANC_FHIR_WORKERS": "8", "ORTHANC_FHIR_TIMEOUT": str(PATIENCE)}
        self.mapper = Mapper(
            folder / "mapper", port, orthanc=self.orthanc, fhir=fhir, token=TOKEN, ledger=ledger, settings=told
        )

    def store(self, *samples: Sample) -> None:
        """Store all instances."""
        self.stored |= {str(sample.uid) for sample in samples}
        for file in (file for sample in samples for file in sample.files):
            self.ask("POST", "/instances", data=file)

    def delete(self, uid: str) -> None:
        """Delete a study or an instance."""
        (hit,) = self.ask("POST", "/tools/lookup", data=uid)
        self.ask("DELETE", hit["Path"])

    def ask(self, method: str, path: str, data: object = None) -> Json:
        """Ask Orthanc."""
        answer = self.http.request(
            method,
            self.orthanc.url + path,
            data=data,
            auth=self.orthanc.auth,
            timeout=60,  # type: ignore[arg-type]
        )
        answer.raise_for_status()
        return answer.json()  # type: ignore[no-any-return]

    def stable(self) -> bool:
        """Tell whether Orthanc takes every study for complete."""
        return all(one["IsStable"] for one in self.ask("GET", "/studies?expand"))  # type: ignore[index]

    def state(self, uid: str) -> str:
        """Return what the live mapper says of a study."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = self.http.get(f"{self.mapper.url}/api/studies/{uid}", headers=headers, timeout=30)
        return str(answer.json()["state"]) if answer.ok else "unseen"

    def held(self) -> dict[str, Json]:
        """Return the ImagingStudies of what was stored here, by StudyInstanceUID; fails where one is there twice."""
        found = entries(self.http, f"{self.fhir.url}/ImagingStudy", {"_count": "200"})
        named = [(one["identifier"][0]["value"].removeprefix("urn:oid:"), one) for one in found]
        mine = [(uid, one) for uid, one in named if uid in self.stored]
        assert len(dict(mine)) == len(mine), "no study twice"
        return dict(mine)


@pytest.fixture(scope="module")
def database(run_folder: Path) -> Iterator[Postgres]:
    with Postgres(run_folder / "moving-postgres") as server:
        yield server
    server.clean()


@pytest.mark.parametrize("way", WAYS)
def test_what_changes_while_it_is_backfilled_is_right_in_the_end(
    test_folder: Path, database: Postgres, fhir_server: FhirServer, way: str
) -> None:
    shared = new_name()
    still = [study(instances=2, PatientID=new_name()) for _ in range(STILL - 1)]
    still.append(study(instances=2, PatientID=shared, PatientName="Before^Ada", StudyDate="20200101"))
    grown, shrunk, gone, renamed = (study(instances=2) for _ in range(4))
    grown_while_read = study(instances=2)
    new = study(instances=2, PatientID=shared, PatientName="After^Ada", StudyDate="20240101")
    gate = Gate({str(one.uid) for one in (grown, shrunk, gone, renamed)}, {str(grown_while_read.uid)})
    with ExitStack() as running:
        to_fhir = running.enter_context(Proxy(fhir_server.url))
        ledger = database.create_database(f"moving{free_port()}")
        site = Site(test_folder, fhir_server, to_fhir.url, ledger)
        running.callback(site.orthanc.clean)
        running.callback(site.orthanc.kill)
        running.callback(site.mapper.stop)
        site.orthanc.start().wait_ready()
        site.store(*still, grown, shrunk, gone, renamed, grown_while_read)
        until(site.stable, 60)
        to_orthanc = running.enter_context(Proxy(site.orthanc.url))
        to_fhir.flight, to_orthanc.edit = gate.over, gate.edit
        running.callback(gate.let_go)

        program = [str(Path(sys.executable).parent / "orthanc-fhir"), "backfill", "--json", *WAYS[way]]
        environment = {**os.environ, **site.mapper.environment(), "ORTHANC_FHIR_ORTHANC_URL": to_orthanc.url}
        backfill = subprocess.Popen(
            program, env=environment, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.callback(backfill.wait, 20)
        running.callback(backfill.kill)
        for uid, event in gate.reached.items():
            until(event.is_set, 90, say=lambda: (uid, backfill.poll()))  # noqa: B023

        site.mapper.start().wait_ready()
        grown.add()
        grown_while_read.add()
        for dataset in renamed.datasets:
            dataset.StudyDescription = "another"
        site.delete(shrunk.datasets.pop().SOPInstanceUID)
        site.delete(gone.uid)
        site.store(grown, grown_while_read, renamed, new)
        until(lambda: site.state(new.uid) == "synced", 90, say=lambda: site.mapper.log_tail(5))
        gate.let_go()
        said, wrong = backfill.communicate(timeout=240)
        assert backfill.returncode == 0, wrong
        assert json.loads(said)["left"] == 0

        wanted = {one.uid: 2 for one in (*still, renamed, new)} | {grown.uid: 3, grown_while_read.uid: 3, shrunk.uid: 1}

        def there() -> bool:
            found = site.held()
            right = set(found) == {*wanted, gone.uid}
            right = right and all(found[uid]["numberOfInstances"] == number for uid, number in wanted.items())
            right = right and found[renamed.uid]["description"] == "another"
            return right and found[gone.uid]["status"] == "unknown"

        until(there, 120, say=lambda: (site.mapper.log_tail(5), site.held().keys()))
        found = site.held()
        assert {found[one.uid]["meta"]["versionId"] for one in (*still, new)} == {"1"}
        for one in (grown, shrunk, gone, renamed):
            assert found[one.uid]["meta"]["versionId"] == "2", "what was on its way, and then what is"
        assert found[grown_while_read.uid]["meta"]["versionId"] == "1", "what was half read was never written"
        assert {found[uid]["status"] for uid in wanted} == {"available"}
        for one in (*still, new):
            assert gate.writes[imaging_study(one.uid)] == 1, "by one of the two"
        (patient,) = entries(site.http, f"{fhir_server.url}/Patient", {"identifier": shared})
        assert patient["name"][0]["family"] == "After", "the newest study says it"

        report = subprocess.run(
            [*program, "--report-only"], env={**os.environ, **site.mapper.environment()},
            cwd="/", capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert report.returncode == 0, report.stdout + report.stderr
