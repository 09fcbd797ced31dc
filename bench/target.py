"""Whether a target holds, in words."""


def verdict(holds: bool, said: str, target: str) -> str:
    """Return a figure and whether its target holds."""
    return f"{said} ({'holds' if holds else 'MISSED'}: {target})"
