"""Texts that Orthanc decoded by the wrong character set, read again as the bytes that its files hold.

Orthanc (1.10.1 and 1.12.7 alike) leaves SpecificCharacterSet as it was in metadata that are UTF-8. One defined term it
decodes right, ISO-IR 203 excepted; of several, and of one that says ASCII or that it does not know, it drops what the
first that is not empty does not have. A text without any character set it reads as its setting DefaultEncoding says.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from mapper.dicom.charset import named
from mapper.dicom.decoding import TOO_LARGE
from mapper.dicom.graphic_sets import ALONE, DEFAULT, EXTENDED
from mapper.dicom.item import PLAIN_TEXT, Item, strings, tag_of
from mapper.dicom.study import PATIENT
from mapper.http.target import Target
from mapper.sources.data_set import Texts, known_vr, letters, terms_in
from mapper.sources.orthanc import answers
from mapper.sources.orthanc.client import OrthancClient

CHARSET = tag_of("SpecificCharacterSet")
TRUSTED = (ALONE | EXTENDED) - DEFAULT - {"ISO_IR 203", "ISO 2022 IR 203"}
"""What Orthanc decodes right where it stands alone."""
TEXT = PLAIN_TEXT | {"PN"}
SHARED = frozenset({CHARSET, *map(tag_of, PATIENT)})
"""Attributes that are the same in all instances of a study, or as good as that: Orthanc tells studies apart by them."""
TAG = re.compile("[0-9A-F]{8}")
MOST, KEPT = 2000, 200
"""Texts of one study that are read again, and how many of these are kept for the shared ones; others stay doubted."""
LOOKUP = Target("/tools/lookup")
Path = tuple[str, ...]
Terms = tuple[str, ...]
Elements = dict[str, Any]


class RawTexts:
    """The texts of one study, as far as they are not to be trusted."""

    def __init__(self, client: OrthancClient) -> None:
        """Remember whom to ask."""
        self._client = client
        self._left = MOST
        self._known: dict[tuple[Path, str], bytes] = {}
        self._trusted: Elements = {}
        """The attributes of the last data set that Orthanc decoded right: what repeats is not looked at again."""

    def of_series(self, series: answers.Series) -> Callable[[Elements], Elements]:
        """Return what puts the attributes of an instance of a series right; raises as OrthancClient.answer."""
        members = set(series.ids)
        return lambda elements: self._mended(elements, members)

    def _mended(self, elements: Elements, members: set[str]) -> Elements:
        new = {tag: one for tag, one in elements.items() if self._trusted.get(tag) is not one}
        if self._trusted and CHARSET in elements and CHARSET not in new and not is_doubtful(new):
            self._trusted = elements
            return elements
        sets = [terms for terms in named(elements) if any(terms)]
        if not sets:
            ascii = all(map(str.isascii, strings(elements)))
            return elements if ascii else {**elements, CHARSET: {"vr": "CS", "Value": ["ISO_IR 6"]}}
        if all(map(is_trusted, sets)):
            self._trusted = elements if CHARSET in elements else {}
            return elements
        texts, shared = Texts(), {tag: one for tag, one in elements.items() if tag in SHARED}
        try:
            instance = Instance(self, Item(elements)["SOPInstanceUID"] or "", members)
            known = instance.again((), shared, (), texts)
        except (Unread, ValueError):  # whoever asks for an unreadable UID is told
            return elements
        try:
            return {**instance.again((), elements, (), texts), CHARSET: texts.named()}
        except Unread:  # all data sets of a study name one patient nevertheless
            return {**elements, **known, **{tag: one for tag, one in elements.items() if tag == CHARSET}}

    def id_of(self, uid: str, members: set[str]) -> str:
        """Return Orthanc's id of the instance of a series; raises Unread where it has none."""
        hits = self._client.must("POST", LOOKUP, list[answers.Hit], data=uid.encode()) if uid else []
        found = [hit.ID for hit in hits if hit.Type == "Instance" and hit.ID in members]
        if len(found) != 1:
            raise Unread
        return found[0]

    def bytes_of(self, instance: "Instance", path: Path, came: str) -> bytes:
        """Return the bytes of one attribute; of what is the same in every instance, `came` tells it from another.

        Raises Unread where Orthanc does not have it, or too many were asked for.
        """
        shared = path[0] in SHARED
        if not shared or (path, came) not in self._known:
            if self._left <= (0 if shared else KEPT):
                raise Unread
            self._left -= 1
            parts = [f"{part[:4]}-{part[4:]}" if len(part) == len(CHARSET) else part for part in path]
            places = "/".join(("{tag}", "{index}")[number % 2] for number in range(len(parts)))
            target = Target("/instances/{instance}/content/" + places, instance.id, *parts)
            with self._client.answer("GET", target, accept="*/*") as found:
                if found is None:
                    raise Unread
                body = found.read()
            if not shared:
                return body
            self._known[path, came] = body
        return self._known[path, came]


class Instance:
    """One instance, its texts read again."""

    def __init__(self, source: RawTexts, uid: str, members: set[str]) -> None:
        self._source, self._uid, self._members = source, uid, members

    @cached_property
    def id(self) -> str:
        """Orthanc's own id of it."""
        return self._source.id_of(self._uid, self._members)

    def again(self, path: Path, elements: Elements, outer: Terms, texts: Texts) -> Elements:
        """Return a data set, or an item, with its texts read again."""
        terms = outer
        if CHARSET in elements:
            place = (*path, CHARSET)
            terms = terms_in(self._source.bytes_of(self, place, str(elements[CHARSET])), texts)
        return {tag: self._element((*path, tag), element, terms, texts) for tag, element in elements.items()}

    def _element(self, path: Path, element: Any, terms: Terms, texts: Texts) -> Any:
        vr = known_vr(path[-1]) if TAG.fullmatch(path[-1]) else "UN"
        if not isinstance(element, Mapping) or element is TOO_LARGE or vr not in TEXT | {"SQ"}:
            return element
        values = element.get("Value")
        if vr != "SQ":
            return letters(vr, self._source.bytes_of(self, path, str(values)), terms, texts)
        if not isinstance(values, list):
            return element
        items: list[Any] = list(values)
        for number, one in enumerate(values):
            if isinstance(one, dict):
                items[number] = self.again((*path, str(number)), one, terms, texts)
        return {**element, "Value": items}


class Unread(Exception):
    """A text is not to be had again: the data set stays doubted."""


def is_doubtful(elements: Elements) -> bool:
    """Tell whether a data set names a character set by which Orthanc does not decode as PS3.3 means it."""
    sets = [terms for terms in named(elements) if any(terms)]
    return bool(sets) and not all(map(is_trusted, sets))


def is_trusted(terms: tuple[str, ...]) -> bool:
    """Tell whether Orthanc decodes text by these values of SpecificCharacterSet as PS3.3 means it."""
    return len(set(terms) - {""}) == 1 and TRUSTED.issuperset(set(terms) - {""})
