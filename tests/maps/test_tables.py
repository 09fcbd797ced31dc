"""The mapping tables against the standards that they quote, and against what the code reads and writes."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_keyword, tag_for_keyword

from mapper.dicom.collector import Collector
from mapper.dicom.item import Item, is_single, vr_of
from mapper.dicom.study import IDENTITY, Study
from mapper.fhir import systems
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS, OF_DOCUMENTS, TABLES, study_to_fhir
from mapper.maps.printed import source
from mapper.maps.rule import Rule
from mapper.maps.site import Site
from mapper.maps.tables.imaging_study import RULES as IMAGING_STUDY
from mapper.maps.values.concepts import CONCEPTS
from mapper.maps.values.identifier import TYPES
from mapper.maps.values.measured_value import REASONS
from mapper.maps.values.pydicom_codes import meanings
from mapper.sources.data_set import json_model
from samples.dataset import part10
from samples.studies import studies
from tests.support.everything import ALL, studies_of, study_of, variants
from tests.support.golden import CASES, STUDIES, site_of

HERE = Path(__file__).parents[1]
PACKAGE = HERE.parent / "mapper"
DEVIATIONS = tomllib.loads((HERE / "spec/deviations.toml").read_text(encoding="utf-8"))
LISTS = ("not read", "not mapped")
R4: dict[str, Any] = {}
for page in sorted((HERE / "spec").glob("fhir-r4-*.json")):
    R4 |= json.loads(page.read_text(encoding="utf-8"))
EVERY = {**TABLES, **OF_DOCUMENTS}
ROWS = [row for table in EVERY.values() for row in table]
each_imaging_study_element = pytest.mark.parametrize("element", sorted({row.element for row in IMAGING_STUDY}))
NAMED_TAG = re.compile(r"\([0-9A-F]{4},[0-9A-F]{4}\)")


# -- against PS3.6 and FHIR R4 ------------------------------------------------------------------------------------


def test_every_keyword_is_in_the_dicom_dictionary():
    for row in ROWS:
        for keyword, tag in zip(row.keywords, row.tags, strict=True):
            number = int(tag[1:5] + tag[6:10], 16)
            assert dictionary_has_tag(number), keyword
            assert dictionary_keyword(number) == keyword


def test_a_row_that_takes_one_value_reads_an_attribute_that_has_one():
    for row in ROWS:
        words = dict(zip(row.keywords, row.dicom.split(), strict=True))
        assert all(re.fullmatch(r"\w+\*{0,2}\??", word) for word in words.values()), row.element
        several = {keyword for keyword, word in words.items() if "*" not in word and not is_single(keyword)}
        assert several <= {"ModalitiesInStudy"}, f"{row.element}: counted, the attribute only names the rule"


def part_of_r4(path: str) -> tuple[str, str]:
    """Return the longest part of a path that R4's page of the resource has, and what is left of it."""
    names = path.split(".")
    for end in range(len(names), 0, -1):
        if ".".join(names[:end]) in R4:
            return ".".join(names[:end]), ".".join(names[end:])
    raise AssertionError(f"no {names[0]} in tests/spec")


def test_every_element_is_in_the_definition_of_fhir_r4():
    from fhir.resources.R4B import get_fhir_model_class

    for row in ROWS:
        known, rest = part_of_r4(row.element)
        if not rest:
            continue
        parent = R4[known]["type"]
        for name in rest.split("."):
            primitive = R4.get(f"{known}.{name.removeprefix('_')}", {}).get("type", "")
            if name.startswith("_") and primitive[:1].islower():
                parent = "Element"  # what FHIR JSON writes beside a primitive: only an id and extensions
                continue
            fields = get_fhir_model_class(parent).model_fields
            assert name in {field.alias or key for key, field in fields.items()}, f"{parent} has no {name}"
            parent = "Element"


