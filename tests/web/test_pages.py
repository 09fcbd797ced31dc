"""The mapper's pages: what all of them have in common, and those that show what the program itself is."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from httpx import Response

from mapper import __version__
from mapper.configuration import load
from mapper.maps import MAPPING_VERSION, OF_DOCUMENTS, TABLES
from mapper.settings import Settings
from mapper.web.settings.effective import HIDDEN, effective
from mapper.web.view import View, age, number
from tests.support.fakes import SITE
from tests.support.situations import Site, in_line

PAGES = ["/mapping", "/mapping?q=birth", "/settings", "/about"]
HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture
def site(ledger_url: str) -> Iterator[Site]:
    site = Site(ledger_url)
    in_line(site)
    yield site
    site.world.database.close()


class Read(HTMLParser):
    """The elements of a page: name and attributes of each, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def read(answer: Response) -> Read:
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    return Read(answer.text)


# -- every page ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_a_title_a_way_past_its_head_and_all_other_pages(site: Site, path: str) -> None:
    page = read(site.client.get(path))
    assert "orthanc-fhir" in page.text
    assert len(page.all("h1")) == len(page.all("main")) == 1
    links = [one["href"] for one in page.all("a")]
    assert links[0] == "#main"
    assert {"/", "/studies", "/problems", "/mapping", "/settings", "/about"} <= set(links)
    current = [one["href"] for one in page.all("a") if one.get("aria-current") == "page"]
    assert current == [path.partition("?")[0]]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_no_script_no_style_and_nothing_from_elsewhere(site: Site, path: str) -> None:
    page = read(site.client.get(path))
    assert not page.all("style", "iframe", "object", "embed", "base")
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], tag
        loaded = attributes.get("src") or (attributes.get("href", "") if tag == "link" else "")
        assert not loaded or loaded.startswith("/static/")
        assert tag != "script" or attributes["src"], "no script in the page itself"
        if loaded:
            assert site.client.get(loaded).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_each_field_has_its_label_and_each_column_its_head(site: Site, path: str) -> None:
    page = read(site.client.get(path))
    text = site.client.get(path).text
    for field in page.all("input", "select"):
        named = field.get("aria-label") or field.get("type") == "hidden"
        assert named or re.search(rf"<label[^>]*>(?:(?!</label>).)*name=\"{field['name']}\"", text, re.DOTALL)
    assert all(one.get("scope") for one in page.all("th"))


@pytest.mark.parametrize("path", PAGES)
def test_each_reference_within_a_page_leads_somewhere(site: Site, path: str) -> None:
    page = read(site.client.get(path))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {one["href"][1:] for one in page.all("a") if one["href"].startswith("#")} <= set(ids)


# -- mapping -------------------------------------------------------------------------------------


def test_the_mapping_has_every_rule_of_every_table(site: Site) -> None:
    page = read(site.client.get("/mapping"))
    for name, rules in {**TABLES, **OF_DOCUMENTS}.items():
        assert name in page.text
        for rule in rules:
            assert rule.element in page.text
            assert all(word in page.text for word in (*rule.keywords, *rule.tags))
    assert f"Version {MAPPING_VERSION}" in page.text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("PatientBirthDate", "Patient.birthDate"),
        ("patientbirthdate", "Patient.birthDate"),
        ("0010,0030", "Patient.birthDate"),
        ("(0010,0030)", "Patient.birthDate"),
        ("00100030", "Patient.birthDate"),
        ("Patient.birthDate", "Patient.birthDate"),
        ("  birth   patient ", "Patient.birthDate"),
        ("tracking identifier", "BodyStructure"),
    ],
)
def test_a_rule_is_found_by_any_of_its_words(site: Site, asked: str, found: str) -> None:
    page = read(site.client.get("/mapping", params={"q": asked}))
    assert found in page.text
    assert "DocumentReference.content" not in page.text


def test_what_no_rule_reads_is_said(site: Site) -> None:
    page = read(site.client.get("/mapping", params={"q": "PixelData"}))
    assert "0 of" in page.text
    assert not page.all("table")


