"""Settings: a flag over the environment over the file over the default; a wrong one is one line that names it."""

import json
import os
import re
import socket
import stat
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import uvicorn
from structlog.testing import capture_logs

from mapper.commands.server import run
from mapper.configuration import load
from mapper.convert import bundle_from_metadata
from mapper.errors import SettingError
from mapper.maps import MAPPING_VERSION
from mapper.maps.site import PUBLIC_NAMESPACE, Site
from mapper.namespace import fingerprint, is_public, namespace_of, write
from mapper.settings import Settings
from mapper.wiring import database_of, ledger_of, site_of
from mapper.wrong_settings import CONTRADICTIONS, NEEDED
from tests.support.golden import STUDIES

File = Callable[[str], Path]
SEVERAL: list[dict[str, Any]] = [
    {"name": "a", "url": "http://a:8042", "patient_system": "https://a.example/patient", "timezone": "Asia/Tokyo"},
    {"name": "b", "url": "http://b:8042/", "patient_system": "https://b.example/p", "public_url": "https://b.example/"},
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder: the settings file is looked for there."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> File:
    def make(text: str) -> Path:
        path = tmp_path / "orthanc-fhir.toml"
        path.write_text(text)
        return path

    return make


def env(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"ORTHANC_FHIR_{name.upper()}", value)


# -- which one wins ------------------------------------------------------------------------------


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(Settings).port == 8000
    file("port = 1001")
    assert load(Settings).port == 1001
    env(monkeypatch, port="1002")
    assert load(Settings).port == 1002
    assert load(Settings, port=1003).port == 1003
    assert load(Settings, port=None).port == 1002, "a flag that was not given"


def test_an_empty_variable_is_none_at_all(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    file('orthanc_user = "from-file"')
    env(monkeypatch, orthanc_user="", token="")
    assert load(Settings).orthanc_user == "from-file"
    assert load(Settings).token is None


def test_the_file_can_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "etc"
    place.mkdir()
    (place / "mapper.toml").write_text('timezone = "Europe/Berlin"\n[issuers]\nHOSP = "https://hosp.example"\n')
    env(monkeypatch, config=str(place / "mapper.toml"))
    site = load(Site)
    assert (site.timezone, site.issuers) == ("Europe/Berlin", {"HOSP": "https://hosp.example"})


def test_one_file_serves_all_commands(file: File) -> None:
    """`convert` wants the site's choices alone; the service's settings in the file must not stop it."""
    file('base = "https://hosp.example"\northanc_url = "http://orthanc:8042"\nport = 1001')
    assert load(Site).base == "https://hosp.example"
    assert load(Settings).orthanc_url == "http://orthanc:8042"


def test_urls_have_no_trailing_slash() -> None:
    slashed = load(
        Settings,
        base="https://a.example/",
        fhir_url="http://f/fhir/",
        fhir_public_url="http://p/fhir/",
        orthanc_url="http://o/",
        orthanc_public_url="http://q/",
        dicomweb="http://d/dicom-web/",
    )
    values = [slashed.base, slashed.fhir_url, slashed.fhir_public_url, slashed.orthanc_url]
    assert not any(value.endswith("/") for value in [*values, str(slashed.orthanc_public_url), str(slashed.dicomweb)])


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ({}, "http://localhost:8042/dicom-web"),
        ({"orthanc_public_url": "https://pacs.example"}, "https://pacs.example/dicom-web"),
        (
            {"orthanc_public_url": "https://pacs.example", "dicomweb": "https://web.example/rs"},
            "https://web.example/rs",
        ),
    ],
)
def test_the_endpoint_is_the_archive_as_clients_reach_it(given: dict[str, Any], endpoint: str) -> None:
    settings = load(Settings, **given)
    assert settings.endpoint == endpoint
    (source,) = settings.all_sources
    assert site_of(settings, source, PUBLIC_NAMESPACE).dicomweb == endpoint


def test_several_sources_have_their_own_patients_zones_and_endpoints() -> None:
    settings = load(Settings, sources=SEVERAL, timezone="Europe/Berlin")
    sites = {source.name: site_of(settings, source, PUBLIC_NAMESPACE) for source in settings.all_sources}
    assert {name: site.patient_system for name, site in sites.items()} == {
        "a": "https://a.example/patient",
        "b": "https://b.example/p",
    }
    assert [site.timezone for site in sites.values()] == ["Asia/Tokyo", "Europe/Berlin"]
    assert [site.dicomweb for site in sites.values()] == ["http://a:8042/dicom-web", "https://b.example/dicom-web"]