@each_imaging_study_element
def test_the_attributes_of_an_element_are_those_fhir_names_or_listed_deviations(element):
    rows = [row for row in IMAGING_STUDY if row.element == element]
    known, rest = part_of_r4(element)
    ours = {tag for row in rows for tag in row.tags}
    named = set() if rest else set(NAMED_TAG.findall(R4[known]["dicom"]))
    if element.startswith("ImagingStudy.meta."):
        return  # R4 maps no attribute to what every resource has; tables/deidentified.py does
    where = (
        f"tests/spec/deviations.toml: {element}: say of each attribute that only one of the two names why, or delete"
    )
    assert ours - named == set(DEVIATIONS.get(element, {})), where
    assert named - ours == set(DEVIATIONS["not read"].get(element, {})), f'{where} (["not read"])'


def test_every_element_that_fhir_maps_from_dicom_is_mapped_or_excused():
    named = {path for path, row in R4.items() if NAMED_TAG.search(row.get("dicom", "")) or "/*" in row.get("dicom", "")}
    ours = {row.element for row in IMAGING_STUDY}
    assert len(named) == 28
    assert named - ours == set(DEVIATIONS["not mapped"]), (
        'tests/spec/deviations.toml: ["not mapped"] is not what we leave'
    )


def test_no_line_of_the_deviations_is_stale():
    ours = {row.element for row in IMAGING_STUDY}
    assert {element for element in DEVIATIONS if element not in LISTS} <= ours
    assert set(DEVIATIONS["not read"]) <= ours
    reasons = [DEVIATIONS[element] for element in DEVIATIONS if element not in LISTS]
    reasons += [DEVIATIONS["not mapped"], *DEVIATIONS["not read"].values()]
    assert all(
        (isinstance(text, str) and len(text) > 10) or text == "as Manufacturer" for r in reasons for text in r.values()
    )


REQUIRED = sorted(path for path, row in R4.items() if row["min"] and "." in path)


MADE_OF_PARTS = {"DocumentReference.content", "DocumentReference.content.attachment"}
"""Elements without which a resource is left out whole (tests/maps/test_document_reference.py)."""


def root_of(table: tuple[Rule, ...]) -> str:
    """Return the element that the rows of a table make: a resource, or a part of one."""
    return table[0].element.rpartition(".")[0]


@pytest.mark.parametrize("path", REQUIRED)
def test_an_element_that_fhir_demands_has_a_required_row(path):
    rows = [row for table in EVERY.values() for row in table]
    parent, _, _ = path.rpartition(".")
    whole = {row.element for row in rows}
    if parent in whole or not any(row.element.startswith(f"{parent}.") for row in rows):
        return  # a converter makes the parent in one piece (the R4B models look inside), or nobody makes it
    for name, table in EVERY.items():
        inside = any(row.element.startswith(f"{parent}.") for row in table)
        if inside and f"{path}.".startswith(f"{root_of(table)}.") and name != "Device (phantom)":
            required = any(row.element == path and row.required for row in table)
            required |= path in MADE_OF_PARTS and any(row.element.startswith(f"{path}.") for row in table)
            assert required, f"{name} may be sent without {path}"


# -- against what the code reads ----------------------------------------------------------------------------------


class Recorder:
    """Notes every keyword that anybody asks a study's own data sets for."""

    def __init__(self, study: Study) -> None:
        self.of_series: set[str] = set()
        self.of_instances: set[str] = set()
        self._series = {id(series.item) for series in study.series}
        self._instances = {id(instance.item) for series in study.series for instance in series.instances}

    def __call__(self, item: Item, keyword: str) -> None:
        if id(item) in self._series:
            self.of_series.add(keyword)
        elif id(item) in self._instances:
            self.of_instances.add(keyword)


@pytest.fixture
def asked_for(monkeypatch):
    """Return a function that maps a study and tells which keywords were asked for of its series and instances."""

    def of(study: Study, site: Site) -> Recorder:
        recorder, element = Recorder(study), Item.element

        def recording(item: Item, keyword: str) -> Any:
            recorder(item, keyword)
            return element(item, keyword)

        with monkeypatch.context() as patched:
            patched.setattr(Item, "element", recording)
            study_to_fhir(study, site)
        return recorder

    return of


