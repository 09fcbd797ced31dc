"""A list of data sets is taken apart at the same places however it arrives, and what is no list is refused early."""

import json
from collections.abc import Iterator
from itertools import chain, islice, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapper.dicom import data_sets as module
from mapper.dicom.data_sets import DEEPEST, LARGEST, MOST_BLANKS, data_sets
from mapper.errors import BadMetadata

ITEM = '{"00080100":{"vr":"SH","Value":["},{"]}}'
LONG = '{"a":"' + "b" * 300 + '","c":"x"}'
HALF = '{"a":"' + "b" * 150 + '"}'
ITEMS = f'{{"00081032":{{"vr":"SQ","Value":[{ITEM},{ITEM} , {ITEM}]}}}}'
LISTS: dict[str, tuple[str, list[str]]] = {
    "nothing in it": ("[]", []),
    "blanks in it": (" \n[ \t\r\n ] ", []),
    "one": ("[{}]", ["{}"]),
    "two": ('[{"a":1},{"b":2}]', ['{"a":1}', '{"b":2}']),
    "as Orthanc writes it": ('[{"a":1}\n,{"b":2}\n]', ['{"a":1}', '{"b":2}']),
    "blanks everywhere": (' [ {"a" : 1 } \n , \r\n\t{"b":2} ] \n', ['{"a" : 1 }', '{"b":2}']),
    "what looks like an end in a text": ('[{"a":"},{"},{"b":"}]"}]', ['{"a":"},{"}', '{"b":"}]"}']),
    "behind an escaped quote": (r'[{"a":"\"},{"},{}]', [r'{"a":"\"},{"}', "{}"]),
    "behind a backslash at the end": (r'[{"a":"\\"},{"b":"\\\\"}]', [r'{"a":"\\"}', r'{"b":"\\\\"}']),
    "items": (f"[{ITEMS},{ITEMS}]", [ITEMS, ITEMS]),
    **{
        f"as long as the one before, but {what}": (f"[{LONG},{text},{LONG}]", [LONG, *sets, LONG])
        for what, text, sets in (
            ("for a few bytes", LONG.replace("x", "xy" * 9), [LONG.replace("x", "xy" * 9)]),
            ("by far", '{"a":1}', ['{"a":1}']),
            ("together with another one", f"{HALF},{HALF}", [HALF, HALF]),
            ("with an end in a text", LONG.replace("x", "},{"), [LONG.replace("x", "},{")]),
            ("with items at its end", LONG.replace('"x"', "[{},{},{}]"), [LONG.replace('"x"', "[{},{},{}]")]),
            ("two without anything between", HALF + HALF, [HALF + HALF]),
        )
    },
    "many blanks": ("[{}" + " " * 40_000 + "," + "\n" * 20_000 + "{}]", ["{}", "{}"]),
}


def parts_of(text: bytes, size: int) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(0, len(text), size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 16])
@pytest.mark.parametrize(("text", "sets"), LISTS.values(), ids=LISTS)
def test_a_list_is_taken_apart(text: str, sets: list[str], size: int) -> None:
    if len(text) > 10_000 * size:
        size = 1_000
    found = [one for one, _ in data_sets(parts_of(text.encode(), size))]
    assert found == [one.encode() for one in sets]


JSON = st.recursive(
    st.none() | st.integers(-9, 9) | st.text('[]{},:"\\ a\u00e4', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('}{"\\,', max_size=3), inner, max_size=3),
    max_leaves=12,
)
SETS = st.lists(st.dictionaries(st.text("ab}{,", max_size=3), JSON, max_size=3), max_size=4)


