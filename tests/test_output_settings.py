"""Which settings change what FHIR says: a change asks for mapping anew, and every other setting does not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mapper.configuration import load
from mapper.errors import SettingError
from mapper.ledger.database import Database
from mapper.ledger.ledger import OUTPUT, Ledger
from mapper.ledger.meta import SINK
from mapper.service import Service, service_of
from mapper.settings import Settings
from mapper.wrong_settings import NEEDED
from stack import Postgres
from tests.support.fakes import World
from tests.support.ledgers import emptied

A, B = "1.2.1", "1.2.2"

CHANGES_FHIR: dict[str, Any] = {
    "fhir_public_url": "https://fhir.example.org/fhir",
    "fhir_url": "http://fhir:8080/fhir",
    "dicomweb": "https://pacs.example.org/rs",
    "document_url": "https://pacs.example.org/documents/{instance}",
    "orthanc_url": "http://orthanc:8042",
    "orthanc_public_url": "https://pacs.example.org",
    "dicomweb_root": "/rs",
    "timezone": "Europe/Berlin",
    "timezones": {"WARD": "Europe/Berlin"},
    "patient_system": "https://hospital.example/patient",
    "issuers": {"HOSPITAL": "https://hospital.example/patient"},
    "coding_schemes": {"99LOCAL": "https://hospital.example/codes"},
    "nobody": ("NOBODY",),
    "instance_limit": 10,
    "study_modality": "all",
    "options": ("age",),
    "phantom_ids": ("QC.*",),
}
CHANGES_NOTHING: dict[str, Any] = {
    "orthanc_user": "mapper",
    "orthanc_password": "secret",
    "fhir_user": "mapper",
    "fhir_password": "secret",
    "fhir_token": "secret",
    "orthanc_ca": "/etc/ssl/certs/ca-certificates.crt",
    "orthanc_limit": 65,
    "fhir_ca": "/etc/ssl/certs/ca-certificates.crt",
    "fhir_limit": 33,
    "metadata_limit": 513,
    "metadata_timeout": 601.0,
    "instances_from_database": 100,
    "namespace_file": None,
    "ledger": None,
    "ledger_password_file": None,
    "host": "127.0.0.2",
    "port": 8001,
    "token": "a-token-of-the-tests",
    "deleted": "keep",
    "workers": 2,
    "timeout": 30.0,
    "log_format": "text",
    "history_days": 91,
    "viewer_url": "https://viewer.example.org/?uid={study}",
    "tokens_file": None,
    "session_key_file": None,
    "audit_file": None,
    "audit_size": 11,
    "audit_count": 3,
    "root_path": "/fhir-sync",
    "trusted_proxies": ["127.0.0.1"],
    "proxy_user_header": None,
    "proxy_role_header": None,
    "proxy_role": "operate",
}
GUARDED = {"base", "namespace"}
"""A ledger refuses to go on with others (tests/test_settings.py)."""
NAMES = {"source", "sources"}
"""They say whose studies these are: another name is another source."""

Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Give a function that makes the service of some settings over one ledger, and becomes its deliverer."""

    def make(**settings: Any) -> Service:
        given = {name: value for name, value in settings.items() if value is not None}
        service = service_of(load(Settings, **{"ledger": f"sqlite:///{tmp_path}/ledger.db", **given}))
        assert service.deliver()
        service.lock.give()
        return service

    return make


def test_every_setting_is_classified() -> None:
    assert {*CHANGES_FHIR, *CHANGES_NOTHING, *GUARDED, *NAMES} == set(Settings.model_fields)


@pytest.mark.parametrize("name", CHANGES_FHIR)
def test_a_setting_that_changes_fhir_asks_for_mapping_anew(name: str, start: Start) -> None:
    before = start().worker.versions["orthanc"]
    after = start(**{name: CHANGES_FHIR[name]}).worker.versions["orthanc"]
    assert before != after
    assert start().worker.versions["orthanc"] == before, "put back, it is as before"


@pytest.mark.parametrize("name", CHANGES_NOTHING)
def test_any_other_setting_changes_nothing(name: str, start: Start) -> None:
    before = start().worker.versions
    beside = {needs: CHANGES_NOTHING[needs] for one, needs in NEEDED if one == name}
    assert start(**beside, **{name: CHANGES_NOTHING[name]}).worker.versions == before


