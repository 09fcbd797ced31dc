"""What every template knows: who looks, where the application begins, and the field of each form."""

from types import CodeType
from typing import Any

from fastapi import Request
from jinja2.bccache import Bucket, BytecodeCache
from markupsafe import Markup

FIELD = "csrf"
"""Name of the hidden field by which a form shows that it is of a page of ours."""


class Compiled(BytecodeCache):
    """Keeps in memory what each template was compiled to: the views of a process compile it once."""

    def __init__(self) -> None:
        self._kept: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take the code of a template that was compiled from the same text."""
        bucket.code = self._kept.get(f"{bucket.key}{bucket.checksum}")

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        if bucket.code is not None:
            self._kept[f"{bucket.key}{bucket.checksum}"] = bucket.code


COMPILED = Compiled()


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
