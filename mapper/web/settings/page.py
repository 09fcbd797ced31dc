"""The page of the settings."""

from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from mapper.settings import Settings
from mapper.web.settings.effective import DEFAULT, effective
from mapper.web.view import View
from mapper.web.visitor import Role, needs


def add(app: FastAPI, view: View, settings: Settings, namespace: UUID, place: str) -> None:
    """Add the page; `place` is where the ledger is, without any password."""

    @app.get("/settings", response_class=HTMLResponse, include_in_schema=False, dependencies=[needs(Role.READ)])
    def page(request: Request) -> HTMLResponse:
        groups = effective(settings, namespace)
        context: dict[str, Any] = {"groups": groups, "file": settings.file, "default": DEFAULT, "ledger": place}
        return view.page(request, "settings/page.html", here="/settings", **context)
