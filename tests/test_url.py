"""URLs in settings: what a URL may hold, and refusals that never say what was given."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from mapper.commands.cli import app
from mapper.configuration import load
from mapper.errors import SettingError
from mapper.maps.site import Site
from mapper.settings import OrthancSource, Settings
from mapper.url import base_url, listening_url, system_uri

SECRET = "hunter2"

GOOD: dict[str, str] = {  # what is given -> what is kept
    "http://localhost:8042": "http://localhost:8042",
    "https://pacs.example.org/": "https://pacs.example.org",
    "https://pacs.example.org/a/b//": "https://pacs.example.org/a/b",
    "http://orthanc": "http://orthanc",
    "http://a_b.example": "http://a_b.example",
    "http://127.0.0.1:1": "http://127.0.0.1:1",
    "http://[::1]:8042/fhir": "http://[::1]:8042/fhir",
    "http://[2001:db8::7]": "http://[2001:db8::7]",
    "https://xn--krankenhuser-p5a.example/fhir": "https://xn--krankenhuser-p5a.example/fhir",
    "http://h:65535/fhir/R4;v=1/tenant@ward/caf%C3%A9": "http://h:65535/fhir/R4;v=1/tenant@ward/caf%C3%A9",
}


def hiding(*lines: str) -> tuple[str, ...]:
    """Return the words of these lines, with the secret where they say HERE."""
    return tuple(word.replace("HERE", SECRET) for line in lines for word in line.split(" "))


PASSWORDS = (
    f"http://user:{SECRET}@host",
    f"https://user:{SECRET}@host:8042/fhir",
    f"http://{SECRET}@host",
    f"http://:{SECRET}@host",
    f"http://{SECRET}:@host",
    "http://@hunter2.example",
    f"http://a%40b:{SECRET}@host",
    f"http://a@b:{SECRET}@host",
    f"http://user:{SECRET}@[::1]:8042",
    f"http://user:{SECRET}@",
    f"http://user:p:{SECRET}@host",
    f"http://host:80@{SECRET}.example",
)
"""User and password before the host (RFC 3986 3.2.1), whole or in part."""

CROOKED: dict[str, tuple[str, ...]] = {  # what a message must name -> what is refused for it
    "user or password": PASSWORDS,
    "query": (f"http://host?{SECRET}", f"http://host/fhir?token={SECRET}", "http://hunter2/?"),
    "fragment": (f"http://host#{SECRET}", f"http://host/fhir#{SECRET}", "http://hunter2/#"),
    "control characters": tuple(
        f"http://host{odd}{SECRET}" for odd in ("\t", "\n", "\r", "\x00", "\x1b[2J", "\x7f", "/\r\nX: y", "\x85")
    ),
    "spaces": tuple(
        f"http://{odd}"
        for odd in (f" {SECRET}", f"{SECRET} ", f"a {SECRET}", f"{SECRET}/a b", f"a\u2003{SECRET}", f"/ {SECRET}")
    ),
    "backslashes": hiding("http://h\\@HERE http://h\\HERE http:\\\\HERE http://h/\\HERE"),
    "ASCII": hiding(
        "http://krankenhäuser.example/HERE http://h/äHERE http://ｈ/HERE http://h。HERE http://h/\ud800HERE"
    ),
    "http://": hiding("HERE ftp://HERE //HERE http:/HERE file:///HERE javascript:HERE HTTP://HERE ://HERE"),
    "host": hiding(
        "http:// http:///HERE http://:8042/HERE http://[HERE] http://[::1 http://::1/HERE http://h%41/HERE",
        "http://[::1]HERE http://a,HERE http://[fe80::1%25HERE] http://-HERE.example http://HERE- http://a..HERE",
        "http://.HERE http://h*/HERE http://[127.0.0.1]/HERE http://[]/HERE",
    ),
    "port": hiding(
        "http://h:HERE http://h:/HERE http://h:0/HERE http://h:65536/HERE http://h:-1/HERE http://h:80a/HERE",
        "http://h:080000/HERE http://[::1]:/HERE http://user:HERE/@h http://h:+80/HERE http://h:8:0/HERE",
    ),
    "percent": (f"http://host/%{SECRET}", f"http://host/%0/{SECRET}", "http://host/hunter2%"),
    "no place": (*(f"http://{SECRET}/{odd}" for odd in '"<>^`{|}'), f"http://<{SECRET}>"),
}
EMPTY = ("", "/")

CASES = [(said, text) for said, texts in CROOKED.items() for text in texts]
IDS = [f"{said}: {text!r}" for said, text in CASES]


@pytest.mark.parametrize(("given", "kept"), GOOD.items(), ids=GOOD)
def test_a_good_url_is_kept_without_its_last_slash(given: str, kept: str) -> None:
    assert base_url(given) == kept


@pytest.mark.parametrize(("said", "given"), CASES, ids=IDS)
def test_a_crooked_url_is_refused_in_words_that_do_not_repeat_it(said: str, given: str) -> None:
    with pytest.raises(ValueError, match=said) as failed:
        base_url(given)
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize("given", EMPTY)
def test_an_empty_url_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="http://"):
        base_url(given)


# -- identifier systems: URIs, perhaps URLs ------------------------------------------------------

SYSTEMS = (
    "https://hospital.example/patients",
    "http://hospital.example/ids?of=patients",
    "http://hospital.example/ids#patients",
    "urn:oid:2.999.1.2.3",
    "urn:uuid:f4a53013-cf6d-555d-b303-6b5f08af8967",
    "urn:example:mail@ward",
    "mailto:records@hospital.example",
)
NO_SYSTEMS = (
    *PASSWORDS,
    f"ftp://user:{SECRET}@host",
    f"{SECRET}",
    f"/{SECRET}",
    f":{SECRET}",
    f"1a:{SECRET}",
    f"urn:oid:{SECRET} x",
    f"urn:oid:{SECRET}\n",
    f"urn:oid:\x1b{SECRET}",
    f"urn:example:ä{SECRET}",
    f"https://h\\@{SECRET}",
    f"https:///{SECRET}",
    f"https://host:x/{SECRET}",
    f"urn:example:<{SECRET}>",
    f"urn:example:{SECRET}|1",
    "",
)


@pytest.mark.parametrize("given", SYSTEMS)
def test_an_identifier_system_is_any_uri(given: str) -> None:
    assert system_uri(given) == given


@pytest.mark.parametrize("given", NO_SYSTEMS, ids=repr)
def test_what_is_no_uri_or_holds_a_password_is_no_identifier_system(given: str) -> None:
    with pytest.raises(ValueError) as failed:  # noqa: PT011 - what it says is the next line's business
        system_uri(given)
    assert SECRET not in str(failed.value)


# -- every setting that takes one ----------------------------------------------------------------


def source(**changes: str) -> dict[str, Any]:
    return {"name": "a", "url": "http://a", "patient_system": "urn:oid:2.999", **changes}


TAKES: dict[str, Callable[[str], dict[str, Any]]] = {  # the setting that is named, how it is given
    "orthanc_url": lambda text: {"orthanc_url": text},
    "orthanc_public_url": lambda text: {"orthanc_public_url": text},
    "fhir_url": lambda text: {"fhir_url": text},
    "fhir_public_url": lambda text: {"fhir_public_url": text},
    "dicomweb": lambda text: {"dicomweb": text},
    "document_url": lambda text: {"document_url": text},
    "viewer_url": lambda text: {"viewer_url": text},
    "base": lambda text: {"base": text},
    "patient_system": lambda text: {"patient_system": text},
    "issuers": lambda text: {"issuers": {"A": "urn:oid:2.999", "B": text}},
    "coding_schemes": lambda text: {"coding_schemes": {"99A": text}},
    "sources.0.url": lambda text: {"sources": [source(url=text)]},
    "sources.1.public_url": lambda text: {"sources": [source(), source(name="b", public_url=text)]},
    "sources.0.patient_system": lambda text: {"sources": [source(patient_system=text)]},
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder: the settings file is looked for there."""
    monkeypatch.chdir(tmp_path)


