"""The page about the program itself."""

import platform
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from mapper.maps import MAPPING_VERSION
from mapper.web.view import VERSION, View
from mapper.web.visitor import Role, needs

LIBRARIES = ("fastapi", "uvicorn", "jinja2", "sqlalchemy", "pydicom", "fhir.resources", "msgspec", "urllib3", "psycopg")
"""What an engineer asks for first when something is odd."""


def add(app: FastAPI, view: View, place: str) -> None:
    """Add the page; `place` is where the ledger is, without any password."""

    @app.get("/about", response_class=HTMLResponse, include_in_schema=False, dependencies=[needs(Role.READ)])
    def about(request: Request) -> HTMLResponse:
        return view.page(request, "about/page.html", here="/about", build=build(), ledger=place, libraries=libraries())


def build() -> dict[str, str]:
    """Return of which version the program is, and on what it runs."""
    return {
        "Version": VERSION,
        "Mapping": MAPPING_VERSION,
        "FHIR": "R4 (4.0.1)",
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
    }


def libraries() -> dict[str, str]:
    """Return the version of each library that matters and is there."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
