"""Reports and documents through each real Orthanc, and into a FHIR server that validates every body."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mapper.fhir.bundle import dump
from mapper.maps.values.document_url import ORTHANC
from mapper.sinks.client import FhirClient
from mapper.sinks.fhir_server import FhirServer as Sink
from samples.sr.catalogue import DOCUMENTS, MAKERS
from stack import FhirServer
from stack import Orthanc as Server
from tests.support.reported import mapped_samples, sample
from tests.support.stack import session
from tests.support.through import derived, stored, through

NAMES = [*MAKERS, *DOCUMENTS]
TOGETHER = {"measurements-amended", "measurements-by-dcmqi", "text-report-amended"}
"""Samples that are of the study of another one."""
YOUNG = {"DOC": "OT", "125309": "121106"}
"""Codes of DCM that R4's copy of it lacks, and others in their place: a modality, Short Label."""


def test_a_report_says_the_same_through_orthanc_and_from_its_file(
    new_orthanc: Callable[..., Server], orthanc_class: type[Server]
) -> None:
    server = new_orthanc(orthanc_class, plugin_script=None)
    for name in (one for one in NAMES if one not in TOGETHER):
        study_uid = stored(server, name)
        found, expected = through(server, study_uid), mapped_samples(name)
        assert derived(found) == derived(expected), name
        assert found.problems == expected.problems, name
    measured = b"".join(derived(through(server, str(sample("measurements").StudyInstanceUID))))
    assert b'"value":12.40,' in measured
    assert b'"value":-24.50,' in measured


def test_the_attachment_is_to_be_had_where_it_says(
    new_orthanc: Callable[..., Server], orthanc_class: type[Server]
) -> None:
    server = new_orthanc(orthanc_class, plugin_script=None)
    for name in DOCUMENTS:
        found = through(server, stored(server, name), document_url=f"{server.url}{ORTHANC}")
        (reference,) = [one for one in found.resources if one["resourceType"] == "DocumentReference"]
        attachment = reference["content"][0]["attachment"]
        answer = session().get(attachment["url"], auth=server.auth, timeout=20)
        assert answer.status_code == 200
        held = sample(name).EncapsulatedDocument
        assert answer.content == held
        assert answer.content[: attachment["size"]] == held[: sample(name).EncapsulatedDocumentLength]


@pytest.mark.parametrize("names", [(one,) for one in NAMES] + [("measurements", "measurements-amended")], ids="+".join)
def test_a_validating_server_takes_every_report_and_makes_no_new_version_of_the_same(
    names: tuple[str, ...], validating_fhir_server: FhirServer
) -> None:
    sink = Sink(FhirClient(validating_fhir_server.url), validating_fhir_server.url)
    sent = list(map(without_young, mapped_samples(*names, options=("dose_events",)).resources))
    once, again = sink.put(sent), sink.put(sent)
    assert once == again
    assert len(once) == len(sent)


def without_young(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource without the codes that are younger than R4's own DCM, which the server asks."""
    text = dump(resource)
    for young, known in YOUNG.items():
        text = text.replace(f'"code":"{young}"'.encode(), f'"code":"{known}"'.encode())
    made: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return made
