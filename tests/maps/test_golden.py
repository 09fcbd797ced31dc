"""The golden studies: DICOM JSON in, the FHIR that DICOM and FHIR R4 demand out (tests/studies/README.md)."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from mapper.dicom.collector import Collector
from mapper.dicom.reader import Reader
from mapper.errors import Problem
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.check import faults
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, study_to_fhir
from tests.support.golden import CASES, STUDIES, site_of

each_case = pytest.mark.parametrize("case", CASES)


@cache
def mapped(case: str) -> dict[str, tuple[dict[str, Any], list[Problem]]]:
    """Return Bundle and problems of every study of a case, as a server would get them."""
    collector = Collector()
    Reader(KEYWORDS, INSTANCE_KEYWORDS, DOCUMENT_KEYWORDS).read((STUDIES / case / "input.json").read_bytes(), collector)
    site, made = site_of(case), {}
    for uid in collector.study_uids:
        found = study_to_fhir(collector.study(uid), site)
        made[uid] = json.loads(dump(transaction(found.resources, site.fhir_public_url))), found.problems
    return made


def expected_of(case: str) -> dict[str, dict[str, Any]]:
    """Return what is expected of every study of a case."""
    return json.loads((STUDIES / case / "expected.json").read_text(encoding="utf-8"))


def differences(expected: Any, found: Any, path: str) -> Iterator[str]:
    """Yield where a fragment is not part of what was made; null must not be there, `x` may be any id."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, part in expected.items():
            if part is None:
                if name in found:
                    yield f"{path}.{name}: must be absent, is {found[name]}"
            elif name not in found:
                yield f"{path}.{name}: absent"
            elif not (name == "id" and part == "x"):
                yield from differences(part, found[name], f"{path}.{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{path}: {len(expected)} expected, {len(found)} made: {found}"
        for number, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from differences(one, other, f"{path}[{number}]")
    elif expected != found or type(expected) is not type(found):
        yield f"{path}: {expected!r} expected, {found!r} made"


def nearest(fragment: dict[str, Any], bundle: dict[str, Any]) -> list[str]:
    """Return the differences from the resource that comes nearest to a fragment."""
    kind = fragment["resourceType"]
    resources = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]
    found = [list(differences(fragment, resource, kind)) for resource in resources]
    return min(found, key=len, default=[f"no {kind} at all"])


def elements(value: Any, path: list[str]) -> list[Any]:
    """Return everything that stands at a path, through all lists."""
    if isinstance(value, list):
        return [found for one in value for found in elements(one, path)]
    if not path:
        return [value]
    return elements(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []


@each_case
def test_a_golden_study_becomes_what_is_expected_of_it(case):
    made = mapped(case)
    wrong = {}
    assert set(made) == set(expected_of(case))
    for uid, expected in expected_of(case).items():
        bundle, _ = made[uid]
        found = [line for fragment in expected.get("has", ()) for line in nearest(fragment, bundle)]
        if "bundle" in expected and bundle != expected["bundle"]:
            found += list(differences(expected["bundle"], bundle, "Bundle")) or ["Bundle: more than expected"]
        resources = [entry["resource"] for entry in bundle["entry"]]
        for element in expected.get("absent", ()):
            kind, *path = element.split(".")
            if any(elements(one, path) for one in resources if one["resourceType"] == kind):
                found.append(f"{element}: must be absent")
        if found:
            wrong[f"{uid} ({expected['says']})"] = found
    assert not wrong


@each_case
def test_a_golden_study_records_what_is_expected_and_nothing_else(case):
    page = STUDIES / case / "problems.txt"
    expected = {tuple(line.split()) for line in page.read_text().splitlines()} if page.exists() else set()
    recorded = {uid: problems for uid, (_, problems) in mapped(case).items()}
    for uid, keyword in expected:
        assert any(keyword in problem.attribute.split() for problem in recorded[uid]), f"{uid}: {keyword} not recorded"
    for uid, problems in recorded.items():
        for problem in problems:
            named = [keyword for study, keyword in expected if study == uid and keyword in problem.attribute.split()]
            assert named, f"{uid}: not expected: {problem}"


@each_case
def test_a_golden_study_makes_valid_fhir(case):
    for uid, (bundle, _) in mapped(case).items():
        assert not faults(bundle), uid


@each_case
def test_a_golden_case_has_input_that_is_dicom_json(case):
    for instance in json.loads((STUDIES / case / "input.json").read_text(encoding="utf-8")):
        for tag, element in instance.items():
            assert len(tag) == 8
            assert int(tag, 16) >= 0
            assert set(element) <= {"vr", "Value"}
