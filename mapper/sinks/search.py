"""What a search of a FHIR server finds, page by page (FHIR R4 search.html, http.html#paging)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mapper.errors import SinkBusy
from mapper.http.target import Target
from mapper.sinks.bundle import Bundle, Resource
from mapper.sinks.client import FhirClient

BASE = Target("")
PAGE, PAGES = "500", 100_000
QUERY = re.compile(r"[!-~]*")
LONGEST_QUERY = 2000


def search(client: FhirClient, kind: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield every resource of a type that a search finds; raises as FhirClient.get, and SinkBusy for endless pages."""
    page = client.get(Target("/{type}", kind), Bundle, {**query, "_count": PAGE})
    for _ in range(PAGES):
        if page is None:
            return
        for entry in page.entry:
            if known(entry.resource).resourceType == kind:
                yield entry.resource
        more = next_query(page)
        page = client.get(BASE, Bundle, more) if more else None
    raise SinkBusy("the pages of the FHIR server do not come to an end")


def known(found: Mapping[str, Any]) -> Resource:
    """Return a resource as far as anybody asks; raises SinkBusy when it has another shape."""
    try:
        return msgspec.convert(found, Resource)
    except msgspec.ValidationError:
        raise SinkBusy("the FHIR server answers something else than the resources that it was asked for") from None


def next_query(page: Bundle) -> str:
    """Return the query of the next page: of the server's link nothing else is used, neither host nor path.

    Raises SinkBusy for one that no server needs.
    """
    links = [link.url for link in page.link if link.relation == "next"]
    query = links[0].partition("#")[0].partition("?")[2] if links else ""
    if len(query) > LONGEST_QUERY or not QUERY.fullmatch(query):
        raise SinkBusy("the FHIR server's link to the next page is none")
    return query
