"""Standard output is what a program reads: whatever is logged, and by whomever, goes to standard error."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mapper.commands.cli import COMMANDS
from tests.support.part10 import instance, save

ROOT = Path(__file__).resolve().parents[2]
NOISE = "zqxnoise"
NOISY = f"""
import atexit, logging, sys, warnings
import mapper.sync.worker, mapper.sync.triggers, mapper.sync.breaker, mapper.sync.threads
from mapper import log
from mapper.commands.cli import main

def noise():
    for one in (mapper.sync.worker, mapper.sync.triggers, mapper.sync.breaker, mapper.sync.threads):
        one.log.warning("{NOISE}", module=one.__name__)
        one.log.info("{NOISE}")
    log.warn("{NOISE}", module="mapper.log")
    log.say("{NOISE}")
    logging.getLogger("library").error("{NOISE}")
    warnings.warn("{NOISE}", stacklevel=1)

noise()
atexit.register(noise)
main()
"""
"""A command before and after which everybody logs: what it set up for the log itself is in force then."""
RUNS: dict[str, list[str]] = {
    "sync": ["sync", "--json"],
    "sync of one": ["sync", "1.2.3", "--json"],
    "status": ["status", "--json"],
    "studies": ["studies", "--json"],
    "retry": ["retry", "--parked"],
    "backfill": ["backfill", "--json"],
    "backfill into files": ["backfill", "--to", "ndjson:out", "--json"],
    "its report": ["backfill", "--report-only", "--json"],
    "convert": ["convert", "a.dcm"],
    "convert what comes by standard input": ["convert", "-"],
    "convert each study": ["convert", "--each-study", "."],
    "convert each study by a process": ["convert", "--each-study", ".", "--processes", "1"],
    "push": ["push", "empty", "--json"],
    "explain": ["explain", "a.dcm", "--json"],
    "sds": ["sds", "empty", "--json"],
    "sds to standard output": ["sds", "empty", "--to", "-"],
    "table": ["table"],
    "doctor": ["doctor", "--json"],
    "settings": ["settings", "--json"],
    "plugin": ["plugin", "--copy", "copied"],
    "token": ["token", "reader"],
}
WORDS = ("table", "plugin", "token")
"""Commands whose standard output is for people."""


def test_every_command_but_the_service_is_here() -> None:
    assert {arguments[0] for arguments in RUNS.values()} == {one.__name__ for one in COMMANDS} - {"serve"}


@pytest.mark.parametrize("name", RUNS)
def test_standard_output_has_no_line_of_the_log(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / "a.dcm", instance("1.2.3"))
    (tmp_path / "empty").mkdir()
    nowhere = {"ORTHANC_URL": "http://127.0.0.1:1", "FHIR_URL": "http://127.0.0.1:1/fhir", "LEDGER": "sqlite:///l.db"}
    environment = {**os.environ, **{f"ORTHANC_FHIR_{key}": value for key, value in nowhere.items()}}
    done = subprocess.run(
        [sys.executable, "-c", NOISY, *RUNS[name]],
        input=path.read_bytes() if RUNS[name][-1] == "-" else b"",
        capture_output=True,
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    out, said = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in said
    assert NOISE not in out
    assert said.count(NOISE) >= 2 * 7, "it was logged all the same, before the command and after it"
    if RUNS[name][0] not in WORDS:
        assert all(isinstance(json.loads(line), dict) for line in out.splitlines())


def test_one_module_says_where_the_log_goes_and_one_command_that_it_is_standard_output() -> None:
    for path in (ROOT / "mapper").rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = [one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names]
        names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        where = str(path.relative_to(ROOT / "mapper"))
        assert where == "log.py" or not any(name.partition(".")[0] == "structlog" for name in names), where
        assert where == "commands/server.py" or " log.configure(" not in path.read_text(), where
