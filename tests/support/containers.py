"""Containers as the engine knows them, and whether they run confined."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from demo.compose import ComposeStack, engine_answers


def docker(*words: str, seconds: float = 60) -> str:
    """Return what the engine's command prints."""
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True, timeout=seconds).stdout


def need_engine() -> None:
    """Leave a test out where no container engine answers; on CI that fails it."""
    if not engine_answers():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("no container engine with compose v2 answers: setup/docker.sh starts one")


def container(stack: ComposeStack, service: str) -> dict[str, Any]:
    """Return what the engine knows of the one container of a service."""
    (name,) = docker(
        "ps", "--quiet",
        "--filter", f"label=com.docker.compose.project={stack.project}",
        "--filter", f"label=com.docker.compose.service={service}",
    ).split()  # fmt: skip
    return dict(json.loads(docker("inspect", name))[0])


def assert_confined(found: dict[str, Any]) -> None:
    """Say what a running container may do that it does not need."""
    host, pid = found["HostConfig"], found["State"]["Pid"]
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[capabilities], 16) == 0, capabilities
    assert status["NoNewPrivs"] == "1"
    assert host["ReadonlyRootfs"] is True
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert found["RestartCount"] == 0, "within its limits"
    assert found["State"]["OOMKilled"] is False
