"""Ultrasound reports (PS3.16 TID 5100, TID 5200, TID 5220, TID 5300): their anatomy, modifiers and repeated values.

A section names a site, a group below it the vessel or how it was imaged: both hold for every measurement in them.
"""

from collections.abc import Hashable, Iterable, Iterator

from mapper.dicom.sr.code import Code
from mapper.dicom.sr.content_item import ContentItem
from mapper.dicom.sr.measured_value import MeasuredValue
from mapper.dicom.sr.reading import Positions
from mapper.maps.concept_names import ConceptNames
from mapper.maps.values import concepts as c
from mapper.maps.values.context_groups import cid

TEMPLATES = frozenset({"5100", "5200", "5220", "5300"})
CARDIAC_TITLES = 12245
"""PS3.16 CID 12245 Cardiac Ultrasound Report Title: those of TID 5220."""
NOT_OF_IMAGES = (c.IMAGE_LIBRARY, c.PATIENT_CHARACTERISTICS)
"""Containers whose numbers nobody measured in the images: how these were made, and height, weight, age."""
INHERITED = (
    *(c.IMAGE_MODE, c.CARDIAC_CYCLE_POINT, c.RESPIRATORY_CYCLE_POINT, c.FLOW_DIRECTION),
    *(c.VESSEL_BRANCH, c.ACQUISITION_PROTOCOL, c.STAGE),
)
"""What a group says of all its measurements (TID 5104, TID 5202, TID 5222)."""
SIDES = (c.LATERALITY, c.TOPOGRAPHICAL_MODIFIER)
"""What says more of a site: told in its element."""
MODIFYING = ("HAS CONCEPT MOD", "HAS ACQ CONTEXT")
NO_ANATOMY = ("DCM", "LN")
"""Schemes whose codes name sections, not vessels (PS3.16 CID 12105 and those that it includes are of SNOMED CT)."""
CHOOSING = (c.DERIVATION, c.SELECTION_STATUS)
"""What tells the values of one measurement apart."""
IDENTIFYING = (c.FINDING_SITE, c.TRACKING_UID, c.TRACKING_IDENTIFIER, *SIDES)
"""What makes it another measurement, in whatever relationship it stands."""
OPTION = "repeated_measurements"
"""With it every value of a repeated measurement becomes an Observation, not only the chosen one."""


def is_ultrasound(root: ContentItem) -> bool:
    """Tell whether a document is an ultrasound report, by its template or its title."""
    titles = (c.ECHOCARDIOGRAPHY.pair, c.VASCULAR_ULTRASOUND.pair, *((code, "DCM") for code in cid(CARDIAC_TITLES)))
    return root.template in TEMPLATES or root.means(*titles)


def vessels(root: ContentItem) -> frozenset[Positions]:
    """Return where the measurement groups of a vascular report stand: their concept names are vessels (TID 5104)."""
    if root.template != "5100" and not root.means(c.VASCULAR_ULTRASOUND.pair):
        return frozenset()
    sections = root.descendants(c.FINDINGS.pair, c.FINDINGS_LN.pair)
    found = (item for section in sections for item in section.children if item.value_type == "CONTAINER")
    others = (c.MEASUREMENT_GROUP.pair, c.FINDINGS.pair, c.FINDINGS_LN.pair)
    named = (one for one in found if one.concept is not None and not one.means(*others))
    return frozenset(one.positions for one in named if one.concept and one.concept.scheme not in NO_ANATOMY)


def inherited(item: ContentItem, names: ConceptNames) -> Iterator[ContentItem]:
    """Yield what the groups above say of a measurement or a group, but what it says itself; of a site's side its site."""
    concepts = tuple(one.pair for one in (INHERITED if has_site(item, names) else (*INHERITED, *SIDES)))
    named = {one.concept.concept for one in item.related(*MODIFYING, "HAS PROPERTIES") if one.concept is not None}
    for above in item.ancestors():
        for one in names.firsts(above, concepts, MODIFYING):
            if one.concept and one.concept.concept not in named:
                yield one
                named.add(one.concept.concept)


