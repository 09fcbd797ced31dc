"""The demo in containers, seen from outside: which commands it gives, for which project, with which ports."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.compose import ComposeStack, project
from demo.environment import Ports
from stack.process import ROOT

DOCKER = """#!/bin/sh
# Stands for docker: writes down what it is told; refuses all but compose.
[ "$1" = compose ] || exit 9
echo "$ORTHANC_PORT|$FHIR_PORT|$MAPPER_PORT|$*" >>"$TOLD"
"""
Told = Callable[[], list[str]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Put a program in docker's place; return a function that tells what it was told."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    return lambda: (tmp_path / "told").read_text().splitlines()


def stack(folder: Path) -> ComposeStack:
    return ComposeStack(folder / "stack", Ports(1042, 1142, 1080, 1000), folder / "demo.env")


# -- who gets in ---------------------------------------------------------------------------------

MAKES = """#!/bin/sh
echo "$ORTHANC_PORT|$FHIR_PORT|$MAPPER_PORT|$*" >>"$TOLD"
case "$*" in
    *"orthanc-fhir token"*) echo the-token; echo the-line ;;
    *"cat >>"*) cat >>"$TOLD" ;;
esac
"""


def test_a_token_is_put_beside_the_ledger_and_the_mapper_told_once_where(tmp_path: Path, told: Told) -> None:
    (tmp_path / "bin" / "docker").write_text(MAKES)
    running = stack(tmp_path)
    assert running.let_in("alice", "values") == "the-token"
    first = told()
    assert [line for line in first if line == "the-line"] == ["the-line"]
    assert any("orthanc-fhir token --role values -- alice" in line for line in first)
    assert first[-1].endswith("mapper"), "the mapper is made anew with the setting"
    assert (tmp_path / "demo.env").read_text().count("ORTHANC_FHIR_TOKENS_FILE=") == 1
    assert stack(tmp_path).let_in("bob", "read") == "the-token"
    assert len(told()) == 2 * len(first) - 1, "from then on a line more is enough"
    assert (tmp_path / "demo.env").read_text().count("ORTHANC_FHIR_TOKENS_FILE=") == 1


# -- whose project -------------------------------------------------------------------------------


def test_each_checkout_has_a_project_of_its_own(tmp_path: Path) -> None:
    clones = [tmp_path / "a" / "orthanc-fhir", tmp_path / "b" / "orthanc-fhir", tmp_path / "Orthanc FHIR (ü)", ROOT]
    names = [project(clone) for clone in clones]
    assert len(set(names)) == len(clones)
    assert names == [project(clone) for clone in clones]
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name), "what compose takes for a name"
        assert len(name) < 40


def test_a_checkout_has_one_project_however_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "clone")
    assert project(tmp_path / "link") == project(tmp_path / "clone") == project(tmp_path / "clone" / ".." / "clone")


ONE = {"stop_one": ["stop fhir"], "start_one": ["up --detach --no-deps --wait --wait-timeout 600 fhir"]}


@pytest.mark.parametrize(("act", "told_to"), ONE.items())
def test_one_service_is_stopped_and_started_alone(tmp_path: Path, told: Told, act: str, told_to: list[str]) -> None:
    getattr(stack(tmp_path), act)("fhir")
    assert [line.rpartition(".yml ")[2] for line in told()] == told_to


@pytest.mark.parametrize("act", ["down", "clean", "logs", "cli"])
def test_every_command_is_for_this_checkouts_project_alone(tmp_path: Path, told: Told, act: str) -> None:
    running = stack(tmp_path)
    running.cli(["studies"]) if act == "cli" else getattr(running, act)()
    assert told()
    for line in told():
        assert f"--project-name {project()} " in line
        assert line.startswith("1042|1080|1000|compose "), "the ports that were chosen, whatever the environment says"
        assert f"--env-file {tmp_path}/demo.env" in line


def test_no_file_names_a_project() -> None:
    """A name in the file would be every checkout's."""
    for file in ROOT.glob("docker-compose*.yml"):
        assert not re.search(r"^name:", file.read_text(), re.MULTILINE), file.name


def test_clean_removes_volumes_and_secrets_and_down_keeps_them(tmp_path: Path, told: Told) -> None:
    running = stack(tmp_path)
    running.down()
    assert "--volumes" not in told()[-1]
    assert (tmp_path / "demo.env").exists()
    running.clean()
    assert "--volumes" in told()[-1]
    assert not (tmp_path / "demo.env").exists()