def test_no_setting_that_takes_a_url_is_left_out() -> None:
    """A setting of a later day that is called so, or that is described so, belongs into the table above."""
    fields = {
        **{name: field for name, field in Settings.model_fields.items() if name not in ("sources", "ledger")},
        **{f"sources.{name}": field for name, field in OrthancSource.model_fields.items()},
    }
    said = {name: f"{name} {field.description}".lower() for name, field in fields.items()}
    take = {name for name in said if any(word in said[name] for word in ("url", "uri", "system", "dicomweb"))}
    paths = {"dicomweb_root", "sources.dicomweb_root"}
    assert take == {re.sub(r"\.\d", "", name) for name in TAKES} | paths


@pytest.mark.parametrize(("given", "root"), [("/dicom-web", "/dicom-web"), ("/a/b-c_1.2~/", "/a/b-c_1.2~"), ("/", "")])
def test_a_root_is_a_path(given: str, root: str) -> None:
    settings = load(Settings, dicomweb_root=given)
    assert settings.dicomweb_root == root
    assert settings.endpoint == f"http://localhost:8042{root}"
    several = load(Settings, sources=[source(dicomweb_root=given)])
    assert several.all_sources[0].endpoint.endswith(root)


@pytest.mark.parametrize(
    "given",
    [
        "dicom-web",
        "/..",
        "/a/../b",
        "/./a",
        "//evil.example",
        "/a//b",
        "/a?b",
        "/a#b",
        "/a b",
        "/%2e%2e",
        "/{study}",
        "/\\a",
    ],
)
def test_what_would_lead_elsewhere_is_no_root(given: str) -> None:
    with pytest.raises(SettingError, match=r"^dicomweb_root: must be a path") as failed:
        load(Settings, dicomweb_root=given)
    assert given not in str(failed.value).replace("/dicom-web", "")


