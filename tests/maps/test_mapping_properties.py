"""What holds for every input: order is nothing, bytes repeat, and garbage in one attribute stays there and is told."""

import copy
import json
import os
import random
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper import bundle_from_metadata
from mapper.dicom.item import tag_of, vr_of
from mapper.errors import BadMetadata, MapperError, Problem
from mapper.fhir.bundle import dump, transaction
from mapper.fhir.check import faults, model_faults
from mapper.maps import INSTANCE_KEYWORDS, KEYWORDS, Mapped, study_to_fhir
from mapper.maps.site import Site
from tests.support.everything import ALL, STUDY, VARIANTS, instances, studies_of, study_of, variants
from tests.support.examples import some
from tests.support.golden import CASES, STUDIES, site_of
from tests.support.views import Dependencies, View, view

Metadata = list[dict[str, Any]]
EVERYTHING = {name: json.loads(metadata) for name, metadata, _ in variants()}
SITE = ALL.model_copy(update={"phantom_ids": ("QC.*",)})
IDENTIFYING = frozenset({"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID"})
"""What decides to which study, series, instance and patient a data set belongs: garbage there may end a study."""
WHO = frozenset({"QualityControlSubject", "BodyPartExamined", "PatientBirthDate"})
"""What tells a phantom from a patient: without it one takes the place of the other."""


def made_of(metadata: Metadata, site: Site = SITE) -> Mapped:
    """Return what a study becomes, through the same reader as everything else."""
    return study_to_fhir(study_of(json.dumps(metadata).encode()), site)


def output_of(metadata: Metadata, site: Site = SITE) -> tuple[bytes, list[Problem]]:
    """Return the bytes that a server gets, and what was recorded."""
    mapped = made_of(metadata, site)
    return dump(transaction(mapped.resources, site.fhir_public_url)), mapped.problems


# -- order --------------------------------------------------------------------------------------------------------


def shuffled(metadata: Metadata, chance: random.Random) -> Metadata:
    """Return the same instances in another order, their attributes in another order."""
    mixed = [dict(chance.sample(list(one.items()), len(one))) for one in metadata]
    chance.shuffle(mixed)
    return mixed


def disagreeing() -> Metadata:
    """Return a study whose series and instances contradict each other, one of them twice under one UID."""
    metadata = instances()
    for number, one in enumerate(metadata):
        for keyword in ("StudyDescription", "SeriesDescription", "StationName", "PatientAddress", "InstitutionName"):
            one[tag_of(keyword)] = {"vr": "LO", "Value": [f"{keyword} {number}"]}
        one[tag_of("PatientSize")] = {"vr": "DS", "Value": [1.5 + number / 10]}
        one[tag_of("StudyDate")] = {"vr": "DA", "Value": [f"2024051{number}"]}
        one[tag_of("DeviceUID")] = {"vr": "UI", "Value": ["1.2.276.0.76.3.2.9"]}
        one[tag_of("SeriesDate")] = {"vr": "DA", "Value": ["20240517"]}
        one[tag_of("InstanceNumber")] = {"vr": "IS", "Value": [7]}
    twin = copy.deepcopy(metadata[0])
    twin[tag_of("StudyDescription")] = {"vr": "LO", "Value": ["the same UIDs, another content"]}
    twin[tag_of("DocumentTitle")] = {"vr": "ST", "Value": ["another title"]}
    return [*metadata, twin]


ORDERLESS = {**EVERYTHING, "disagreeing": disagreeing()}


@pytest.mark.parametrize("name", ORDERLESS)
def test_the_order_of_instances_series_and_attributes_changes_nothing(name):
    expected = output_of(ORDERLESS[name])
    for seed in some(range(8), 0, 4):
        assert output_of(shuffled(ORDERLESS[name], random.Random(seed))) == expected


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_a_golden_study_changes_nothing(case):
    metadata, site = json.loads((STUDIES / case / "input.json").read_text(encoding="utf-8")), site_of(case)

    def outputs(given: Metadata) -> list[bytes]:
        collector = studies_of(json.dumps(given).encode())
        made = [study_to_fhir(collector.study(uid), site) for uid in collector.study_uids]
        return [dump(transaction(one.resources, site.fhir_public_url)) for one in made]

    assert outputs(shuffled(metadata, random.Random(1))) == outputs(metadata)


