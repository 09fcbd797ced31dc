"""What a FHIR server says that it can do (FHIR R4 CapabilityStatement), held against what we ask of it.

What it does not say is unknown, and proven by the first write: HAPI FHIR says nothing of ids that clients choose.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from mapper.finding import Finding, problem

R4 = re.compile(r"4\.0(\.\d+)?|4\.1(\.0)?|4\.3(\.\d+)?")
"""R4 is 4.0.x, R4B 4.1.0 (its ballot) and 4.3.x; the other 4.x are previews of R5 (hl7.org/fhir/directory.html)."""
VERSION = re.compile(r"\d[\d.]*(-[a-z\d]+)?")
ELSEWHERE = "point fhir_url at a FHIR R4 server's base, such as https://fhir.example.org/fhir"
WRITTEN = ("ImagingStudy", "Patient")
"""Types that every study writes."""


class Software(Struct, frozen=True):
    """CapabilityStatement.software."""

    name: str = "unnamed"
    version: str = ""


class Interaction(Struct, frozen=True):
    """CapabilityStatement.rest.interaction, and that of a resource."""

    code: str = ""


class Resource(Struct, frozen=True):
    """CapabilityStatement.rest.resource."""

    type: str = ""
    interaction: tuple[Interaction, ...] = ()
    updateCreate: bool | None = None


class Rest(Struct, frozen=True):
    """CapabilityStatement.rest."""

    mode: str = ""
    interaction: tuple[Interaction, ...] = ()
    resource: tuple[Resource, ...] = ()


class CapabilityStatement(Struct, frozen=True):
    """What answers at `[base]/metadata`."""

    resourceType: str = ""
    fhirVersion: str = ""
    software: Software = Software()
    rest: tuple[Rest, ...] = ()


def shortcomings(statement: CapabilityStatement | None) -> Iterator[Finding]:
    """Yield why nothing can be written to this server, most telling first; nothing where it may work."""
    if statement is None or statement.resourceType != "CapabilityStatement":
        yield problem("what answers at fhir_url is no FHIR server: it has no CapabilityStatement", ELSEWHERE)
        return
    if not R4.fullmatch(statement.fhirVersion.partition("-")[0]):
        version = statement.fhirVersion if VERSION.fullmatch(statement.fhirVersion) else "of unknown version"
        yield problem(f"the FHIR server speaks FHIR {version[:20]}, not R4", ELSEWHERE)
        return
    servers = [one for one in statement.rest if one.mode == "server"]
    if servers and all(one.interaction and "transaction" not in codes(one.interaction) for one in servers):
        yield problem("the FHIR server says that it takes no transactions", "switch them on, or take another server")
    known = [one for rest in servers for one in rest.resource]
    for kind in WRITTEN:
        mine = [one for one in known if one.type == kind]
        if known and not mine:
            yield problem(f"the FHIR server says that it has no {kind}", "take a server that stores it")
        elif any(one.interaction and "update" not in codes(one.interaction) for one in mine):
            yield problem(f"the FHIR server says that {kind} can only be read", "give us a server that can be written")
        elif any(one.updateCreate is False for one in mine):
            remedy = "allow update-as-create (HAPI FHIR: client_id_strategy ANY), or take another server"
            yield problem(f"the FHIR server says that clients choose no ids of {kind}", remedy)


def codes(interactions: tuple[Interaction, ...]) -> frozenset[str]:
    """Return the codes of interactions."""
    return frozenset(one.code for one in interactions)
