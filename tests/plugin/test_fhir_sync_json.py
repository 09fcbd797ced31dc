"""Bounded JSON: what the plugin parses of what comes from outside."""

import contextlib
import json
import re
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_plugin.fhir_sync_json import ANSWER, DEPTH, REQUEST, NotJson, TooLarge, is_flat, parsed
from tests.support.examples import times


def nested(opening: str, levels: int) -> str:
    """Give a JSON text that is so many levels deep."""
    return opening * levels + "1" + "".join({"[": "]", "{": "}"}[bracket[0]] for bracket in [opening] * levels)


ACCEPTED: dict[str, tuple[bytes, Any]] = {
    "an object": (b'{"a": [1, -2.5e3, true, null, "x"]}', {"a": [1, -2500.0, True, None, "x"]}),
    "spaces around": (b" \n{}\t", {}),
    "as deep as may be": (nested("[", DEPTH).encode(), json.loads(nested("[", DEPTH))),
    "objects as deep as may be": (nested('{"a":', DEPTH).encode(), json.loads(nested('{"a":', DEPTH))),
    "brackets in a string": (b'["' + b"[" * 600 + b'"]', ["[" * 600]),
    "braces in a name": (b'{"' + b"{" * 600 + b'": 1}', {"{" * 600: 1}),
    "an escaped quote before brackets": (b'["\\"' + b"[" * 600 + b'"]', ['"' + "[" * 600]),
    "an escaped backslash before a quote": (b'["\\\\", "' + b"[" * 600 + b'"]', ["\\", "[" * 600]),
    "closing brackets in a string": (b'["]]]]"]', ["]]]]"]),
    "text beyond ASCII": ('["Ä\U0001f600"]'.encode(), ["Ä\U0001f600"]),
    "a whole surrogate pair": (b'["\\ud83d\\uDE00"]', ["\U0001f600"]),
    "a large number": (b"[1e308, " + b"1" + b"0" * 300 + b"]", [1e308, 10**300]),
    "as large as may be": (b"[]".ljust(REQUEST), []),
}

REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"<html>",
    "one level too deep": nested("[", DEPTH + 1).encode(),
    "one object too deep": nested('{"a":', DEPTH + 1).encode(),
    "what overflows a small stack": b"[" * 600,
    "objects that do": b'{"a":' * 600,
    "what overflows any stack": b"[" * 60_000,
    "lists and objects in turn": b'[{"a":' * 300,
    "depth after a string": b'["a", ' + b"[" * 600,
    "depth after an escaped quote": b'["\\"", ' + b"[" * 600,
    "depth after an escaped backslash": b'["\\\\", ' + b"[" * 600,
    "depth between escaped quotes": b'["\\"", ' + nested("[", 600).encode() + b', "\\""]',
    "depth between escaped backslashes": b'["\\\\", ' + nested("[", 600).encode() + b', "\\\\"]',
    "depth in a string that does not end": b'["' + b"[" * 600,
    "a bracket too many": b"[]]",
    "another bracket": b"[}",
    "a comma too many": b"[1,]",
    "two texts": b"{} {}",
    "NaN": b'{"wait": NaN}',
    "Infinity": b"[Infinity]",
    "minus Infinity": b"[-Infinity]",
    "larger than a double": b"[1e999]",
    "minus that": b"[-1e999]",
    "an integer larger than a double": b"1" + b"0" * 309,
    "an integer of 10,000 digits": b"[" + b"7" * 10_000 + b"]",
    "a fraction of 10,000 digits": b"[0." + b"7" * 10_000 + b"]",
    "half a surrogate pair": b'["\\ud800"]',
    "the other half": b'["\\uDFFF"]',
    "the halves in the wrong order": b'["\\ude00\\ud83d"]',
    "half a pair in a name": b'{"\\ud800": 1}',
    "half a pair in UTF-8": b'["\xed\xa0\x80"]',
    "a name that is there twice": b'{"wait": 0, "wait": 5}',
    "such a name further in": b'[{"a": {"b": 1, "b": 1}}]',
    "such a name, escaped": b'{"a": 0, "\\u0061": 1}',
    "not UTF-8": b'["\xff"]',
    "Latin-1": b'["M\xfcller"]',
    "too long UTF-8": b'["\xc0\xaf"]',
    "UTF-16": '["x"]'.encode("utf-16"),
    "UTF-16 without a mark": '["x"]'.encode("utf-16-le"),
    "UTF-32": '["x"]'.encode("utf-32-be"),
    "a byte order mark": b"\xef\xbb\xbf[]",
    "a control character": b'["\x00"]',
    "a line in a string": b'["\n"]',
}


@pytest.mark.parametrize(("text", "value"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_is_i_json_within_the_bounds(text: bytes, value: Any) -> None:
    assert parsed(text, REQUEST) == value


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not(text: bytes) -> None:
    with pytest.raises(NotJson) as caught:
        parsed(text, REQUEST)
    assert re.fullmatch(r"not I-JSON \(\w+\)|not JSON of 32 levels at most", str(caught.value))
    assert caught.value.__cause__ is None, "it would hold the text"


@pytest.mark.parametrize("most", [REQUEST, ANSWER])
@pytest.mark.parametrize("text", [b"[]", b"x"])
def test_one_byte_too_many(most: int, text: bytes) -> None:
    with pytest.raises(TooLarge):
        parsed(text.ljust(most + 1), most)


# How deep the parser gets is what matters, also in texts that are no JSON: it never gets deeper than is_flat saw.

LEVELS = 3
TOKENS = ["[", "]", "{", "}", '"', "\\", '\\"', "\\u", "a", '"a":', ",", "1", " ", "[]"]
STRINGS = st.text('[]{}"\\a')
VALUES = st.recursive(
    st.integers() | STRINGS, lambda inner: st.lists(inner) | st.dictionaries(STRINGS, inner), max_leaves=12
)


@st.composite
def nearly_json(draw: st.DrawFn) -> str:
    """Give JSON with a token cut out, put in, or put in two places, where it may open or close what it should not."""
    text = json.dumps(draw(VALUES))
    for token in draw(st.lists(st.sampled_from(TOKENS), max_size=2)):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + token + text[start + draw(st.integers(0, 1)) :]
    return text


def deepest(text: str) -> int:
    """Give how deep Python's own parser, in the form that is written in Python, gets in a text."""
    decoder, depth, most = json.JSONDecoder(), 0, 0

    def counted(parse: Any) -> Any:
        def parse_counted(*arguments: Any) -> Any:
            nonlocal depth, most
            depth += 1
            most = max(most, depth)
            try:
                return parse(*arguments)
            finally:
                depth -= 1

        return parse_counted

    decoder.parse_array = counted(decoder.parse_array)  # type: ignore[attr-defined]
    decoder.parse_object = counted(decoder.parse_object)  # type: ignore[attr-defined]
    decoder.scan_once = py_make_scanner(decoder)  # type: ignore[attr-defined]
    with contextlib.suppress(ValueError):
        decoder.decode(text)
    return most


@times(10)
@given(nearly_json() | st.lists(st.sampled_from(TOKENS)).map("".join))
def test_the_parser_never_gets_deeper_than_what_was_seen(text: str) -> None:
    if is_flat(text.encode(), LEVELS):
        assert deepest(text) <= LEVELS


@given(VALUES)
def test_every_flat_value_is_seen_as_flat(value: Any) -> None:
    text = json.dumps(value)
    assert is_flat(text.encode(), LEVELS) == (deepest(text) <= LEVELS)
