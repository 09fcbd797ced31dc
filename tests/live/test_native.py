"""The processes of stack: they start, answer, survive a crash, and say what is wrong."""

import http.server
import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import requests
from pydicom.data import get_testdata_file

from stack import FhirServer, NotReady, Orthanc, PortTaken, Postgres, free_port
from stack.orthanc import CONFIGURATION
from tests.support.sleeper import Sleeper
from tests.support.stack import until
from tests.support.study import study

PLUGIN = """
import orthanc

def configuration(output, uri, **request):
    output.AnswerBuffer(orthanc.GetConfiguration(), "application/json")

orthanc.RegisterRestCallback("/seen-configuration", configuration)
"""


def test_another_program_finds_and_stops_the_process(test_folder: Path) -> None:
    first = Sleeper(test_folder).start().wait_ready()
    another = Sleeper(test_folder, first.port)

    assert another.pid == first.pid
    assert another.start().pid == first.pid, "a second start changes nothing"

    another.stop()

    assert not first.is_alive()
    assert not another.pid_file.exists()


def test_process_outlives_the_program_that_started_it(test_folder: Path) -> None:
    port = free_port()
    script = f"from tests.support.sleeper import Sleeper\nSleeper({str(test_folder)!r}, {port}).start().wait_ready()"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=CONFIGURATION.parent)

    left = Sleeper(test_folder, port)
    assert left.ready()
    left.stop()
    assert not left.ready()


def test_a_stranger_with_the_same_pid_is_left_alone(test_folder: Path) -> None:
    with Sleeper(test_folder) as stranger:
        ours = Sleeper(test_folder / "ours")
        ours.folder.mkdir()
        ours.pid_file.write_text(json.dumps({"pid": stranger.pid, "born": "1", "port": ours.port}))

        assert not ours.is_alive()
        ours.stop()

        assert stranger.is_alive()


def test_occupied_port_is_said_with_its_variable(test_folder: Path) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as holder:
        port = holder.server_address[1]
        with pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{port}.*SLEEPER_PORT="):
            Sleeper(test_folder, port).start()


def test_failed_start_shows_the_end_of_the_log(test_folder: Path) -> None:
    class Broken(Sleeper):
        code = "raise SystemExit('the disk is full')"

    with pytest.raises(NotReady, match="the disk is full"):
        Broken(test_folder).start().wait_ready()


def test_start_that_hangs_is_bounded(test_folder: Path) -> None:
    class Hanging(Sleeper):
        code = "print('still thinking', flush=True); import time; time.sleep(60)"

    hanging = Hanging(test_folder).start()
    try:
        with pytest.raises(NotReady, match=r"not ready after 1 s(.|\n)*still thinking"):
            hanging.wait_ready(timeout=1)
    finally:
        hanging.kill()


def test_orthanc_reads_our_configuration(
    orthanc_class: type[Orthanc], new_orthanc: Callable[..., Orthanc], tmp_path: Path
) -> None:
    script = tmp_path / "plugin" / "seen.py"
    script.parent.mkdir()
    script.write_text(PLUGIN)
    orthanc = new_orthanc(
        orthanc_class, plugin_script=script, mapper_url="http://127.0.0.1:9", token="t", overrides={"StableAge": 7}
    )

    seen = requests.get(f"{orthanc.url}/seen-configuration", auth=orthanc.auth, timeout=5).json()

    ours = {"MapperUrl": "http://127.0.0.1:9", "MapperPublicUrl": "", "Token": "t", "Labels": "false"}
    assert seen["FhirSync"] == ours
    assert seen["StableAge"] == 7, "overrides lie over the demo's file"
    assert seen["OrthancExplorer2"] == json.loads(CONFIGURATION.read_text())["OrthancExplorer2"]
    assert requests.get(f"{orthanc.url}/dicom-web/studies", auth=orthanc.auth, timeout=5).json() == []
    assert requests.get(f"{orthanc.url}/system", timeout=5).status_code == 401


