"""A number of things in words: the one place where a plural is made."""

PLURALS = {"study": "studies", "entry": "entries", "is": "are", "was": "were", "stands": "stand"}
"""What takes no s alone."""


def plural(number: int, one: str) -> str:
    """Return a word for one thing as it is written for so many of them."""
    return one if number == 1 else PLURALS.get(one, f"{one}s")


def counted(number: int, one: str) -> str:
    """Return how many things there are, `1 study`, `2 studies`; thousands stand apart by thin spaces."""
    return f"{number:,} {plural(number, one)}".replace(",", "\u202f")
