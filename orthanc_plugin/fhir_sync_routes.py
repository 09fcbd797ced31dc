# SPDX-License-Identifier: GPL-3.0-or-later
"""What fhir_sync.py shows inside Orthanc: the state of a study in FHIR, and re-syncs, below /fhir-sync.

The routes find the StudyInstanceUID in Orthanc and pass on to the mapper, so a browser needs nothing but
Orthanc. They have no access rules of their own: who may use Orthanc's REST API may use them. Whatever comes in, an
answer goes out: an exception would leave Orthanc's log with what it was about.
"""

import json
import re
import secrets
import time
import traceback
from collections.abc import Callable
from typing import Any

import orthanc  # type: ignore[import-not-found]  # made by Orthanc itself
from fhir_sync_json import ANSWER, REQUEST, NotJson, TooLarge, parsed  # type: ignore[import-not-found]
from fhir_sync_log import LOG  # type: ignore[import-not-found]
from fhir_sync_mapper import ASKABLE, Away  # type: ignore[import-not-found]
from fhir_sync_origin import PROTECTION, is_admitted  # type: ignore[import-not-found]
from fhir_sync_page import page  # type: ignore[import-not-found]

WAIT, LONGEST_WAIT = 5.0, 10.0  # seconds a re-sync waits for its outcome, and an HTTP thread of Orthanc with it
MOST_STUDIES, BULK_TIME = 1000, 20.0  # of one bulk request; seconds after which the rest is not asked for

REFUSALS = {
    400: "a body that is not what the route takes: README.md has its bounds",
    403: "a request of another site's page (a proxy must pass the header Host on as it came)",
    413: f"a body of more than {REQUEST} bytes",
    415: "a body that is not application/json",
}
GONE = (
    "This study is not in Orthanc (any more): look for its patient in the list of studies, and if it is missing there, "
    "send its images to Orthanc again; what was in FHIR of a study that is gone is marked as gone by itself.\n"
)
ID = r"([0-9a-f]{8}(?:-[0-9a-f]{8}){4})"

Json = dict[str, Any]
Route = Callable[[Any, Any, Json], None]  # (mapper, Orthanc's output, request)


class Refusal(Exception):
    """A request that is answered by an HTTP status alone."""


class Gone(Exception):
    """A request for a study that Orthanc does not have: 404 with a sentence for people."""


def study_route(mapper: Any, output: Any, request: Json) -> None:
    """GET: the state of a study. POST {"wait": seconds}: re-sync it; 200 and the state in any outcome."""
    wait = None
    if request["method"] == "POST":
        wait = body_of(request).get("wait", WAIT)
        if isinstance(wait, bool) or not isinstance(wait, (int, float)):
            raise Refusal(400)
        wait = min(max(0, wait), LONGEST_WAIT)
    resource = study(request["groups"][0])
    state = mapper.study(name_of(resource), wait)
    if wait is not None:
        label(mapper, resource, state)
    answer_json(output, state)


def bulk_route(mapper: Any, output: Any, request: Json) -> None:
    """POST {"ids": [Orthanc ids]}: mark the studies for a re-sync; ids that Orthanc does not know are listed."""
    ids = body_of(request).get("ids")
    if not isinstance(ids, list) or len(ids) > MOST_STUDIES or not all(isinstance(one, str) for one in ids):
        raise Refusal(400)
    states: list[Json] = []
    unknown, end = [], time.monotonic() + BULK_TIME
    with mapper.waiting.one() as asks:
        for one in dict.fromkeys(ids):
            try:
                name = name_of(resource := study(one))
            except Gone:
                unknown.append(one)
                continue
            asks = asks and time.monotonic() < end
            try:
                states.append(mapper.heard(name, 0) if asks else mapper.unasked(name))
            except Away as away:
                states.append(mapper.silent(name, away))
                asks = False
            label(mapper, resource, states[-1])
    answer_json(output, {"studies": states, "unknown": unknown})


