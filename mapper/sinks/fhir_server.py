"""A FHIR R4 server as the sink: one transaction a study, PUT under ids of our own."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from mapper.errors import BundleRejected, SinkBusy, TooLarge
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.systems import DICOM_UID
from mapper.fhir.uid import uid_of
from mapper.sinks.client import FhirClient, json_of, succeeded
from mapper.sinks.retraction import retracted
from mapper.sinks.sink import Key, Resource

CORE = frozenset({"Patient", "Practitioner", "Organization", "Endpoint", "Device", "ImagingStudy"})
"""What is sent first when a server finds the whole transaction too large; the rest refers to it."""
PAGE = "500"


class FhirServer:
    """A FHIR server that takes client-assigned ids; `public_url` is its base as clients reach it."""

    def __init__(self, client: FhirClient, public_url: str) -> None:
        self._client = client
        self._public_url = public_url.rstrip("/")

    def put(self, resources: Iterable[Resource], expected: Mapping[Key, str] | None = None) -> dict[Key, str]:
        """Write resources as one transaction, in parts when the server finds that too large; see Sink.put."""
        sent = list(resources)
        try:
            return self._transact(sent, expected)
        except TooLarge:
            core = [resource for resource in sent if resource["resourceType"] in CORE]
            rest = [resource for resource in sent if resource["resourceType"] not in CORE]
            half = len(rest) // 2
            parts = [core, rest] if core and rest else [rest[:half], rest[half:]]
            if (core and not rest) or not all(parts):
                raise BundleRejected("the FHIR server finds even a part of this study too large: HTTP 413") from None
            return {key: version for part in parts for key, version in self.put(part, expected).items()}

    def _transact(self, resources: list[Resource], expected: Mapping[Key, str] | None = None) -> dict[Key, str]:
        bundle = transaction(resources, self._public_url, expected)
        answer = self._client.ask("POST", "", dump(bundle))
        if not succeeded(answer):
            raise self._client.failure(answer, conditional=bool(expected))
        entries = responses(json_of(answer))
        if len(entries) != len(resources):
            raise SinkBusy(f"the FHIR server answered {len(entries)} entries to {len(resources)} sent")
        versions = {}
        for sent, response in zip(bundle["entry"], entries, strict=True):
            if not str(response.get("status", "")).startswith("2"):
                raise SinkBusy("the FHIR server did not write every entry of a transaction")
            kind, _, id = sent["request"]["url"].partition("/")
            versions[kind, id] = version_of(response)
        return versions

    def version(self, key: Key) -> str:
        """Return the version of a resource that the server holds, empty where there is none; see Sink.version."""
        return str((self._client.get(f"/{'/'.join(key)}") or {}).get("meta", {}).get("versionId", ""))

    def retract(self, key: Key, policy: str, confirm: Callable[[], None] | None = None) -> None:
        """Read a resource, set its status by policy, drop its endpoints and write it back; see Sink.retract.

        Only the version that was read is overwritten; raises StaleVersion when somebody else was quicker.
        """
        held = self._client.get(f"/{'/'.join(key)}") if policy != "keep" else None
        resource = retracted(held, policy) if held else None
        if held and resource:
            if confirm:
                confirm()
            self._transact([resource], {key: str(held.get("meta", {}).get("versionId", ""))})

    def studies(self, endpoint: str) -> Iterator[str]:
        """Yield the StudyInstanceUID of every available ImagingStudy that is to be had at an Endpoint (its id)."""
        query = {"endpoint": f"Endpoint/{endpoint}", "status": "available", "_elements": "identifier", "_count": PAGE}
        page = self._client.get("/ImagingStudy", query)
        while page:
            for entry in page.get("entry", []):
                yield from study_uids(entry.get("resource", {}))
            links = [link["url"] for link in page.get("link", []) if link.get("relation") == "next"]
            page = self._client.get(f"?{urlsplit(links[0]).query}") if links else None

    def parts_of(self, study: Key) -> list[Key]:
        """Return what says of itself that it is part of an ImagingStudy."""
        page = self._client.get("/Observation", {"part-of": "/".join(study), "_elements": "id", "_count": PAGE}) or {}
        found = (entry.get("resource", {}) for entry in page.get("entry", []))
        return [(one["resourceType"], one["id"]) for one in found if one.get("resourceType") == "Observation"]

    def probe(self) -> None:
        """Ask a question that needs the server's database; raises SinkDown or SinkRefused."""
        self._client.probe()

    def check(self) -> list[str]:
        """Return what `doctor` should say of this server."""
        self.probe()
        said = [f"FHIR server answers at {self._client.url}"]
        if statement := self._client.get("/metadata", {"_summary": "true"}):
            name = statement.get("software", {}).get("name", "unnamed")
            said[0] += f" ({name}, FHIR {statement.get('fhirVersion', 'of unknown version')})"
            if not str(statement.get("fhirVersion", "4.")).startswith("4."):
                said.append("problem: the FHIR server does not speak R4")
        return said


def responses(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a transaction's answer says of each entry; raises SinkBusy when it is no such answer."""
    entries = bundle.get("entry", [])
    found = [one.get("response", {}) for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    if found == [] or not all(isinstance(one, dict) for one in found):
        raise SinkBusy("the FHIR server's answer does not say what it wrote")
    return found


def study_uids(study: dict[str, Any]) -> list[str]:
    """Return the StudyInstanceUID of an ImagingStudy, in a list."""
    values = [str(one.get("value", "")) for one in study.get("identifier", []) if one.get("system") == DICOM_UID]
    return [uid for value in values if (uid := uid_of(value))]


def version_of(response: dict[str, Any]) -> str:
    """Return the version that an entry's response names in its ETag or location."""
    etag = str(response.get("etag", "")).removeprefix("W/").strip('"')
    return etag or str(response.get("location", "")).partition("/_history/")[2]
