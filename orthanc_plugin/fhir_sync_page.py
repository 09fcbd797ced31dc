# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of one study: what it is, how it stands in FHIR, what was dropped and why, its syncs, and the way on.

Whatever it shows comes from outside, and is escaped and bounded here.
"""

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from fhir_sync_mapper import SYNCS  # type: ignore[import-not-found]

PAGE = Path(__file__).resolve().with_name("page.html")
PROBLEMS, TEXT = 200, 1000  # rows at most; characters of one text

Json = dict[str, Any]


def page(resource: Json, study_uid: str, state: Json, nonce: str) -> str:
    """Give the HTML of a study of Orthanc's in a state of the mapper's; styles and script are allowed by the nonce."""
    patient, main = resource.get("PatientMainDicomTags", {}), resource["MainDicomTags"]
    date = re.sub(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", main.get("StudyDate", ""))
    texts = {
        "patient_name": re.sub(r"[\^=]+", " ", patient.get("PatientName", "")).strip() or "(no patient name)",
        "patient_id": patient.get("PatientID") or "(none)",
        "description": " · ".join(filter(None, (date, main.get("StudyDescription")))) or "(no description)",
        "study_uid": study_uid,
        "state": state["state"],
        "message": state["message"],
        "failure": state["failure"],
        "synced_at": moment(state["synced_at"]) or "never",
        "nonce": nonce,
    }
    parts = {
        "remedy": prose(state["remedy"]),
        "links": links(state),
        "problems": problems(state["problems"]),
        "history": history(state.get("history")),
    }
    values = {name: safe(value) for name, value in texts.items()} | parts
    return Template(PAGE.read_text("utf-8")).substitute(values)


def links(state: Json) -> str:
    """Give the ways on: the mapper's page where its address is known, else what to type, and FHIR."""
    anchor = '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
    found = [anchor.format(escape(state[name]), text) for name, text in LINKS.items() if state[name]]
    if not state["page_url"]:
        command = f"orthanc-fhir explain {state['study_uid']}"
        found.append(f"where each element comes from: <code>{safe(command)}</code> where the mapper runs")
    return " · ".join(found)


LINKS = {"page_url": "This study on the mapper's pages", "fhir_url": "Open in FHIR"}


def problems(found: Any) -> str:
    """Give the table of what was dropped or doubted; never a value of an attribute, as the mapper keeps none."""
    rows = [(one.get("element"), one.get("attribute"), one.get("reason")) for one in objects(found)]
    if not rows:
        return "<p>None is known.</p>"
    more = f"<p>and {len(rows) - PROBLEMS} more, which the mapper's page has.</p>" if len(rows) > PROBLEMS else ""
    return table("problems", ("FHIR element", "DICOM attribute", "Why"), rows[:PROBLEMS]) + more


def history(found: Any) -> str:
    """Give the table of the last syncs, the newest first."""
    rows = [
        (
            moment(one.get("ended")),
            seconds(one.get("seconds")),
            one.get("fate"),
            one.get("failure"),
            one.get("attempts"),
        )
        for one in objects(found)
    ]
    if not rows:
        return "<p>No sync of it is remembered.</p>"
    return table("history", ("Ended", "Took", "Became", "Failure", "Attempt"), rows[:SYNCS])


def objects(found: Any) -> list[Json]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def table(name: str, heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Give a table of texts, named by the heading of this id; on a narrow screen it scrolls, by keys as well."""
    head = "".join(f'<th scope="col">{safe(one)}</th>' for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    frame = f'<div class="wide" role="region" aria-labelledby="{name}" tabindex="0"><table aria-labelledby="{name}">'
    return f"{frame}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def safe(value: Any) -> str:
    """Give a value as text of HTML, cut where it is too long."""
    text = "" if value is None else str(value)
    return escape(text if len(text) <= TEXT else text[:TEXT] + "…")


def prose(value: Any) -> str:
    """Give a sentence in which what people type stands between backticks, as HTML."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", safe(value))


def moment(value: Any) -> str | None:
    """Give a time of the mapper's, which tells UTC, for people."""
    return re.sub(r"^([0-9-]{10})T([0-9:]{8})Z$", r"\1 \2 UTC", value) if isinstance(value, str) else None


def seconds(value: Any) -> str | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:.2f} s" if number else None
