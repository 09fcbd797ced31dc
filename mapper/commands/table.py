"""`table`: the mapping, printed."""

from mapper.commands.app import Config, one_line
from mapper.configuration import load
from mapper.maps.site import Site
from mapper.terminal import say


def table(config: Config = None) -> None:
    """Print the mapping: every FHIR element, the DICOM attributes behind it, and the rule in words."""
    from mapper.maps.printed import markdown

    with one_line():
        load(Site, config)
    for line in markdown().splitlines():
        say(line)
