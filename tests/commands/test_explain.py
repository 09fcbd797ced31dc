"""Every leaf of the output is explained, by the row that made it."""

from collections.abc import Iterator
from typing import Any

import pytest

from mapper.convert import read_folders
from mapper.explain import leaves, lines
from mapper.fhir.bundle import transaction
from mapper.maps import Mapped, study_to_fhir
from mapper.maps.site import Site
from samples.dataset import part10
from samples.studies import studies

SITE = Site(dicomweb="https://pacs.example.org/dicom-web", options=("order_stub", "age", "study_id"))


def every_leaf(value: Any, path: str) -> Iterator[str]:
    """Yield the path of every leaf of a JSON value."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from every_leaf(child, f"{path}.{name}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from every_leaf(child, f"{path}[{number}]")
    else:
        yield path


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Mapped]:
    """Return every demo study as the maps make it."""
    found = {}
    for study in studies():
        folder = tmp_path_factory.mktemp("study")
        for number, dataset in enumerate(study.datasets):
            (folder / f"{number}.dcm").write_bytes(part10(dataset))
        found[study.name] = study_to_fhir(read_folders([folder], pytest.fail).only_study(), SITE)
    return found


def test_every_leaf_of_every_demo_bundle_is_explained(mapped: dict[str, Mapped]) -> None:
    for one in mapped.values():
        bundle = transaction(one.resources, SITE.fhir_public_url)
        in_bundle = []
        for entry in bundle["entry"]:
            resource = entry["resource"]
            url = f"{resource['resourceType']}/{resource['id']}"
            in_bundle += [(url, path) for path in every_leaf(resource, resource["resourceType"])]
            in_bundle += [(url, f"Bundle.entry.{name}") for name in ("fullUrl", "request.method", "request.url")]
        explained = [(leaf.resource, leaf.path) for leaf in leaves(one, SITE.fhir_public_url)]
        assert sorted(explained) == sorted(in_bundle)


def test_only_the_frame_of_a_resource_has_no_row(mapped: dict[str, Mapped]) -> None:
    for one in mapped.values():
        frame = {leaf.path.split(".", 1)[1] for leaf in leaves(one, SITE.fhir_public_url) if leaf.rule is None}
        assert frame == {"entry.fullUrl", "entry.request.method", "entry.request.url", "resourceType"}


def test_a_leaf_names_its_attribute_tag_and_rule(mapped: dict[str, Mapped]) -> None:
    text = "\n".join(lines(mapped["chest-ct"], SITE.fhir_public_url))
    assert "ImagingStudy.series[0].bodySite.code = 43799004" in text
    assert "BodyPartExamined (0018,0015)" in text


def test_redacted_lines_hold_no_value(mapped: dict[str, Mapped]) -> None:
    text = "\n".join(lines(mapped["chest-ct"], SITE.fhir_public_url, redact=True))
    assert " = " not in text
    assert "Patient.name[0].family" in text
