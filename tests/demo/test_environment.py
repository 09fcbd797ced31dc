"""What the demo keeps in .run/demo.env: secrets of its own, made once, an earlier demo's file brought up to date."""

import io
import re
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from demo import show
from demo.environment import MADE, kept
from demo.follow import Followed
from samples.studies import studies
from stack import Orthanc
from stack.orthanc import CONFIGURATION, DEMO

SECRETS = ("POSTGRES_PASSWORD", "ORTHANC_FHIR_TOKEN", "ORTHANC_FHIR_ORTHANC_PASSWORD")
EARLIER = """\
POSTGRES_PASSWORD=from-before
ORTHANC_FHIR_TOKEN=from-before
ORTHANC_FHIR_ORTHANC_USER=demo
ORTHANC_FHIR_ORTHANC_PASSWORD=demo
ORTHANC_FHIR_NAMESPACE=f4a53013-cf6d-555d-b303-6b5f08af8967
ORTHANC_FHIR_BASE=https://example.org/orthanc-fhir
ORTHANC_SITE_JSON=./demo/orthanc.demo.json
"""
"""The file that the demo of 0.1.0 wrote before its password was made up."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "demo.env"


def test_secrets_are_made_once_and_differ_from_demo_to_demo(tmp_path: Path, path: Path) -> None:
    first = kept(path)
    assert kept(path) == first
    assert first.keys() == MADE.keys()
    other = kept(tmp_path / "other" / "demo.env")
    for name in SECRETS:
        assert re.fullmatch(r"[\w-]{30,}", first[name], re.ASCII), "safe in a shell, in JSON, in a URL"
        assert first[name] != other[name]
    assert len({first[name] for name in SECRETS}) == len(SECRETS)


def test_the_password_of_an_earlier_demo_is_replaced_and_the_rest_stays(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(EARLIER)
    now = kept(path)
    assert now["ORTHANC_FHIR_ORTHANC_PASSWORD"] not in ("demo", "")
    del now["ORTHANC_FHIR_ORTHANC_PASSWORD"]
    assert now == {
        name: value
        for name, value in (line.split("=", 1) for line in EARLIER.splitlines())
        if name != "ORTHANC_FHIR_ORTHANC_PASSWORD"
    }
    assert "PASSWORD=demo" not in path.read_text()
    assert kept(path) == kept(path)


@pytest.mark.parametrize("lost", MADE)
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_what_lacks_is_added(path: Path, lost: str, how: str) -> None:
    before = kept(path)
    lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{lost}=")]
    path.write_text("\n".join([*lines, *([f"{lost}="] if how == "empty" else [])]))
    now = kept(path)
    assert now[lost]
    assert {**now, lost: ""} == {**before, lost: ""}
    assert kept(path) == now


@pytest.mark.parametrize(
    "mine",
    ["# a remark", "HTTPS_PROXY=http://proxy:3128", "ORTHANC_FHIR_TIMEZONE=Europe/Berlin", "no variable", "", "X=a=b"],
)
def test_what_a_person_wrote_there_stays(path: Path, mine: str) -> None:
    path.parent.mkdir()
    path.write_text(f"{mine}\n{EARLIER}")
    assert kept(path)["POSTGRES_PASSWORD"] == "from-before"
    assert path.read_text().startswith(f"{mine}\n")


def test_a_password_of_ones_own_stays(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(EARLIER.replace("PASSWORD=demo", "PASSWORD=demonstration"))
    assert kept(path)["ORTHANC_FHIR_ORTHANC_PASSWORD"] == "demonstration"


@pytest.mark.parametrize("before", [None, 0o644, 0o600])
def test_nobody_else_can_read_it(path: Path, before: int | None) -> None:
    if before is not None:
        path.parent.mkdir()
        path.write_text(EARLIER)
        path.chmod(before)
    kept(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name], "nothing is left beside it"


def test_a_shell_reads_it_as_we_do(path: Path) -> None:
    made = kept(path)
    told = subprocess.run(
        ["sh", "-eu", "-c", f'. "$0"; for name in {" ".join(made)}; do eval "echo \\"\\$$name\\""; done', str(path)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert told.splitlines() == list(made.values())


# -- where it goes -------------------------------------------------------------------------------


def test_no_file_of_the_project_names_a_user() -> None:
    for file in (CONFIGURATION, DEMO):
        assert "RegisteredUsers" not in file.read_text()


def test_each_orthanc_has_a_password_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    one, other = Orthanc(tmp_path / "one"), Orthanc(tmp_path / "other")
    assert one.auth == Orthanc(tmp_path / "one").auth
    assert one.auth[1] != other.auth[1]
    assert one.configuration()["RegisteredUsers"] == dict([one.auth])
    assert one.configuration()["AuthenticationEnabled"] is True
    given = Orthanc(tmp_path / "given", user="somebody", password="given")
    assert given.configuration()["RegisteredUsers"] == {"somebody": "given"}


@pytest.mark.parametrize("terminal", [True, False])
def test_links_show_secrets_to_a_person_and_never_to_a_log(terminal: bool) -> None:
    stack = SimpleNamespace(
        orthanc_auth=("somebody", "hunter2"), token="hunter3",
        orthanc_url="http://127.0.0.1:1", fhir_url="http://127.0.0.1:2/fhir", mapper_url="http://127.0.0.1:3",
    )  # fmt: skip
    study = next(studies())
    follower = SimpleNamespace(followed={study.study_uid: Followed(study)})
    written = io.StringIO()
    show.links(Console(file=written, force_terminal=terminal, width=200), cast(Any, follower), cast(Any, stack))
    for secret, name in (("hunter2", "ORTHANC_FHIR_ORTHANC_PASSWORD"), ("hunter3", "ORTHANC_FHIR_TOKEN")):
        assert (secret in written.getvalue()) is terminal
        assert (f"{name} in .run/demo.env" in written.getvalue()) is not terminal
    assert "user somebody" in written.getvalue()
