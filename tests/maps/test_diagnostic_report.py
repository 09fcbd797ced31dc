"""Text reports -> DiagnosticReport: conclusion, status, people, and a page that nobody can misuse."""

from base64 import b64decode, b64encode
from hashlib import sha1
from html.parser import HTMLParser
from typing import Any

import pytest
from pydicom.sr.coding import Code

from mapper.fhir.check import faults
from mapper.maps.tables import diagnostic_report
from samples.sr.content import CONTAINS, CONTEXT, MOD, coded, container, item, num, pname, referring, text, unit
from tests.support.reported import (
    BASIC_TEXT,
    STUDY_UID,
    bundle_of,
    codes_of,
    instance,
    mapped,
    mapped_samples,
    of_kind,
)
from tests.support.tables import rows

TITLE = Code("18748-4", "LN", "Diagnostic Imaging Report")
FINDINGS, FINDING = Code("121070", "DCM", "Findings"), Code("121071", "DCM", "Finding")
IMPRESSIONS, IMPRESSION = Code("121072", "DCM", "Impressions"), Code("121073", "DCM", "Impression")
LOINC_IMPRESSIONS, CONCLUSION = Code("19005-8", "LN", "Impressions"), Code("121077", "DCM", "Conclusion")
EMBOLISM = Code("59282003", "SCT", "Pulmonary embolism")
LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")


def report(*items: Any, title: Code = TITLE, sop_class: str = BASIC_TEXT, **more: Any) -> dict[str, Any]:
    return instance(container("", title, *items, template="2000"), sop_class, 6, CompletionFlag="COMPLETE", **more)


def made(*items: Any, **more: Any) -> dict[str, Any]:
    (found,) = of_kind(mapped(report(*items, **more)), "DiagnosticReport")
    return found


def page(found: dict[str, Any]) -> str:
    (form,) = found["presentedForm"]
    data = b64decode(form["data"])
    assert data.isascii(), "read right in any character set"
    assert form["size"] == len(data)
    assert form["hash"] == b64encode(sha1(data).digest()).decode()
    assert form["contentType"] == "text/html"
    return data.decode()


CONCLUDED: dict[str, tuple[Any, str | None]] = {
    "an impression": (container(CONTAINS, IMPRESSIONS, text(CONTAINS, IMPRESSION, "No embolism.")), "No embolism."),
    "two of them": (
        container(CONTAINS, IMPRESSIONS, text(CONTAINS, IMPRESSION, "One."), text(CONTAINS, IMPRESSION, "Two.")),
        "One.\nTwo.",
    ),
    "by LOINC": (container(CONTAINS, LOINC_IMPRESSIONS, text(CONTAINS, FINDING, "No embolism.")), "No embolism."),
    "without a section": (text(CONTAINS, CONCLUSION, "No embolism."), "No embolism."),
    "deep in a section": (
        container(CONTAINS, IMPRESSIONS, container(CONTAINS, FINDINGS, text(CONTAINS, FINDING, "Deep."))),
        "Deep.",
    ),
    "not what modifies": (container(CONTAINS, IMPRESSIONS, text(MOD, IMPRESSION, "en")), None),
    "not a finding": (container(CONTAINS, FINDINGS, text(CONTAINS, FINDING, "A nodule.")), None),
    "nothing": (container(CONTAINS, IMPRESSIONS), None),
}


@pytest.mark.parametrize(("content", "conclusion"), CONCLUDED.values(), ids=CONCLUDED)
def test_the_conclusion_is_what_impressions_and_conclusions_say(content: Any, conclusion: str | None) -> None:
    assert made(content).get("conclusion") == conclusion


def test_codes_of_an_impression_are_conclusion_codes_and_no_text_is_read_as_one() -> None:
    found = made(
        container(CONTAINS, IMPRESSIONS, coded(CONTAINS, IMPRESSION, EMBOLISM), text(CONTAINS, IMPRESSION, "Mass."))
    )
    assert [codes_of(one) for one in found["conclusionCode"]] == [["59282003"]]
    assert "conclusionCode" not in made(container(CONTAINS, FINDINGS, coded(CONTAINS, FINDING, EMBOLISM)))


