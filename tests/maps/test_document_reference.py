"""Encapsulated documents -> DocumentReference: where they are, never what is in them."""

from typing import Any

import pytest
from pydantic import ValidationError

from mapper.fhir.check import faults
from mapper.maps.site import Site
from mapper.maps.values.document_url import ORTHANC, orthanc_id
from tests.support.reported import STUDY_UID, bundle_of, codes_of, instance, mapped, mapped_samples, of_kind
from tests.support.tables import rows

PDF, CDA = "104.1", "104.2"
ROOT = "https://pacs.example.org/dicom-web"
PLACE = f"studies/{STUDY_UID}/series/{STUDY_UID}.5/instances/{STUDY_UID}.5.1"
ID = orthanc_id("MRN-0042", STUDY_UID, f"{STUDY_UID}.5", f"{STUDY_UID}.5.1")


def document(sop_class: str = PDF, **more: Any) -> dict[str, Any]:
    kind = {"MIMETypeOfEncapsulatedDocument": "application/pdf", "DocumentTitle": "Report"}
    return instance({}, sop_class, 5, **{**kind, "Modality": "DOC", **more})


def made(*, sop_class: str = PDF, site: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    (found,) = of_kind(mapped(document(sop_class, **more), **(site or {})), "DocumentReference")
    return found


@rows(
    "template, url",
    """
    -                                                 https://pacs.example.org/dicom-web/@/rendered
    {dicomweb}/x/{study}                              https://pacs.example.org/dicom-web/x/1.2.826.0.1.3680043.8.498.7
    https://a.example/instances/{orthanc}/pdf         https://a.example/instances/@@/pdf
    https://a.example/wado?objectUID={instance}       https://a.example/wado?objectUID=1.2.826.0.1.3680043.8.498.7.5.1
    https://a.example/fixed                           https://a.example/fixed
    """,
)
def test_the_attachment_is_where_the_site_says(template: str | None, url: str) -> None:
    expected = url.replace("@@", ID or "").replace("@", PLACE)
    assert made(site={"document_url": template})["content"][0]["attachment"]["url"] == expected


def test_without_a_pacs_there_is_no_url() -> None:
    attachment = made(site={"dicomweb": None})["content"][0]["attachment"]
    assert attachment == {"contentType": "application/pdf", "title": "Report"}


@rows(
    "patient, template, has_url",
    """
    MRN-0042    {dicomweb}/{instance}    yes
    Müller      {dicomweb}/{instance}    yes
    Müller      {dicomweb}/{orthanc}     no     # nobody knows the bytes that Orthanc made its id of
    -           {dicomweb}/{orthanc}     yes
    """,
)
def test_a_url_that_cannot_be_made_is_left_out_and_recorded(patient: str | None, template: str, has_url: str) -> None:
    found = mapped(document(PatientID=patient), document_url=template)
    (one,) = of_kind(found, "DocumentReference")
    assert ("url" in one["content"][0]["attachment"]) == (has_url == "yes")
    assert bool(found.problems) == (has_url == "no")


def test_orthanc_s_id_of_an_instance_is_the_one_that_orthanc_gives() -> None:
    """What Orthanc 1.10.1 and 1.12.7 answered to an upload of the samples' PDF."""
    (reference,) = of_kind(
        mapped_samples("encapsulated-pdf", document_url=f"https://a.example{ORTHANC}"), "DocumentReference"
    )
    url = reference["content"][0]["attachment"]["url"]
    assert url == "https://a.example/instances/37eb01e2-81c8be7b-a670bad9-61281116-bfe11b32/content/0042-0011"


@rows(
    "flag, status",
    """
    VERIFIED      final
    UNVERIFIED    preliminary
    -             -
    odd           -
    """,
)
def test_doc_status(flag: str | None, status: str | None) -> None:
    found = made(VerificationFlag=flag)
    assert found.get("docStatus") == status
    assert found["status"] == "current"


def test_type_is_the_code_else_the_title() -> None:
    code = {"CodeValue": "18748-4", "CodingSchemeDesignator": "LN", "CodeMeaning": "Report"}
    assert codes_of(made(ConceptNameCodeSequence=[code])["type"]) == ["18748-4"]
    assert made()["type"] == {"text": "Report"}
    assert "type" not in made(DocumentTitle=None)


def test_a_cda_is_a_document_too() -> None:
    found = made(sop_class=CDA, MIMETypeOfEncapsulatedDocument="text/XML", EncapsulatedDocumentLength=505)
    attachment = found["content"][0]["attachment"]
    assert (attachment["contentType"], attachment["size"]) == ("text/xml", 505)


@rows(
    "date, time, offset, instant",
    """
    20240517    110000    +0200    2024-05-17T11:00:00+02:00
    20240517    -         +0200    -
    -           110000    +0200    -
    """,
)
def test_the_date_is_an_instant_or_absent(date: str | None, time: str | None, offset: str, instant: str | None) -> None:
    assert made(ContentDate=date, ContentTime=time, TimezoneOffsetFromUTC=offset).get("date") == instant


def before(*sop_instances: str) -> dict[str, Any]:
    """Return an item of PredecessorDocumentsSequence."""
    named = [{"ReferencedSOPClassUID": "1.2", "ReferencedSOPInstanceUID": uid} for uid in sop_instances]
    return {"StudyInstanceUID": "1.2", "ReferencedSeriesSequence": [{"ReferencedSOPSequence": named}]}


@rows(
    "predecessors, title, told, means",
    """
    1.2.3                18748-4    1.2.3          replaces
    1.2.3 1.2.4          18748-4    1.2.3 1.2.4    replaces
    1.2.3 1.2.3          18748-4    1.2.3          replaces
    1.2.3                55107-7    1.2.3          appends    # an addendum
    -                    18748-4    -              -
    """,
)
def test_a_document_names_its_predecessors(
    predecessors: str | None, title: str, told: str | None, means: str | None
) -> None:
    code = {"CodeValue": title, "CodingSchemeDesignator": "LN", "CodeMeaning": "x"}
    several = [before(uid) for uid in (predecessors or "").split()]
    found = made(ConceptNameCodeSequence=[code], PredecessorDocumentsSequence=several or None)
    assert found.get("relatesTo", []) == [
        {
            "code": means,
            "target": {
                "type": "DocumentReference",
                "identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"},
            },
        }
        for uid in (told or "").split()
    ]


