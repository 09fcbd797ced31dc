"""What the work tells whoever measures it; by itself it measures nothing."""


class Metrics:
    """Told how long stages took and what servers answered; the web side makes metrics of it."""

    def stage(self, name: str, seconds: float) -> None:
        """Note how long one stage of one study took: read, map, put (check within it), study."""

    def answer(self, kind: str) -> None:
        """Note an answer of the FHIR server: 2xx, 4xx, 5xx, or none."""

    def series(self, how: str) -> None:
        """Note how a series of an Orthanc was read: `database`, or why not from there (mapper.sources.orthanc)."""

    def at_once(self, limit: int) -> None:
        """Note how many studies may be synced at once from now on (mapper.sync.concurrency)."""
