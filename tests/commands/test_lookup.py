"""`studies` by AccessionNumber or PatientID: asked of Orthanc at that moment, the value by standard input alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mapper.commands.cli import app
from mapper.configuration import load
from mapper.ledger.ledger import Ledger
from mapper.ledger.studies import Ending
from mapper.settings import Settings
from mapper.wiring import ledger_of
from tests.support.http_fake import Answer, HttpFake

KNOWN, NEW = "1.2.3.4", "1.2.3.5"
SECRET = "SECRET-4711"
PROBLEMS = [{"element": "ImagingStudy.started", "attribute": "StudyDate", "reason": "no date"}]
OPTIONS = {"AccessionNumber": "--accession-number", "PatientID": "--patient-id"}


@pytest.fixture
def ledger(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORTHANC_FHIR_LEDGER", ledger_url)
    ledger = ledger_of(load(Settings))
    ledger.studies.mark("orthanc", [KNOWN])
    yield ledger
    ledger.database.close()


def studies(*arguments: str, typed: str | bytes = SECRET + "\n") -> Result:
    return CliRunner().invoke(app, ["studies", *arguments], input=typed)


def shown(*study_uids: str) -> Answer:
    tags = [{"StudyInstanceUID": uid, "AccessionNumber": SECRET} for uid in study_uids]
    return Answer(
        200, [{"ID": f"{number:08x}" + "-00000000" * 4, "MainDicomTags": one} for number, one in enumerate(tags)]
    )


@pytest.mark.parametrize("keyword", OPTIONS)
def test_orthanc_is_asked_and_the_state_is_told(
    ledger: Ledger, keyword: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with HttpFake(shown(KNOWN, NEW), shown(KNOWN, NEW)) as orthanc:
        monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", orthanc.url)
        result = studies(OPTIONS[keyword], "-")
        told = studies(OPTIONS[keyword], "-", "--json")
        asked = [one.json for one in orthanc.asked]
    assert [one["Query"] for one in asked] == [{keyword: SECRET}] * 2
    assert result.exit_code == told.exit_code == 0, result.stderr
    first, last = result.stdout.splitlines()
    assert first.startswith(f"{KNOWN}  pending")
    assert last == f"{NEW}  not seen yet: it is read once it is stable, or now: orthanc-fhir sync {NEW}"
    facts = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(one["study_uid"], one["state"]) for one in facts] == [(KNOWN, "pending"), (NEW, None)]
    for said in (result.output, told.output, *capfd.readouterr()):
        assert SECRET not in said
    assert [row.study_uid for row in ledger.rows.page()] == [KNOWN], "nothing is kept"


# how the study that is looked up stands: what is said beside its state
STANDS: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "synced": ("done", {}, ["FHIR says what the PACS says", "  in FHIR: http"]),
    "parked": (
        "refused",
        {"reason": "HTTP 422", "failure": "BundleRejected"},
        ["BundleRejected: HTTP 422", "Then retry."],
    ),
    "dropped": ("done", {"problems": json.dumps(PROBLEMS)}, ["1 problem", f"orthanc-fhir explain {KNOWN} says what"]),
}


@pytest.mark.parametrize(("how", "facts", "said"), STANDS.values(), ids=STANDS)
def test_what_is_looked_up_says_how_it_stands_what_to_do_and_where_to_see_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, how: Ending, facts: dict[str, str], said: list[str]
) -> None:
    (claim,) = ledger.studies.claim(["orthanc"])
    ledger.studies.finish(claim, how, **facts)
    with HttpFake(shown(KNOWN)) as orthanc:
        monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", orthanc.url)
        result = studies("--accession-number", "-")
    assert result.exit_code == 0, result.stderr
    for each in said:
        assert each in result.stdout
    assert SECRET not in result.output


def test_none_is_said_without_the_value(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpFake(shown()) as orthanc:
        monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", orthanc.url)
        result = studies("--accession-number", "-")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "orthanc-fhir: Orthanc shows no study of this AccessionNumber\n"


def test_an_orthanc_that_is_away_is_one_line(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", "http://127.0.0.1:1")
    result = studies("--patient-id", "-")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert SECRET not in result.stderr


NO_VALUES = {
    "nothing": "",
    "a blank": " \n",
    "a wild card": "SECRET*\n",
    "not UTF-8": b"SECRET\xff\n",
    "long": "S" * 2000,
}


@pytest.mark.parametrize("typed", NO_VALUES.values(), ids=NO_VALUES)
def test_what_is_no_value_is_not_asked_and_not_repeated(ledger: Ledger, typed: str | bytes) -> None:
    result = studies("--accession-number", "-", typed=typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("orthanc-fhir: standard input: one ")
    assert "SECRET" not in result.stderr


USAGE = {
    "the value on the command line": ["--accession-number", SECRET],
    "the other one there": ["--patient-id", SECRET],
    "both": ["--accession-number", "-", "--patient-id", "-"],
    "and studies": [KNOWN, "--patient-id", "-"],
    "and a state": ["--state", "parked", "--patient-id", "-"],
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_wrong_usage_is_2_and_repeats_no_value(ledger: Ledger, arguments: list[str]) -> None:
    result = studies(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert SECRET not in result.stderr
