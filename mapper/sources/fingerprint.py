"""The fingerprint of a study: one text that says in which state a source showed it.

`moved[/state...][/young]`: when it last moved, what else tells its states apart, and whether that was just now. The
ledger stores it as it is, compares it for equality, and takes the least and the greatest of many: so within one source
`moved` is a time of fixed width, or a number with leading zeros, and the texts sort as the studies moved.
"""

YOUNG = "young"
"""The last word of a fingerprint behind which another change may hide: the study is looked at again."""
SEPARATOR = "/"


def fingerprint(moved: str, *state: str, young: bool = False) -> str:
    """Return the fingerprint of a study.

    >>> fingerprint("20240517T093105", "12", young=True)
    '20240517T093105/12/young'
    """
    return SEPARATOR.join([moved, *state, *([YOUNG] if young else [])])


def moved(fingerprint: str) -> str:
    """Return when a study moved, as its source says it."""
    return fingerprint.partition(SEPARATOR)[0]


def is_young(fingerprint: str) -> bool:
    """Tell whether another change may hide behind a fingerprint."""
    return fingerprint.endswith(SEPARATOR + YOUNG)


def grown(fingerprint: str) -> str:
    """Return the fingerprint of the same state when it is young no longer."""
    return fingerprint.removesuffix(SEPARATOR + YOUNG)
