"""`studies`, `status`, `settings`, `plugin`: what a person or a program at a terminal asks, and the answers' shape."""

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from click.testing import Result
from typer.testing import CliRunner

from mapper.commands import moment, outcome, progress
from mapper.commands.cli import app
from mapper.commands.outcome import sync_now
from mapper.commands.sample import CERTIFICATES, EXAMPLES
from mapper.commands.stage import Stages
from mapper.configuration import load
from mapper.errors import SettingError
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.remedies import remedy
from mapper.settings import Settings
from mapper.sync.sweep import Sweep
from mapper.sync.threads import ALIVE
from mapper.wiring import ledger_of
from mapper.wrong_settings import ONE_ORTHANC
from tests.support.fakes import Clock

LONG = "1.2.840." + "9" * 56
A, B, C, D = "1.2.1", "1.2.2", "1.2.3", LONG
ENDS = {A: ("done", ""), B: ("refused", "BadUID"), C: ("refused", "TwoPatients")}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def ledger(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Give a ledger with a synced study, one that failed and is well again, two that are parked and one that waits."""
    monkeypatch.setenv("ORTHANC_FHIR_LEDGER", ledger_url)
    ledger = ledger_of(load(Settings))
    for uid, (how, failure) in ENDS.items():
        ledger.studies.mark("orthanc", [uid])
        (claim,) = ledger.studies.claim(["orthanc"])
        if uid == A:  # it failed first
            ledger.studies.fail(claim, "busy", None, "SinkBusy")
            ledger.studies.mark("orthanc", [uid])
            (claim,) = ledger.studies.claim(["orthanc"])
        ledger.studies.finish(claim, how, "why" if failure else "", failure)  # type: ignore[arg-type]
    ledger.studies.mark("orthanc", [D])
    yield ledger
    ledger.database.close()


def orthanc_fhir(*arguments: str | Path) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(one) for one in arguments])


def uids(result: Result) -> list[str]:
    """Return the studies of JSON lines."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line)["study_uid"] for line in result.stdout.splitlines()]


ASKED: dict[str, tuple[list[str], list[str]]] = {
    "all, those that moved last first": ([], [D, C, B, A]),
    "a state": (["--state", "parked"], [C, B]),
    "a failure": (["--failure", "BadUID"], [B]),
    "whatever failed": (["--failure", "any"], [C, B]),
    "a failure that none has": (["--failure", "TooLarge"], []),
    "which failed last week": (["--failure", "any", "--since", "7d"], [C, B, A]),
    "which failed so last week": (["--failure", "SinkBusy", "--since", "7d"], [A]),
    "which failed and is parked still": (["--failure", "any", "--since", "7d", "--state", "parked"], [C, B]),
    "what moved since yesterday": (["--since", "1d"], [D, C, B, A]),
    "what will move": (["--since", "9999-01-01"], []),
}


@pytest.mark.parametrize("asked", ASKED)
def test_studies_are_found(ledger: Ledger, asked: str) -> None:
    words, expected = ASKED[asked]
    assert uids(orthanc_fhir("studies", *words, "--json")) == expected
    for line, uid in zip(orthanc_fhir("studies", *words).stdout.splitlines(), expected, strict=False):
        assert line.split()[0] == uid, "the UID stands first and whole"


def test_what_to_do_is_said_once_a_kind_of_failure(ledger: Ledger) -> None:
    for words in ([B], ["--state", "parked"], ["--failure", "BadUID"]):
        said = orthanc_fhir("studies", *words).stdout.splitlines()
        assert [line for line in said if line.startswith("BadUID: ")] == [f"BadUID: {remedy('BadUID').do}"]


def test_how_it_failed_is_said_of_what_is_well_again(ledger: Ledger) -> None:
    (line,) = [
        line
        for line in orthanc_fhir("studies", "--failure", "any", "--since", "7d").stdout.splitlines()
        if line.split()[0] == A
    ]
    assert "(SinkBusy), synced since, now: " in line
    told = orthanc_fhir("studies", "--failure", "SinkBusy", "--since", "7d", "--json").stdout
    assert json.loads(told)["failed"]["failure"] == "SinkBusy"


@pytest.mark.parametrize("words", [[], ["--failure", "any"], ["--failure", "any", "--since", "1h"]], ids=str)
def test_it_says_when_there_are_more(ledger: Ledger, words: list[str]) -> None:
    for form in ([], ["--json"]):
        few, enough = (orthanc_fhir("studies", *words, *form, "--limit", number) for number in ("1", "9"))
        assert "more than 1 study" in few.stderr
        assert enough.stderr == ""
    assert len(uids(orthanc_fhir("studies", *words, "--json", "--limit", "1"))) == 1


def test_what_failed_and_stands_so_is_found_behind_what_is_well_again(ledger: Ledger) -> None:
    well = [f"1.3.{number}" for number in range(5)]
    for how, failure in (("refused", "BadUID"), ("done", "")):
        ledger.studies.mark("other", well)
        for claim in ledger.studies.claim(["other"], limit=9):
            ledger.studies.finish(claim, how, "", failure)  # type: ignore[arg-type]
    words = ["studies", "--failure", "any", "--since", "7d", "--state", "parked", "--json"]
    assert uids(orthanc_fhir(*words, "--limit", "2")) == [C, B]
    assert orthanc_fhir(*words, "--limit", "2").stderr == ""
    few = orthanc_fhir(*words, "--limit", "1")
    assert uids(few) == [C]
    assert "more than 1 study" in few.stderr


def test_a_uid_is_whole_on_a_narrow_terminal(ledger: Ledger) -> None:
    said = CliRunner(env={"COLUMNS": "40"}).invoke(app, ["studies"]).stdout
    assert any(line.startswith(f"{LONG} ") for line in said.splitlines())


def test_a_parked_study_is_told_with_its_kind_of_failure(ledger: Ledger) -> None:
    (line,) = [line for line in orthanc_fhir("studies", B).stdout.splitlines() if B in line]
    assert "parked" in line
    assert line.endswith("BadUID: why")


USAGE: dict[str, list[str]] = {
    "names and a failure": ["studies", A, "--failure", "any"],
    "a kind of failure that is none": ["studies", "--failure", "Nope"],
    "no kind of failure": ["studies", "--failure", ""],
    "no kind of failure in a time": ["studies", "--failure", "", "--since", "7d"],
    "names and a limit": ["studies", A, "--limit", "1"],
    "a look-up and a limit": ["studies", "--accession-number", "-", "--limit", "1"],
    "a kind of failure in another case": ["studies", "--failure", "badUID", "--since", "7d"],
    "names and a time": ["studies", A, "--since", "7d"],
    "a sample in JSON": ["settings", "--sample", "--json"],
    "a plugin that goes nowhere": ["plugin"],
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_wrong_usage_is_2(ledger: Ledger, arguments: list[str]) -> None:
    assert orthanc_fhir(*arguments).exit_code == 2


NOW = 1_700_000_000.0  # 2023-11-14T22:13:20Z
MOMENTS: dict[str, tuple[str | None, float]] = {
    "30m": (None, NOW - 1800),
    "12h": (None, NOW - 12 * 3600),
    "7d": (None, NOW - 7 * 86400),
    "2w": (None, NOW - 14 * 86400),
    "0d": (None, NOW),
    "2023-11-14": (None, 1_699_920_000.0),
    "2023-11-14T22:13:20": (None, NOW),
    "2023-11-14T23:13:20": ("Europe/Berlin", NOW),
    "2023-11-14T22:13:20Z": ("Europe/Berlin", NOW),
    "2023-11-14T22:13:20+00:00": ("Europe/Berlin", NOW),
}
NO_MOMENTS = ("", "yesterday", "7", "d", "-7d", "7 d", "7y", "2023-13-01", "9999999d", "٧d")


@pytest.mark.parametrize("text", MOMENTS)
def test_a_moment_as_people_write_it(text: str) -> None:
    zone, expected = MOMENTS[text]
    assert moment.since(text, zone, NOW) == expected


@pytest.mark.parametrize("text", NO_MOMENTS)
def test_what_is_no_moment_is_refused_and_not_repeated(ledger: Ledger, text: str) -> None:
    with pytest.raises(SettingError, match="so long ago"):
        moment.since(text, None, NOW)
    result = orthanc_fhir("studies", "--since", text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"orthanc-fhir: {moment.ALLOWED}\n"


# -- status --------------------------------------------------------------------------------------


def in_line(ledger: Ledger) -> None:
    """Let everything be well."""
    ledger.studies.mark("orthanc", [A, B, C, D])
    for claim in ledger.studies.claim(["orthanc"], limit=9):
        ledger.studies.finish(claim)
    ledger.sides.sweep("orthanc", 4, 0, 0, whole=True)
    ledger.meta.put(ALIVE, str(ledger.clock()))


def test_status_is_0_when_in_line(ledger: Ledger) -> None:
    in_line(ledger)
    result = orthanc_fhir("status")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == "in line: 4 studies synced"
    ledger.studies.mark("orthanc", [A])
    result = orthanc_fhir("status")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "in line: 3 studies synced, 1 on their way"


def test_status_is_1_when_somebody_should_look_and_says_what_to_do(ledger: Ledger) -> None:
    result = orthanc_fhir("status")
    assert (result.exit_code, result.stderr) == (1, "")
    said = result.stdout.splitlines()
    assert said[0] == "not in line: 1 study synced, 1 on their way"
    assert "  2 parked (BadUID 1, TwoPatients 1): orthanc-fhir studies --state parked" in said
    assert any("no service works on this ledger: start one: orthanc-fhir serve" in line for line in said)
    facts = json.loads(orthanc_fhir("status", "--json").stdout)
    assert facts["in_line"] is False
    assert facts["counts"]["parked"] == 2
    assert {one["failure"] for one in facts["failures"]} == {"BadUID", "TwoPatients"}
    assert all(reason["do"] for reason in facts["reasons"])


def test_status_has_the_numbers_of_the_page(ledger: Ledger) -> None:
    in_line(ledger)
    ledger.sides.offer("orthanc", 4)
    ledger.seen.notice("orthanc", A, {"id-1": "", "id-2": ""})
    ledger.sides.sweep("orthanc", 5, 0, 0, whole=True)
    (line,) = [line for line in orthanc_fhir("status").stdout.splitlines() if line.startswith("orthanc: ")]
    line = re.sub(r"\b[0-9]{1,2} s ago", "just now", line)
    assert "; 5 studies, listed just now, of which 1 study stands more than once; 4 in FHIR just now" in line


def test_status_joins_a_question_and_what_to_do(ledger: Ledger) -> None:
    ledger.sides.tell("sink", "the FHIR server does not answer, and is fhir_url right?")
    said = orthanc_fhir("status").stdout.splitlines()
    assert "  the FHIR server does not answer, and is fhir_url right? See: orthanc-fhir doctor" in said


def test_status_of_no_ledger_is_one_line() -> None:
    result = orthanc_fhir("status")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is none yet" in result.stderr


# -- settings, plugin, version -------------------------------------------------------------------


def test_settings_say_where_each_comes_from_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "orthanc-fhir.toml").write_text('workers = 7\nfhir_token = "hunter2"\n')
    monkeypatch.setenv("ORTHANC_FHIR_TOKEN", "hunter22")
    said = orthanc_fhir("settings").stdout
    assert f"workers = 7  ({tmp_path}/orthanc-fhir.toml, line 1)" in said
    assert "token = set, and not shown  (ORTHANC_FHIR_TOKEN)" in said.splitlines()
    assert "port = 8000  (default)" in said
    assert "hunter2" not in said
    lines = [json.loads(line) for line in orthanc_fhir("settings", "--json").stdout.splitlines()]
    assert {line["name"] for line in lines} == set(Settings.model_fields)
    assert {line["name"] for line in lines if not line["default"]} == {"workers", "fhir_token", "token"}
    assert "hunter2" not in str(lines)


def test_settings_make_no_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_FHIR_NAMESPACE_FILE", str(tmp_path / "namespace"))
    assert "namespace = none yet" in orthanc_fhir("settings").stdout
    assert os.listdir(tmp_path) == []


def test_the_sample_names_every_setting_and_its_defaults_are_the_defaults(tmp_path: Path) -> None:
    sample = orthanc_fhir("settings", "--sample").stdout
    assert tomllib.loads(sample) == {}, "all of it is comment"
    facts = tomllib.loads(uncommented(sample))
    assert set(facts) == set(Settings.model_fields)
    assert set(EXAMPLES) == {name for name, one in Settings().model_dump().items() if one is None or one == {}}
    defaults = {name: fact for name, fact in facts.items() if name not in EXAMPLES}
    assert Settings(**defaults).model_dump() == Settings().model_dump()
    (tmp_path / "mine.toml").write_text(sample)
    assert load(Settings, tmp_path / "mine.toml").model_dump() == Settings().model_dump()


def uncommented(sample: str) -> str:
    """Return a sample of which every setting is set."""
    return "\n".join(line[1:] if line.startswith("#") and line[1:2] != " " else line for line in sample.splitlines())


EXCLUDED: dict[str, tuple[str, ...]] = {
    "one Orthanc": ("sources", "namespace", "fhir_token"),
    "several": (*ONE_ORTHANC, "namespace_file", "fhir_user", "fhir_password"),
}
"""What is left out of the sample, as only one of two settings may be set."""


@pytest.mark.parametrize("group", EXCLUDED)
def test_every_line_of_the_sample_loads(tmp_path: Path, group: str) -> None:
    assert not set.intersection(*map(set, EXCLUDED.values())), "each line is tried"
    sample = orthanc_fhir("settings", "--sample").stdout.replace(CERTIFICATES, certifi.where())
    left_out = re.compile(rf"^#({'|'.join(EXCLUDED[group])}) = .*\n", re.MULTILINE)
    (tmp_path / "mine.toml").write_text(uncommented(left_out.sub("", sample)))
    loaded = load(Settings, tmp_path / "mine.toml")
    assert set(loaded.places) == set(Settings.model_fields) - set(EXCLUDED[group])


WORDS = {
    "deleted": "unknown, keep, entered-in-error",
    "log_format": "json, text",
    "proxy_role": "read, operate, values",
    "study_modality": "acquisition, all",
}


@pytest.mark.parametrize("name", WORDS)
def test_what_takes_few_words_names_them_in_the_sample_and_on_the_page(name: str) -> None:
    sample = orthanc_fhir("settings", "--sample").stdout
    before = sample.partition(f"\n#{name} = ")[0].rpartition("\n\n")[2]
    assert f"Allowed: {WORDS[name]}." in before.replace("\n# ", " ")
    page = (Path(__file__).parents[2] / "docs/settings.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
    assert f"Allowed: {WORDS[name]}." in row.replace("`", "")


def test_the_plugin_is_copied_whole(tmp_path: Path) -> None:
    for _ in range(2):
        result = orthanc_fhir("plugin", "--copy", tmp_path / "deep" / "plugin")
        assert result.exit_code == 0, result.stderr
    ours = Path(__file__).parents[2] / "orthanc_plugin"
    names = {path.name for path in ours.iterdir() if path.is_file()} - {"__init__.py"}
    assert set(os.listdir(tmp_path / "deep" / "plugin")) == names
    for name in names:
        assert (tmp_path / "deep" / "plugin" / name).read_bytes() == (ours / name).read_bytes()
        assert (tmp_path / "deep" / "plugin" / name).stat().st_mode & 0o777 == 0o644
    facts = json.loads(result.stdout)
    assert facts["PythonScript"] == str(tmp_path / "deep" / "plugin" / "fhir_sync.py")
    assert facts["FhirSync"] == {"MapperUrl": "http://127.0.0.1:8000", "Token": "${ORTHANC_FHIR_TOKEN}"}


@pytest.mark.parametrize("before", [0o700, 0o750, 0o711, 0o755, 0o775, 0o2770])
def test_a_folder_that_is_there_keeps_its_rights(tmp_path: Path, before: int) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    mine.chmod(before)
    result = orthanc_fhir("plugin", "--copy", mine)
    assert result.exit_code == 0, result.stderr
    assert mine.stat().st_mode & 0o7777 == before
    assert ("chmod o+rx" in result.stderr) == (before & 0o005 != 0o005)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_folder_that_is_made_is_for_orthanc_to_read(tmp_path: Path, umask: int) -> None:
    tmp_path.chmod(0o700)
    before = os.umask(umask)
    try:
        result = orthanc_fhir("plugin", "--copy", tmp_path / "deep" / "deeper" / "plugin")
    finally:
        os.umask(before)
    assert (result.exit_code, result.stderr) == (0, "")
    for folder in ("deep", "deep/deeper", "deep/deeper/plugin"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o755
    assert tmp_path.stat().st_mode & 0o777 == 0o700


HOSTS = {
    "127.0.0.1": ("http://127.0.0.1:8000", False),
    "localhost": ("http://localhost:8000", False),
    "mapper.example.org": ("http://mapper.example.org:8000", False),
    "::1": ("http://[::1]:8000", False),
    "0.0.0.0": ("http://127.0.0.1:8000", True),
    "::": ("http://[::1]:8000", True),
}


@pytest.mark.parametrize("host", HOSTS)
def test_the_plugin_is_told_a_url_that_leads_to_the_mapper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("ORTHANC_FHIR_HOST", host)
    url, elsewhere = HOSTS[host]
    result = orthanc_fhir("plugin", "--copy", tmp_path / "plugin")
    assert json.loads(result.stdout)["FhirSync"]["MapperUrl"] == url
    assert ("put this machine's name there" in result.stderr) == elsewhere


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = orthanc_fhir("plugin", "--copy", tmp_path / "file" / "below")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("orthanc-fhir: --copy: ")


def test_the_version_is_said() -> None:
    result = orthanc_fhir("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("orthanc-fhir 0.")
    assert "mapping " in result.stdout


def test_a_shell_completes_commands() -> None:
    environment = {"_ORTHANC_FHIR_COMPLETE": "complete_bash", "COMP_WORDS": "orthanc-fhir stu", "COMP_CWORD": "1"}
    said = CliRunner(env=environment).invoke(app, [], prog_name="orthanc-fhir")
    assert said.stdout.split() == ["studies"]


# -- how far a sync is ---------------------------------------------------------------------------


def test_a_stage_says_how_many_how_fast_how_long_and_why(ledger_url: str) -> None:
    clock = Clock(0.0)
    ledger = Ledger(Database(ledger_url), Clock(), jitter=lambda least, most: most)
    all_uids = [f"1.2.{number}" for number in range(600)]
    ledger.studies.mark("orthanc", all_uids)
    named, everything = Stages(ledger, all_uids, clock), Stages(ledger, [], clock)
    assert str(named.now()) == str(everything.now()) == "0 of 600 done"
    clock.forward(10.0)
    for number, claim in enumerate(ledger.studies.claim(["orthanc"], limit=100)):
        if number < 3:
            ledger.studies.fail(claim, "busy", None, "SinkBusy")
        elif number == 3:
            ledger.studies.finish(claim, "refused", "no", "BadUID")
        else:
            ledger.studies.finish(claim)
    expected = "96 of 600 done, 9.7 a second, 52 s left, parked BadUID 1, retrying SinkBusy 3"
    assert str(named.now()) == str(everything.now()) == expected
    ledger.database.close()


def test_sync_beside_a_running_service_says_how_far_it_is(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SAYS_EVERY", 0.0)
    ledger.meta.put(ALIVE, str(ledger.clock() + 3600.0))  # a service that works, and does nothing
    result = orthanc_fhir("sync", B, D, "--wait", "0.1", "--json")
    assert result.exit_code == 1
    first, *_, last = result.stderr.splitlines()
    assert first == "0 of 2 done"
    assert "time is over" in last
    facts = json.loads(result.stdout)
    assert (facts["done"], facts["asked"], facts["in_time"]) == (0, 2, False)
    assert [(one["study_uid"], one["state"]) for one in facts["studies"]] == [(B, "pending"), (D, "pending")]
    said = orthanc_fhir("sync", B, D, "--wait", "0")
    assert said.stdout.splitlines()[-1] == "0 of 2 done"
    assert said.exit_code == 1


def test_what_a_side_that_is_down_keeps_back_is_said_with_its_remedy(ledger: Ledger) -> None:
    ledger.meta.put(ALIVE, str(ledger.clock() + 3600.0))
    ledger.sides.tell("sink", "the FHIR server does not answer")
    for said in (orthanc_fhir("sync", D, "--wait", "0"), orthanc_fhir("studies", D)):
        (line,) = [one for one in said.stdout.splitlines() if one.startswith(D)]
        assert "waits: the FHIR server does not answer" in line
        assert "orthanc-fhir doctor" in said.stdout


def test_sync_of_what_changed_says_what_it_did(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing changed and nothing to do, twice the same; then one study in line that is done by somebody else."""
    ledger.studies.retry([])
    for claim in ledger.studies.claim(["orthanc"], limit=99):
        ledger.studies.finish(claim)
    ledger.meta.put(ALIVE, str(ledger.clock() + 3600.0))
    monkeypatch.setattr(outcome, "sweep", lambda *given, **named: Sweep(4, 0, 0))
    said = orthanc_fhir("sync", "--wait", "5").stdout.splitlines()
    assert said[0] == "orthanc: 4 studies in the PACS, nothing changed since it was looked at last"
    assert said[-1].startswith("nothing was to be done; ")
    assert said[-1].endswith(" studies in FHIR")
    ledger.studies.mark("orthanc", [A])

    monkeypatch.setattr(outcome, "sweep", lambda *given, **named: Sweep(4, 1, 0))
    said = orthanc_fhir("sync", "--wait", "0").stdout.splitlines()
    assert said[0] == "orthanc: 4 studies in the PACS, 1 changed, 0 gone since it was looked at last"
    assert said[-1].startswith("0 worked on; ")


def test_sync_ends_when_the_service_is_done(ledger: Ledger) -> None:
    ledger.meta.put(ALIVE, str(ledger.clock() + 3600.0))
    ledger.studies.mark("orthanc", [A, D])

    def work(stage: object) -> None:
        for claim in ledger.studies.claim(["orthanc"], limit=9):
            ledger.studies.finish(claim)

    done = sync_now(load(Settings), [A, D], False, 30.0, False, lambda line: None, work)
    assert (done.done, done.asked, done.bad, done.in_time, done.well) == (2, 2, [], True, True)
