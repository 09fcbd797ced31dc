"""What a protocol asks of whoever fills it."""

import inspect
from typing import Any


def offered(protocol: Any) -> list[str]:
    """Return the names of a protocol's methods."""
    return sorted(name for name, one in vars(protocol).items() if inspect.isfunction(one) and not name.startswith("_"))
