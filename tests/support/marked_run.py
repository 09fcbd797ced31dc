"""A program: sync studies full of a marker through everything that can go wrong, and print all that is ever said.

tests/test_privacy.py runs it as a process of its own, with the log as `serve` writes it, and searches the output.
The last line alone says something of the marker: whether it reached FHIR, so that the search is not in vain.
"""

import json
import logging
import sys
import warnings
from typing import Any

import msgspec
import orjson
import structlog
from fastapi.testclient import TestClient

from mapper import log
from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.errors import MapperError
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, study_to_fhir
from mapper.service import Service, mapping_of
from mapper.settings import Settings
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer
from mapper.sources.source import Reading
from mapper.sync.sweep import sweep
from mapper.sync.threads import Threads
from mapper.sync.triggers import Bell, Triggers
from mapper.web.app import app_of
from mapper.web.prometheus import Prometheus
from tests.support.everything import ALL
from tests.support.fakes import SITE, World
from tests.support.http_fake import Answer, HttpFake


class Archive:
    """Hands out metadata as an archive sends it, by the real reader."""

    name = "orthanc"

    def __init__(self, metadata: dict[str, Any], inner: Any) -> None:
        self._metadata, self._inner = metadata, inner
        self._reader = Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def read(self, study_uid: str, known_ids: list[str]) -> Reading:
        before = self._inner.read(study_uid, known_ids)
        collector = Collector()
        self._reader.read(json.dumps(self._metadata[study_uid]).encode(), collector)
        return Reading(collector.study(study_uid), before.sighting)


def run(url: str, given: dict[str, Any]) -> None:
    """Sync every study: to a sink that takes it, one that refuses it and quotes it, and one that is broken."""
    marker, metadata = given["marker"], given["metadata"]
    log.configure(given["log_format"])
    world = World(url)
    for study_uid in metadata:
        world.source.store(study_uid)
    archive = Archive(metadata, world.source)
    metrics = Prometheus()
    world.worker = world.new_worker(sources={"orthanc": archive}, mapping=mapping_of({"orthanc": ALL}), metrics=metrics)
    world.sources = [archive]  # type: ignore[list-item]
    sweep(world.ledger, archive)  # type: ignore[arg-type]
    world.work()

    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": marker, "diagnostics": f"HAPI-0001: {marker}"}]}
    with HttpFake(*[Answer(422, outcome)] * len(metadata)) as http:
        refusing = FhirServer(FhirClient(f"{http.url}/fhir", metrics=metrics), "https://fhir.example.org/fhir")
        again(world, refusing, metadata, metrics, archive)
        http.answers.clear()  # some of these studies are never sent
    again(world, Broken(marker), metadata, metrics, archive)

    def buggy(reading: Reading, source: Any) -> Any:
        raise ValueError(marker, reading.study.item._items)  # type: ignore[attr-defined]

    world.worker = world.new_worker(sources={"orthanc": archive}, mapping=buggy, metrics=metrics)
    world.mark(*list(metadata)[1:])
    world.work()

    warnings.warn(f"Invalid value for VR DA: {marker}", UserWarning, stacklevel=1)
    try:
        raise RuntimeError(marker)
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application %s", marker)
        structlog.get_logger("mapper").warning("something", error=RuntimeError.__name__)
    say(world, metrics)
    for study_uid, sets in metadata.items():
        describe(study_uid, sets)
    world.database.close()
    reached = marker.lower() in str(world.sink.held).lower()
    print(f"\nMARKED CONTENT REACHED FHIR: {reached}", flush=True)


class Broken:
    """A sink whose exceptions quote what they were given."""

    def __init__(self, marker: str) -> None:
        self._marker = marker

    def put(self, resources: Any, expected: Any = None) -> Any:
        raise RuntimeError(self._marker, list(resources))

    def version(self, key: Any) -> str:
        return ""

    def probe(self) -> None:
        """Be there."""


def again(world: World, sink: Any, metadata: dict[str, Any], metrics: Prometheus, archive: Archive) -> None:
    world.worker = world.new_worker(
        sources={"orthanc": archive}, sink=sink, mapping=mapping_of({"orthanc": ALL}), metrics=metrics
    )
    world.mark(*metadata)
    world.work()


def say(world: World, metrics: Prometheus) -> None:
    """Print every page, API answer and metric."""
    settings = Settings(token="t0ken")  # type: ignore[arg-type]
    triggers, bell = Triggers(world.sources[0], world.ledger), Bell()
    threads = Threads(world.worker, [triggers], bell, workers=1)
    service = Service(settings, world.sink, world.ledger, world.worker, [triggers], bell, threads, SITE.namespace)  # type: ignore[arg-type]
    client = TestClient(
        app_of(service, metrics), base_url="http://127.0.0.1:8000", headers={"Authorization": "Bearer t0ken"}
    )
    paths = ["/", "/?state=parked", "/api/studies", "/metrics", "/readyz"]
    for row in world.ledger.rows.page():
        paths += [f"/?study={row.study_uid}", f"/api/studies/{row.study_uid}"]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        print(path, answer.text)


def describe(study_uid: str, sets: list[Any]) -> None:
    """Print the problems of one study, or why there is none."""
    collector = Collector()
    try:
        Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read(json.dumps(sets).encode(), collector)
        for problem in study_to_fhir(collector.study(study_uid), ALL).problems:
            print(orjson.dumps(msgspec.to_builtins(problem)).decode())
    except MapperError as error:
        print(error)


if __name__ == "__main__":
    run(sys.argv[1], json.load(sys.stdin))
