"""Which paths stand open, which take forms, and where the application begins behind a proxy."""

from importlib.resources import files

from starlette.types import Scope

PROBES = frozenset({"/healthz", "/readyz"})
"""Paths that tell nothing of patients: probes need no token."""
LOGIN, LOGOUT = "/login", "/logout"
LOOKS = frozenset(
    f"/static/{one.name}"
    for one in files("mapper.web").joinpath("static").iterdir()
    if one.name.endswith((".css", ".svg"))
)
"""What the login page looks like."""
OPEN = PROBES | {LOGIN} | LOOKS


def path_of(scope: Scope) -> str:
    """Return the path of a request within the application: what stands before it is a proxy's."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def takes_form(path: str) -> bool:
    """Tell whether what is sent there is a form of ours; everything else is JSON."""
    return path.startswith("/page/") or path in (LOGIN, LOGOUT)