LENGTH = num(CONTAINS, Code("410668003", "SCT", "Length"), "9.0", unit("mm"))
PREDECESSOR = {"PredecessorDocumentsSequence": [{"StudyInstanceUID": "1.2"}]}
MM = {"CodeValue": "mm", "CodingSchemeDesignator": "UCUM", "CodeMeaning": "mm"}
ADDENDUM = Code("55107-7", "LN", "Addendum")


@rows(
    "preliminary, completion, verification, before, title, status",
    """
    -              COMPLETE    VERIFIED      no     report      final
    -              COMPLETE    UNVERIFIED    no     report      preliminary
    -              PARTIAL     VERIFIED      no     report      partial
    -              PARTIAL     UNVERIFIED    yes    report      partial
    -              COMPLETE    VERIFIED      yes    report      amended
    -              COMPLETE    VERIFIED      yes    addendum    appended
    -              COMPLETE    UNVERIFIED    yes    report      preliminary
    -              -           VERIFIED      no     report      final
    -              COMPLETE    -             no     report      unknown
    -              COMPLETE    odd           no     report      unknown
    PRELIMINARY    COMPLETE    VERIFIED      no     report      preliminary
    PRELIMINARY    COMPLETE    UNVERIFIED    no     report      preliminary
    PRELIMINARY    COMPLETE    VERIFIED      yes    report      preliminary
    PRELIMINARY    COMPLETE    -             no     report      preliminary
    PRELIMINARY    PARTIAL     UNVERIFIED    no     report      partial
    FINAL          COMPLETE    VERIFIED      no     report      final
    FINAL          COMPLETE    VERIFIED      yes    report      amended
    FINAL          COMPLETE    UNVERIFIED    no     report      preliminary    # final is what somebody verified
    FINAL          COMPLETE    -             no     report      unknown
    odd            COMPLETE    VERIFIED      no     report      final
    """,
)
def test_status_of_a_report_and_of_its_results(
    preliminary: str | None,
    completion: str | None,
    verification: str | None,
    before: str,
    title: str,
    status: str,
) -> None:
    flags = {"PreliminaryFlag": preliminary, "CompletionFlag": completion, "VerificationFlag": verification}
    root = container("", ADDENDUM if title == "addendum" else TITLE, LENGTH, template="2000")
    one = mapped(instance(root, BASIC_TEXT, 6, **flags, **(PREDECESSOR if before == "yes" else {})))
    (found,), (result,) = of_kind(one, "DiagnosticReport"), of_kind(one, "Observation")
    assert found["status"] == status
    same = {"partial": "preliminary", "amended": "final", "appended": "final"}
    assert result["status"] == same.get(status, status)


def test_an_amended_report_leaves_its_predecessor_as_it_is() -> None:
    before, both = mapped_samples("text-report"), mapped_samples("text-report", "text-report-amended")
    (first,) = of_kind(before, "DiagnosticReport")
    reports = of_kind(both, "DiagnosticReport")
    assert first in reports
    assert sorted(one["status"] for one in reports) == ["amended", "final"]


def test_who_verified_interprets_and_where_identified_is_a_practitioner() -> None:
    who = {"CodeValue": "1234567893", "CodingSchemeDesignator": "NPI", "CodeMeaning": "NPI"}
    one = {
        "VerifyingObserverName": "Weber^Karl",
        "VerifyingOrganization": "Clinic",
        "VerificationDateTime": "20240517121500",
    }
    two = {**one, "VerifyingObserverIdentificationCodeSequence": [who], "VerificationDateTime": "20240517131500"}
    found = mapped(report(VerifyingObserverSequence=[one, two]))
    (made_of_it,) = of_kind(found, "DiagnosticReport")
    (person,) = of_kind(found, "Practitioner")
    assert person["identifier"] == [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}]
    assert made_of_it["resultsInterpreter"] == [
        {"display": "Weber, Karl"},
        {"reference": f"Practitioner/{person['id']}", "display": "Weber, Karl"},
    ]
    assert made_of_it["performer"] == [{"display": "Clinic"}]
    assert made_of_it["issued"] == "2024-05-17T13:15:00+02:00"