DIGEST = """
import hashlib
from tests.maps.test_mapping_properties import ORDERLESS, output_of
print(hashlib.sha256(repr([output_of(metadata) for metadata in ORDERLESS.values()]).encode()).hexdigest())
"""


def test_two_runs_and_two_processes_give_the_same_bytes():
    assert [output_of(one) for one in ORDERLESS.values()] == [output_of(one) for one in ORDERLESS.values()]
    command, root = [sys.executable, "-c", DIGEST], Path(__file__).parents[2]
    environments = ({"PYTHONHASHSEED": "1", "TZ": "UTC"}, {"PYTHONHASHSEED": "2", "TZ": "Asia/Dubai"})
    running = [
        subprocess.Popen(command, env={**os.environ, **more}, cwd=root, stdout=subprocess.PIPE, text=True)
        for more in environments
    ]
    said = [process.communicate(timeout=120)[0].strip() for process in running]
    assert len(said[0]) == 64
    assert said[0] == said[1]


def test_one_more_series_adds_and_moves_nothing():
    """Golden example G28 (b): the same ids in the same order; only what was added differs."""
    whole = instances()
    before, after = made_of(whole[:2]), made_of(whole)
    old, new = view(before), view(after)
    grown = {"ImagingStudy.numberOfSeries", "ImagingStudy.numberOfInstances", "ImagingStudy.modality"}
    assert {element for key, value in old.items() if new.get(key) != value for element in [key[2]]} == grown
    ids = [one["id"] for one in before.resources]
    assert [one["id"] for one in after.resources if one["id"] in ids] == ids
    series = next(one for one in after.resources if one["resourceType"] == "ImagingStudy")["series"]
    assert [one["uid"][-2:] for one in series] == [".1", ".2"]


# -- references ---------------------------------------------------------------------------------------------------


def references(value: Any) -> Iterator[str]:
    """Yield every literal reference."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            yield from references(child)


@pytest.mark.parametrize("name", ORDERLESS)
def test_every_reference_leads_to_an_entry_and_every_entry_is_referred_to(name):
    assert_joined(json.loads(output_of(ORDERLESS[name])[0]))


def assert_joined(bundle: dict[str, Any]) -> None:
    """Fail when a reference leads nowhere, or a resource is there that neither is the study's own nor referred to."""
    entries = {entry["request"]["url"] for entry in bundle["entry"]}
    targets = set(references(bundle))
    assert targets <= entries
    assert {url for url in entries - targets if not url.startswith(("ImagingStudy/", "Observation/"))} == set()


# -- garbage ------------------------------------------------------------------------------------------------------

DEEP: Any = "x"
for _ in range(60):
    DEEP = {"00080100": {"vr": "SQ", "Value": [DEEP]}}

BARE = (5, "text", True, [], ["x"], {"Value": {}}, {"Value": "text"}, {"Value": True}, {"Value": [{}, False]})
"""Elements that are none of the DICOM JSON Model, or whose Value is no list of values."""
VALUES = (
    "gar\u0001bage",
    "\ud800",
    "x" * 3000,
    "\\",
    5,
    -1,
    1.5,
    1e300,
    True,
    False,
    [],
    [[1]],
    {"Alphabetic": 5},
    {"x": "y"},
    {"00080100": "x"},
    {"00080100": {"vr": "SH", "Value": [{}]}},
    DEEP,
)
BINARY = ("!!!", 5, None, b64encode(b"\xff\xfe\x00").decode(), b64encode(b"text").decode())
EMPTY = (None, {}, {"vr": "LO"}, {"Value": []}, {"Value": [None]}, {"Value": [""]}, {"Value": [" \u0000 "]})
"""What DICOM has for "no value": silence is right here."""


def garbage(keyword: str) -> Iterator[tuple[Any, bool]]:
    """Yield elements that an attribute may be replaced by, and whether they hold something that can be lost."""
    vr = vr_of(keyword)
    yield from ((element, False) for element in EMPTY)
    yield from ((element, True) for element in BARE)
    silent = {"SQ": dict, "PN": str}.get(vr, ())  # an item may hold what nobody knows, a name may be a separator only
    yield from (({"vr": vr, "Value": [value]}, not isinstance(value, silent)) for value in VALUES)
    yield {"vr": vr, "Value": ["x", 5, None, {}, True]}, True
    yield from (({"vr": "UN", "InlineBinary": value}, True) for value in BINARY)
    yield {"vr": "UN", "BulkDataURI": "http://localhost/bulk"}, True