def test_every_attribute_that_a_converter_asks_for_is_decoded_and_every_decoded_one_is_asked_for(asked_for):
    of_series: set[str] = set()
    of_instances: set[str] = set()
    for name, metadata, site in variants():
        asked = asked_for(study_of(metadata), site)
        assert asked.of_series <= KEYWORDS, f"{name}: asked of a series, but not decoded: see READ_BESIDE"
        assert asked.of_instances <= INSTANCE_KEYWORDS, (
            f"{name}: asked of an instance, but not decoded: see READ_BESIDE"
        )
        of_series |= asked.of_series
        of_instances |= asked.of_instances
    assert of_series >= KEYWORDS - INSTANCE_KEYWORDS, "decoded of a series for nothing"
    assert of_instances == INSTANCE_KEYWORDS, "decoded of every instance for nothing"


@pytest.mark.parametrize("case", CASES)
def test_no_golden_study_makes_a_converter_ask_beyond_the_tables(case, asked_for):
    for study in of_case(case):
        asked = asked_for(study, site_of(case))
        assert (asked.of_series - KEYWORDS, asked.of_instances - INSTANCE_KEYWORDS) == (set(), set())


def of_case(case: str) -> list[Study]:
    """Return the studies of a golden case."""
    collector = studies_of((STUDIES / case / "input.json").read_bytes())
    return [collector.study(uid) for uid in collector.study_uids]


DEMO = list(studies())
each_demo_study = pytest.mark.parametrize("sample", DEMO, ids=lambda sample: sample.name)


def of_sample(sample: Any) -> Study:
    """Return a sample study of the demo as a folder of files would give it."""
    collector = Collector()
    wanted = {*KEYWORDS, *INSTANCE_KEYWORDS, *IDENTITY}
    for data in sample.datasets:
        collector.add(json_model(dcmread(BytesIO(part10(data)), stop_before_pixels=True), wanted))
    return collector.only_study()


@each_demo_study
def test_no_demo_study_makes_a_converter_ask_beyond_the_tables(sample, asked_for):
    asked = asked_for(of_sample(sample), ALL)
    assert (asked.of_series - KEYWORDS, asked.of_instances - INSTANCE_KEYWORDS - KEYWORDS) == (set(), set())


# -- against what the code says and writes ------------------------------------------------------------------------


def test_every_rule_reads_as_one_sentence():
    for row in ROWS:
        words, where = row.words, f"{row.by.__module__}.{row.by.__name__}"
        assert row.by.__doc__, where
        assert words == words.strip(), where
        assert 4 <= len(words) <= 160, where
        assert words.endswith("."), where
        assert words[0].isupper(), where
        assert not words.startswith("Return"), f"{where}: a rule says what becomes of what, not what a function does"
        assert "\n" not in words, where


REPEATS = "say what becomes of it and why, not its attributes once more"


def test_a_rule_says_more_than_its_attributes():
    """`X -> id.` says nothing that the columns beside it do not."""
    for row in ROWS:
        _, arrow, becomes = row.words.partition("->")
        said = re.findall(r"[\w'-]+", becomes if arrow else row.words)
        assert len(said) >= 4, f"{row.by.__module__}.{row.by.__name__}: {REPEATS}"


CITED = re.compile(
    r"PS3\.\d+ (section |annex |table |CID |TID )?[A-Z0-9][\w.-]*|FHIR R4 ([A-Z]\w+|[\w-]+\.html)|LOINC \d+-\d"
)


@pytest.mark.parametrize("name", EVERY)
def test_a_rule_cites_a_table_or_a_paragraph(name):
    bare = {
        f"{row.by.__module__}.{row.by.__name__}: {source(name, row)}"
        for row in EVERY[name]
        if not all(map(CITED.fullmatch, source(name, row).split(", ")))
    }
    assert not bare, "name the table, paragraph or page in the converter's or its module's docstring"