def test_orthanc_itself_logs_numbers_that_are_none(
    orthanc_class: type[Orthanc], new_orthanc: Callable[..., Orthanc]
) -> None:
    """So docs/privacy.md says; nothing of ours can keep it from it."""
    orthanc = new_orthanc(orthanc_class, plugin_script=None)
    sample = study(1, 1, PatientWeight="71.234577")
    (file,) = sample.files
    file = file.replace(b"71.234577", b"7x.234577")
    requests.post(f"{orthanc.url}/instances", data=file, auth=orthanc.auth, timeout=5).raise_for_status()

    metadata = requests.get(
        f"{orthanc.url}/dicom-web/studies/{sample.uid}/metadata", auth=orthanc.auth, timeout=10
    ).json()

    assert metadata[0]["00101030"] == {"vr": "DS", "Value": []}
    assert "with invalid content for VR DS: 7x.234577" in orthanc.log.read_text()


def test_orthanc_keeps_studies_over_a_kill(orthanc_class: type[Orthanc], new_orthanc: Callable[..., Orthanc]) -> None:
    orthanc = new_orthanc(orthanc_class, plugin_script=None)
    image = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
    requests.post(f"{orthanc.url}/instances", data=image, auth=orthanc.auth, timeout=5).raise_for_status()

    orthanc.kill()
    assert not orthanc.is_alive()
    orthanc.start().wait_ready()

    assert len(requests.get(f"{orthanc.url}/studies", auth=orthanc.auth, timeout=5).json()) == 1


def test_orthanc_configuration_is_nobody_elses_to_read(new_orthanc: Callable[..., Orthanc]) -> None:
    orthanc = new_orthanc(plugin_script=None)

    assert (orthanc.folder / "orthanc.json").stat().st_mode & 0o077 == 0


def test_fhir_server_refuses_unknown_elements(fhir_server: FhirServer) -> None:
    answer = put(fhir_server, {"resourceType": "Patient", "id": str(uuid.uuid4()), "nickname": "x"})

    assert answer.status_code == 400
    assert "nickname" in answer.text


def test_fhir_server_on_postgres_keeps_resources_over_crashes(postgres: Postgres, test_folder: Path) -> None:
    patient = {"resourceType": "Patient", "id": str(uuid.uuid4())}
    with FhirServer(test_folder / "fhir", database=postgres, jdbc_timeout=2) as server:
        assert put(server, patient).status_code == 201

        postgres.kill()
        assert get(server, patient).status_code == 500
        postgres.start().wait_ready()
        until(lambda: get(server, patient).status_code == 200, say=lambda: "the pool does not find the database again")

        server.kill()
        server.start().wait_ready()
        answer = get(server, patient)

    assert answer.status_code == 200
    assert answer.json()["meta"]["versionId"] == "1"


def test_postgres_asks_for_the_password(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host="127.0.0.1", port=postgres.port, user=postgres.role, dbname="fhir", password="guessed")


def test_postgres_works_where_its_own_user_cannot_go(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    postgres = Postgres(closed / "postgres", password="first")
    try:
        with postgres, psycopg.connect(psycopg_url(postgres)) as connection:
            connection.execute("create table kept ()")
        again = Postgres(closed / "postgres", password="it's another")
        with again, psycopg.connect(psycopg_url(again)) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)
    finally:
        data = postgres.data
        postgres.clean()

    assert not data.exists()


def test_mapper_like_writers_never_see_a_conflict_when_asking_for_retries(fhir_server: FhirServer) -> None:
    patient = {"resourceType": "Patient", "id": str(uuid.uuid4())}
    statuses: list[int] = []

    def write() -> None:
        headers = {"X-Retry-On-Version-Conflict": "retry; max-retries=5"}
        statuses.append(put(fhir_server, patient, headers).status_code)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(statuses) == 4
    assert set(statuses) <= {200, 201}


def put(server: FhirServer, resource: dict[str, str], headers: dict[str, str] | None = None) -> requests.Response:
    url = f"{server.url}/{resource['resourceType']}/{resource['id']}"
    return requests.put(url, json=resource, headers=headers, timeout=40)


def get(server: FhirServer, resource: dict[str, str]) -> requests.Response:
    return requests.get(f"{server.url}/{resource['resourceType']}/{resource['id']}", timeout=40)


def psycopg_url(server: Postgres) -> str:
    return psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=server.port, user=server.role, password=server.password, dbname="fhir"
    )
