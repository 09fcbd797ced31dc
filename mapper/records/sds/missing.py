"""Words that stand in a cell for a value that is not there."""

from mapper.records.sds.columns import name_key

MISSING = frozenset(
    map(
        name_key,
        (
            *("asked-answered-unknown", "asked-answered-invalid", "asked-not-answered", "not-asked"),
            *("not-asked-not-applicable", "asked-not-applicable"),  # SDS 3.0.2
            *("not-applicable", "not-available"),  # SDS 3.0.3
            *("NA", "n/a", "none", "unknown"),  # what the curators' own reader takes for nothing
        ),
    )
)
"""Source: docs/sds-3-changelog.org and sparcur/normalization.py of SciCrunch/sparc-curation."""


def is_missing(text: str | None) -> bool:
    """Tell whether a cell says nothing, or says that it says nothing.

    >>> is_missing("N/A"), is_missing("0")
    (True, False)
    """
    return text is None or name_key(text) in MISSING
