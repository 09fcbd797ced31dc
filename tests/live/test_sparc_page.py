"""docs/sparc.md, step by step: its commands, what they print, and its searches on a real HAPI and Orthanc."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stack import FhirServer, Orthanc
from stack.process import ROOT
from tests.support.readme import text
from tests.support.stack import entries, orthanc_fhir, session

PAGE = text("docs/sparc.md")
BLOCK = re.compile(r"^```(sh|text|http)\n(.*?)^```\n+((?:^\|[^\n]*\n)*)", re.MULTILINE | re.DOTALL)
Steps = list[tuple[str, str, str]]


def steps() -> Steps:
    """Return the blocks of the page: kind, content, and the table behind it."""
    return [(kind, content, table) for kind, content, table in BLOCK.findall(PAGE)]


@pytest.fixture(scope="module")
def fhir(run_folder: Path) -> Iterator[FhirServer]:
    """Run a FHIR server of this page alone: its searches find what it made, and no more."""
    with FhirServer(run_folder / "sparc-page-fhir") as server:
        yield server


@pytest.fixture
def orthanc(run_folder: Path) -> Iterator[Orthanc]:
    server = Orthanc(run_folder / "sparc-page-orthanc")
    server.start().wait_ready()
    yield server
    server.kill()
    server.clean()


def test_the_page_does_what_it_says(tmp_path: Path, fhir: FhirServer, orthanc: Orthanc) -> None:
    user, password = orthanc.auth
    settings = {
        "ORTHANC_FHIR_FHIR_URL": fhir.url,
        "ORTHANC_FHIR_ORTHANC_URL": orthanc.url,
        "ORTHANC_FHIR_ORTHANC_USER": user,
        "ORTHANC_FHIR_ORTHANC_PASSWORD": password,
        "ORTHANC_FHIR_LEDGER": f"sqlite:///{tmp_path}/none.db",
    }
    printed, asked = "", 0
    for kind, content, table in steps():
        if kind == "sh":
            printed = "".join(run(line, tmp_path, settings) for line in content.splitlines())
        elif kind == "text":
            assert printed == content
        else:
            asked += 1
            wanted = rows(table)
            assert found(fhir, content, wanted[0][0]) == wanted, content
    assert asked == 8
    assert session().get(f"{orthanc.url}/statistics", auth=orthanc.auth, timeout=30).json()["CountInstances"] == 6


def run(line: str, folder: Path, settings: dict[str, str]) -> str:
    """Run one command of the page and return what it prints; every one is to succeed."""
    program, *arguments = shlex.split(line)
    arguments = [str(folder / one) if one.startswith("datasets") else one for one in arguments]
    if program == "orthanc-fhir":
        done = orthanc_fhir(*arguments, **settings)
    else:
        assert program == ".venv/bin/python"
        done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def found(fhir: FhirServer, request: str, kind: str) -> list[tuple[str, str]]:
    """Return type and title of what a search finds of one type."""
    url = request.strip().removeprefix("GET ")
    resources: list[dict[str, Any]] = entries(session(), f"{fhir.url}/{url}", {})
    return sorted((kind, one.get("title") or one["description"]) for one in resources if one["resourceType"] == kind)


def rows(table: str) -> list[tuple[str, str]]:
    """Return the rows of a table of one column, whose head is the type."""
    head, _, *lines = [line.strip("| ") for line in table.splitlines()]
    return sorted((head, line) for line in lines)
