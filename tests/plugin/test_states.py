"""One list of states for plugin, pages and commands: the ledger's; the plugin may not import it, so it is held here."""

import json
import re
from html import escape
from pathlib import Path

import pytest
from typer.main import get_command

from mapper.commands.cli import app
from mapper.commands.studies import line
from mapper.ledger.database import Database
from mapper.ledger.ledger import Ledger
from mapper.ledger.rows import Row
from mapper.ledger.state import STATES, State
from mapper.standing import HoldUps
from mapper.words import WORDS, Links, status
from tests.support.fakes import SITE
from tests.support.loaded import FOLDER, STUDY_UID, STUDY_URI, load, mapper, sdk
from tests.support.mapper_fake import MapperFake
from tests.support.orthanc_fake import Sdk

__all__ = ["load", "mapper", "sdk"]

UNREACHABLE = "unreachable"
"""Said by the plugin alone, when there is nobody to say a state."""


def text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


NAMED: dict[str, list[str]] = {
    "explorer.js colours": re.findall(r"(\w+): '#", text("explorer.js")),
    "explorer.js asks again": re.findall(r"answer\.state === '(\w+)'", text("explorer.js")),
    "page.html colours": [
        one
        for rule in re.findall(r"^([^{}\n]+) \{ border-left-color", text("page.html"), re.M)
        for one in re.findall(r"\.(\w+)", rule)
    ],
    "page.html asks again": re.findall(r"/\^\(([a-z|]+)\)", text("page.html"))[0].split("|"),
}


@pytest.mark.parametrize("names", NAMED.values(), ids=NAMED.keys())
def test_the_plugin_names_no_state_of_its_own(names: list[str]) -> None:
    assert names
    assert set(names) <= {*STATES, UNREACHABLE}


def test_each_state_has_its_words() -> None:
    assert tuple(WORDS) == STATES


def test_the_readme_of_the_plugin_and_the_command_name_all_of_them() -> None:
    [listed] = re.findall(r"^States are the mapper's: ([^;]+); and `unreachable`", text("README.md"), re.M)
    assert tuple(re.findall(r"`(\w+)`", listed)) == STATES
    [option] = [one for one in get_command(app).commands["studies"].params if one.name == "state"]  # type: ignore[attr-defined]
    assert tuple(re.findall(r"\w+", option.help.replace(" or ", ", "))) == STATES  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", STATES)
def test_a_state_has_one_name_and_one_sentence_in_orthanc_and_on_the_command_line(
    sdk: Sdk, mapper: MapperFake, quick_folder: Path, state: State
) -> None:
    row = Row("orthanc", STUDY_UID, state, "", (), 1, 0.0, None, "")
    database = Database(f"sqlite:///{quick_folder}/states-{state}.db")
    told = status(row, Links("https://fhir.example/fhir", SITE.namespace), HoldUps(Ledger(database)))
    database.close()
    mapper.states[STUDY_UID] = json.loads(json.dumps(told))
    answer = sdk.request("GET", STUDY_URI).json
    assert (answer["state"], answer["message"]) == (state, WORDS[state])
    html = sdk.request("GET", STUDY_URI + "/page").body.decode()
    assert f"FHIR: {state}</p>" in html
    assert f"<dd>{escape(WORDS[state])}</dd>" in html
    assert line(told).split()[1] == state
    assert line(told).endswith(f"  {WORDS[state]}")


def test_the_plugin_says_by_itself_only_what_is_of_no_study(sdk: Sdk, mapper: MapperFake) -> None:
    mapper.answer = lambda method, path: (500, b"")
    assert sdk.request("GET", STUDY_URI).json["state"] == UNREACHABLE
    mapper.answer = lambda method, path: None
    unseen = sdk.request("GET", STUDY_URI).json["state"]
    assert unseen == "pending"
    assert unseen in STATES
