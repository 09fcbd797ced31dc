"""Practitioner <- a contributor with an ORCID iD: who has none is known by name only.

FHIR R4 Practitioner; a wrong ORCID iD (ISO 7064 MOD 11-2) makes nobody.
"""

from typing import Any

from mapper.fhir import systems
from mapper.maps import keys
from mapper.maps.research.values import orcid_of
from mapper.maps.rule import Made
from mapper.maps.values.context import Context
from mapper.records.sds.description import Contributor, Description

PRINCIPAL = frozenset({"principalinvestigator", "pi"})


def practitioner(cx: Context, contributor: Contributor) -> Made | None:
    """Return the Practitioner of a contributor, None for one without an ORCID iD."""
    orcid = orcid_of(contributor)
    if orcid is None:
        return None
    identifier = {"system": systems.ORCID, "value": orcid}
    made = Made()
    made.update(
        resourceType="Practitioner",
        id=cx.id(*keys.practitioner(identifier)),
        identifier=[identifier],
        name=[human_name(contributor.name)],
    )
    return made


def human_name(name: str) -> dict[str, Any]:
    """Return `Last, First Middle` as a HumanName; anything else is a text."""
    family, comma, given = (part.strip() for part in name.partition(","))
    if not comma or not family or not given or "," in given:
        return {"text": name}
    return {"text": name, "family": family, "given": given.split()}


def reference(cx: Context, contributor: Contributor) -> dict[str, str]:
    """Return the Reference to a contributor: by the ORCID iD, or by name alone."""
    made = practitioner(cx, contributor)
    return {**({"reference": f"Practitioner/{made['id']}"} if made else {}), "display": contributor.name}


def principal(description: Description) -> Contributor | None:
    """Return the contributor who is the principal investigator, the first where several are."""
    return next((one for one in description.contributors if PRINCIPAL & set(map(role_key, one.roles))), None)


def role_key(role: str) -> str:
    """Return a role as it is compared: its letters in one case."""
    return "".join(filter(str.isalpha, role.casefold()))
