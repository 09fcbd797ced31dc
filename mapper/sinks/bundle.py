"""What a FHIR server answers with: a Bundle of what it found or wrote, a resource (FHIR R4), as far as anybody asks."""

from typing import Any, Literal

from msgspec import Struct


class Meta(Struct, frozen=True):
    """Resource.meta."""

    versionId: str = ""


class Identifier(Struct, frozen=True):
    """One identifier of a resource."""

    system: str = ""
    value: str = ""


class Resource(Struct, frozen=True):
    """A resource that the server holds."""

    resourceType: str = ""
    id: str = ""
    meta: Meta = Meta()
    identifier: tuple[Identifier, ...] = ()


class Response(Struct, frozen=True):
    """Bundle.entry.response: what became of one entry of a transaction."""

    status: str = ""
    etag: str = ""
    location: str = ""

    @property
    def version(self) -> str:
        """The version that it names in its ETag or location."""
        etag = self.etag.removeprefix("W/").strip('"')
        return etag or self.location.partition("/_history/")[2]


class Entry(Struct, frozen=True):
    """Bundle.entry: a resource whole, as it was found, or what became of one that was sent."""

    resource: dict[str, Any] = {}
    response: Response | None = None


class Link(Struct, frozen=True):
    """Bundle.link."""

    relation: str = ""
    url: str = ""


class Part(Struct, frozen=True):
    """Bundle.entry of something whose content matters."""

    resource: dict[str, Any] = {}


class Parts(Struct, frozen=True):
    """The answer to a search for what is part of a study."""

    resourceType: Literal["Bundle"]
    entry: tuple[Part, ...] = ()
    link: tuple[Link, ...] = ()


class Counted(Struct, frozen=True):
    """The answer to a search for a number (FHIR R4 search.html#summary)."""

    resourceType: Literal["Bundle"]
    total: int | None = None


class Bundle(Struct, frozen=True):
    """A page of a search, or the answer to a transaction."""

    resourceType: Literal["Bundle"]
    entry: tuple[Entry, ...] = ()
    link: tuple[Link, ...] = ()
