"""The OpenAPI 3.1 document, made from the routes' own declarations: what is served is what is described."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pbx.web.declare import Right, Route
from pbx.web.idempotency import HEADER, LONGEST
from pbx.web.problems import CONTENT_TYPE, Problem

Json = dict[str, Any]
VERSION = "1.0"
_REFERENCE = "#/components/schemas/{model}"
_MEANINGS = {
    400: "The request cannot be understood.",
    401: "Nobody is signed in.",
    403: "No right to do this.",
    404: "There is no such thing.",
    409: "Not possible in this state.",
    410: "It was destroyed.",
    413: "Too large.",
    415: "Not JSON.",
    416: "Outside the file.",
    426: "Open a websocket.",
    422: "A field cannot be used.",
    429: "Too often, or too many at once.",
    500: "An error on our side.",
    503: "Not possible at the moment; try again.",
}


def document(routes: Iterable[Route]) -> Json:
    described = [route for route in routes if route.described]
    models: set[Any] = {model for route in described for model in (route.body, route.answer) if _is_model(model)}
    models.add(Problem)
    ordered = sorted(models, key=lambda model: model.__name__)
    modes: list[Any] = [(model, "validation") for model in ordered]
    names, schemas = models_json_schema(modes, ref_template=_REFERENCE)
    references = {model: names[model, "validation"] for model in ordered}
    paths: Json = {}
    for route in described:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Switchhook", "version": VERSION, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "responses": _problems(references[Problem]),
            "securitySchemes": _SECURITY,
        },
    }


_ABOUT = (
    "Times are microseconds since the epoch, UTC. Numbers are E.164. Lists are newest first and paged by cursor. "
    "Errors are problem details (RFC 9457) with a stable `code`; sentences are in English, or in the language that "
    "Accept-Language asks for. Changes made with the session cookie need the "
    "X-CSRF-Token header that GET /api/v1/session tells."
)
_SECURITY: Json = {
    "cookie": {"type": "apiKey", "in": "cookie", "name": "switchhook_session"},
    "token": {"type": "http", "scheme": "bearer"},
}


def _problems(schema: Json) -> Json:
    return {
        str(status): {"description": meaning, "content": {CONTENT_TYPE: {"schema": schema}}}
        for status, meaning in _MEANINGS.items()
    }


def _operation(route: Route, references: dict[Any, Json]) -> Json:
    summary, _, rest = route.summary.partition("\n")
    operation: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": summary,
        "description": f"{summary} {rest}".strip(),
        "x-right": route.right.value,
        "parameters": _parameters(route),
        "responses": _responses(route, references),
        "security": _security(route),
    }
    if route.scope:
        operation["x-scope"] = route.scope
    if route.body is not None:
        operation["requestBody"] = {
            "required": any(field.is_required() for field in route.body.model_fields.values()),
            "content": {"application/json": {"schema": references[route.body]}},
        }
    if route.takes is not None:
        operation["requestBody"] = {"required": True, "content": {route.takes: {}}}
    return operation


def _security(route: Route) -> list[Json]:
    if route.right is Right.PUBLIC:
        return []
    return [{"cookie": []}, {"token": [route.scope]}] if route.scope else [{"cookie": []}]


def _parameters(route: Route) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    if route.query is not None:
        schema = route.query.model_json_schema(ref_template=_REFERENCE)
        required = schema.get("required", [])
        found += [
            {
                "name": name,
                "in": "query",
                "required": name in required,
                "description": value.pop("description", ""),
                "schema": value,
            }
            for name, value in schema["properties"].items()
        ]
    if route.idempotent:
        found.append(
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "description": "A key of your own for this request: repeated with it, it makes no second call.",
                "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST},
            }
        )
    return found


def _responses(route: Route, references: dict[Any, Json]) -> Json:
    responses: Json = {str(route.status): _success(route, references)}
    if route.raw is not None and route.raw.startswith("audio"):
        responses["206"] = {"description": "The range that was asked for.", "content": {route.raw: {}}}
        responses["304"] = {"description": "You have it already."}
    for status in sorted(errors_of(route)):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return responses


def errors_of(route: Route) -> set[int]:
    """Every error that the route may answer with: its own, and those of every route of its kind."""
    found = set(route.errors)
    if route.right is not Right.PUBLIC:
        found |= {401, 403, 503}
    if route.method != "GET":
        found |= {400, 403, 413, 415, 422, 503}
    if route.query is not None or route.parameters:
        found |= {404, 422}
    return found


def _success(route: Route, references: dict[Any, Json]) -> Json:
    if route.status == 204:
        return {"description": "Done."}
    if route.status == 101:
        return {"description": "Each message that comes.", "content": {route.raw: {"schema": references[route.answer]}}}
    if route.raw is not None:
        return {"description": "As asked for.", "content": {route.raw: {}}}
    schema = references[route.answer] if _is_model(route.answer) else {"type": "object"}
    return {"description": "As asked for.", "content": {"application/json": {"schema": schema}}}


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)
