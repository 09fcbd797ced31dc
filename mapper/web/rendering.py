"""What every template knows: who looks, where the application begins, and the field of each form."""

from typing import Any

from fastapi import Request
from markupsafe import Markup

FIELD = "csrf"
"""Name of the hidden field by which a form shows that it is of a page of ours."""


def known(request: Request) -> dict[str, Any]:
    """Return what every template knows: `root` before each link, `visitor` or None, `csrf` in each form."""
    admitted = getattr(request.state, "admitted", None)
    secret = admitted.csrf if admitted else ""
    field = Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, secret) if secret else Markup("")
    return {
        "root": request.scope.get("root_path", ""),
        "visitor": getattr(request.state, "visitor", None),
        "csrf": field,
        "has_session": bool(admitted and admitted.session),
    }
