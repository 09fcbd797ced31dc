"""The path of a request: a template of ours, and parts from outside that cannot leave their place in it."""

import re

PART = re.compile(r"(?!\.+$)[0-9A-Za-z.-]{1,64}", re.ASCII)
"""What FHIR's type `id` allows, but no `.` and no `..`: what has to be quoted is quoted back again on its way."""
PLACE = re.compile(r"\{[a-z]+\}")


class Target:
    """A path as it is sent, and the template that it was made of: that alone may be said in a message.

    >>> str(Target("/studies/{study}/series", "8a8cf898"))
    '/studies/8a8cf898/series'
    """

    __slots__ = ("_path", "template")

    def __init__(self, template: str, *parts: str) -> None:
        """Put the parts in their places, in order; raises ValueError for a part that would change the path."""
        if not all(PART.fullmatch(part) for part in parts):
            raise ValueError(f"a part of {template} cannot stand in a URL")
        if len(PLACE.findall(template)) != len(parts):
            raise ValueError(f"{template} has other places than {len(parts)}")
        left = iter(parts)
        self._path = PLACE.sub(lambda _: next(left), template)
        self.template = template

    def __str__(self) -> str:
        """Return the path."""
        return self._path
