"""The sheets of an SDS dataset and their columns: templates 2.1.0 and 3.0.2, and the changelog up to 3.0.3.

The names here are the templates' own, in small letters where a column heads a sheet. A column is found whatever
its case, spaces, underscores and punctuation: `Subject_ID` is `subject id`.
"""

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

SUBJECTS = (
    "subject id; pool id; subject experimental group; age; sex; species; strain; RRID for strain; age category; "
    "also in dataset; also in dataset doi; also in dataset entity id; also in dataset subject id; member of; "
    "metadata only; number of directly derived samples; laboratory internal id; date of birth; age range (min); "
    "age range (max); body mass; genotype; phenotype; handedness; reference atlas; experimental log file path; "
    "experiment date; disease or disorder; intervention; disease model; protocol title; protocol url or doi"
)
SAMPLES = (
    "sample id; subject id; was derived from; pool id; sample experimental group; sample type; "
    "sample anatomical location; also in dataset; also in dataset doi; also in dataset entity id; "
    "also in dataset sample id; member of; metadata only; number of directly derived samples; "
    "laboratory internal id; date of derivation; experimental log file path; reference atlas; pathology; "
    "laterality; cell type; plane of section; protocol title; protocol url or doi"
)
SITES = (
    "site id; specimen id; site type; laboratory internal id; coordinate system; coordinate system position; "
    "also in dataset; also in dataset doi; also in dataset entity id; also in dataset site id; member of; "
    "metadata only; more"
)
PERFORMANCES = (
    "performance id; protocol url or doi; date; start datetime; end datetime; participants; also in dataset; "
    "also in dataset doi; also in dataset entity id; also in dataset performance id; member of; metadata only; "
    "Additional Metadata"
)
MANIFEST = (
    "filename; pattern; timestamp; description; file type; entity; specimen; subject; sample; site; performance; "
    "data modality; also in dataset; also in dataset doi; also in dataset path; derived from dataset; "
    "derived from dataset doi; derived from dataset path; data dictionary path; entity is transitive; "
    "additional types; Additional Metadata"
)
RESOURCES = "RRID; Type; Name; URL; Vendor; Version; ID in protocol; Additional Metadata"
DESCRIPTION = (
    "Metadata version; Type; Standards information; Data standard; Data standard version; Basic information; Title; "
    "Subtitle; Description; Keywords; Funding; Acknowledgments; License; Funding information; Funding consortium; "
    "Funding agency; Award number; Study information; Study purpose; Study data collection; "
    "Study primary conclusion; Study organ system; Study approach; Study technique; Study collection title; "
    "Contributor information; Contributor name; Contributor ORCiD; Contributor affiliation; Contributor role; "
    "Related protocol, paper, dataset, etc.; Identifier description; Relation type; Identifier; Identifier type; "
    "Participant information; Number of subjects; Number of samples; Number of sites; Number of performances; "
    "Data dictionary information; Data dictionary path; Data dictionary type; Data dictionary description; "
    "Device information; Device intended use; Device current use; Device type; Device application; "
    "Device target anatomy; Device target species; Device target sex; Device target age category; "
    "Device target disease or disorder"
)
SUBMISSION = "Consortium data standard; Funding consortium; Award number; Milestone achieved; Milestone completion date"


