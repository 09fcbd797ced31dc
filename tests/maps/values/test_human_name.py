"""PN -> HumanName, from DICOM JSON with its component groups."""

import pytest

from mapper.dicom.item import Item, tag_of
from mapper.maps.values.context import Context
from mapper.maps.values.human_name import display_name, human_name, maiden_names, names, official_names, read
from tests.support.datasets import run, site, study_of

WRITTEN = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"


def written(code):
    return [{"url": WRITTEN, "valueCode": code}]


def official(name, **choices):
    return run(official_names, "PatientName*", site(**choices), PatientName=name)


@pytest.mark.parametrize(
    ("name", "abc", "ide", "syl"),
    [
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada Tarou", "山田 太郎", "やまだ たろう"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "Hong Gildong", "洪 吉洞", "홍 길동"),
    ],
)
def test_each_component_group_is_a_name_that_says_how_it_is_written(name, abc, ide, syl):
    expected = [
        {"extension": written(code), "use": "official", "family": text.split()[0], "given": [text.split()[1]]}
        for code, text in (("ABC", abc), ("IDE", ide), ("SYL", syl))
    ]
    assert official(name) == (expected, [])


@pytest.mark.parametrize(
    ("name", "expected", "recorded"),
    [
        ("Müller^Anna^Maria^Dr.", {"family": "Müller", "given": ["Anna", "Maria"], "prefix": ["Dr."]}, 0),
        (
            "Adams^John Robert Quincy^^Rev.^B.A. M.Div.",
            {
                "family": "Adams",
                "given": ["John Robert Quincy"],
                "prefix": ["Rev."],
                "suffix": ["B.A. M.Div."],
            },
            0,
        ),
        ("DOE ^ JOHN ^^^", {"family": "DOE", "given": ["JOHN"]}, 0),
        ("^JOHN", {"given": ["JOHN"]}, 0),
        (
            "A^B^C^D^E^F",
            {"family": "A", "given": ["B", "C"], "prefix": ["D"], "suffix": ["E"]},
            1,
        ),
        ("John Smith", {"text": "John Smith", "family": "John Smith"}, 0),
        ("Mu\u0308ller^A", {"family": "Mu\u0308ller", "given": ["A"]}, 0),
        ("=山田^太郎", {"extension": written("IDE"), "family": "山田", "given": ["太郎"]}, 0),
    ],
)
def test_components(name, expected, recorded):
    made, reasons = official(name)
    assert made == [{"use": "official", **expected}]
    assert len(reasons) == recorded


@pytest.mark.parametrize("name", ["^^^^", "", " ^ ", "=", None])
def test_nobody_is_named(name):
    assert official(name) == ([], [])


@pytest.mark.parametrize("name", [["A^B", "C^D"], "A^B\\C^D"])
def test_a_second_name_is_kept_but_not_official(name):
    made, reasons = official(name)
    assert made == [{"use": "official", "family": "A", "given": ["B"]}, {"family": "C", "given": ["D"]}]
    assert len(reasons) == 1


@pytest.mark.parametrize("name", ["ANONYMIZED", "Anonymous^X", "de-identified^^^^", "REMOVED=山田"])
def test_names_that_mean_nobody_are_no_names(name):
    assert official(name) == ([], [])
    assert run(display_name, "ReferringPhysicianName", ReferringPhysicianName=name)[0] is None


@pytest.mark.parametrize("name", ["Anonymowski^X", "X^ANONYMOUS"])
def test_only_the_whole_family_name_means_nobody(name):
    assert len(official(name)[0]) == 1


def test_the_site_says_which_names_mean_nobody():
    assert official("ANON-0007", nobody=("ANON-0007",)) == ([], [])
    assert len(official("ANONYMOUS", nobody=())[0]) == 1


def test_a_birth_name_is_a_family_name():
    made = run(maiden_names, "PatientBirthName*", PatientBirthName="Suzuki")
    assert made == ([{"use": "maiden", "family": "Suzuki"}], [])


def test_other_names_have_no_use():
    made = run(names, "OtherPatientNames*", OtherPatientNames=["A^B", "^^^^", "C^D"])
    assert made == ([{"family": "A", "given": ["B"]}, {"family": "C", "given": ["D"]}], [])


def test_one_name_where_fhir_allows_one():
    made = run(human_name, "ResponsiblePerson", ResponsiblePerson="Smith^Jane")
    assert made == ({"family": "Smith", "given": ["Jane"]}, [])


@pytest.mark.parametrize(
    ("name", "display"),
    [
        ("Weber^Karl", "Weber, Karl"),
        ("Weber^Karl^Maria^Dr.^MD", "Weber, Karl"),
        ("Weber", "Weber"),
        ("^Karl", "Karl"),
        ("Yamada^Tarou=山田^太郎", "Yamada, Tarou"),
        ("=山田^太郎", "山田, 太郎"),
        ("^^", None),
    ],
)
def test_people_known_by_name_only_are_shown_family_first(name, display):
    assert run(display_name, "ReferringPhysicianName", ReferringPhysicianName=name)[0] == display


def test_a_server_that_leaves_the_groups_together_is_understood():
    item = Item({tag_of("PatientName"): {"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou=山田^太郎"}]}})
    (person,) = read(Context(site(), study_of(item), item), item.values("PatientName"))
    assert [name["family"] for name in person] == ["Yamada", "山田"]
