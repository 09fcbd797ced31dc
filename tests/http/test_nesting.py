"""How deep JSON nests: as a parser would find it, however the text arrives, and whatever stands in its strings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.nesting import PIECE, Nesting, cut, too_deep

LIMIT = 5


def deepest(text: bytes) -> int:
    """Return how deep a text nests, byte by byte."""
    depth = most = 0
    within = escaped = False
    for byte in text:
        if escaped:
            escaped = False
        elif byte == ord("\\"):
            escaped = True
        elif byte == ord('"'):
            within = not within
        elif not within and byte in b"[{":
            depth += 1
            most = max(most, depth)
        elif not within and byte in b"]}":
            depth -= 1
    return most


DEEP: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 0),
    "a number": (b"7", 0),
    "lists": (b"[" * 5 + b"]" * 5, 5),
    "objects": (b'{"a":' * 5 + b"1" + b"}" * 5, 5),
    "side by side": (b"[[],[],[[]]]", 3),
    "never closed": (b"[" * 7, 7),
    "in a string": (b'["[[[[[[[["]', 1),
    "behind a quote in a string": (rb'["\"[[[[[[[["]', 1),
    "behind a string that ends in a backslash": (rb'["\\",[[[]]]]', 4),
    "behind a string of backslashes and a quote": (rb'["\\\\\"[[[[",[[]]]', 3),
    "in the name of a member": (b'{"[[[[{{{{": {"]": []}}', 3),
    "between blanks": (b"[ [ \n [\t] ] ]", 3),
    "behind empty strings": (b'["","",[["",[]]]]', 4),
    "bytes that are no UTF-8": (b'["\xff\xfe[",[]]', 2),
}


@pytest.mark.parametrize("size", [1, 2, 3, PIECE])
@pytest.mark.parametrize(("text", "depth"), DEEP.values(), ids=DEEP)
def test_the_depth_of_a_text(text: bytes, depth: int, size: int) -> None:
    assert deepest(text) == depth
    for limit in range(10):
        nesting = Nesting(limit)
        for start in range(0, len(text), size):
            nesting.feed(text[start : start + size])
        assert nesting.too_deep == (depth > limit)
        assert too_deep(text, limit) == (depth > limit)


STRING = st.text('[]{}"\\a,', max_size=9).map(lambda text: json.dumps(text).encode())
MARKS = st.lists(st.sampled_from([b"[", b"]", b"{", b"}", b",", b"a", b'"["', b'""']) | STRING).map(b"".join)


@given(MARKS, st.integers(1, 9), st.integers(0, 12))
def test_pieces_change_nothing(text: bytes, size: int, limit: int) -> None:
    whole, pieces = Nesting(limit), Nesting(limit)
    whole.feed(text)
    for start in range(0, len(text), size):
        pieces.feed(text[start : start + size])
    assert (whole.depth, whole.outside, whole.too_deep) == (pieces.depth, pieces.outside, pieces.too_deep)
    assert whole.too_deep == (deepest(text) > limit)


JSON = st.recursive(
    st.none() | st.integers(-9, 9) | st.text('[]{}"\\ab\u00e4', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('[{"\\', max_size=3), inner, max_size=3),
    max_leaves=40,
)


@given(JSON, st.integers(1, 6))
def test_what_is_cut_is_json_that_nests_no_deeper(value: object, limit: int) -> None:
    text = json.dumps(value, ensure_ascii=False).encode()
    assert too_deep(text, limit) == (deepest(text) > limit)
    found = cut(text, limit)
    assert deepest(found) <= limit
    assert json.loads(found) == pruned(value, limit)


def pruned(value: object, limit: int) -> object:
    if not isinstance(value, list | dict):
        return value
    if limit == 0:
        return None
    if isinstance(value, list):
        return [pruned(one, limit - 1) for one in value]
    return {name: pruned(one, limit - 1) for name, one in value.items()}


def test_a_text_that_never_ends_is_cut_as_well() -> None:
    assert deepest(cut(b"[" * 1000, LIMIT)) == LIMIT


def test_many_megabytes_are_looked_at_in_a_moment() -> None:
    """Rounds are few whatever the text: what nests just within the limit and side by side is the worst of all."""
    worst = (b"[" * 190 + b"]" * 190) * 5_000
    assert not too_deep(worst, 190)
    assert too_deep(worst, 189)


SMALL_STACK = """
import threading
import msgspec
from mapper.nesting import cut, too_deep
threading.stack_size(256 * 1024)
said = []
def run():
    for depth in (1_000, 100_000):
        for text in (b"[" * depth, b'{"a":' * depth, b"[" * depth + b"]" * depth):
            said.append(too_deep(text, 200))
            said.append(len(cut(text, 200)) < 2_000)
    within = b"[" * 200 + b"]" * 200
    said.append(not too_deep(within, 200))
    said.append(bool(msgspec.json.decode(within)))
thread = threading.Thread(target=run)
thread.start()
thread.join()
print(all(said), len(said))
"""


def test_on_the_small_stack_of_a_thread() -> None:
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", SMALL_STACK], capture_output=True, text=True, cwd=root, check=False)
    assert (ran.returncode, ran.stdout) == (0, "True 14\n"), ran.stderr