def page_route(mapper: Any, output: Any, request: Json) -> None:
    """GET: a page of the study: how it stands in FHIR, problems, syncs, the way on, a re-sync button of its own."""
    resource, nonce = study(request["groups"][0]), secrets.token_urlsafe(16)
    html = page(resource, uid_of(resource), mapper.details(name_of(resource)), nonce)
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
    policy += "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    output.SetHttpHeader("Content-Security-Policy", policy)
    output.SetHttpHeader("Referrer-Policy", "same-origin")
    output.SetHttpHeader("Cache-Control", "no-store")
    output.AnswerBuffer(html, "text/html; charset=utf-8")


ROUTES: dict[str, tuple[Route, tuple[str, ...]]] = {
    f"/fhir-sync/studies/{ID}": (study_route, ("GET", "POST")),
    f"/fhir-sync/studies/{ID}/page": (page_route, ("GET",)),
    "/fhir-sync/bulk": (bulk_route, ("POST",)),
}


def guarded(mapper: Any, route: Route, methods: tuple[str, ...]) -> Any:
    """Put a route behind the checks that all of them share: method, same origin, JSON."""

    def answer(output: Any, uri: str, **request: Any) -> None:
        headers = request["headers"]
        try:
            for name, value in PROTECTION.items():
                output.SetHttpHeader(name, value)
            if request["method"] not in methods:
                output.SendMethodNotAllowed(", ".join(methods))
                return
            if not is_admitted(request["method"], headers):
                raise Refusal(403)
            content_type = headers.get("content-type", "").split(";")[0].strip().lower()
            if request["method"] == "POST" and content_type != "application/json":
                raise Refusal(415)
            route(mapper, output, request)
        except Gone:
            answer_gone(output)
        except Refusal as refusal:
            status = refusal.args[0]
            if status in REFUSALS:
                LOG.warn(f"HTTP {status}", f"refused with {status}: {REFUSALS[status]}")
            output.SendHttpStatusCode(status)  # a text beside the status would double Content-Type
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            LOG.warn("HTTP 500", f"answered 500: {type(error).__name__} in {place.name}, line {place.lineno}")
            output.SendHttpStatusCode(500)

    return answer


def body_of(request: Json) -> Json:
    """Give the JSON object that a request carries."""
    try:
        body = parsed(request.get("body") or b"{}", REQUEST)
    except TooLarge as error:
        raise Refusal(413) from error
    except NotJson as error:
        raise Refusal(400) from error
    if not isinstance(body, dict):
        raise Refusal(400)
    return body


def study(orthanc_id: str) -> Json:
    """Read what Orthanc tells of a study; 404 for an id that it does not know, as Orthanc does."""
    if not re.fullmatch(ID, orthanc_id):
        raise Gone
    try:
        found: Json = parsed(orthanc.RestApiGet(f"/studies/{orthanc_id}"), ANSWER)
    except orthanc.OrthancException as error:
        if error.args[0] in (orthanc.ErrorCode.UNKNOWN_RESOURCE, orthanc.ErrorCode.INEXISTENT_ITEM):
            raise Gone from error
        raise
    return found


def uid_of(resource: Json) -> str:
    return str(resource["MainDicomTags"].get("StudyInstanceUID", ""))


def label(mapper: Any, resource: Json, state: Json) -> None:
    """Show the state that a button led to, before it is answered: whoever reloads then sees it."""
    if mapper.follower is not None:
        mapper.follower.press(str(resource["ID"]), state["state"])


def name_of(resource: Json) -> str:
    """Give what the mapper is asked by: the UID, or Orthanc's id where the UID must not become part of a URL.

    A UID that looks like an id of Orthanc's would be the name of another study. The mapper keeps both under the id.
    """
    uid = uid_of(resource)
    return uid if ASKABLE.fullmatch(uid) and not re.fullmatch(ID, uid) else str(resource["ID"])


def answer_json(output: Any, answer: Json) -> None:
    output.SetHttpHeader("Cache-Control", "no-store")
    output.AnswerBuffer(json.dumps(answer), "application/json")


def answer_gone(output: Any) -> None:
    try:
        output.SendHttpStatus(
            404, GONE
        )  # as text/plain: Orthanc sets that type beside a status, and a second one is wrong
    except TypeError:  # of Orthanc 1.10.1, where it takes the length as well, and sets no type
        output.SetHttpHeader("Content-Type", "text/plain")
        output.SendHttpStatus(404, GONE, len(GONE))
