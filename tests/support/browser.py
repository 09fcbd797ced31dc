"""Debian's chromium: where it is, how it is started, and what it is shown."""

from pathlib import Path

from playwright.sync_api import Page

from stack import Orthanc

CHROMIUM = "/usr/bin/chromium"

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
"""No sandbox, as root has none; no look-ups of its own."""

SHOTS = Path(__file__).parents[2] / ".run/screenshots"
"""Pictures for whoever wants to look; git-ignored."""

SLOW = 60_000
"""Milliseconds within which a loaded machine shows what it should."""


def explorer(orthanc: Orthanc, study: str) -> str:
    return f"{orthanc.url}/app/explorer.html#study?uuid={study}"


def log_in(page: Page, url: str, token: str) -> None:
    """Go to a page of the mapper, which leads to the login, and log in; the browser then stands on that page."""
    page.goto(url)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda there: "/login" not in there)
