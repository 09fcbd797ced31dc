"""HTTPS with a CA of our own, to Orthanc and to the FHIR server: whom we trust, whom we do not, and what is said."""

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from mapper.configuration import load
from mapper.dicom.reader import Reader
from mapper.errors import MapperError, SettingError, SinkRefused, SourceDown
from mapper.settings import Settings
from mapper.sinks.client import FhirClient
from mapper.sources.orthanc.source import Orthanc
from mapper.wiring import fhir_server_of, orthanc_of
from tests.support.http_fake import Wire

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ANSWER = {"CountStudies": 3, "resourceType": "Bundle", "total": 7}
Certificate = Callable[[trustme.CA], trustme.LeafCert]


def answer() -> list[bytes]:
    """Answer what both a first question to Orthanc and one to a FHIR server want to hear."""
    body = json.dumps(ANSWER).encode()
    return [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body]


def server(ca: trustme.CA, certificate: Certificate) -> Wire:
    """Return a server with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate(ca).configure_cert(context)
    return Wire(answer, context=context)


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def ask_orthanc(url: str, ca: str | None) -> None:
    assert Orthanc(url, Reader((), ()), ca=ca).count() == 3


def ask_fhir(url: str, ca: str | None) -> None:
    FhirClient(f"{url}/fhir", ca=ca).probe()


SIDES = {"orthanc_ca": (ask_orthanc, SourceDown), "fhir_ca": (ask_fhir, SinkRefused)}
OURS: Certificate = lambda ca: ca.issue_cert("127.0.0.1", "localhost")  # noqa: E731
DISTRUSTED: dict[str, tuple[Certificate, str]] = {
    "of another CA": (lambda ca: OURS(trustme.CA()), "not signed by a CA that we trust"),
    "for another host": (lambda ca: ca.issue_cert("pacs.example.org"), "for another host"),
    "for another address": (lambda ca: ca.issue_cert("127.0.0.2"), "for another host"),
    "that has expired": (lambda ca: ca.issue_cert("127.0.0.1", not_after=LONG_AGO), "has expired"),
}


@pytest.mark.parametrize("side", SIDES)
def test_a_server_of_our_own_ca_is_trusted(side: str, ca: trustme.CA, ca_file: str) -> None:
    ask, _ = SIDES[side]
    with server(ca, OURS) as wire:
        ask(wire.url, ca_file)
        ask(wire.url.replace("127.0.0.1", "localhost"), ca_file)
    assert len(wire.lines) == 2


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("certificate", "why"), DISTRUSTED.values(), ids=DISTRUSTED)
def test_a_certificate_that_is_not_to_be_trusted(
    side: str, certificate: Certificate, why: str, ca: trustme.CA, ca_file: str
) -> None:
    """Nothing is sent there: our password least of all."""
    ask, kind = SIDES[side]
    with server(ca, certificate) as wire, pytest.raises(MapperError, match=side) as failed:
        ask(wire.url, ca_file)
    assert type(failed.value) is kind
    assert failed.value.outage
    assert why in str(failed.value)
    assert side.replace("_ca", "_url") in str(failed.value)
    assert wire.lines == []


@pytest.mark.parametrize("side", SIDES)
def test_without_a_ca_of_ours_only_the_systems_are_trusted(side: str, ca: trustme.CA) -> None:
    ask, kind = SIDES[side]
    with server(ca, OURS) as wire, pytest.raises(kind, match="not signed by a CA that we trust"):
        ask(wire.url, None)


# -- settings ------------------------------------------------------------------------------------


def test_the_settings_name_the_ca_of_each_server(ca: trustme.CA, ca_file: str) -> None:
    with server(ca, OURS) as wire:
        settings = load(
            Settings, orthanc_url=wire.url, orthanc_ca=Path(ca_file), fhir_url=f"{wire.url}/fhir", fhir_ca=Path(ca_file)
        )
        assert orthanc_of(settings.all_sources[0], settings).count() == 3
        assert fhir_server_of(settings).version(("Patient", "p1")) == ""
        several = [{"name": "a", "url": wire.url, "patient_system": "urn:x", "ca": ca_file}]
        settings = load(Settings, sources=several)
        assert orthanc_of(settings.all_sources[0], settings).count() == 3


def no_certificates(folder: Path) -> dict[str, Path]:
    """Return files that hold no certificate that one could read."""
    (folder / "empty.pem").write_bytes(b"")
    (folder / "text.pem").write_text("not a certificate")
    (folder / "cut.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
    (folder / "rubbish.pem").write_text("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n")
    trustme.CA().private_key_pem.write_to_path(str(folder / "key.pem"))
    names = ("empty", "text", "cut", "rubbish", "key", "none")
    return {name: folder / f"{name}.pem" for name in names} | {"a folder": folder}


@pytest.mark.parametrize("name", ["empty", "text", "cut", "rubbish", "key", "none", "a folder"])
def test_a_file_that_is_no_ca_is_a_wrong_setting_before_anything_is_asked(name: str, tmp_path: Path) -> None:
    path = no_certificates(tmp_path)[name]
    for setting in SIDES:
        with pytest.raises(SettingError, match=f"^{setting}: cannot be read as certificates"):
            load(Settings, **{setting: path})
    several = [{"name": "a", "url": "https://a", "patient_system": "urn:x", "ca": str(path)}]
    with pytest.raises(SettingError, match=r"^sources\.0\.ca: cannot be read as certificates"):
        load(Settings, sources=several)