def everywhere(number: int) -> bool:
    """Name all instances."""
    return True


def replaced(metadata: Metadata, keyword: str, element: Any, where: Callable[[int], bool] = everywhere) -> Metadata:
    """Return a study with one attribute replaced, in all instances or in some."""
    tag = tag_of(keyword)
    return [{**one, tag: element} if where(number) else one for number, one in enumerate(metadata)]


@cache
def base_of(variant: str) -> tuple[View, list[Problem]]:
    """Return what a variant makes when nothing is wrong with it."""
    mapped = made_of(one_series(variant))
    return view(mapped), mapped.problems


@cache
def without(variant: str, keyword: str) -> tuple[View, list[Problem]]:
    """Return what a variant makes without an attribute."""
    mapped = made_of(replaced(one_series(variant), keyword, None))
    return view(mapped), mapped.problems


def one_series(variant: str) -> Metadata:
    """Return the first series of a variant: enough to see what one attribute does."""
    return EVERYTHING[variant][:2]


SEEN: set[bytes] = set()


def assert_clean(mapped: Mapped) -> None:
    """Fail when our own check finds anything in the Bundle; the models look once at each resource."""
    bundle = transaction(mapped.resources, SITE.fhir_public_url)
    assert faults(bundle, models=False) == []
    assert_joined(bundle)
    for resource in mapped.resources:
        text = dump(resource)
        if text not in SEEN:
            SEEN.add(text)
            assert list(model_faults(resource)) == []


def changed(old: View, new: View) -> set[tuple[str, str, str]]:
    """Return the keys of what is not the same in two views."""
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def unrelated(keyword: str, old: View, new: View, broken: Metadata) -> list[tuple[str, str, str]]:
    """Return what changed although no row of it asks for the attribute."""
    standing = {key[:2] for key in old} & {key[:2] for key in new}
    suspects = [(key, key[:2] not in standing) for key in changed(old, new)]
    if keyword in WHO:
        suspects = [(key, dropped) for key, dropped in suspects if not (dropped and key[0] in ("Patient", "Device"))]
    suspects = [(key, dropped) for key, dropped in suspects if not NAMED.may_touch(keyword, key, dropped=dropped)]
    if not suspects:
        return []
    with Dependencies.watched() as seen:  # converters may ask for more than their rows name
        made_of(broken)
        made_of(instances())
    return sorted(key for key, dropped in suspects if not seen.may_touch(keyword, key, dropped=dropped))


NAMED = Dependencies()
TOUCHED = sorted((KEYWORDS | INSTANCE_KEYWORDS) - IDENTIFYING)
"""Every attribute that may be broken without the study ending."""
BROKEN = (
    "everything",
    "second choices",
    "a human",
    "de-identified",
    "no title",
    "no code for the request",
    "only frames say where",
)


def speaks_in(keyword: str) -> str:
    """Return the first variant in which an attribute makes a difference."""
    return next((one for one in BROKEN if without(one, keyword)[0] != base_of(one)[0]), BROKEN[0])


def recorded(keyword: str, mapped: Mapped, known: list[Problem]) -> list[Problem]:
    """Return what was recorded of an attribute that was not recorded without the garbage."""
    return [one for one in mapped.problems if one not in known and keyword in f"{one.attribute} {one.reason}"]


@pytest.mark.parametrize("keyword", TOUCHED)
def test_garbage_in_one_attribute_touches_only_its_elements_and_is_recorded(keyword):
    variant = speaks_in(keyword)
    (base, known), (absent, _) = base_of(variant), without(variant, keyword)
    wrong = []
    for element, loses in some(list(garbage(keyword)), TOUCHED.index(keyword)):
        broken = replaced(one_series(variant), keyword, element)
        mapped = made_of(broken)
        assert_clean(mapped)
        found = view(mapped)
        wrong += [f"{element!s:.60}: {key} changed too" for key in unrelated(keyword, base, found, broken)]
        if loses and found == absent and found != base and not recorded(keyword, mapped, known):
            wrong.append(f"{element!s:.60}: lost without a word")
        assert "bage" not in "".join(map(str, mapped.problems))
    assert wrong == [], f"in the variant {variant!r}"


