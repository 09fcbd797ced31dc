"""The demo as plain processes: what it writes is its owner's alone, and its login is its own."""

import io
import os
import shlex
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from rich.console import Console

from demo.arrival import arrive
from demo.environment import Ports
from mapper.web.visitor import Role
from stack import free_port
from stack.process import ROOT
from stack.stack import NativeStack
from tests.support.readme import answered, first_study
from tests.support.stack import until

CT_SMALL = "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"

PASSAGES = {Path("native"), Path("native/postgres")} if os.geteuid() == 0 else {Path("native")}
"""What others may pass through without seeing names: PostgreSQL refuses to be root, so its own user has to get in."""


@pytest.fixture(scope="module")
def folder(run_folder: Path) -> Path:
    return run_folder / "demo"


@pytest.fixture(scope="module")
def stack(folder: Path) -> Iterator[NativeStack]:
    """Run the demo from its start to the last study, started from a shell that lets everybody read."""
    before = os.umask(0o022)
    folder.mkdir()
    ports = Ports(free_port(), free_port(), free_port(), free_port())
    made = NativeStack(folder / "native", ports, folder / "stack", folder / ".run/demo.env")
    try:
        made.up()
        written = io.StringIO()
        assert arrive(made, Console(file=written), 120), written.getvalue()
        assert made.cli(["studies"]) == 0
        yield made
    finally:
        made.clean()
        os.umask(before)
    assert [path.name for path in folder.rglob("*")] == [".run"], "clean leaves nothing"


def test_nobody_else_can_read_what_the_demo_wrote(stack: NativeStack, folder: Path) -> None:
    written = {path.relative_to(folder): path.lstat().st_mode for path in folder.rglob("*")}
    names = {path.name for path in written}
    assert names >= {"demo.env", "orthanc.json", "ledger.db", "ledger.db-wal", "index", "PG_VERSION"}
    assert names >= {"postgres.log", "orthanc.log", "fhir.log", "mapper.log", "mapper.pid"}
    assert len(written) > 300, "Orthanc's files and the database's are among them"
    del written[Path(".run")]  # a folder of the checkout
    open_to_others = {path for path, mode in written.items() if mode & 0o077}
    assert open_to_others == PASSAGES
    assert {stat.S_IMODE(written[path]) for path in PASSAGES} == {0o711}


def test_what_an_earlier_demo_left_open_is_closed(stack: NativeStack) -> None:
    for server in (stack.mapper, stack.orthanc):
        server.stop()
        for path in (server.folder, server.log):
            path.chmod(0o755)
    stack.up()
    for server in (stack.mapper, stack.orthanc):
        assert {path.stat().st_mode & 0o077 for path in (server.folder, server.log)} == {0}


@pytest.mark.parametrize("login", [None, ("demo", "demo"), ("demo", ""), ("orthanc", "orthanc")])
def test_orthanc_lets_nobody_in_with_what_everybody_knows(stack: NativeStack, login: tuple[str, str] | None) -> None:
    assert requests.get(f"{stack.orthanc_url}/system", auth=login, timeout=10).status_code == 401
    assert requests.post(f"{stack.orthanc_url}/instances", data=b"x", auth=login, timeout=10).status_code == 401
    assert requests.get(f"{stack.orthanc_url}/system", auth=stack.orthanc_auth, timeout=10).status_code == 200


def test_the_fhir_server_answers_for_no_other_host(stack: NativeStack) -> None:
    url = f"{stack.fhir_url}/Patient"
    assert requests.get(url, headers={"Host": "evil.example"}, timeout=30).status_code == 421
    assert requests.get(url, timeout=30).status_code == 200


@pytest.fixture
def follow(stack: NativeStack, folder: Path, tmp_path: Path) -> Callable[[str], str]:
    """Give a function that types shell blocks of the README in a checkout of this demo, and returns what they print."""
    for name, place in {".run": folder / ".run", ".venv": ROOT / ".venv"}.items():
        (tmp_path / name).symlink_to(place)

    def typed(script: str) -> str:
        for usual, ours in {8042: stack.orthanc.port, 8080: stack.fhir.port}.items():
            script = script.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{ours}")
        ran = subprocess.run(["sh", "-eu"], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return typed


def test_the_first_study_of_the_readme_goes_as_it_says(stack: NativeStack, follow: Callable[[str], str]) -> None:
    script = "".join(block for block in first_study() if "make " not in block)
    assert '"Status" : "Success"' in follow(script), "the file is uploaded with the demo's own login"
    search = {"identifier": f"urn:dicom:uid|urn:oid:{CT_SMALL}"}
    until(lambda: requests.get(f"{stack.fhir_url}/ImagingStudy", params=search, timeout=30).json().get("entry"))
    told = follow(script)
    assert '"resourceType": "Bundle"' in told, "found in FHIR"
    assert told.count(f"urn:oid:{CT_SMALL}") >= 2, "by the search, and converted from the file"
    assert "StudyInstanceUID" in told, "explained"


@pytest.mark.parametrize("role", Role)
def test_a_token_of_the_demo_logs_in_and_may_what_its_role_may(stack: NativeStack, role: Role) -> None:
    token = stack.let_in(f"demo-{role.word}", role.word)
    form = {"token": token, "next": "/"}
    browser = requests.Session()
    url = stack.mapper_url
    until(lambda: browser.post(f"{url}/login", data=form, allow_redirects=False, timeout=30).status_code == 303)
    assert f"demo-{role.word}" in browser.get(f"{url}/", timeout=30).text
    bearer = {"Authorization": f"Bearer {token}"}
    body = {"studies": [CT_SMALL]}
    again = requests.post(f"{url}/api/retry", json=body, headers=bearer, timeout=30)
    assert (again.status_code == 200) is (role >= Role.OPERATE), again.text
    looked = {"by": "PatientID", "value": "DEMO-0001"}
    values = requests.post(f"{url}/page/find", data=looked, headers=bearer, timeout=30)
    assert (values.status_code == 403) is (role < Role.VALUES), values.text


def test_the_demo_says_what_is_wrong_with_a_token(stack: NativeStack) -> None:
    for name, role in (("a b", "read"), ("alice", "admin")):
        with pytest.raises(RuntimeError):
            stack.let_in(name, role)


def test_what_make_types_runs_a_command_of_the_demo(stack: NativeStack) -> None:
    """`make cli` and `make token` as the README has them, up to the demo's own program."""
    for block in (block for block in first_study() if "make " in block):
        for line in block.splitlines():
            told = subprocess.run(
                [*shlex.split(line), "--dry-run", "--no-print-directory"],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            words = shlex.split(told.partition("python -m demo ")[2])
            if words[0] == "cli":
                assert stack.cli(words[1:]) == 0, line
            elif words[0] in ("stop", "start"):
                getattr(stack, f"{words[0]}_one")(words[1])
                running = [server.name for server in stack._servers() if server.is_alive()]
                assert len(running) == (3 if words[0] == "stop" else 4), line
                assert ("fhir" in running) is (words[0] == "start"), line
            else:
                what, name, option, role = words
                assert (what, option) == ("token", "--role")
                assert stack.let_in(name, role)


def test_the_demo_answers_what_the_readme_says(follow: Callable[[str], str]) -> None:
    assert answered()
    for block, answer in answered():
        assert [line.strip() for line in follow(block).splitlines()] == answer