@pytest.mark.parametrize("given", PASSWORDS)
@pytest.mark.parametrize("setting", TAKES)
def test_a_password_in_a_url_is_refused_by_every_setting(setting: str, given: str) -> None:
    with pytest.raises(SettingError) as failed:
        load(Settings, **TAKES[setting](given))
    assert str(failed.value).startswith(f"{setting}: ")
    assert "user or password" in str(failed.value)
    assert SECRET not in str(failed.value)


@pytest.mark.parametrize(
    "text", ["", "fhir", "http://h/a b", "http://h/\x1b", "http://h/\\", "http://h/ä", "http://h:x"]
)
@pytest.mark.parametrize("setting", TAKES)
def test_a_crooked_url_is_refused_by_every_setting(setting: str, text: str) -> None:
    with pytest.raises(SettingError, match=rf"^{setting}: "):
        load(Settings, **TAKES[setting](text))


def test_a_password_from_the_file_or_the_environment_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "orthanc-fhir.toml").write_text(f'fhir_url = "http://me:{SECRET}@fhir"\n')
    monkeypatch.setenv("ORTHANC_FHIR_ORTHANC_URL", f"http://me:{SECRET}@orthanc")
    monkeypatch.setenv("ORTHANC_FHIR_SOURCES", f'[{{"name": "a", "url": "http://me:{SECRET}@orthanc"}}]')
    with pytest.raises(SettingError) as failed:
        load(Settings)
    for named in ("fhir_url (", "orthanc_url (", "sources.0.url ("):
        assert named in str(failed.value)
    assert SECRET not in str(failed.value)


def test_the_error_of_the_models_themselves_holds_nothing_that_was_given() -> None:
    """Who uses the library makes a Site without `load`."""
    for make in (
        lambda: Site(fhir_public_url=f"http://me:{SECRET}@fhir"),
        lambda: Site(timezone=SECRET, namespace=SECRET, instance_limit=SECRET),  # type: ignore[arg-type]
        lambda: OrthancSource(**source(url=f"http://me:{SECRET}@orthanc")),
        lambda: OrthancSource(**source(url="http://a", user={SECRET: SECRET})),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValidationError) as failed:
            make()
        assert SECRET not in str(failed.value) + repr(failed.value)


@pytest.mark.parametrize("option", ["--server", "--dicomweb", "--base"])
@pytest.mark.parametrize("given", PASSWORDS)
def test_a_password_on_the_command_line_is_refused_in_one_line(option: str, given: str, tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["convert", str(tmp_path), option, given])
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert "user or password" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert SECRET not in ran.stderr


LISTENING: dict[str, str] = {
    "127.0.0.1": "http://127.0.0.1:8000",
    "192.0.2.7": "http://192.0.2.7:8000",
    "0.0.0.0": "http://127.0.0.1:8000",
    "::": "http://[::1]:8000",
    "0:0:0:0:0:0:0:0": "http://[::1]:8000",
    "::1": "http://[::1]:8000",
    "2001:db8::7": "http://[2001:db8::7]:8000",
    "fe80::1%eth0": "http://[fe80::1%25eth0]:8000",
    "localhost": "http://localhost:8000",
    "mapper.example.org": "http://mapper.example.org:8000",
}


@pytest.mark.parametrize("host", LISTENING)
def test_the_url_of_what_listens_is_one_that_can_be_opened(host: str) -> None:
    assert listening_url(host, 8000) == LISTENING[host]