@pytest.mark.parametrize("keyword", sorted(IDENTIFYING))
def test_garbage_in_what_identifies_ends_a_study_at_most(keyword):
    places = (everywhere, lambda number: number == 0, lambda number: number == 3)
    for turn, where in enumerate(places, len(places) * sorted(IDENTIFYING).index(keyword)):
        for element, _ in some(list(garbage(keyword)), turn):
            try:
                assert_clean(made_of(replaced(instances(), keyword, element, where)))
                said = ""
            except MapperError as failure:
                said = str(failure)
            assert keyword == "StudyInstanceUID" or "garbage" not in said


@pytest.mark.parametrize("keyword", TOUCHED)
def test_garbage_in_one_instance_leaves_the_other_series_alone(keyword):
    base = view(made_of(instances()))
    shapes = ({"vr": "XX", "Value": [{}, False]}, 7, {"vr": vr_of(keyword), "Value": ["\ud800x"]})
    for place in (0, 1):
        for element in some(shapes, TOUCHED.index(keyword) + place, len(shapes)):
            broken = replaced(instances(), keyword, element, lambda number, place=place: number == place)
            mapped = made_of(broken)
            assert_clean(mapped)
            new = view(mapped)
            assert unrelated(keyword, base, new, broken) == []
            other = f"{STUDY['StudyInstanceUID']}.2"
            assert not {key for key in changed(base, new) if key[1].startswith(other)}
            if place == 1 and keyword not in INSTANCE_KEYWORDS:
                assert new == base, "a series speaks through its first instance"


