"""What Prometheus is told: gauges read from the ledger when it asks, and how long each stage took."""

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from mapper.ledger.ledger import Ledger
from mapper.ledger.sides import SINK, source_side
from mapper.maps import MAPPING_VERSION
from mapper.metrics import Metrics
from mapper.web.refusals import CUT, NOTED, REFUSALS

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class LedgerCollector(Collector):
    """Reads the ledger at scrape time: right with any number of processes."""

    def __init__(self, ledger: Ledger, sources: Sequence[str]) -> None:
        self._ledger, self._sources = ledger, sources

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        studies = GaugeMetricFamily("orthanc_fhir_studies", "Studies by state.", labels=["state"])
        for state, number in self._ledger.rows.counts().items():
            studies.add_metric([state], number)
        yield studies
        parked = GaugeMetricFamily("orthanc_fhir_parked", "Parked studies by kind of failure.", labels=["failure"])
        for failure, number in self._ledger.rows.parked_by_failure().items():
            parked.add_metric([failure or "unknown"], number)
        yield parked
        yield GaugeMetricFamily(
            "orthanc_fhir_lag_seconds",
            "How long the study that waits longest has been due.",
            self._ledger.rows.oldest_wait(),
        )
        yield from self.sides()
        yield from self.sweeps()
        build = {"version": version("orthanc-fhir"), "mapping": MAPPING_VERSION, "python": platform.python_version()}
        yield InfoMetricFamily("orthanc_fhir_build", "What runs here.", build)

    def sides(self) -> Iterator[Metric]:
        """Yield whether each side answered when it was last asked; one that nobody asked yet is left out."""
        up = GaugeMetricFamily("orthanc_fhir_up", "Whether a side answers.", labels=["side", "name"])
        for kind, name, side in [("sink", "fhir", SINK), *(("source", one, source_side(one)) for one in self._sources)]:
            if (found := self._ledger.sides.of(side)) is not None:
                up.add_metric([kind, name], float(found.up))
        yield up

    def sweeps(self) -> Iterator[Metric]:
        """Yield of each source when it was last swept and how many studies it held then, from the first sweep on."""
        about = "When a source was last compared with what was seen of it, in seconds since 1970 UTC."
        at = GaugeMetricFamily("orthanc_fhir_last_sweep_timestamp_seconds", about, labels=["source"])
        held = GaugeMetricFamily("orthanc_fhir_source_studies", "Studies in a source then.", labels=["source"])
        for name in self._sources:
            if (found := self._ledger.sides.last_sweep(name)) is not None:
                at.add_metric([name], found.at)
                held.add_metric([name], found.listed)
        yield at
        yield held


class Prometheus(Metrics):
    """The metrics of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "orthanc_fhir_answers", "Answers of the FHIR server by class.", ["class"], registry=self.registry
        )
        self._refused = Counter(
            "orthanc_fhir_refused", "Requests and connections refused, by reason.", ["reason"], registry=self.registry
        )
        for reason in (*REFUSALS, *NOTED, *CUT):
            self._refused.labels(reason)  # there with 0, so that a first one is seen as a rise
        self._series = Counter(
            "orthanc_fhir_series", "Series read, from the database or why not so.", ["how"], registry=self.registry
        )
        self._at_once = Gauge(
            "orthanc_fhir_at_once", "Studies that this process may sync at once now.", registry=self.registry
        )
        self._stages = Histogram(
            "orthanc_fhir_stage_seconds", "Seconds by stage.", ["stage"], buckets=BUCKETS, registry=self.registry
        )

    def stage(self, name: str, seconds: float) -> None:
        """Record how long one stage of one study took."""
        self._stages.labels(name).observe(seconds)

    def answer(self, kind: str) -> None:
        """Count an answer of the FHIR server."""
        self._answers.labels(kind).inc()

    def series(self, how: str) -> None:
        """Count a series that was read."""
        self._series.labels(how).inc()

    def at_once(self, limit: int) -> None:
        """Record how many studies may be synced at once."""
        self._at_once.set(limit)

    def refused(self, reason: str) -> None:
        """Count a request or a connection that was refused."""
        self._refused.labels(reason).inc()

    def watch(self, ledger: Ledger, sources: Sequence[str] = ()) -> None:
        """Read this ledger at every scrape, and how these sources are."""
        self.registry.register(LedgerCollector(ledger, sources))

    def text(self) -> bytes:
        """Return the exposition format."""
        return generate_latest(self.registry)
