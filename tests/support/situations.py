"""A mapper in each situation that its page can show."""

from collections.abc import Callable

from fastapi.testclient import TestClient

from mapper.errors import BundleRejected, SinkDown, SourceDown
from mapper.rate_limit import RateLimit
from mapper.service import Service
from mapper.settings import Settings
from mapper.sync.brake import BRAKE
from mapper.sync.reconcile import ELSEWHERE
from mapper.sync.threads import Threads
from mapper.sync.triggers import Bell, Triggers
from mapper.web.app import app_of
from mapper.web.prometheus import Prometheus
from mapper.web.refusals import Refusals
from tests.support.fakes import SITE, World

A, B, C = "1.2.1", "1.2.2", "1.2.3"

TOKEN = "t0ken"

BEARER = {"Authorization": f"Bearer {TOKEN}"}

HERE = "http://127.0.0.1:8000"


class Site:
    """A service in memory and a client of it; nothing runs until `running` is entered."""

    def __init__(self, url: str, token: str | None = TOKEN) -> None:
        self.world = World(url)
        settings = Settings(token=token, ledger=url, fhir_public_url="https://fhir.example.org/fhir")  # type: ignore[arg-type]
        self.metrics = Prometheus()
        self.world.worker = self.world.new_worker(metrics=self.metrics)
        self.triggers = Triggers(self.world.source, self.world.ledger)
        self.bell = Bell()
        threads = Threads(self.world.worker, [self.triggers], self.bell, workers=1)
        self.service = Service(
            settings,
            self.world.sink,  # type: ignore[arg-type]
            self.world.ledger,
            self.world.worker,
            [self.triggers],
            self.bell,
            threads,
            SITE.namespace,
        )
        self.refusals = Refusals(self.metrics.refused, RateLimit(clock=self.world.clock))
        self.app = app_of(self.service, self.metrics, self.refusals)
        headers = BEARER if token else {}
        self.client = TestClient(self.app, base_url=HERE, headers=headers, raise_server_exceptions=False)
        self.stranger = TestClient(self.app, base_url=HERE, raise_server_exceptions=False)

    def sync(self, *study_uids: str) -> None:
        self.world.mark(*study_uids)
        self.world.work()


def starting(site: Site) -> None:
    """Nothing was listed yet."""


def in_line(site: Site) -> None:
    site.world.source.store(A)
    site.triggers.turn()
    site.world.work()


def catching_up(site: Site) -> None:
    in_line(site)
    site.world.mark(B, C)


def source_down(site: Site) -> None:
    in_line(site)
    site.world.source.down = SourceDown("no Orthanc answers")
    site.triggers.turn()


def sink_down(site: Site) -> None:
    site.world.source.store(A)
    site.world.sink.failures.append(SinkDown("no FHIR server answers"))
    site.triggers.turn()
    site.world.work()


def braked(site: Site) -> None:
    in_line(site)
    site.world.ledger.meta.put(f"{BRAKE}:orthanc", "51 of 60 studies vanished at once")


def breaker_open(site: Site) -> None:
    in_line(site)
    site.world.worker.breakers["orthanc"].open("its DICOMweb does not answer")


def under_other_ids(site: Site) -> None:
    in_line(site)
    site.world.ledger.meta.put(f"{ELSEWHERE}:orthanc", "20 of 20 studies stand there twice")


def not_stable(site: Site) -> None:
    site.world.source.store(A)
    site.world.source.store(B, stable=False)
    site.triggers.turn()
    site.world.work()


def parked(site: Site) -> None:
    site.world.sink.failures.append(BundleRejected("HTTP 422 (processing)"))
    in_line(site)


SITUATIONS: dict[str, tuple[Callable[[Site], None], list[str], list[str]]] = {  # what is read, and what is not
    "starting": (starting, ["Starting"], ["In line", "Down"]),
    "in line": (in_line, ["In line", "1 study of the PACS is in FHIR"], ["Down", "Parked", "Retry"]),
    "catching up": (catching_up, ["Catching up", "2 to go"], ["In line"]),
    "the source is down": (source_down, ["Down", "no Orthanc answers"], ["In line"]),
    "the sink is down": (sink_down, ["Down", "no FHIR server answers"], ["In line"]),
    "the brake is on": (braked, ["Nothing is retracted", "51 of 60", "--accept-removals"], ["In line"]),
    "a study cannot be read": (breaker_open, ["Down", "its DICOMweb does not answer"], ["In line"]),
    "studies stand under other ids": (under_other_ids, ["20 of 20", "Other ids", "In line"], ["Down"]),
    "a study is not stable yet": (
        not_stable,
        ["In line", "1 study of the PACS is in FHIR", "1 more is not stable"],
        ["all 1", "Down"],
    ),
    "a study is parked": (parked, ["1 parked", "Parked", A, "HTTP 422 (processing)", "Retry"], ["In line"]),
}
