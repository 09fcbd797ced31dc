"""The brake: when too much vanishes at once, nothing is retracted until a person says so."""

BRAKE_SHARE, BRAKE_STUDIES = 0.20, 50
"""More than both vanished at once."""
BRAKE = "brake"
"""Under which key the ledger keeps why the brake is on, a source each."""


def brake_on(vanished: int, known: int, complete: bool) -> str:
    """Return why nothing may be retracted now, or an empty text."""
    if not complete:
        return "the listing and the source's own count of studies disagree"
    if vanished > BRAKE_STUDIES and vanished > BRAKE_SHARE * known:
        return f"{vanished} of {known} studies vanished at once"
    return ""
