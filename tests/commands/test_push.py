"""`push`: what it says of a folder in which it finds nothing to read."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mapper.commands.cli import app

STRANGERS = ["Patient.ndjson", "Patient.1.ndjson", "patient.000001.ndjson", "Patient.000001.ndjson.gz", "all.NDJSON"]
"""As exports of others name their files, and as they are packed."""


@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside files that are read"])
def test_a_file_of_ndjson_that_is_not_read_is_an_error_and_says_how_to_name_it(
    tmp_path: Path, name: str, beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    (Path("in") / name).write_bytes(b"")
    if beside:
        Path("in/Patient.000002.ndjson").write_bytes(b"")
    found = CliRunner().invoke(app, ["push", "in"])
    assert (found.exit_code, found.stdout) == (1, "")
    (said,) = found.stderr.splitlines()
    assert said.startswith(f"orthanc-fhir: in: {name} is not read: ")
    assert "Patient.000001.ndjson" in said
