"""Whether a target holds, in words."""

from bench.processes import BUSY


def verdict(holds: bool, said: str, target: str, others: float = 0.0) -> str:
    """Return a figure and whether its target holds; a missed one may be the work of `others`, by their share."""
    if holds or others <= BUSY:
        return f"{said} ({'holds' if holds else 'MISSED'}: {target})"
    return f"{said} (MISSED: {target}; others had {others:.0%} of the CPU, so the clock says nothing of us)"