SOURCES: dict[str, frozenset[str]] = {
    systems.IDENTIFIER_TYPE: TYPES,  # FHIR R4 v2/0203, see mapper/maps/values/identifier.py
    systems.PARTICIPATION: frozenset({"PRF", "SPRF", "DEV"}),  # FHIR R4 v3/ParticipationType
    systems.OBSERVATION_VALUE: frozenset({"PSEUDED", "ANONYED"}),  # FHIR R4 v3/ObservationValue
    systems.OBSERVATION_CATEGORY: frozenset({"vital-signs", "imaging"}),  # FHIR R4 codesystem-observation-category
    systems.DATA_ABSENT_REASON: frozenset({"unknown", *REASONS.values()}),  # FHIR R4 codesystem-data-absent-reason
    systems.CONNECTION_TYPE: frozenset({"dicom-wado-rs"}),  # FHIR R4 codesystem-endpoint-connection-type
    systems.PAYLOAD_TYPE: frozenset({"none"}),  # FHIR R4 codesystem-endpoint-payload-type
    systems.ANIMAL_GENDER_STATUS: frozenset({"neutered", "intact", "unknown"}),  # FHIR R4 animal-genderstatus
    systems.LN: frozenset(
        {"8302-2", "29463-7", "39156-5"}  # FHIR R4 observation-vitalsigns
        | {"82810-3", "72166-2"}  # HL7 International Patient Summary 2.0.0
        | {"8665-2", "30525-0"}  # LOINC: last menstrual period start date, age
    ),
    systems.DIAGNOSTIC_SERVICE: frozenset({"RAD"}),  # FHIR R4 v2/0074
    systems.SR_IDENTIFIER_TYPE: frozenset({"observation-uid"}),  # HL7 DICOM SR to FHIR 1.0.0
    systems.DOSE_IDENTIFIER_TYPE: frozenset({"sop-instance-uid", "study-instance-uid"}),  # HL7 Radiation Dose Summary
    systems.UCUM: frozenset({"cm", "kg", "kg/m2", "a", "mo", "wk", "d"}),  # ucum.org, case sensitive
    systems.SCT: frozenset({"8392000", "266927001"}),  # non-smoker, smoking status unknown: not in PS3.16
}
"""Where codes come from that no table of DICOM holds: HL7's own pages."""
SCHEMES = {systems.DCM: "DCM", systems.SCT: "SCT"}


def codings_of(value: Any) -> Iterator[tuple[str, str]]:
    """Yield system and code of every Coding and Quantity in a resource."""
    if isinstance(value, dict):
        if isinstance(value.get("system"), str) and isinstance(value.get("code"), str):
            yield value["system"], value["code"]
        for child in value.values():
            yield from codings_of(child)
    elif isinstance(value, list):
        for child in value:
            yield from codings_of(child)


def is_known(system: str, code: str) -> bool:
    """Tell whether a code is in a table that has a source."""
    if (system, code) in {(one.coding["system"], one.code) for one in CONCEPTS}:
        return True  # tests/maps/test_concepts.py holds them to PS3.16
    return code in SOURCES.get(system, ()) or (system in SCHEMES and bool(meanings(SCHEMES[system], code)))


def test_every_code_that_is_written_stands_in_a_table_or_came_from_the_header():
    for name, metadata, site in variants():
        text = metadata.decode()
        for resource in study_to_fhir(study_of(metadata), site).resources:
            for system, code in codings_of(resource):
                in_header = f'"{code.removeprefix("urn:oid:")}"' in text
                assert in_header or is_known(system, code), f"{name}: {system} {code}"


def test_every_code_in_the_source_stands_in_a_table():
    """Walk the code: no Coding is typed in whose code nobody can look up."""
    found = set()
    for module in [*(PACKAGE / "maps").rglob("*.py"), *(PACKAGE / "fhir").rglob("*.py")]:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                parts = {
                    key.value: value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant)
                }
                code, system = parts.get("code"), parts.get("system")
                if isinstance(code, ast.Constant) and system is not None:
                    assert isinstance(system, ast.Attribute), f"{module.name}: a system that systems.py does not have"
                    found.add((getattr(systems, system.attr), code.value))
    assert len(found) >= 4
    assert {pair for pair in found if not is_known(*pair)} == set()


def test_the_attributes_a_converter_may_ask_for_are_all_in_ps3_6():
    asked = KEYWORDS | INSTANCE_KEYWORDS | DOCUMENT_KEYWORDS
    assert all(tag_for_keyword(keyword) for keyword in asked)
    assert not {keyword for keyword in asked if vr_of(keyword) in ("OB", "OW", "UN")}
