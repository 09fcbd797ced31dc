"""ResearchStudy <- dataset_description: what the dataset is, who made it, under which licence (SDS 2.x, 3.x).

FHIR R4 ResearchStudy has one principal investigator and no further people: they stand in an extension of ours, built as
R5's `associatedParty` is. (R5's own extension for R4 is refused by R4's validators.)
"""

from typing import Any

from mapper.fhir import systems
from mapper.maps import dataset_keys, engine
from mapper.maps.research import contributor
from mapper.maps.research.cells import Research, cell, of_description
from mapper.maps.research.values import orcid_of
from mapper.maps.rule import MUST, Made
from mapper.maps.values.text import text, text_concepts
from mapper.records.sds.columns import name_key
from mapper.records.sds.identity import RESOLVER, doi_of

RELATIONS = {
    **dict.fromkeys(("IsDerivedFrom", "IsSourceOf"), "derived-from"),
    **dict.fromkeys(("HasProtocol", "IsProtocolFor", "IsDocumentedBy", "IsDescribedBy"), "documentation"),
    **dict.fromkeys(("IsNewVersionOf", "Obsoletes"), "predecessor"),
    **dict.fromkeys(("IsPreviousVersionOf", "IsObsoletedBy"), "successor"),
    **dict.fromkeys(("Requires", "IsRequiredBy"), "depends-on"),
    **dict.fromkeys(("HasPart",), "composed-of"),
}
"""DataCite's relation -> FHIR R4 related-artifact-type; any other is a citation."""
CONTRIBUTOR = "StructureDefinition/contributor"
"""The extension of a contributor, under the site's base."""
TYPES = {name_key(relation): kind for relation, kind in RELATIONS.items()}


def study_id(cx: Research) -> str:
    """The dataset's UUID -> id."""
    return cx.id(*dataset_keys.research_study(cx.known[1]))


def identifiers(cx: Research, *_: Any) -> list[dict[str, str]]:
    """The dataset's DOI, and its UUID -> Identifiers: as `urn:sparc_dataset:uid` too, which is secondary."""
    dataset, uuid = cx.known
    doi = doi_of(dataset.description.doi)
    official = [{"use": "official", "system": systems.URI, "value": f"{RESOLVER}{doi}"}] if doi else []
    own = {"system": f"{cx.site.base}/sds/dataset", "value": str(uuid)}
    return [*official, own, sparc_dataset(dataset.name, str(uuid))]


def sparc_dataset(name: str, uuid: str) -> dict[str, str]:
    """Return the Identifier of a dataset as users of SPARC search it."""
    return {"use": "secondary", "system": systems.SPARC_DATASET, "value": f"urn:uid:{name}-{uuid}"}


def status(cx: Research) -> str:
    """A dataset does not say that its study ended: active (docs/decisions/0015-datasets.md)."""
    return "active"


def objectives(cx: Research, values: Any) -> list[dict[str, str]]:
    """Study purpose -> objective, as text."""
    return [{"name": value} for value in values]


def keywords(cx: Research, values: Any) -> list[dict[str, str]]:
    """Keywords -> CodeableConcepts without a code; several in one cell stand apart by `;`."""
    words = [word.strip() for value in values for word in value.split(";")]
    return [{"text": word} for word in dict.fromkeys(words) if word]


def investigator(cx: Research, *_: Any) -> dict[str, str] | None:
    """Contributor with the role PrincipalInvestigator -> Reference, by the ORCID iD or by name."""
    found = contributor.principal(cx.known[0].description)
    return contributor.reference(cx, found) if found else None


def parties(cx: Research, *_: Any) -> list[dict[str, Any]]:
    """Contributors -> extensions, one for each role: name, role, and who it is by the ORCID iD."""
    made = []
    for one in cx.known[0].description.contributors:
        if one.orcid and orcid_of(one) is None:
            cx.note("not an ORCID iD: the contributor is known by name only")
        for role in one.roles or ("Contributor",):
            parts: list[dict[str, Any]] = [{"url": "name", "valueString": one.name}]
            parts.append({"url": "role", "valueCodeableConcept": {"text": role}})
            parts.append({"url": "party", "valueReference": contributor.reference(cx, one)})
            made.append({"url": systems.local(cx.site.base, CONTRIBUTOR), "extension": parts})
    return made


def licence(cx: Research, value: Any) -> list[dict[str, str]]:
    """License -> related artifact with the label License: R4 has no element for it."""
    if value is None:
        return []
    made = {"type": "documentation", "label": "License", "display": value}
    return [{**made, "url": value} if value.startswith(("https://", "http://")) and " " not in value else made]


def related(cx: Research, *_: Any) -> list[dict[str, str]]:
    """Related identifiers -> related artifacts; the dataset's own DOI is an identifier."""
    description = cx.known[0].description
    made = []
    for one in description.related_identifiers:
        if one.identifier == description.doi:
            continue
        artifact = {"type": TYPES.get(name_key(one.relation or ""), "citation")}
        if one.relation:
            artifact["label"] = one.relation
        if one.description:
            artifact["display"] = one.description
        doi = doi_of(one.identifier)
        url = f"{RESOLVER}{doi}" if doi else one.identifier
        if url.startswith(("https://", "http://")) and " " not in url:
            artifact["url"] = url
        else:
            artifact["citation"] = one.identifier
        made.append(artifact)
    return made


def arms(cx: Research) -> list[dict[str, str]]:
    """Experimental groups of the subjects -> arms."""
    names = (row.stated("subject experimental group") for row in cx.known[0].subjects)
    return [{"name": name} for name in dict.fromkeys(names) if name]


# fmt: off
RULES = (
    #    FHIR element                          cells of dataset_description                                by
    cell("ResearchStudy.id",                     "",                                                         study_id, MUST),
    cell("ResearchStudy.extension",              "Contributor name; Contributor ORCiD; Contributor role",    parties),
    cell("ResearchStudy.identifier",             "Identifier; Relation type; Identifier description",        identifiers),
    cell("ResearchStudy.title",                  "Title",                                                    text),
    cell("ResearchStudy.status",                 "",                                                         status, MUST),
    cell("ResearchStudy.category",               "Type*",                                                    text_concepts),
    cell("ResearchStudy.category",               "Study approach*",                                          text_concepts),
    cell("ResearchStudy.category",               "Study technique*",                                         text_concepts),
    cell("ResearchStudy.relatedArtifact",        "License",                                                  licence),
    cell("ResearchStudy.relatedArtifact",        "Identifier; Identifier type; Relation type; Identifier description", related),
    cell("ResearchStudy.keyword",                "Keywords*",                                                keywords),
    cell("ResearchStudy.description",            "Description",                                              text),
    cell("ResearchStudy.description",            "Subtitle",                                                 text, otherwise=True),
    cell("ResearchStudy.principalInvestigator",  "Contributor name; Contributor ORCiD; Contributor role",    investigator),
    cell("ResearchStudy.arm",                    "",                                                         arms),
    cell("ResearchStudy.objective",              "Study purpose*",                                           objectives),
)
# fmt: on


def research_study(cx: Research) -> Made:
    """Return the ResearchStudy of a dataset."""
    return engine.resource(RULES, cx, of_description(cx.known[0].description), "ResearchStudy")