def test_no_secret_and_no_address_stands_in_the_ledger(start: Start) -> None:
    service = start(fhir_url="http://fhir.hospital.example/fhir", timezone="Europe/Berlin")
    stored = str([service.ledger.meta.get(key) for key in (f"{OUTPUT}:orthanc", "sink")])
    assert "hospital" not in stored
    assert "Berlin" not in stored


def test_what_is_done_is_mapped_anew_and_what_is_stuck_starts_anew(start: Start) -> None:
    ledger = start().ledger
    ledger.studies.mark("orthanc", [A, B, "1.2.3"])
    synced, parked, failed = ledger.studies.claim(["orthanc"], limit=3)
    old = str(ledger.meta.get(f"{OUTPUT}:orthanc"))
    ledger.studies.finish(synced, mapping_version=old)
    ledger.studies.finish(parked, "refused", "refused", "BundleRejected", mapping_version=old)
    ledger.studies.fail(failed, "busy", failure="SinkBusy")
    ledger.database.close()

    service = start(timezone="Europe/Berlin")
    counts = service.ledger.rows.counts()
    assert (counts["pending"], counts["synced"]) == (2, 1)
    assert all(row.attempts == 0 and not row.reason for row in service.ledger.rows.page("pending"))
    assert service.ledger.studies.remap("orthanc", service.worker.versions["orthanc"], 50) == 1
    assert service.ledger.rows.counts()["pending"] == 3
    service.ledger.database.close()

    again = start(timezone="Europe/Berlin")
    assert not again.ledger.renew("orthanc", again.worker.versions["orthanc"]), "the same settings start nothing"


def test_another_fhir_server_gets_everything_again(ledger_url: str) -> None:
    world = World(ledger_url)
    world.ledger.move("first")
    for uid in (A, B):
        world.source.store(uid)
    world.mark(A, B)
    world.work()
    world.ledger.meta.put("reconciled:orthanc", str(world.clock.now))
    other = type(world.sink)()
    assert not world.ledger.move("first")
    assert world.ledger.meta.get("reconciled:orthanc")
    assert world.ledger.move("second")
    assert world.ledger.meta.get("reconciled:orthanc") is None, "compared at once"
    world.sink, world.worker = other, world.new_worker(sink=other)
    world.mark(A, B)
    world.work()
    assert other.available() == [A, B]
    assert len(other.keys("Patient")) == 1
    world.database.close()


def test_a_new_ledger_belongs_to_a_sink_and_only_who_delivers_moves_it(tmp_path: Path) -> None:
    def opened(fhir_url: str) -> Service:
        return service_of(load(Settings, ledger=f"sqlite:///{tmp_path}/ledger.db", fhir_url=fhir_url))

    first = opened("http://first/fhir")
    belongs = first.ledger.meta.get(SINK)
    assert belongs
    other = opened("http://other/fhir")  # as `studies` or `doctor` do
    assert other.ledger.meta.get(SINK) == belongs
    assert other.deliver()
    assert other.ledger.meta.get(SINK) not in (belongs, None)
    other.lock.give()
    for service in (first, other):
        service.ledger.database.close()


def test_a_ledger_of_a_release_that_knew_no_sink_belongs_to_none_until_somebody_delivers(ledger_url: str) -> None:
    ledger = Ledger(Database(ledger_url))
    ledger.meta.guard({"base": "b"})
    ledger.meta.guard({"base": "b"}, "first")
    assert ledger.meta.get(SINK) is None
    assert not ledger.move("first"), "nothing is sent again"
    assert ledger.meta.get(SINK) == "first"
    ledger.database.close()


@pytest.mark.live
def test_replicas_that_make_other_fhir_do_not_work_together(ledger_postgres: Postgres) -> None:
    """Two of them would map each other's studies anew for ever."""
    url = emptied(ledger_postgres.sqlalchemy_url())
    first, second = (service_of(load(Settings, ledger=url, timezone=zone)) for zone in ("Europe/Berlin", "Asia/Tokyo"))
    assert first.deliver()
    first.ledger.meta.put("alive", str(first.ledger.clock()))
    with pytest.raises(SettingError, match="stop them"):
        second.deliver()
    first.ledger.meta.put("alive", "0")
    assert second.deliver()
    for service in (first, second):
        service.ledger.database.close()
