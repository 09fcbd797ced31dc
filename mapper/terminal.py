"""What a terminal is shown: a control character that came from outside becomes visible, and does nothing."""

import re

import typer

CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1 (ISO/IEC 6429): colours, titles, answers, cursor
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Bidi_Control (Unicode Standard Annex 9): text read backwards
    "\u2028\u2029"  # ends of lines and paragraphs
    "\ud800-\udfff]"  # bytes of a file name that are no UTF-8
)


def shown(text: str) -> str:
    r"""Return a text of one line with every control character as its escape, `\x1b` or `\u202e`."""
    return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def shown_json(text: bytes) -> bytes:
    """Return the same JSON (RFC 8259) with the control characters escaped that it may hold as they are."""
    if text.isascii() and b"\x7f" not in text:
        return text
    escaped = CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text.decode())
    return escaped.encode()


def say(line: str, *, err: bool = False) -> None:
    """Print one line on standard output, or on standard error."""
    typer.echo(shown(line), err=err)