def test_a_title_without_a_code_keeps_its_words() -> None:
    found = made(title=Code("", "", "Befund"))
    assert codes_of(found["code"]) == ["18748-4"]
    assert made(title=Code("A1", "99X", "Befund"))["code"]["coding"][0]["display"] == "Befund"


def test_numbers_of_a_report_are_its_results() -> None:
    length = num(CONTAINS, Code("410668003", "SCT", "Length"), "9.0", unit("mm"))
    group = container(CONTAINS, Code("125007", "DCM", "Measurement Group"), length)
    found = mapped(report(container(CONTAINS, FINDINGS, length, group), sop_class="88.33"))
    (one,) = of_kind(found, "DiagnosticReport")
    observations = {f"Observation/{each['id']}": each for each in of_kind(found, "Observation")}
    assert len(observations) == 3
    assert len(one["result"]) == 2, "what is in a group comes with it"
    assert {each["reference"] for each in one["result"]} <= set(observations)


def test_a_measurement_report_makes_no_diagnostic_report() -> None:
    assert of_kind(mapped_samples("measurements"), "DiagnosticReport") == []


# -- the page ----------------------------------------------------------------------------------------------------

EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;script&gt;",
    "</h1><h1>",
    "javascript:alert(1)",
    "<!-- -->",
    "]]>",
)


