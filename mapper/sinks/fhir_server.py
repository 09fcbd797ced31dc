"""A FHIR R4 server as the sink: one transaction a study, PUT under ids of our own."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from mapper.errors import MapperError, SinkBusy, SinkRefused
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.systems import DICOM_UID
from mapper.finding import Finding, ok
from mapper.http.target import Target
from mapper.sinks.answer import is_outcome
from mapper.sinks.bundle import Bundle, Counted, Response
from mapper.sinks.bundle import Resource as Held
from mapper.sinks.capability import CapabilityStatement, shortcomings
from mapper.sinks.client import FhirClient, json_of
from mapper.sinks.parts import in_parts
from mapper.sinks.retraction import retracted
from mapper.sinks.search import known, search
from mapper.sinks.sink import DERIVED, HELD, Key, Resource

BASE, METADATA = Target(""), Target("/metadata")
OURS: dict[str, tuple[str, dict[str, str]]] = {
    "Endpoint": ("ImagingStudy", {"endpoint": "{}", "status": ",".join(HELD), "_elements": "identifier"}),
    "ImagingStudy": ("Observation", {"part-of": "{}"}),
}
"""Type of a resource -> which type refers to it, and the search for those."""
NAMED = {"_elements": "identifier,masterIdentifier"}
"""What is asked of the resources that an identifier finds: a report holds its whole text."""

COUNTED = "identifier,started,numberOfInstances"


class FhirServer:
    """A FHIR server that takes client-assigned ids; `public_url` is its base as clients reach it."""

    def __init__(self, client: FhirClient, public_url: str) -> None:
        self._client = client
        self._public_url = public_url.rstrip("/")
        self._proven = False
        self.about = ""
        """What it is, with its version; empty as long as it was not asked."""

    def put(self, resources: Iterable[Resource], expected: Mapping[Key, str] | None = None) -> dict[Key, str]:
        """Write resources as one transaction, in parts when the server finds that too large; see Sink.put."""
        return in_parts(partial(self._transact, expected=expected), list(resources))

    def _transact(self, resources: Sequence[Resource], expected: Mapping[Key, str] | None = None) -> dict[Key, str]:
        bundle = transaction(resources, self._public_url, expected)
        answer = self._client.ask("POST", BASE, dump(bundle))
        if not answer.succeeded:
            raise self._client.failure(answer, conditional=bool(expected))
        entries = responses(json_of(answer, Bundle))
        if len(entries) != len(resources):
            raise SinkBusy(f"the FHIR server answered {len(entries)} entries to {len(resources)} sent")
        versions = {}
        for sent, response in zip(bundle["entry"], entries, strict=True):
            if not response.status.startswith("2"):
                raise SinkBusy("the FHIR server did not write every entry of a transaction")
            kind, _, id = sent["request"]["url"].partition("/")
            versions[kind, id] = response.version
        return versions

    def version(self, key: Key) -> str:
        """Return the version of a resource that the server holds, empty where there is none; see Sink.version."""
        found = self._client.get(resource_at(key), Held)
        return found.meta.versionId if found else ""

    def read(self, key: Key) -> dict[str, Any] | None:
        """Return a resource as the server holds it, None where there is none; see Sink.read."""
        found = self._client.get(resource_at(key), dict[str, Any])
        if found is not None and (known(found).resourceType, known(found).id) != key:
            raise SinkBusy(f"the FHIR server answers something else than the {key[0]} that it was asked for")
        return found

    def retract(self, key: Key, policy: str, confirm: Callable[[], None] | None = None) -> None:
        """Read a resource, set its status by policy, drop its endpoints and write it back; see Sink.retract.

        Only the version that was read is overwritten; raises StaleVersion when somebody else was quicker.
        """
        found = self.read(key) if policy != "keep" else None
        if found is None:
            return
        if resource := retracted(found, policy):
            if confirm:
                confirm()
            self._transact([resource], {key: known(found).meta.versionId})

    def ours(self, about: Key) -> Iterator[Resource]:
        """Yield what refers to an Endpoint or an ImagingStudy, or has an identifier; see Sink.ours."""
        if about[0] in OURS:
            kind, query = OURS[about[0]]
            asked = {name: value.format("/".join(about)) for name, value in query.items()}
            yield from search(self._client, kind, asked, self._public_url)
            return
        for kind in DERIVED:
            asked = {"identifier": token(*about), **NAMED}
            yield from search(self._client, kind, asked, self._public_url)

    def offered(self, endpoint: str) -> int | None:
        """Return how many ImagingStudies are available at an Endpoint (an id), None where it does not say."""
        asked = {"endpoint": f"Endpoint/{endpoint}", "status": "available", "_summary": "count"}
        return self._client.search(Target("/{type}", "ImagingStudy"), asked, Counted).total

    def offered_at(self, endpoint: str) -> Iterator[Resource]:
        """Yield identifiers, `started` and numberOfInstances of every ImagingStudy that is to be had at an Endpoint."""
        asked = {"endpoint": f"Endpoint/{endpoint}", "status": ",".join(HELD), "_elements": COUNTED}
        return search(self._client, "ImagingStudy", asked, self._public_url)

    def ids_of(self, study_uid: str) -> list[str]:
        """Return the ids of every ImagingStudy with this StudyInstanceUID, whoever wrote it."""
        query = {"identifier": f"{DICOM_UID}|urn:oid:{study_uid}", "_elements": "id"}
        return sorted(known(one).id for one in search(self._client, "ImagingStudy", query, self._public_url))

    def named(self, kind: str, system: str) -> Iterator[Resource]:
        """Yield every resource of a type that has an identifier of this system."""
        return search(self._client, kind, {"identifier": token(system, "")}, self._public_url)

    def remove(self, key: Key) -> bool:
        """Delete a resource that only one job writes (FHIR R4 http.html#delete); False where others refer to it."""
        answer = self._client.ask("DELETE", resource_at(key))
        if answer.status == 409:
            return False
        if not answer.succeeded and not (answer.status in (404, 410) and is_outcome(answer.body)):
            raise self._client.failure(answer)
        return True

    def flush(self) -> None:
        """Do nothing: what a server has answered to is there."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def probe(self) -> None:
        """Ask a question that needs the server's database; raises SinkDown, SinkBusy or SinkRefused.

        Before the first write, and after each outage, also whether this is a server that we can write to.
        """
        try:
            if not self._proven:
                for found in shortcomings(self._statement()):
                    raise SinkRefused(str(found))
            self._client.probe()
        except MapperError:
            self._proven = False
            raise
        self._proven = True

    def _statement(self) -> CapabilityStatement | None:
        answer = self._client.ask("GET", METADATA)
        if answer.status in (404, 410):
            return None
        told = self._client.told(answer, CapabilityStatement)
        name = f"{printable(told.software.name)} {printable(told.software.version)}".strip()
        self.about = f"{name}, FHIR {printable(told.fhirVersion)}"
        return told

    def check(self) -> Iterator[Finding]:
        """Yield what `doctor` should say of this server; raises as `probe`."""
        statement = self._statement()
        missing = list(shortcomings(statement))
        if statement and statement.fhirVersion:
            name = printable(statement.software.name)
            yield ok(f"FHIR server answers at {self._client.url} ({name}, FHIR {printable(statement.fhirVersion)})")
        yield from missing
        if not missing:
            self._client.probe()


def token(system: str, value: str) -> str:
    """Return an identifier as a search wants it (FHIR R4 search.html#escaping)."""
    return "|".join(re.sub(r"([\\,$|])", r"\\\1", part) for part in (system, value))


def printable(text: str) -> str:
    """Return the beginning of what a server calls itself, in characters that do nothing to a terminal."""
    return "".join(one for one in text[:40] if one.isprintable()) or "unnamed"


def resource_at(key: Key) -> Target:
    """Return where a resource is to be had."""
    return Target("/{type}/{id}", *key)


def responses(bundle: Bundle) -> list[Response]:
    """Return what a transaction's answer says of each entry; raises SinkBusy when it is no such answer."""
    found = [entry.response for entry in bundle.entry if entry.response is not None]
    if not found or len(found) != len(bundle.entry):
        raise SinkBusy("the FHIR server's answer does not say what it wrote")
    return found