# -- wrong ones ----------------------------------------------------------------------------------

WRONG: dict[str, tuple[str, dict[str, Any]]] = {  # the setting named, what was given
    "a port that is none": ("port", {"port": 99999}),
    "a URL that is none": ("fhir_url", {"fhir_url": "fhir.example.org"}),
    "a URL of another kind": ("orthanc_url", {"orthanc_url": "ftp://orthanc"}),
    "a zone that is none": ("timezone", {"timezone": "Mars/Olympus"}),
    "one zone of several that is none": ("timezones", {"timezones": {"WARD": "Mars/Olympus"}}),
    "a zone that is a path": ("timezone", {"timezone": "../../etc/passwd"}),
    "a policy that is none": ("deleted", {"deleted": "delete"}),
    "no workers": ("workers", {"workers": 0}),
    "no time": ("timeout", {"timeout": 0}),
    "a namespace that is none": ("namespace", {"namespace": "secret"}),
    "a log of another form": ("log_format", {"log_format": "xml"}),
    "a setting that nobody knows": ("colour", {"colour": "red"}),
    "an empty token": ("token", {"token": " "}),
    "a source without a name": ("source", {"source": ""}),
    "a source with a name that is too long": ("source", {"source": "x" * 65}),
    "two sources of one name": ("sources", {"sources": [SEVERAL[0], SEVERAL[0]]}),
    "one of several without its patients": ("sources", {"sources": [{"name": "a", "url": "http://a"}]}),
    "one of several in no zone": ("sources", {"sources": [{**SEVERAL[0], "timezone": "Mars/Olympus"}]}),
}