def nested(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every attribute inside the items of a sequence."""
    for number, item in enumerate(value.get("Value", [])):
        if isinstance(item, dict) and value.get("vr") == "SQ":
            for tag, element in item.items():
                yield (*path, "Value", number, tag)
                yield from nested(element, (*path, "Value", number, tag))


SEQUENCES = sorted(keyword for keyword in TOUCHED if vr_of(keyword) == "SQ")


@pytest.mark.parametrize("keyword", SEQUENCES)
def test_garbage_inside_a_sequence_is_recorded_too(keyword):
    variant = speaks_in(keyword)
    base, known = base_of(variant)
    whole = one_series(variant)[0][tag_of(keyword)]
    wrong = []
    for path in nested(whole):
        lost = view(made_of(replaced(one_series(variant), keyword, put(whole, path, None))))
        for inner in some(({"vr": "XX", "Value": [{}, False]}, "text"), len(path), 2):
            broken = replaced(one_series(variant), keyword, put(whole, path, inner))
            mapped = made_of(broken)
            assert_clean(mapped)
            found = view(mapped)
            wrong += [f"{path} {inner}: {key} changed too" for key in unrelated(keyword, base, found, broken)]
            if found == lost and found != base and not recorded(keyword, mapped, known):
                wrong.append(f"{path} {inner}: lost without a word")
    assert wrong == [], f"in the variant {variant!r}"


def put(element: Any, path: tuple[Any, ...], inner: Any) -> Any:
    """Return a copy of an element in which another one stands at a path."""
    whole = copy.deepcopy(element)
    place = whole
    for step in path[:-1]:
        place = place[step]
    if inner is None:
        del place[path[-1]]
    else:
        place[path[-1]] = inner
    return whole


# -- anything -----------------------------------------------------------------------------------------------------

plausible = st.sampled_from(["20240517", "093105", "+0200", "CT", "YES", "1.2", "Doe^John", "A\\B=C"])
texts = st.text(st.characters(codec=None), max_size=12) | plausible
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
tags = st.sampled_from(sorted(map(tag_of, KEYWORDS | INSTANCE_KEYWORDS))) | texts
names = tags | st.sampled_from(["vr", "Value", "Alphabetic"])
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
elements = anything | st.fixed_dictionaries({"vr": st.just("LO"), "Value": st.lists(anything, max_size=3)})


@given(keyword=st.sampled_from(TOUCHED), element=elements, variant=st.sampled_from(sorted(VARIANTS)))
def test_anything_at_all_in_one_attribute_touches_only_its_elements(keyword, element, variant):
    broken = replaced(one_series(variant), keyword, element)
    mapped = made_of(broken)
    assert_clean(mapped)
    assert unrelated(keyword, view(made_of(one_series(variant))), view(mapped), broken) == []


@given(broken=st.dictionaries(st.sampled_from(TOUCHED), elements, min_size=2, max_size=12))
def test_anything_at_all_in_many_attributes_makes_a_clean_bundle(broken):
    metadata = instances()
    for keyword, element in broken.items():
        metadata = replaced(metadata, keyword, element, lambda number: number in (0, 2))
    assert_clean(made_of(metadata))


@given(metadata=anything | st.lists(st.dictionaries(tags, elements, max_size=6), max_size=3))
def test_any_json_is_a_bundle_or_a_named_failure(metadata):
    try:
        bundle = json.loads(bundle_from_metadata(json.dumps(metadata).encode(), SITE))
    except MapperError:
        return
    assert faults(bundle) == []


STRICT = json.dumps(
    replaced(replaced(instances()[:1], "StudyDescription", {"Value": ["@@"]}), "SeriesNumber", {"Value": [77]})
)
ODD_JSON = {
    "a lone surrogate": ('"@@"', r'"\ud800x"'),
    "a raw control character": ('"@@"', '"a\x01b"'),
    "a raw NUL": ('"@@"', '"a\x00b"'),
    "not a number": ("[77]", "[NaN]"),
    "infinity": ("[77]", "[-Infinity]"),
    "400 digits": ("[77]", f"[{'9' * 400}]"),
    "5,000 digits": ("[77]", f"[{'9' * 5000}]"),
    "5,000 digits and a fraction": ("[77]", f"[{'9' * 5000}.5]"),
    "an exponent beyond all bounds": ("[77]", "[1e99999999999999999999]"),
    "a fraction beyond all bounds": ("[77]", "[1.5e-99999999999999999999]"),
    "an attribute twice": ('"00200011":', '"00200011": {"vr": "IS", "Value": [1]}, "00200011":'),
    "100 arrays in each other": ("[77]", "[" * 100 + "]" * 100),
    "5,000 arrays in each other": ("[77]", "[" * 5000 + "]" * 5000),
    "5,000 objects in each other": ("[77]", '[{"a":' * 5000 + "1" + "}]" * 5000),
    "a deep attribute of no interest": ('"00200011":', f'"7FE00010": {"[" * 99_999}{"]" * 99_999}, "00200011":'),
}
REFUSED = {
    "cut in the middle": ('"00200011":', ""),
    "another encoding": None,
    "nothing": "",
    "a page of HTML": "<html>",
    "an object": "{}",
    "null": "null",
    "a list of null": "[null]",
    "a list of lists": "[[]]",
    "a list of texts": '["x"]',
}


@pytest.mark.parametrize("name", ODD_JSON)
def test_json_that_is_odd_is_read_all_the_same(name):
    odd = STRICT.replace(*ODD_JSON[name]).encode()
    assert odd != STRICT.encode()
    bundle = json.loads(bundle_from_metadata(odd, SITE))
    assert faults(bundle) == []
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert "ImagingStudy" in kinds


def test_bytes_that_are_no_utf_8_cost_a_character():
    bundle = bundle_from_metadata(STRICT.encode().replace(b"@@", b"M\xfcller"), SITE).decode()
    assert '"description":"M\ufffdller"' in bundle


def test_a_lone_surrogate_is_written_as_the_replacement_character_and_recorded():
    bundle, problems = output_of(json.loads(STRICT.replace('"@@"', r'"\ud800x"')))
    assert '"description":"\ufffdx"' in bundle.decode()
    assert any(one.attribute == "StudyDescription" for one in problems)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_list_of_data_sets_is_bad_metadata(name):
    how = REFUSED[name]
    text = STRICT.replace(*how) if isinstance(how, tuple) else how
    metadata = STRICT.encode("utf-16") if text is None else text.encode()
    with pytest.raises(BadMetadata) as failure:
        bundle_from_metadata(metadata, SITE)
    assert str(failure.value) == "the answer is not a JSON list of DICOM data sets"
