"""`token`: a new token for a person or a program, and the line by which the mapper knows it again."""

from enum import StrEnum
from typing import Annotated

import typer

from mapper.commands.app import Config, one_line
from mapper.configuration import WrongArgument, load
from mapper.settings import Settings
from mapper.terminal import say


class Of(StrEnum):
    """The roles, each of which may do what the one before it may."""

    read = "read"
    operate = "operate"
    values = "values"


def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who has it: a name for the audit log.")],
    role: Annotated[
        Of,
        typer.Option(help="read: look at states. operate: also retry and re-sync. values: also see attribute values."),
    ],
    config: Config = None,
) -> None:
    """Make a new random token. Prints it, once, and the line for `tokens_file`; it is kept nowhere."""
    from mapper.web.named_token import made
    from mapper.web.visitor import Role

    with one_line():
        file = load(Settings, config).tokens_file or "the file that the setting tokens_file will name"
        try:
            text, line = made(name, Role.named(role))
        except ValueError as error:
            raise WrongArgument(f"NAME: {error}") from None
    say("The token, shown this once, is for who logs in:", err=True)
    say(text)
    say(f"Its line, for {file} (readable for the mapper alone):", err=True)
    say(line.line)