class Tags(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[Any] = []
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "br":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("evil", EVIL)
def test_every_text_is_escaped_wherever_it_stands(evil: str) -> None:
    name = Code("A1", "99X", evil)
    found = made(
        text(CONTAINS, name, evil),
        coded(CONTAINS, name, name),
        pname(CONTEXT, name, "Weber^" + evil.replace("^", "")),
        num(CONTAINS, name, "1", Code("x", "99X", evil)),
        container(CONTAINS, name, text(CONTAINS, name, evil)),
        title=Code("A1", "99X", evil),
    )
    seen = Tags()
    seen.feed(page(found))
    seen.close()
    assert seen.tags <= {"h1", "h2", "h3", "h4", "h5", "h6", "p", "b", "br", "div"}
    assert seen.attributes == []
    assert seen.open == []
    assert "".join(seen.text).count(evil) >= 8


def test_the_page_holds_the_whole_report_in_its_order() -> None:
    (found,) = of_kind(mapped_samples("text-report"), "DiagnosticReport")
    shown = page(found)
    words = (
        "Diagnostic Imaging Report",
        "History",
        "Husten seit sechs Wochen",
        "Findings",
        "Impressions",
        "Verlaufskontrolle",
    )
    places = [shown.index(word) for word in words]
    assert places == sorted(places)
    assert found["presentedForm"][0]["language"] == "de"
    assert found["presentedForm"][0]["title"] == "Diagnostic Imaging Report"


WORDS: dict[str, tuple[Any, str]] = {
    "a moment": (item(CONTAINS, "DATETIME", FINDING, {"DateTime": "20240517101500"}), "2024-05-17T10:15:00"),
    "with a zone": (
        item(CONTAINS, "DATETIME", FINDING, {"DateTime": "20240517101500.5+0200"}),
        "2024-05-17T10:15:00.5+02:00",
    ),
    "to the minute": (item(CONTAINS, "DATETIME", FINDING, {"DateTime": "202405171015"}), "2024-05-17T10:15"),
    "a month": (item(CONTAINS, "DATETIME", FINDING, {"DateTime": "202405"}), "2024-05"),
    "a date": (item(CONTAINS, "DATE", FINDING, {"Date": "20240517"}), "2024-05-17"),
    "a time": (item(CONTAINS, "TIME", FINDING, {"Time": "101500"}), "10:15:00"),
    "what is no moment": (item(CONTAINS, "DATETIME", FINDING, {"DateTime": "yesterday"}), "yesterday"),
    "a text of digits": (text(CONTAINS, FINDING, "20240517101500"), "20240517101500"),
    "a double alone": (
        item(
            CONTAINS,
            "NUM",
            FINDING,
            {"MeasuredValueSequence": [{"FloatingPointValue": 12.5, "MeasurementUnitsCodeSequence": [MM]}]},
        ),
        "12.5 mm",
    ),
}


@pytest.mark.parametrize(("content", "words"), WORDS.values(), ids=WORDS)
def test_the_page_says_a_value_as_a_person_reads_it(content: Any, words: str) -> None:
    assert f"<p><b>Finding</b>: {words}</p>" in page(made(content))


def test_the_same_report_is_the_same_page() -> None:
    one, other = (page(made(text(CONTAINS, FINDING, "A\nB"))) for _ in range(2))
    assert one == other
    assert "A<br/>B" in one


def test_a_page_that_is_too_large_is_left_out_and_recorded() -> None:
    half = "x" * (diagnostic_report.LONGEST_PAGE // 2)
    found = mapped(report(text(CONTAINS, FINDING, half), text(CONTAINS, FINDING, half)))
    (one,) = of_kind(found, "DiagnosticReport")
    assert "presentedForm" not in one
    assert any("page" in problem.reason for problem in found.problems)


@rows(
    "scheme, value, language",
    """
    RFC5646    de-AT    de-AT
    RFC3066    de       -
    ISO639_2   ger      -
    """,
)
def test_a_language_is_told_where_its_code_is_bcp_47(scheme: str, value: str, language: str | None) -> None:
    found = made(coded(MOD, LANGUAGE, Code(value, scheme, "German")))
    assert found["presentedForm"][0].get("language") == language


OTHER, THIRD = "1.2.826.0.1.3680043.8.498.8", "1.2.826.0.1.3680043.8.498.9"


@rows(
    "current, pertinent, studies, is_own_time",
    """
    -                 -        own            yes
    own               -        own            yes
    own               other    own            yes    # only compared
    -                 other    own            yes
    other             -        other          no
    other own         -        other own      yes
    other third       own      other third    no
    own own           -        own            yes
    """,
)
def test_a_report_is_about_every_study_of_its_current_evidence(
    current: str | None, pertinent: str | None, studies: str, is_own_time: str
) -> None:
    uids = {"own": STUDY_UID, "other": OTHER, "third": THIRD}
    image = referring(CONTAINS, "IMAGE", None, ("1.2.840.10008.5.1.4.1.1.2", f"{OTHER}.1"))
    named = {
        keyword: [{"StudyInstanceUID": uids[one], **instances_of(uids[one])} for one in (said or "").split()]
        for keyword, said in (
            ("CurrentRequestedProcedureEvidenceSequence", current),
            ("PertinentOtherEvidenceSequence", pertinent),
        )
    }
    found = made(container(CONTAINS, FINDINGS, image), **named)
    told = [one.get("identifier", {}).get("value", f"urn:oid:{STUDY_UID}") for one in found["imagingStudy"]]
    assert told == [f"urn:oid:{uids[one]}" for one in studies.split()]
    assert ("effectiveDateTime" in found) is (is_own_time == "yes")


def instances_of(study: str) -> dict[str, Any]:
    """Return one image of a study, as evidence names it."""
    one = {"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "ReferencedSOPInstanceUID": f"{study}.1"}
    return {"ReferencedSeriesSequence": [{"ReferencedSOPSequence": [one]}]}


def test_orders_are_the_study_s_and_those_that_the_report_names() -> None:
    found = made(AccessionNumber="A1", ReferencedRequestSequence=[{"AccessionNumber": "A2"}, {"AccessionNumber": "A1"}])
    assert [one["identifier"]["value"] for one in found["basedOn"]] == ["A1", "A2"]


def test_a_text_longer_than_a_string_of_fhir_is_dropped_and_recorded() -> None:
    many = [text(CONTAINS, IMPRESSION, "x" * 500_000) for _ in range(3)]
    found = mapped(report(container(CONTAINS, IMPRESSIONS, *many)))
    (one,) = of_kind(found, "DiagnosticReport")
    assert "conclusion" not in one
    assert any("longer" in problem.reason for problem in found.problems)


@pytest.mark.parametrize("registered", [False, True], ids=["a private scheme", "a registered one"])
def test_who_verified_is_sent_along_under_the_scheme_of_the_document(registered: bool) -> None:
    code = {"CodeValue": "7", "CodingSchemeDesignator": "99HOSP", "CodeMeaning": "Weber"}
    who = {"VerifyingObserverName": "Weber^Karl", "VerifyingObserverIdentificationCodeSequence": [code]}
    scheme = {"CodingSchemeDesignator": "99HOSP", "CodingSchemeUID": "1.2.276.0.76.3.1.997"}
    more: dict[str, Any] = {"CodingSchemeIdentificationSequence": [scheme]} if registered else {}
    found = mapped(report(VerificationFlag="VERIFIED", VerifyingObserverSequence=[who], **more))
    (one,), (person,) = of_kind(found, "DiagnosticReport"), of_kind(found, "Practitioner")
    assert one["resultsInterpreter"] == [{"reference": f"Practitioner/{person['id']}", "display": "Weber, Karl"}]
    assert (person["identifier"][0]["system"] == "urn:oid:1.2.276.0.76.3.1.997") == registered


@pytest.mark.parametrize(
    ("language", "written"),
    [("de-AT", "de-AT"), ("en US", "en US"), ("en  US", None), ("en\t US", None), ("en\n\nUS", None)],
)
def test_a_language_that_is_no_code_of_fhir_is_left_out_and_recorded(language: str, written: str | None) -> None:
    found = mapped(report(coded(MOD, LANGUAGE, Code(language, "RFC5646", "x")), text(CONTAINS, IMPRESSION, "A mass.")))
    assert faults(bundle_of(found)) == []
    (one,) = of_kind(found, "DiagnosticReport")
    assert one["presentedForm"][0].get("language") == written
    assert any("language" in problem.reason for problem in found.problems) is (written is None)


@rows(
    "times, issued",
    """
    20240517121500,20240517131500              2024-05-17T13:15:00+02:00
    20240517131500,20240517121500              2024-05-17T13:15:00+02:00
    20240517230000+0200,20240517223000-0500    2024-05-17T22:30:00-05:00    # five hours and a half later
    20240517223000-0500,20240517230000+0200    2024-05-17T22:30:00-05:00
    20240517230000+0200,20240518               2024-05-17T23:00:00+02:00    # a date alone is no instant
    20240517120000.5,20240517120000.25         2024-05-17T12:00:00.500+02:00
    20240518                                   2024-05-17T10:02:00+02:00    # when it was written
    """,
)
def test_it_was_issued_when_it_was_verified_last(times: str, issued: str) -> None:
    people = [{"VerifyingObserverName": "Weber^Karl", "VerificationDateTime": one} for one in times.split(",")]
    assert made(VerifyingObserverSequence=people)["issued"] == issued


PRESENCE, ABSENT = Code("705057003", "SCT", "Presence"), Code("2667000", "SCT", "Absent")
MODIFIED: dict[str, tuple[Any, bool]] = {  # a child of a coded impression, whether the code stays
    "absent": (coded(MOD, PRESENCE, ABSENT), False),
    "absent, in words": (text(MOD, PRESENCE, "not seen"), False),
    "the language": (coded(MOD, LANGUAGE, Code("de", "RFC5646", "German")), True),
    "what it contains": (text(CONTAINS, FINDING, "seen"), True),
}


@pytest.mark.parametrize(("below", "stays"), MODIFIED.values(), ids=MODIFIED)
def test_a_coded_conclusion_that_something_modifies_is_no_conclusion_code(below: Any, stays: bool) -> None:
    other = Code("233604007", "SCT", "Pneumonia")
    found = mapped(
        report(
            container(
                CONTAINS,
                IMPRESSIONS,
                coded(CONTAINS, IMPRESSION, EMBOLISM, below),
                coded(CONTAINS, IMPRESSION, other),
                text(CONTAINS, IMPRESSION, "In words."),
            )
        )
    )
    (one,) = of_kind(found, "DiagnosticReport")
    codes = [code for concept in one["conclusionCode"] for code in codes_of(concept)]
    assert codes == (["59282003", "233604007"] if stays else ["233604007"])
    assert "In words." in one["conclusion"]
    assert "Pulmonary embolism" in page(one)
    assert any("modifies" in problem.reason for problem in found.problems) is not stays