def name_key(name: str) -> str:
    """Return what makes a column's name: its letters and digits, in one case.

    >>> name_key(" Age_Range (min)") == name_key("age range (min)")
    True
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


@dataclass(frozen=True, slots=True)
class Template:
    """One sheet of the template: which of its columns identifies a row, and all that it has.

    Where `elements` stand in the first column instead, `columns` are the headers above them.
    """

    stem: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    elements: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split("; "))


ELEMENT_HEADERS = _names("Metadata element; Description; Example; Value")
TEMPLATES: Mapping[str, Template] = {
    template.stem: template
    for template in (
        Template(
            "dataset_description",
            ("Metadata element",),
            ELEMENT_HEADERS,
            _names(DESCRIPTION),
            {
                "templateschemaversion": "Metadata version",
                "metadataversiondonotchange": "Metadata version",
                "contributororcidid": "Contributor ORCiD",
                "acknowledgements": "Acknowledgments",
            },
        ),
        Template(
            "subjects",
            ("subject id",),
            _names(SUBJECTS),
            aliases={"experimentalgroup": "subject experimental group"},
        ),
        Template(
            "samples",
            ("sample id",),
            _names(SAMPLES),
            aliases={
                "experimentalgroup": "sample experimental group",
                "wasderivedfromsample": "was derived from",
                "specimentype": "sample type",
                **dict.fromkeys(("specimenanatomicallocation", "anatomicallocation"), "sample anatomical location"),
            },
        ),
        Template("sites", ("site id",), _names(SITES)),
        Template("performances", ("performance id",), _names(PERFORMANCES)),
        Template("manifest", ("filename", "pattern"), _names(MANIFEST)),
        Template("resources", ("RRID", "Name", "URL"), _names(RESOURCES)),
        Template(
            "submission",
            ("Submission Item",),
            ("Submission Item", "Definition", "Value"),
            _names(SUBMISSION),
            {"sparcawardnumber": "Award number"},
        ),
    )
}
UNREAD: Mapping[str, tuple[str, ...]] = {
    "code_description": (*ELEMENT_HEADERS, "Extend as needed"),
    "code_parameters": _names(
        "Type; Service Alias (User-given name); Service name; Service version; Name; Data Ontology Identifier; "
        "Data Type; Data Units; Data Default Value"
    ),
    "curation": ("Metadata element", "Value"),
}
"""Sheets of the templates that say nothing of subjects or images: left alone."""

OTHER_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("gender", "biological sex"), "sex"),
    **dict.fromkeys(("birth date", "birthday", "dob"), "date of birth"),
    **dict.fromkeys(("organism", "taxon"), "species"),
    **dict.fromkeys(("breed",), "strain"),
    **dict.fromkeys(("weight", "body weight"), "body mass"),
    **dict.fromkeys(("side", "body side"), "laterality"),
    **dict.fromkeys(("body part", "body site", "organ", "location"), "sample anatomical location"),
    **dict.fromkeys(("file", "file name", "path"), "filename"),
    **dict.fromkeys(("author", "creator"), "Contributor name"),
    **dict.fromkeys(("licence",), "License"),
}
"""Words that people write for a column, and that look like none of the template."""
LIKE = 0.8
"""How alike two names are, at least, where one may be meant by the other (difflib's ratio)."""

FURTHER_VALUE = re.compile(r"value(\d+|n)?|extendasneeded")
"""Headers of the columns after `Value`, as name_key leaves them: `Value 2`, `Value n`."""


@cache
def known_names(stem: str) -> Mapping[str, str]:
    """Return {key: the template's name} of a sheet's columns, of its elements where it has some."""
    template = TEMPLATES[stem]
    return {**{name_key(name): name for name in template.elements or template.columns}, **template.aliases}


@cache
def known_headers(stem: str) -> Mapping[str, str]:
    """Return {key: the template's name} of what stands in a sheet's header row."""
    template = TEMPLATES[stem]
    return {name_key(name): name for name in template.columns}


def is_old(stem: str, key: str) -> bool:
    """Tell whether a column's name, as name_key leaves it, is that of another version of the template (1.2.3)."""
    return key in TEMPLATES[stem].aliases and not TEMPLATES[stem].elements


def near(stem: str, header: str) -> str:
    """Return the template's name that a header may mean, "" where none comes near.

    >>> near("subjects", "Gender"), near("subjects", "date_of_brith"), near("subjects", "shoe size")
    ('sex', 'date of birth', '')
    """
    names = known_names(stem)
    key = name_key(header)
    if (meant := _other_words().get(key)) in names.values():
        return meant or ""
    found = difflib.get_close_matches(key[:64], names, n=1, cutoff=LIKE)
    return names[found[0]] if found else ""


@cache
def _other_words() -> Mapping[str, str]:
    return {name_key(word): name for word, name in OTHER_WORDS.items()}
