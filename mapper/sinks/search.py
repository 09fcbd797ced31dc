"""What a search of a FHIR server finds, page by page (FHIR R4 search.html, http.html#paging).

Each page is asked for at our own address, whatever host a link names.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from mapper.errors import SinkBusy
from mapper.http.target import Target
from mapper.sinks.bundle import Bundle, Resource
from mapper.sinks.client import FhirClient

PAGE, PAGES = "500", 100_000
QUERY = re.compile(r"[!-~]*")
LONGEST_QUERY = 2000
MOST_PARTS = 8


def search(client: FhirClient, kind: str, query: Mapping[str, str], public_url: str) -> Iterator[dict[str, Any]]:
    """Yield every resource of a type that a search finds.

    `public_url` is the server's base as it may name it in its links, beside the one that we ask. Raises as
    FhirClient.search, and SinkBusy where the pages have no end that we can reach.
    """
    target = Target("/{type}", kind)
    page = client.search(target, {**query, "_count": PAGE}, Bundle)
    bases = {urlsplit(client.url).path, urlsplit(public_url).path, *own_bases(page, target)}
    for _ in range(PAGES):
        for entry in page.entry:
            if known(entry.resource).resourceType == kind:
                yield entry.resource
        links = [link.url for link in page.link if link.relation == "next"]
        if not links:
            return
        target, asked = place(urljoin(f"{client.url}{target}", links[0]) if is_url(links[0]) else "", bases)
        page = client.search(target, asked, Bundle)
    raise SinkBusy("the pages of the FHIR server do not come to an end")


def known(found: Mapping[str, Any]) -> Resource:
    """Return a resource as far as anybody asks; raises SinkBusy when it has another shape."""
    try:
        return msgspec.convert(found, Resource)
    except msgspec.ValidationError:
        raise SinkBusy("the FHIR server answers something else than the resources that it was asked for") from None


def own_bases(page: Bundle, target: Target) -> list[str]:
    """Return the path of the server's base by its own words: its link to the page itself, without what we asked for."""
    mine = [urlsplit(link.url).path for link in page.link if link.relation == "self" and is_url(link.url)]
    return [path.removesuffix(str(target)) for path in mine if path.endswith(str(target))]


def place(link: str, bases: set[str]) -> tuple[Target, str]:
    """Return what to ask for at our own base to follow a link; raises SinkBusy for one that leads elsewhere."""
    url = urlsplit(link)
    below = [url.path[len(base) :] for base in bases if f"{url.path}/".startswith(f"{base.rstrip('/')}/")]
    parts = [part for part in min(below, key=len, default="").split("/") if part]
    with suppress(ValueError):
        if below and (parts or url.query) and len(parts) <= MOST_PARTS and len(url.query) <= LONGEST_QUERY:
            return Target("/{page}" * len(parts), *parts), url.query
    raise SinkBusy("the FHIR server's link to the next page is none that we can follow")


def is_url(text: str) -> bool:
    """Tell whether a link is one, in characters that a URL may hold (RFC 3986)."""
    try:
        return bool(text and QUERY.fullmatch(text) and urlsplit(text))
    except ValueError:
        return False