def test_what_is_asked_for_is_escaped(site: Site) -> None:
    answer = site.client.get("/mapping", params={"q": HOSTILE})
    assert "<script>alert" not in answer.text
    assert [one["value"] for one in read(answer).all("input")] == [""], "what no rule has is not repeated"
    page = read(site.client.get("/mapping", params={"q": "->"}))
    assert [one["value"] for one in page.all("input")] == ["->"]
    assert site.client.get("/mapping", params={"q": "x" * 101}).status_code == 422


# -- settings ------------------------------------------------------------------------------------

SECRETS = ("token", "orthanc_password", "fhir_password", "fhir_token", "namespace", "ledger", "sources")
SECRET = "5c8f1a1e-53c2-4a40-8be1-6f6f6f6f6f6f"


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_shown_whatever_it_is(name: str) -> None:
    values = {"ledger": f"postgresql+psycopg://user:{SECRET}@host/db"}
    others = 'fhir_user = "mapper"\northanc_user = "mapper"\n'
    others += '[[sources]]\nname = "one"\nurl = "http://one"\npatient_system = "urn:oid:1.2"\n' * (name == "sources")
    named = f'password = "{SECRET}"\n' if name == "sources" else f'{name} = "{values.get(name, SECRET)}"\n'
    if name in ("sources", "fhir_token"):
        others = others.replace('orthanc_user = "mapper"\n', "").replace('fhir_user = "mapper"\n', "")
    Path("orthanc-fhir.toml").write_text(others + named, encoding="utf-8")
    settings = load(Settings)
    groups = effective(settings, settings.namespace)
    assert SECRET not in repr(groups)
    (one,) = [one for settings in groups.values() for one in settings if one.name == name]
    assert HIDDEN in one.value or one.value.startswith("fingerprint ")
    assert one.place != "default"


def test_each_secret_of_the_settings_is_in_this_list() -> None:
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret | {"namespace", "sources"} == {*SECRETS}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_setting_says_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "orthanc-fhir.toml").write_text('\nsource = "north"\nworkers = 2\n', encoding="utf-8")
    monkeypatch.setenv("ORTHANC_FHIR_WORKERS", "3")
    groups = effective(load(Settings, port=8001), SITE.namespace)
    shown = {one.name: (one.value, one.place) for settings in groups.values() for one in settings}
    assert shown.keys() == Settings.model_fields.keys()
    assert shown["source"] == ("north", f"{tmp_path / 'orthanc-fhir.toml'}, line 2")
    assert shown["workers"] == ("3", "ORTHANC_FHIR_WORKERS")
    assert shown["port"] == ("8001", "the command line")
    assert shown["timeout"] == ("60.0", "default")
    assert shown["issuers"] == ("none", "default")


def test_the_page_of_the_settings_has_all_of_them_and_no_secret(site: Site) -> None:
    page = read(site.client.get("/settings"))
    for name in Settings.model_fields:
        assert name in page.text
    assert HIDDEN in page.text
    assert "t0ken" not in page.text
    assert str(SITE.namespace) not in page.text


# -- about ---------------------------------------------------------------------------------------


def test_about_says_version_mapping_and_licence(site: Site) -> None:
    text = read(site.client.get("/about")).text
    for word in (__version__, f"Mapping {MAPPING_VERSION}", "Apache License 2.0", "GNU General Public License 3.0"):
        assert word in text


# -- how pages write things ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "shown"),
    [(None, "2023-11-14 22:13:20"), ("Europe/Berlin", "2023-11-14 23:13:20"), ("Asia/Tokyo", "2023-11-15 07:13:20")],
)
def test_a_time_is_told_in_the_zone_of_the_site(zone: str | None, shown: str) -> None:
    assert View(zone).at(1_700_000_000.4) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (3599, "59 min"), (3600, "1 h"), (86399, "23 h"), (200_000, "2 d")],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


@pytest.mark.parametrize(
    ("moment", "shown"), [(1000.0, "now"), (940.0, "1 min ago"), (1030.0, "in 30 s"), (0.0, "16 min ago")]
)
def test_how_long_ago_a_moment_is(moment: float, shown: str) -> None:
    assert View(None, clock=lambda: 1000.0).ago(moment) == shown


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (999, "999"), (1000, "1 000"), (1234567, "1 234 567")])
def test_thousands_stand_apart(value: int, shown: str) -> None:
    assert number(value).replace("\u202f", " ") == shown