@pytest.mark.parametrize(("name", "given"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_one_line_that_names_it(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(SettingError) as failed:
        load(Settings, **given)
    text = str(failed.value)
    assert text.startswith(name)
    assert "\n" not in text
    assert len(text) > len(name) + 5


def test_a_wrong_secret_is_not_repeated() -> None:
    with pytest.raises(SettingError) as failed:
        load(Settings, token=["hunter2"], orthanc_user="x", orthanc_password=["hunter3"])
    assert "hunter" not in str(failed.value)
    assert "token" in str(failed.value)
    assert "orthanc_password" in str(failed.value)


def test_secrets_are_not_shown() -> None:
    settings = load(
        Settings,
        token="hunter2",
        orthanc_user="mapper",
        orthanc_password="hunter3",
        fhir_token="hunter4",
        ledger="sqlite:///hunter5",
    )
    assert "hunter" not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port = ", r"orthanc-fhir.toml, line 1: this is not TOML"),
        ("\nport = 'x'", r"^port \(.*orthanc-fhir.toml, line 2\): must be a whole number$"),
        ("colour = 'red'", r"^colour \(.*line 1\): there is no such setting$"),
        ("timezon = 'Europe/Berlin'", r"^timezon \(.*line 1\): there is no such setting; did you mean timezone\?$"),
        ("token = ''", r"^token \(.*line 1\): must not be empty"),
    ],
)
def test_a_wrong_file_is_one_line(file: File, text: str, says: str) -> None:
    file(text)
    with pytest.raises(SettingError, match=says) as failed:
        load(Settings)
    assert "\n" not in str(failed.value)


def test_an_environment_that_is_no_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    env(monkeypatch, timezones="Europe/Berlin")
    with pytest.raises(SettingError, match=r"^timezones \(ORTHANC_FHIR_TIMEZONES\): must be JSON") as failed:
        load(Settings)
    assert "Berlin" not in str(failed.value)


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    env(monkeypatch, config="/no/such/file.toml")
    with pytest.raises(SettingError, match="ORTHANC_FHIR_CONFIG"):
        load(Settings)


@pytest.mark.parametrize(
    ("variable", "says"),
    [
        ("ORTHANC_FHIR_FHIR_ULR", r"^ORTHANC_FHIR_FHIR_ULR: .*did you mean ORTHANC_FHIR_FHIR_URL\?$"),
        ("ORTHANC_FHIR_URL", r"no such setting; did you mean ORTHANC_FHIR_FHIR_URL\?$"),
        ("orthanc_fhir_colour", r"^orthanc_fhir_colour: there is no such setting"),
        ("ORTHANC_FHIR_ISSUERS__HOSP", r"no such setting"),
        ("ORTHANC_FHIR_", r"no such setting"),
    ],
)
@pytest.mark.parametrize("kind", [Settings, Site])
def test_a_variable_that_is_no_setting_is_refused(
    variable: str, says: str, kind: type[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "SECRET")
    with pytest.raises(SettingError, match=says) as failed:
        load(kind)
    assert "SECRET" not in str(failed.value)


def test_what_orthanc_reads_may_stand_in_a_shared_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    env(monkeypatch, plugin="/python/fhir_sync.py", mapper_url="http://mapper:8000", port="1001")
    env(monkeypatch, mapper_public_url="https://pacs.example/mapper")
    assert load(Settings).port == 1001


MISPLACED: dict[str, tuple[str, str]] = {
    "behind a table": ("[issuers]\nHOSP = 'urn:oid:2.999'\ntimezone = 'Europe/Berlin'", "timezone"),
    "behind a table, quoted": ("[timezones]\n'port' = 'x'", "port"),
    "behind another": ("[coding_schemes]\nfhir_url = 'http://fhir/fhir'", "fhir_url"),
    "behind a source": (
        "[[sources]]\nname = 'a'\nurl = 'http://a'\npatient_system = 'urn:oid:2.999'\nworkers = 2",
        "sources.0.workers",
    ),
}


@pytest.mark.parametrize(("text", "name"), MISPLACED.values(), ids=MISPLACED)
def test_a_setting_inside_a_table_is_refused(file: File, text: str, name: str) -> None:
    file(text)
    for kind in (Settings,) if "sources" in text else (Settings, Site):
        with pytest.raises(SettingError, match=rf"^{re.escape(name)} \(.*orthanc-fhir.toml, line \d\): ") as failed:
            load(kind)
        assert "Berlin" not in str(failed.value)


@pytest.mark.parametrize("pair", CONTRADICTIONS, ids=str)
def test_of_two_that_contradict_each_other_neither_counts(pair: tuple[str, str]) -> None:
    values: dict[str, Any] = {
        "namespace": str(uuid4()),
        "namespace_file": "/etc/namespace",
        "fhir_user": "SECRET",
        "fhir_password": "SECRET",
        "fhir_token": "SECRET",
        "sources": SEVERAL,
        "source": "SECRET",
        "orthanc_url": "http://orthanc",
        "orthanc_user": "SECRET",
        "orthanc_password": "SECRET",
        "orthanc_public_url": "http://orthanc",
        "orthanc_ca": "/etc/ssl/certs/ca-certificates.crt",
        "patient_system": "urn:oid:2.999",
        "dicomweb": "http://orthanc/dicom-web",
        "dicomweb_root": "/rs",
    }
    with pytest.raises(SettingError, match=rf"^{pair[0]} and {pair[1]}: set one of them, not both$"):
        load(Settings, **{name: values[name] for name in pair})


@pytest.mark.parametrize(("one", "other"), NEEDED)
def test_a_password_without_its_user_says_nothing(one: str, other: str) -> None:
    with pytest.raises(SettingError, match=rf"^{one}: says nothing without {other}$"):
        load(Settings, **{one: "SECRET"})


def test_contradictions_name_their_places(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    file("port = 8000\nfhir_user = 'mapper'")
    env(monkeypatch, fhir_token="a-long-token-of-the-tests")
    with pytest.raises(SettingError, match=r"^fhir_user \(.*line 2\) and fhir_token \(ORTHANC_FHIR_FHIR_TOKEN\): "):
        load(Settings)


def test_the_file_in_force_is_known(file: File, tmp_path: Path) -> None:
    assert load(Settings).file is None
    assert load(Settings, file("port = 1001")).file == tmp_path / "orthanc-fhir.toml"
    assert load(Settings).file == tmp_path / "orthanc-fhir.toml"
    with pytest.raises(SettingError, match=r"^--config: there is no file /no/such.toml$"):
        load(Settings, Path("/no/such.toml"))


def test_every_wrong_thing_is_said_in_our_words() -> None:
    """A library's own words would change with its version, and name its types."""
    for name, given in WRONG.values():
        with pytest.raises(SettingError) as failed:
            load(Settings, **given)
        for words in ("Input should", "pydantic", "validation", "Extra inputs", "Field required", "String should"):
            assert words not in str(failed.value), name


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


# -- the password of the ledger -------------------------------------------------------------------

SHARED = "postgresql+psycopg://ledger@ledger/ledger"
PASSWORDS: dict[str, tuple[str, bytes | None, str]] = {  # URL, file, what the database is asked with or what is wrong
    "alone": (SHARED, b"p", "p"),
    "with a line end": (SHARED, b"p/@:%20\r\n", "p/@:%20"),
    "with spaces": (SHARED, b" p \n", " p "),
    "over that of the URL": ("postgresql+psycopg://ledger:old@ledger/ledger", b"p", "p"),
    "empty": (SHARED, b"\n", "is empty"),
    "no text": (SHARED, b"\xff", "cannot be read (UnicodeDecodeError)"),
    "not there": (SHARED, None, "cannot be read (FileNotFoundError)"),
    "SQLite": ("sqlite:///ledger.db", b"p", "a ledger in SQLite has no password"),
}


@pytest.mark.parametrize(("url", "content", "outcome"), PASSWORDS.values(), ids=PASSWORDS)
def test_the_password_of_the_ledger_may_stand_in_a_file(
    tmp_path: Path, url: str, content: bytes | None, outcome: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    settings = load(Settings, ledger=url, ledger_password_file=path)
    if " " in outcome.strip():
        with pytest.raises(SettingError, match=r"^ledger_password_file: ") as failed:
            database_of(settings)
        assert str(failed.value).endswith(outcome)
        return
    database = database_of(settings)
    assert database.engine.url.password == outcome
    assert outcome not in database.place.replace("postgresql+psycopg", "")


# -- the namespace -------------------------------------------------------------------------------


def test_the_namespace_comes_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "namespace"
    mine = uuid4()
    path.write_text(f" {mine} \n")
    assert namespace_of(load(Settings, namespace_file=path)) == mine
    assert namespace_of(load(Settings)) == PUBLIC_NAMESPACE
    assert is_public(namespace_of(load(Settings)))
    assert not is_public(mine)


def test_a_namespace_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    settings = load(Settings, namespace_file=tmp_path / "secret" / "namespace")
    made = namespace_of(settings, make=True)
    assert made.version == 4
    assert namespace_of(settings, make=True) == namespace_of(settings) == made
    assert settings.namespace_file is not None
    assert stat.S_IMODE(settings.namespace_file.stat().st_mode) == 0o600
    assert os.listdir(settings.namespace_file.parent) == ["namespace"], "nothing is left beside it"


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    path = tmp_path / "namespace"
    settings = load(Settings, namespace_file=path)
    start, got = threading.Barrier(8), []

    def one() -> None:
        start.wait()
        got.append(namespace_of(settings, make=True))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [UUID(path.read_text().strip())] * 8
    write(path, uuid4())
    assert namespace_of(settings) == got[0], "nobody overwrites it"


@pytest.mark.parametrize("content", ["", "not a uuid", "\xff"], ids=["empty", "text", "bytes"])
def test_a_file_that_holds_no_namespace_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "namespace"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingError, match=r"^namespace_file: "):
        namespace_of(load(Settings, namespace_file=path), make=True)


def test_a_file_that_is_not_there_or_cannot_be_made_is_refused() -> None:
    with pytest.raises(SettingError, match=r"^namespace_file: "):
        namespace_of(load(Settings, namespace_file="/no/such/file"))
    with pytest.raises(SettingError, match=r"^namespace_file: "):
        namespace_of(load(Settings, namespace_file="/proc/no/namespace"), make=True)


def test_a_fingerprint_tells_two_apart_and_gives_nothing_away() -> None:
    one, two = uuid4(), uuid4()
    assert fingerprint(one) == fingerprint(one) != fingerprint(two)
    assert str(one)[:8] not in fingerprint(one)


# -- what the mapping reads ------------------------------------------------------------------------

ELSEWHERE: dict[str, str] = {"base": "https://elsewhere.example", "namespace": str(uuid4()), "timezone": "Asia/Tokyo"}
AROUND: dict[str, Callable[[pytest.MonkeyPatch], object]] = {
    "a settings file": lambda patch: Path("orthanc-fhir.toml").write_text(
        "".join(f'{name} = "{value}"\n' for name, value in ELSEWHERE.items()), encoding="utf-8"
    ),
    "a settings file that is none": lambda patch: Path("orthanc-fhir.toml").write_text("= no TOML", encoding="utf-8"),
    "variables": lambda patch: [patch.setenv(f"ORTHANC_FHIR_{name.upper()}", ELSEWHERE[name]) for name in ELSEWHERE],
    "a variable that is no setting": lambda patch: patch.setenv("ORTHANC_FHIR_NOTHING", "x"),
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_the_library_reads_neither_files_nor_the_environment(
    around: Callable[[pytest.MonkeyPatch], object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    metadata = (STUDIES / "G01-plain-ct/input.json").read_bytes()
    before = bundle_from_metadata(metadata)
    monkeypatch.chdir(tmp_path)
    around(monkeypatch)
    assert bundle_from_metadata(metadata) == before
    assert ids_of(before, "Patient")


def ids_of(bundle: bytes, kind: str) -> list[str]:
    """Return the ids of one type in a Bundle."""
    resources = [entry["resource"] for entry in json.loads(bundle)["entry"]]
    return [one["id"] for one in resources if one["resourceType"] == kind]


@pytest.mark.parametrize("sources", [(), SEVERAL], ids=["one source", "several sources"])
def test_a_start_reads_the_namespace_once(sources: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file, reads = tmp_path / "namespace", []
    read_text = Path.read_text

    def counted(path: Path, *arguments: Any, **named: Any) -> str:
        if path == file:
            reads.append(path)
        return read_text(path, *arguments, **named)

    def serving(server: uvicorn.Server, sockets: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "read_text", counted)
    monkeypatch.setattr(uvicorn.Server, "run", serving)
    monkeypatch.setattr("mapper.log.configure", lambda form: None)
    url = f"sqlite:///{tmp_path}/ledger.db"
    with capture_logs() as log:
        run(load(Settings, namespace_file=file, ledger=url, port=0, sources=sources or None))
    assert len(reads) == 1
    begun, ended = log[0], log[-1]
    assert (begun["event"], ended["event"]) == ("serving", "stopped")
    assert (begun["version"], begun["mapping"]) == (version("orthanc-fhir"), MAPPING_VERSION)
    assert (begun["settings"], begun["ledger"], ended["ledger"]) == ("none", *[f"{tmp_path}/ledger.db"] * 2)


# -- the guard -----------------------------------------------------------------------------------


def test_a_changed_namespace_or_base_is_refused(ledger_url: str) -> None:
    ledger_of(load(Settings, ledger=ledger_url)).database.close()
    ledger_of(load(Settings, ledger=ledger_url)).database.close()
    secret = uuid4()
    with pytest.raises(SettingError, match="namespace") as failed:
        ledger_of(load(Settings, ledger=ledger_url, namespace=secret))
    assert str(secret) not in str(failed.value)
    with pytest.raises(SettingError, match="base"):
        ledger_of(load(Settings, ledger=ledger_url, base="https://other.example"))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////proc/ledger.db",
        "postgresql+psycopg://me:hunter2@127.0.0.1:1/ledger",
        "postgres://me:hunter2@h/l",
        "x",
    ],
)
def test_a_ledger_that_cannot_be_used_is_one_line_without_its_password(url: str) -> None:
    with pytest.raises(SettingError, match=r"^ledger: ") as failed:
        ledger_of(load(Settings, ledger=url))
    assert "hunter2" not in str(failed.value)
    assert "\n" not in str(failed.value)


# -- before `serve` serves -----------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "pacs.example.org"])
def test_nothing_is_served_beyond_loopback_without_a_token(host: str, ledger_url: str) -> None:
    with pytest.raises(SettingError, match=r"^token: .*127\.0\.0\.1"):
        run(load(Settings, host=host, ledger=ledger_url))


def test_nothing_is_served_beyond_loopback_with_a_token_that_can_be_guessed(ledger_url: str) -> None:
    with pytest.raises(SettingError, match=r"^token: at least 16") as failed:
        run(load(Settings, host="0.0.0.0", token="hunter2", ledger=ledger_url))
    assert "hunter2" not in str(failed.value)


def test_an_occupied_port_is_said_before_any_work_is_done(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=rf"^port: .*127\.0\.0\.1:{port}"):
            run(load(Settings, port=port, ledger=f"sqlite:///{tmp_path}/ledger.db"))
    assert os.listdir(tmp_path) == []
