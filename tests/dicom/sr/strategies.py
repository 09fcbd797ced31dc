"""Content trees of every kind for hypothesis: as they should be, and as nobody should send them."""

from typing import Any

from hypothesis import strategies as st
from pydicom.sr.coding import Code

from mapper.dicom.item import tag_of
from mapper.dicom.sr.tree import RELATIONSHIPS, ROOT
from mapper.dicom.sr.value import READERS
from samples.sr.content import CONTAINS, by_reference, coded, container, item, num, pname, referring, text, uidref
from tests.support.datasets import dataset

SECRET = "Example^Secret"
KEYWORDS = (
    *ROOT,
    *("RelationshipType", "ReferencedContentItemIdentifier", "TextValue", "ConceptCodeSequence", "PersonName"),
    *("MeasuredValueSequence", "NumericValueQualifierCodeSequence", "ReferencedSOPSequence", "GraphicData"),
    *("ReferencedSamplePositions", "ReferencedTimeOffsets", "Date", "UID", "NumericValue", "FloatingPointValue"),
    *("RationalNumeratorValue", "RationalDenominatorValue", "MeasurementUnitsCodeSequence", "ReferencedFrameNumber"),
    *("ReferencedWaveformChannels", "CodeValue", "EquivalentCodeSequence"),
)

# -- anything -----------------------------------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([2**40, -1.5, float("inf"), float("nan"), SECRET, "", "1E+9999", "1.5", "abc", "\ud800"])
)
JSON = st.recursive(
    SCALARS,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from([SECRET, "vr", "Value"]), one),
    max_leaves=8,
)
ELEMENTS = (
    JSON
    | st.fixed_dictionaries({"vr": st.sampled_from(["SQ", "UN", "LO", SECRET]), "Value": JSON})
    | st.fixed_dictionaries({"vr": st.just("UN"), "InlineBinary": st.sampled_from(["MTIuNDAg", "?", ""])})
    | st.fixed_dictionaries({"vr": st.just("UT"), "BulkDataURI": st.just(f"http://pacs.example/{SECRET}")})
)
IDENTIFIERS = st.lists(st.integers(1, 3), min_size=1, max_size=4).map(lambda rest: [1, *rest[1:]])


def odd(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return entries that are nearly content items: types, links and children as they may be, anything beside."""
    whole = st.fixed_dictionaries(
        {},
        optional={
            tag_of("ValueType"): st.sampled_from([*READERS, "LINK", ""]).map(lambda kind: one("ValueType", kind)),
            tag_of("RelationshipType"): st.sampled_from([*RELATIONSHIPS, "ODD"]).map(
                lambda how: one("RelationshipType", how)
            ),
            tag_of("ReferencedContentItemIdentifier"): IDENTIFIERS.map(
                lambda path: one("ReferencedContentItemIdentifier", path)
            ),
            tag_of("ContentSequence"): st.lists(children, max_size=4).map(lambda below: {"vr": "SQ", "Value": below}),
        },
    )
    junk = st.dictionaries(st.sampled_from(KEYWORDS).map(tag_of), ELEMENTS, max_size=3)
    return st.tuples(whole, junk).map(lambda pair: {**pair[1], **pair[0]}) | st.tuples(whole, junk).map(
        lambda pair: {**pair[0], **pair[1]}
    )


def one(keyword: str, value: Any) -> Any:
    """Return one attribute of DICOM JSON."""
    return dataset(**{keyword: value})[tag_of(keyword)]


ODD_DOCUMENTS = st.recursive(odd(SCALARS), odd, max_leaves=30)

# -- as it should be ----------------------------------------------------------------------------------------------

CODES = st.sampled_from(
    [
        Code("121071", "DCM", "Finding"),
        Code("G-C0E3", "SRT", "Finding Site"),
        Code("410668003", "SCT", "Length"),
        Code("A1", "99ACME", "Größe & <Gewicht>"),
    ]
)
UNITS = st.sampled_from(
    [Code("mm", "UCUM", "millimeter"), Code("{ratio}", "UCUM", "ratio"), Code("1", "UCUM", "no units")]
)
DECIMALS = st.decimals(-1_000_000, 1_000_000, allow_nan=False, places=4).map(lambda number: f"{number:f}"[:16])
UIDS = st.integers(1, 10**12).map(lambda number: f"2.25.{number}")
TEXTS = st.text("abcäöü &<>'\"\n^=", min_size=1, max_size=30).filter(lambda found: found.strip() == found)
SOPS = UIDS.map(lambda uid: ("1.2.840.10008.5.1.4.1.1.2.1", uid))
HOW = st.sampled_from(sorted(RELATIONSHIPS))
LEAVES = st.one_of(
    st.builds(text, HOW, CODES, TEXTS),
    st.builds(coded, HOW, CODES, CODES),
    st.builds(num, HOW, CODES, DECIMALS, UNITS),
    st.builds(uidref, HOW, CODES, UIDS),
    st.builds(pname, HOW, CODES, st.sampled_from(["Example^Rita^^Dr.", "Beispiel^Käthe"])),
    st.builds(
        lambda sop, frames: referring(CONTAINS, "IMAGE", None, sop, ReferencedFrameNumber=frames), SOPS, IDENTIFIERS
    ),
    st.dates().map(
        lambda day: item(CONTAINS, "DATE", Code("111060", "DCM", "Study Date"), {"Date": f"{day:%Y%m%d}".zfill(8)})
    ),
)


def with_children(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return items that may have children: containers, and anything else."""
    below = st.lists(children, min_size=1, max_size=4)
    return st.builds(lambda name, found: container(CONTAINS, name, *found), CODES, below) | st.builds(
        lambda leaf, found: {**leaf, "ContentSequence": found}, LEAVES, below
    )


ITEMS = st.recursive(LEAVES, with_children, max_leaves=25)
DOCUMENTS = st.lists(ITEMS, min_size=1, max_size=5).map(
    lambda found: container(
        "",
        Code("126000", "DCM", "Imaging Measurement Report"),
        *found,
        by_reference("INFERRED FROM", 1, 1),
        template="1500",
    )
)
"""Documents of a few items, the first of which is referred to by the last."""