def test_predecessors_that_cannot_be_read_cost_nothing_else() -> None:
    found = made(PredecessorDocumentsSequence=[{"StudyInstanceUID": "1.2"}])
    assert "relatesTo" not in found
    assert found["status"] == "current"


def test_a_document_of_which_nothing_is_known_is_left_out_and_recorded() -> None:
    found = mapped(document(MIMETypeOfEncapsulatedDocument=None, DocumentTitle=None), dicomweb=None)
    assert of_kind(found, "DocumentReference") == []
    assert found.problems


WRONG = (
    "https://a.example/{uid}",
    "https://a.example/{}",
    "https://a.example/{instance.real}",
    "https://a.example/{instance!r}",
    "ftp://a.example/{instance}",
    "{instance}",
    "https://user:secret@a.example/{instance}",
    "https://a.example/ {instance}",
    "https://a.example/{instance",
    "https://a.example/instance}",
    "javascript:alert({instance})",
)


@pytest.mark.parametrize("template", WRONG)
def test_a_template_that_makes_no_url_is_refused_without_repeating_it(template: str) -> None:
    with pytest.raises(ValidationError) as failure:
        Site(document_url=template)
    assert "secret" not in str(failure.value)


def test_orthanc_s_id_is_made_of_the_patient_id_of_the_document_itself() -> None:
    """A blank PatientID beside a real one is of the same patient, and Orthanc made its id of the blank."""
    image = instance({}, "2", 1, Modality="CT")
    found = mapped(image, document(PatientID=None), document_url="https://a.example/{orthanc}")
    (one,) = of_kind(found, "DocumentReference")
    blank = orthanc_id("", STUDY_UID, f"{STUDY_UID}.5", f"{STUDY_UID}.5.1")
    assert one["content"][0]["attachment"]["url"] == f"https://a.example/{blank}"


@rows(
    "media_type, written",
    """
    application/pdf          application/pdf
    APPLICATION/PDF          application/pdf
    text/xml;_charset=x      text/xml;_charset=x
    application/pdf;__v=1    -    # two blanks
    text/xml;\\t_x           -    # a tab and a blank
    text/xml;\\n_x           -    # another line
    """,
)
def test_a_media_type_that_is_no_code_of_fhir_is_dropped_and_recorded(media_type: str, written: str | None) -> None:
    value = media_type.replace("_", " ").replace("\\t", "\t").replace("\\n", "\n")
    found = mapped(document(MIMETypeOfEncapsulatedDocument=value))
    assert faults(bundle_of(found)) == []
    (one,) = of_kind(found, "DocumentReference")
    attachment = one["content"][0]["attachment"]
    assert attachment.get("contentType") == (written.replace("_", " ") if written else None)
    assert "url" in attachment
    assert any("MIMEType" in problem.attribute for problem in found.problems) is (written is None)
