"""A press of one of Orthanc Explorer 2's custom buttons: the request that its version 1.14.1 was seen to send.

It stands for a program that these tests do not run, and knows no more than was seen of it in a browser.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

CONFIGURATION = Path(__file__).parents[2] / "orthanc.json"
TAG = re.compile(r"{([A-Za-z]*)}")
IDS = "{JsonArrayUUIDs}"
SAFE = {"study": {"UUID"}, "bulk-studies": set()}
"""What may stand in a URL: nothing is encoded, and a tag's value is searched for tags again."""

Button = Mapping[str, Any]


class Press(NamedTuple):
    """The request of one press."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


def buttons(configuration: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Button]]:
    """Yield each button of a configuration of Orthanc's (by default our own), and where it stands."""
    known = json.loads(CONFIGURATION.read_text()) if configuration is None else configuration
    for level, those in known["OrthancExplorer2"]["UiOptions"]["CustomButtons"].items():
        for button in those:
            yield level, button


def pressed(button: Button, orthanc: str, ids: list[str]) -> Press:
    """Give the request of a press in the browser of somebody who looks at this Orthanc, with these studies."""
    page = f"{orthanc.rstrip('/')}/ui/app/filtered-studies"
    url = urljoin(page, filled(button["Url"], ids))
    headers = {"Referer": page, "Sec-Fetch-Site": "same-origin"}
    if button["HttpMethod"] == "GET":
        return Press("GET", url, {**headers, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, None)
    parts = urlsplit(orthanc)
    headers |= {"Origin": f"{parts.scheme}://{parts.netloc}", "Accept": "application/json, text/plain, */*"}
    headers |= {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    if button.get("Payload") is None:
        return Press("POST", url, {**headers, "Content-Type": "application/x-www-form-urlencoded"}, b"")
    body = json.dumps(payload(button["Payload"], ids)).encode()
    return Press(button["HttpMethod"], url, {**headers, "Content-Type": "application/json"}, body)


def payload(value: Any, ids: list[str]) -> Any:
    """Fill what is sent in; as there, an array in it ends the press with an error."""
    if isinstance(value, dict):
        return {name: payload(one, ids) for name, one in value.items()}
    if isinstance(value, list):
        raise TypeError("l.match is not a function")
    if value == IDS:
        return ids
    return filled(value, ids) if isinstance(value, str) else value


def filled(text: str, ids: list[str]) -> str:
    """Replace tags; what is unknown, or stands there twice, becomes the text `undefined`."""
    known = {"UUID": ids[0]}
    return TAG.sub(lambda match: known.pop(match[1], "undefined"), text)


def faults(level: str, button: Button) -> Iterator[str]:
    """Yield what would not work, or not be safe, when the button is pressed."""
    if button["HttpMethod"] not in ("GET", "POST"):
        yield "a method that the plugin's routes do not have"
    if not button["Url"].startswith("../../fhir-sync/"):
        yield "a URL that leaves the path under which Orthanc is reached"
    if not set(TAG.findall(button["Url"])) <= SAFE[level]:
        yield "a URL with more than Orthanc's own id in it"
    if button["HttpMethod"] == "POST":
        if not isinstance(button.get("Payload"), dict):
            yield "a body that is no JSON object"
        yield from unsendable(level, button.get("Payload"))
    for text in texts(button):
        tags = TAG.findall(text)
        if len(tags) != len(set(tags)):
            yield "a tag twice in one text"


def unsendable(level: str, value: Any) -> Iterator[str]:
    """Yield what cannot be filled in, or is more than ids, in what is sent."""
    if isinstance(value, list):
        yield "an array in the body"
    for one in value.values() if isinstance(value, dict) else ():
        yield from unsendable(level, one)
    if isinstance(value, str) and "{" in value and value not in (IDS if level == "bulk-studies" else "{UUID}",):
        yield "a body with more than Orthanc's own ids in it"


def texts(value: Any) -> Iterator[str]:
    """Yield every text in it."""
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from texts(one)
