"""The species that a cell may name. One that is misspelt is none: nobody becomes an animal by a slip of the pen.

Sources: PS3.16 CID 7454 (all of its names), and the NCBI Taxonomy for those that datasets of SPARC have beside them.
"""

import re

from mapper.records.sds.columns import name_key

MAN = "Homo sapiens"
BY_TAXON: dict[str, str] = {
    "9606": MAN,
    "9483": "Callithrix jacchus",
    "9541": "Macaca fascicularis",
    "9544": "Macaca mulatta",
    "9615": "Canis lupus familiaris",
    "9669": "Mustela putorius furo",
    "9685": "Felis catus",
    "9796": "Equus caballus",
    "9823": "Sus scrofa",
    "9825": "Sus scrofa domesticus",
    "9913": "Bos taurus",
    "9925": "Capra hircus",
    "9940": "Ovis aries",
    "9986": "Oryctolagus cuniculus",
    "10090": "Mus musculus",
    "10116": "Rattus norvegicus",
    "10141": "Cavia porcellus",
    "7955": "Danio rerio",
    "8355": "Xenopus laevis",
    "9031": "Gallus gallus",
    "9378": "Suncus murinus",
}
"""Identifier in the NCBI Taxonomy -> scientific name."""
FURTHER = (
    *("Bos", "Bovinae", "Canis", "Canis lupus", "Capra", "Equus", "Felis", "Mus genus", "Ovis", "Rattus", "Sus"),
)
"""What PS3.16 CID 7454 has beside those: genera, and a subfamily."""
NAMES = {name_key(name): name for name in (*BY_TAXON.values(), *FURTHER)}
SPELLINGS = {
    **NAMES,
    **{name_key(f"NCBITaxon:{number}"): name for number, name in BY_TAXON.items()},
    **dict.fromkeys(map(name_key, ("human", "humans", "human being", "man")), MAN),
}
"""What a cell may say, as name_key leaves it -> scientific name. Words such as `pig` name no one species."""
BRACKETS = re.compile(r"([^()]+)\(([^()]+)\)")


def species_of(text: str) -> str:
    """Return the scientific name; a second name in brackets has to be of the same species. Raises ValueError.

    >>> species_of("Homo Sapiens (human)"), species_of("mus_musculus")
    ('Homo sapiens', 'Mus musculus')
    """
    both = BRACKETS.fullmatch(text.strip())
    named = {SPELLINGS.get(name_key(part)) for part in (both.groups() if both else (text,))}
    found = named.pop()
    if found is None or named:
        raise ValueError("not a species that is known here")
    return found
