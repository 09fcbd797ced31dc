"""A data set that pydicom read -> the DICOM JSON Model (PS3.18 Annex F), its texts and numbers as they stand.

What is written in letters is taken from the bytes: pydicom's own values round DS, refuse an IS with a fraction, and
are not right in every character set (see mapper.dicom.charset).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag, Tag

from mapper.dicom.charset import UTF_8, charset, undefined
from mapper.dicom.decoding import PARAGRAPHS, PATIENT_NAME_GROUPS
from mapper.dicom.graphic_sets import DEFAULT
from mapper.dicom.item import tag_of
from mapper.dicom.study import ONLY

CHARSET = "SpecificCharacterSet"
LETTERS = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
"""Value representations that are written in letters (PS3.5 section 6.2)."""
UNREADABLE = [{}, False]
UNDEFINED = 0xFFFFFFFF
"""The length of what ends at a delimiter (PS3.5 section 7.1)."""
Element = dict[str, Any]


@dataclass
class Texts:
    """What was seen of the texts of one data set and of the items in it."""

    undeclared: bool = False
    """Bytes above 0x80 where no character set but ASCII is named: read as Latin-1."""
    undefined: list[tuple[str, ...]] = field(default_factory=list)
    """Values of SpecificCharacterSet that PS3.3 does not define."""

    def named(self) -> Element | None:
        """Return what SpecificCharacterSet is to say: UTF-8 as PS3.18 F.2 wants it, unless text is in doubt."""
        if self.undefined:
            return {"vr": "CS", "Value": [term or None for term in self.undefined[0]]}
        return {"vr": "CS", "Value": ["ISO_IR 6" if self.undeclared else UTF_8]}


def json_model(dataset: Dataset, keywords: Iterable[str]) -> dict[str, Any]:
    """Return the named attributes of a data set as DICOM JSON; an unreadable one stays as such."""
    texts = Texts()
    terms = terms_of(dataset, (), texts)
    elements: dict[str, Any] = {}
    for keyword in keywords:
        tag = Tag(keyword)
        if tag in dataset:
            elements[tag_of(keyword)] = element(dataset, tag, terms, texts)
    if CHARSET in dataset or texts.undeclared:
        elements[tag_of(CHARSET)] = texts.named()
    return elements


def terms_of(dataset: Dataset, outer: tuple[str, ...], texts: Texts) -> tuple[str, ...]:
    """Return the values of a data set's SpecificCharacterSet, those of what encloses it where it has none."""
    if CHARSET not in dataset:
        return outer
    held = dataset.get_item(CHARSET)
    value = held.value if isinstance(held, RawDataElement) else dataset.get(CHARSET)
    if value is None or isinstance(value, bytes | str):
        return terms_in(value.encode("latin_1", "replace") if isinstance(value, str) else value or b"", texts)
    return terms_in("\\".join(map(str, value)).encode("latin_1", "replace"), texts)


def terms_in(raw: bytes, texts: Texts) -> tuple[str, ...]:
    """Return the values of SpecificCharacterSet; those that PS3.3 does not define are remembered."""
    terms = tuple(term.strip(" \0") for term in raw.decode("latin_1").split("\\"))
    if undefined(terms):
        texts.undefined.append(terms)
    return terms


def element(dataset: Dataset, tag: BaseTag, terms: tuple[str, ...], texts: Texts) -> Element:
    """Return one attribute; one that nobody can read is such that the rule that wants it records a problem."""
    vr = known_vr(tag)
    try:
        held = dataset.get_item(tag)
        if is_cut(held):
            return {"vr": vr, "Value": UNREADABLE}
        if isinstance(held, RawDataElement) and vr in LETTERS and held.VR in (None, "UN", *LETTERS):
            return letters(vr, held.value or b"", terms, texts)
        found = dataset[tag]
        if found.VR == "SQ":
            only = ONLY.get(keyword_for_tag(tag))
            return {"vr": "SQ", "Value": [item(one, terms, texts, only) for one in found.value]}
        return dict(found.to_json_dict(lambda _: "", 0))
    except Exception:  # pydicom raises many kinds on broken attributes
        return {"vr": vr, "Value": UNREADABLE}


@cache
def known_vr(tag: BaseTag | str) -> str:
    """Return the value representation of a tag in PS3.6, UN where it has none."""
    return dictionary_VR(tag).split(" or ")[0] if dictionary_has_tag(tag) else "UN"


def is_cut(held: Any) -> bool:
    """Tell whether the file ended before an attribute did that pydicom has not read further."""
    raw = isinstance(held, RawDataElement) and held.length != UNDEFINED
    return raw and held.value is not None and len(held.value) < held.length


def item(dataset: Dataset, outer: tuple[str, ...], texts: Texts, only: Iterable[str] | None = None) -> dict[str, Any]:
    """Return an item of a sequence, or of it only what is asked for."""
    terms = terms_of(dataset, outer, texts)
    if only is None:
        tags = dataset.keys()  # iterating the data set itself would read every attribute
        return {f"{tag:08X}": element(dataset, tag, terms, texts) for tag in tags}
    silent: Element = {"vr": "SQ"}
    return {tag_of(one): element(dataset, Tag(one), terms, texts) if one in dataset else silent for one in only}


def letters(vr: str, raw: bytes, terms: tuple[str, ...], texts: Texts) -> Element:
    """Return an attribute that is written in letters."""
    if not raw.isascii() and DEFAULT.issuperset(terms):
        texts.undeclared = True
    padding = str.rstrip if vr in PARAGRAPHS else str.strip
    values: list[Any] = [padding(value, "\0 ") or None for value in charset(terms).values(raw, vr)]
    if vr == "PN":
        values = [name(value) if value else None for value in values]
    return {"vr": vr, "Value": values} if any(value is not None for value in values) else {"vr": vr}


def name(text: str) -> dict[str, str]:
    """Return a person name by component groups, in one piece where there are more than DICOM knows."""
    groups = text.split("=")
    if len(groups) > len(PATIENT_NAME_GROUPS):
        return {PATIENT_NAME_GROUPS[0]: text}
    return {group: part for group, part in zip(PATIENT_NAME_GROUPS, groups, strict=False) if part}
