"""Debian's chromium: where it is, how it is started, and what it is shown."""

from pathlib import Path

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