def has_site(item: ContentItem, names: ConceptNames) -> bool:
    """Tell whether an item, or one above it, names a site."""
    return names.holder(item, (c.FINDING_SITE.pair,)) is not None


def sides(item: ContentItem, site: ContentItem, names: ConceptNames) -> list[ContentItem]:
    """Return the side and the part of a site that hold for an item, the nearest first: of it, of its site, from above."""
    found: list[ContentItem] = []
    named_at = site.positions if site.value_type == "CONTAINER" else site.positions[:-1]
    for concept in SIDES:
        holder = names.holder(item, (concept.pair,))
        own = site.having(concept.pair)
        if holder and (len(holder.positions) > len(named_at) or not own):
            found += names.children(holder, (concept.pair,))
        else:
            found += own
    return sorted(found, key=lambda one: -len(one.positions))


def says_two_sides(item: ContentItem, site: ContentItem, names: ConceptNames) -> bool:
    """Tell whether what is above an item, or its site, says another side than counts for it."""
    pair = c.LATERALITY.pair
    told = [*site.having(pair), *(one for here in (item, *item.ancestors()) for one in names.children(here, (pair,)))]
    return len({fact(one) for one in told}) > 1


def passed_over(items: Iterable[ContentItem]) -> frozenset[Positions]:
    """Return where the values stand beside which another one of the same measurement was chosen.

    One with a Selection Status is chosen, else a Mean; minima, maxima and other statistics are measurements of their
    own. Where nothing is chosen all values count, and none is ever averaged here (TID 300, TID 310, CID 224, CID 3627).
    """
    same: dict[Hashable, list[ContentItem]] = {}
    for item in items:
        if item.value_type == "NUM" and not is_statistic(item):
            same.setdefault(what_is_measured(item), []).append(item)
    found: set[Positions] = set()
    for several in same.values():
        numbers = [one for one in several if is_measured(one)]
        chosen = [one for one in numbers if one.child(c.SELECTION_STATUS.pair)] or list(filter(is_mean, numbers))
        if chosen:
            found.update({one.positions for one in several} - {one.positions for one in chosen})
    return frozenset(found)


def is_measured(item: ContentItem) -> bool:
    """Tell whether there is a number: what has none hides no other value."""
    value = item.value
    return isinstance(value, MeasuredValue) and any(
        number is not None for number in (value.value, value.floating, value.rational)
    )


def is_mean(item: ContentItem) -> bool:
    """Tell whether a value is the mean of others."""
    return any(isinstance(one.value, Code) and one.value.means(c.MEAN.pair) for one in item.having(c.DERIVATION.pair))


def is_statistic(item: ContentItem) -> bool:
    """Tell whether a value is derived otherwise than as a mean."""
    return bool(item.having(c.DERIVATION.pair)) and not is_mean(item)


def what_is_measured(item: ContentItem) -> Hashable:
    """Return what two values of one measurement have in common: container, concept name, what and where, modifiers."""
    container = next((one for one in item.ancestors() if one.value_type == "CONTAINER"), None)
    choosing, identifying = (tuple(one.pair for one in concepts) for concepts in (CHOOSING, IDENTIFYING))
    told = (
        one
        for one in item.children
        if not one.means(*choosing) and (one.relationship in MODIFYING or one.means(*identifying))
    )
    return container and container.positions, item.concept and item.concept.concept, frozenset(map(fact, told))


def fact(item: ContentItem) -> Hashable:
    """Return what a modifier says, with what modifies it; one by reference is known by its target."""
    if item.reference is not None:
        return item.reference
    value = item.value.concept if isinstance(item.value, Code) else str(item.value)
    below = (one for one in item.children if one.relationship in (*MODIFYING, "HAS PROPERTIES"))
    return item.concept and item.concept.concept, value, frozenset(map(fact, below))
