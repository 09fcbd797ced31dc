"""`backfill` and `convert`: an option that would be ignored is refused, in one line and before anything is done."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mapper.commands.cli import app
from mapper.ledger.lock_file import LockFile
from tests.support.part10 import instance, save

DASK = ("--dask", "tcp://127.0.0.1:1")
TWO_WAYS: dict[str, list[str]] = {
    "backfill": ["backfill", "--processes", "2", *DASK],
    "backfill into files": ["backfill", "--to", "ndjson:out", "--processes", "2", *DASK],
    "convert": ["convert", "--each-study", ".", "--processes", "2", *DASK],
}
STREAMS: dict[str, list[str]] = {
    "processes": ["--processes", "4", "-"],
    "dask": [*DASK, "-"],
    "beside a folder": ["--processes", "1", ".", "-"],
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of one file, with a ledger that nobody has made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ORTHANC_FHIR_FHIR_URL", "http://127.0.0.1:1/fhir")
    monkeypatch.setenv("ORTHANC_FHIR_LEDGER", f"sqlite:///{tmp_path}/ledger.db")


@pytest.mark.parametrize("name", TWO_WAYS)
def test_two_ways_to_work_are_refused(name: str) -> None:
    done = CliRunner().invoke(app, TWO_WAYS[name])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "not both" in done.stderr
    assert not Path("ledger.db").exists()


@pytest.mark.parametrize("name", STREAMS)
def test_standard_input_is_read_here_alone(name: str, tmp_path: Path) -> None:
    data = save(tmp_path / "a.dcm", instance("1.2.3")).read_bytes()
    done = CliRunner().invoke(app, ["convert", "--each-study", *STREAMS[name]], input=data)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "standard input is read here" in done.stderr
    without = CliRunner().invoke(app, ["convert", "--each-study", "-", "--processes", "0"], input=data)
    assert without.exit_code == 0, without.stderr


@pytest.mark.parametrize(("options", "said"), [([], "--between"), (["--processes", "1"], "--processes")])
def test_hours_that_another_process_would_not_keep_are_refused(options: list[str], said: str, tmp_path: Path) -> None:
    other = LockFile(tmp_path / "ledger.db")
    assert other.take()
    try:
        done = CliRunner().invoke(app, ["backfill", "--between", "19:00-06:00", *options])
    finally:
        other.give()
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"orthanc-fhir: {said}")
    assert "another process delivers" in line
    alone = CliRunner().invoke(app, ["backfill", "--between", "19:00-06:00", *options])
    assert "another process" not in alone.stderr, "there is none: it fails at the FHIR server that is none"
    assert alone.exit_code == 1
