"""The OpenAPI description of the API, and the same as a page for people: docs/api.md."""

import json
from typing import Any, cast

from fastapi import FastAPI
from pydantic import BaseModel

from mapper.service import Service
from mapper.web import api, shapes, standing_shape
from mapper.web.api import add_api
from mapper.web.marker import Marker
from mapper.web.questions import add_questions
from mapper.web.refusals import PROBLEM, UNSEEN
from mapper.web.shapes import UID, Problem
from mapper.words import Links

REFUSED = {
    400: "the request is none that HTTP or this service knows",
    401: "a token is needed, or it is none of ours",
    403: "the role does not allow it, or the request comes from another site",
    404: "nobody knows the study, or there is no such path",
    405: "the method is not the path's",
    413: "the body is larger than 1 MB",
    415: "the body is no JSON",
    422: "a parameter or the body is wrong: the answer says which",
    429: "too many wrong tokens came from this address",
    503: "the ledger or a source does not answer, or too much is asked at once: come again",
}
"""What else any path may answer."""
SAID = {"schema": {"$ref": "#/components/schemas/Problem"}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": words,
        "content": dict.fromkeys((PROBLEM, UNSEEN) if status == 404 else (PROBLEM,), SAID),
    }
    for status, words in REFUSED.items()
}
"""By reference: a `model` here is built anew for each status of each route, half of what an application takes."""
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The token (ORTHANC_FHIR_TOKEN, or a named one)."},
    "basic": {"type": "http", "scheme": "basic", "description": "Any user, the token as password."},
}
HEAD = """\
# API

`Authorization: Bearer <token>`, or Basic with the token as password and any user; what only reads needs the role
`read`, what writes `operate`. The same in OpenAPI: `GET /api/openapi.json`. Bodies are JSON, times ISO 8601 in UTC.

People log in at `/login` with a token, which makes a session of twelve hours, and end it at `/logout`; both take forms
and are no part of the API: programs send their token with each request.

**Pages.** An answer with `next` goes on: ask again with `after=<next>`, until it is null. A page begins behind a row,
not at a number: what comes meanwhile moves nothing, and the last page is as quick as the first. A study that moves
while one pages stands at the beginning of the list then.

**Errors.** What is no success is `application/problem+json` (RFC 9457): `title`, `status`, `detail`, and `message`,
the same as `detail`. A study that nobody knows is a 404 of the type
`application/vnd.orthanc-fhir.unseen+json`: another 404 is that of a gateway.

| status | what it means |
| --- | --- |
"""
MODELS = {
    name: model
    for module in (shapes, standing_shape, api)
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, BaseModel)
}


def describe(app: FastAPI) -> None:
    """Have an application describe its errors as what they are, and how one gets in."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = completed(plain())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's own documentation extends it


def completed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a description with the shape of errors, and the ways to get in."""
    schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    for name, found in schema["components"]["schemas"].items():
        if "examples" in found:
            found["examples"] = examples(name)  # FastAPI leaves null out of them
    schema["components"]["securitySchemes"] = SCHEMES
    schema["security"] = [{name: []} for name in SCHEMES]
    return schema


def examples(name: str) -> Any:
    """Return the examples of a schema as they are written."""
    extra = MODELS[name].model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    return extra["examples"]


def markdown() -> str:
    """Return docs/api.md."""
    app = FastAPI(title="orthanc-fhir", responses=RESPONSES)
    nobody = cast("Service", None)  # a description asks no service
    links = cast("Links", None)
    add_questions(app, nobody, links)
    add_api(app, nobody, Marker(nobody), links)
    schema = completed(app.openapi())
    parts = [HEAD + "\n".join(f"| {status} | {words} |" for status, words in REFUSED.items()), ""]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            parts += section(method.upper(), path, operation)
    return "\n".join(parts)


def section(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    """Return the part about one operation: what it does, what it takes, and an example of both."""
    parts = [f"## {method} {path}", "", operation["description"], ""]
    if given := operation.get("parameters", []):
        parts += ["| parameter | what it is |", "| --- | --- |"]
        parts += [f"| `{one['name']}` | {about(one)} |" for one in given]
        parts.append("")
    sent = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body = example_of(sent["schema"]) if sent else None
    data = f" -H 'Content-Type: application/json' -d '{json.dumps(body)}'" if sent else ""
    asked = f"$MAPPER{path.replace('{study_uid}', UID)}"
    parts += ["```sh", f'curl -H "Authorization: Bearer $ORTHANC_FHIR_TOKEN"{data} {asked}', "```", ""]
    (answer,) = (one for status, one in operation["responses"].items() if status.startswith("2"))
    said = example_of(answer["content"]["application/json"]["schema"])
    return [*parts, "```json", json.dumps(said, indent=2), "```", ""]


def about(parameter: dict[str, Any]) -> str:
    """Return what a parameter is: its own words, its words of choice, its bounds and its default."""
    schema = parameter["schema"]
    kinds = [schema, *schema.get("anyOf", [])]
    words = [parameter.get("description") or NAMED.get(parameter["name"], "")]
    words += [", ".join(f"`{one}`" for one in kind["enum"]) for kind in kinds if "enum" in kind]
    if "maximum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}")
    if schema.get("default") not in (None, ""):
        words.append(f"default {json.dumps(schema['default'])}")
    return "; ".join(word.rstrip(".") for word in words if word)


NAMED = {"study_uid": "StudyInstanceUID", "state": "State", "fate": "State that the sync led to"}


def example_of(reference: dict[str, Any]) -> Any:
    """Return the example of what a reference names."""
    return examples(reference["$ref"].rpartition("/")[2])[0]
