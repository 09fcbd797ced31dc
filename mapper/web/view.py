"""What every page is made of: one base, one navigation, one way to write a time, a number and a state."""

import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from mapper.plural import counted, plural
from mapper.web.guard import HEADERS
from mapper.web.refusals import UNSEEN, problem
from mapper.web.rendering import COMPILED, known
from mapper.words import WORDS, span

HERE = Path(str(files("mapper.web")))
VERSION = version("orthanc-fhir")
HTMX = "vendor/htmx.min.js"
"""Fetched by setup/htmx.sh; where it is not there, pages do without."""
POLICY = {"Content-Security-Policy": f"{HEADERS['Content-Security-Policy']}; script-src 'self'; connect-src 'self'"}
"""What a page that stays up to date may do beside what every page may: run the scripts of this service, and ask it."""
NAVIGATION = (
    ("/", "Overview"),
    ("/studies", "Studies"),
    ("/problems", "Problems"),
    ("/mapping", "Mapping"),
    ("/settings", "Settings"),
    ("/about", "About"),
)
AGES = ((60.0, "s", 1.0), (3600.0, "min", 60.0), (86400.0, "h", 3600.0), (float("inf"), "d", 86400.0))
"""Up to how many seconds an age is told in which unit, and how long that is."""
CODE = re.compile(r"`([^`]*)`")


class View:
    """Makes pages of templates; `zone` is the IANA zone in which people read times, UTC where none is set."""

    def __init__(self, zone: str | None, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.live = (HERE / "static" / HTMX).is_file()
        self.zone: tzinfo = ZoneInfo(zone) if zone else UTC
        environment = Environment(
            loader=FileSystemLoader([HERE / "templates", HERE]),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=COMPILED,
        )
        environment.filters |= {"at": self.at, "iso": iso, "ago": self.ago, "age": age, "span": span, "number": number}
        environment.filters |= {"prose": prose, "counted": counted, "many": plural, "sentence": sentence}
        environment.globals |= {
            "version": VERSION,
            "words": WORDS,
            "zone": zone or "UTC",
            "live": self.live,
            "htmx": HTMX,
        }
        self._templates = Jinja2Templates(env=environment, context_processors=[known])

    def page(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Return a page; `here` is the entry of the navigation that it belongs to."""
        shown = {"navigation": NAVIGATION, "now": self._clock(), "here": "", "refresh": None}
        headers = POLICY if self.live and context.get("refresh") else {}
        return self._templates.TemplateResponse(
            request, template, {**shown, **context}, status_code=status, headers=headers
        )

    def wrong(self, request: Request, template: str, status: int, message: str, **context: Any) -> Response:
        """Return a page that says what is wrong, to a browser; to a program the message alone."""
        if "text/html" not in request.headers.get("accept", ""):
            return problem(status, message, {"Content-Type": UNSEEN} if status == 404 else None)
        return self.page(request, template, status, **context)

    def at(self, seconds: float | None) -> str:
        """Return a moment in the site's zone, to the second."""
        if seconds is None:
            return ""
        return datetime.fromtimestamp(seconds, self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def ago(self, seconds: float) -> str:
        """Return how long ago a moment is, or how far ahead."""
        passed = self._clock() - seconds
        if abs(passed) < 1.0:
            return "now"
        return f"{age(passed)} ago" if passed > 0 else f"in {age(-passed)}"


def iso(seconds: float) -> str:
    """Return a moment as machines read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age(seconds: float) -> str:
    """Return a length of time in its one largest unit."""
    unit, length = next((unit, length) for limit, unit, length in AGES if round(seconds) < limit)
    return f"{round(seconds) // int(length)} {unit}"


def prose(text: str) -> Markup:
    """Return a text of ours as a page shows it: arrows, and what stands between backticks as code."""
    drawn = escape(text.replace("->", "\u2192").replace("<-", "\u2190"))
    return Markup(CODE.sub(r"<code>\1</code>", str(drawn)))  # escaped already


def sentence(text: str) -> str:
    """Return a text with the point at its end, where it has no mark of its own there."""
    return text if text.rstrip().endswith((".", "?", "!")) else f"{text.rstrip()}."


def number(value: int) -> str:
    """Return a whole number with thin spaces between its thousands."""
    return f"{value:,}".replace(",", "\u202f")


def matching(rows: Iterable[Any], query: str, text: Callable[[Any], str]) -> list[Any]:
    """Return the rows in whose text every word of a query stands, in any case."""
    asked = query.casefold().split()
    return [row for row in rows if all(word in text(row).casefold() for word in asked)]
