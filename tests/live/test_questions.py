"""docs/fhir-questions.md on real servers: the demo's studies are uploaded, every request of the page is asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from samples.dataset import part10
from samples.studies import studies
from stack import FhirServer
from stack.mapper import OPTIONS
from tests.support.questions import Question, differences, parameters, questions
from tests.support.stack import Stack, entries, until


@pytest.fixture(scope="module")
def stack(run_folder: Path) -> Iterator[Stack]:
    """Run everything from Orthanc to a FHIR server of its own, and wait until the demo's studies are there."""
    options = {"ORTHANC_FHIR_OPTIONS": OPTIONS}
    fhir = FhirServer(run_folder / "questions-fhir")
    with fhir, Stack(run_folder / "questions", fhir, settings=options) as running:
        made = list(studies())
        for study in made:
            running.store(map(part10, study.datasets))
        for study in made:
            running.until_state(study.study_uid, "synced", seconds=90)
        yield running


def sent(stack: Stack, question: Question) -> None:
    """Send what changes something, and have it succeed."""
    answer = stack.http.request(
        question.method,
        f"{stack.fhir.url}/{question.url}",
        data=question.body,
        headers={"Content-Type": "application/fhir+json"},
        timeout=60,
    )
    assert answer.ok, f"{question.heading}: {answer.text[:500]}"


def resources(stack: Stack, url: str) -> list[dict[str, Any]]:
    """Return what a request finds, the following pages included."""
    return entries(stack.http, f"{stack.fhir.url}/{url}", {})


def compared(stack: Stack, question: Question) -> None:
    """Ask, and have the answer be that of the page; an index made anew takes a moment."""

    def told() -> list[tuple[str, ...]]:
        return question.told(resources(stack, question.url))

    until(lambda: told() == question.expected, 15, say=lambda: (question.heading, told()))


def test_every_question_is_answered_as_the_page_says(stack: Stack) -> None:
    for question in questions():
        (compared if question.method == "GET" else sent)(stack, question)


def test_hapi_answers_otherwise_where_the_page_says_so(stack: Stack) -> None:
    for request, said in differences():
        answer = stack.http.get(f"{stack.fhir.url}/{request}", timeout=60)
        found = str(answer.status_code) if not answer.ok else str(len(resources(stack, request)))
        assert found == said, request


def test_the_server_says_that_it_knows_the_parameters_of_the_page(stack: Stack) -> None:
    said = stack.http.get(f"{stack.fhir.url}/metadata", timeout=60).json()["rest"][0]["resource"]
    known = {one["type"]: {parameter["name"] for parameter in one.get("searchParam", ())} for one in said}
    for kind, named in parameters().items():
        assert named <= known[kind], kind