@given(SETS, st.integers(1, 40), st.sampled_from([None, 1, 3]), st.booleans())
def test_whatever_is_in_it(sets: list[object], size: int, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(sets, indent=indent, ensure_ascii=ascii_only).encode()
    found = list(data_sets(parts_of(text, size)))
    assert [json.loads(one) for one, _ in found] == sets
    assert not any(deep for _, deep in found)


NO_LISTS: dict[str, str] = {
    "nothing": "",
    "blanks": " \n ",
    "an object": '{"a":1}',
    "a text": '"[{}]"',
    "a number": "7",
    "a page": "<html>[{}]</html>",
    "a mark of the byte order": "\ufeff[{}]",
    "cut off before it begins": "[",
    "cut off in a data set": '[{"a":1},{"b":',
    "cut off between two": "[{},",
    "cut off at the end": "[{},{}",
    "cut off in a text": '[{"a":"]',
    "closed twice": "[{}]]",
    "more behind it": "[{}] [",
    "a text behind it": '[{}] "]"',
}


@pytest.mark.parametrize("size", [1, 2, 1 << 16])
@pytest.mark.parametrize("text", NO_LISTS.values(), ids=NO_LISTS)
def test_what_is_no_list_is_refused(text: str, size: int) -> None:
    with pytest.raises(BadMetadata):
        list(data_sets(parts_of(text.encode(), size)))


class Endless:
    """A text that goes on for ever; fails a test that wants too much of it."""

    def __init__(self, first: bytes, more: bytes, most: int) -> None:
        self._first, self._more, self._most = first, more, most

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        for _ in range(self._most):
            yield self._more
        raise AssertionError("read on and on")


ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "zeros": (b"", bytes(1000)),
    "numbers": (b"[", b"0," * 500),
    "numbers behind a data set": (b"[{},", b"0," * 500),
    "lists": (b"[", b"[]," * 500),
    "texts": (b"[", b'"a",' * 500),
    "commas": (b"[{}", b"," * 500),
    "ends": (b"[{}", b"]" * 500),
    "data sets behind the end": (b"[{}]", b",{}" * 500),
    "blanks between two data sets": (b"[{}", b" " * 1000),
}


@pytest.mark.parametrize(("first", "more"), ENDLESS.values(), ids=ENDLESS)
def test_what_cannot_become_a_list_is_refused_as_it_comes(first: bytes, more: bytes) -> None:
    with pytest.raises(BadMetadata):
        list(data_sets(Endless(first, more, 2 * MOST_BLANKS // len(more))))


def test_data_sets_are_handed_out_as_they_come() -> None:
    endless = Endless(b"[", b'{"a":1},' * 100, 10)
    assert [one for one, _ in islice(data_sets(endless), 900)] == [b'{"a":1}'] * 900


@pytest.mark.parametrize(("depth", "deep"), [(DEEPEST - 1, False), (DEEPEST, True), (100_000, True)])
@pytest.mark.parametrize("size", [1_000, 1 << 20])
def test_each_data_set_is_told_to_be_deep_for_itself(depth: int, deep: bool, size: int) -> None:
    text = b'[{},{"a":' + b"[" * depth + b"]" * depth + b"},{}]"
    assert [one for _, one in data_sets(parts_of(text, size))] == [False, deep, False]


WITHOUT_END: dict[str, tuple[str, str]] = {  # how it begins -> what it goes on with
    "a text": ('[{"a":"', "x" * 1000),
    "a text of escapes": ('[{"a":"', '\\"' * 500),
    "what looks like ends in a text": ('[{"a":"', "},{" * 300),
    "many values": ('[{"a":[', "0," * 500),
    "many items": ('[{"a":[', "{}, " * 250),
    "many attributes": ("[{", '"a":{},' * 140),
    "blanks in it": ("[{", " " * 1000),
    "behind others": ('[{"a":1},{"b":2},{"c":"', "x" * 1000),
    "brackets that open": ("[{", '"a":[' * 200),
}


@pytest.mark.parametrize(("begin", "more"), WITHOUT_END.values(), ids=WITHOUT_END)
def test_a_data_set_without_an_end_is_refused_before_much_of_it_is_held(
    begin: str, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", 1 << 18)
    taken = 0

    def parts() -> Iterator[bytes]:
        nonlocal taken
        yield begin.encode()
        for part in repeat(more.encode()):
            taken += len(part)
            yield part

    with pytest.raises(BadMetadata):
        list(data_sets(parts()))
    assert taken < (1 << 18) + MOST_BLANKS + (1 << 12)


@pytest.mark.parametrize("size", [1 << 10, 1 << 16, 1 << 20])
@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("behind", ["", ",{}"], ids=["the last", "another behind it"])
def test_how_large_a_data_set_may_be(size: int, over: int, behind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1 << 18)
    one = b'{"a":"' + b"x" * ((1 << 18) - 8 + over) + b'"}'
    text = b"[{}," + one + behind.encode() + b"]"
    if over:
        with pytest.raises(BadMetadata, match="larger"):
            list(data_sets(parts_of(text, size)))
    else:
        assert [len(found) for found, _ in data_sets(parts_of(text, size))] == [2, 1 << 18, 2][: 2 + bool(behind)]


def test_many_data_sets_may_be_larger_together() -> None:
    one = b'{"a":"' + b"x" * (LARGEST // 8) + b'"}'
    parts = (part for _ in range(12) for part in (one, b","))
    assert sum(1 for _ in data_sets(chain([b"["], parts, [b"{}]"]))) == 13
