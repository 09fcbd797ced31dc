"""HAPI's validator: what it finds wrong with a resource, its own ignorance left out."""

import re
from functools import cache
from typing import Any

from mapper.maps.values.pydicom_codes import cid
from stack import FhirServer
from tests.support.stack import session

DCM = "http://dicom.nema.org/resources/ontology/DCM"
MODALITIES = 33
YOUNGER = re.compile(rf"Unknown code '{re.escape(DCM)}#(\w+)'")
"""R4 was published with the DICOM codes of its day: of the modalities added since its validator knows nothing."""


def errors(server: FhirServer, resource: dict[str, Any]) -> list[str]:
    """Return what `$validate` finds wrong, severity error or fatal."""
    return [issue for issue in issues(server, resource) if not is_younger(issue)]


def issues(server: FhirServer, resource: dict[str, Any]) -> list[str]:
    """Return every issue of severity error or fatal."""
    answer = session().post(f"{server.url}/{resource['resourceType']}/$validate", json=resource, timeout=120)
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome", answer.text[:500]
    assert answer.status_code in (200, 412, 422), answer.text[:500]
    return [
        f"{' '.join(issue.get('location', []))}: {issue.get('diagnostics')}"
        for issue in outcome["issue"]
        if issue["severity"] in ("error", "fatal")
    ]


def is_younger(issue: str) -> bool:
    """Tell whether an issue is about a modality of PS3.16 CID 33 that this server does not know yet."""
    found = YOUNGER.search(issue)
    return found is not None and found[1] in cid(MODALITIES)


@cache
def knows(server: FhirServer, modality: str) -> bool:
    """Tell whether the server's own DCM has a modality."""
    return not issues(server, {"resourceType": "Device", "type": {"coding": [{"system": DCM, "code": modality}]}})
