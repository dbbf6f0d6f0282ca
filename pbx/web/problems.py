"""Errors as problem details (RFC 9457): a stable code, a sentence with the remedy, never a stack trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from crm import languages
from crm.errors import Refused, printable

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 2


class Problem(BaseModel):
    """RFC 9457. ``code`` is stable; ``detail`` is for people and says what to do; ``field`` is the input at fault."""

    type: str = Field(examples=["urn:switchhook:problem:not_found"])
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    instance: str
    request_id: str
    errors: list[dict[str, str]] | None = Field(None, description="All fields at fault, where there are several.")
    would_do: list[str] | None = Field(
        None, description="Numbers of ours that could send it, where a text was refused."
    )
    opens_us: int | None = Field(None, description="From when on it may be sent, where a text was refused.")
    call_id: str | None = Field(None, description="The call that stands in the log, where a dial was refused.")


class BadRequest(Exception):
    """A request that is wrong before any service sees it."""

    def __init__(self, status: int, code: str, detail: str, field: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.field, self.extra = status, code, detail, field, extra
        self.headers: dict[str, str] = {}


def from_refused(refused: Refused, **extra: Any) -> BadRequest:
    return BadRequest(refused.status, refused.code, refused.message, refused.field, **refused.extra | extra)


def from_validation(error: ValidationError) -> BadRequest:
    """The first field at fault speaks; the others are listed."""
    faults = [_fault(each) for each in error.errors(include_url=False, include_input=False, include_context=False)]
    field, detail, code = faults[0]
    listed = [{"field": name, "detail": text} for name, text, _ in faults[:20]]
    return BadRequest(422, code, detail, field or None, errors=listed if len(faults) > 1 else None)


def _fault(each: Any) -> tuple[str, str, str]:
    field = printable(".".join(str(part) for part in each["loc"]))
    match each["type"]:
        case "missing":
            return field, f"“{field}” is missing. Give it.", "missing"
        case "extra_forbidden":
            return field, f"There is no field “{field}” here. Leave it out, or check its spelling.", "unknown_field"
        case _:
            return field, f"“{field}” cannot be used: {_sentence(each['msg'])}", "invalid"


def _sentence(text: str) -> str:
    text = text[:1].lower() + text[1:]
    return text if text.endswith(".") else text + "."


_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be understood. Check it against the API description."),
    401: ("login_required", "Sign in, or send an API token, to do this."),
    403: ("forbidden", "You have no right to do this. Ask an admin for it."),
    404: ("not_found", "There is nothing at this address. Check its spelling in the API description."),
    405: ("method_not_allowed", "This address does not take that method. See the Allow header for those it takes."),
    413: ("too_large", "The request is too large. Send less at once."),
    415: ("not_json", "The body must be JSON. Send it with Content-Type: application/json."),
    417: ("bad_expectation", "This expectation cannot be met. Leave the Expect header out."),
    500: ("internal_error", "Something went wrong on our side. Give an admin the request id to look it up."),
    503: ("unavailable", "This cannot be done at the moment. Try again in a few seconds."),
}


def from_status(status: int) -> BadRequest:
    code, detail = _WORDS.get(status, _WORDS[500] if status >= 500 else _WORDS[400])
    return BadRequest(status, code, detail)


def response(
    problem: BadRequest, request: web.Request, request_id: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """In the language that the request asks for; ``code`` is the same in all."""
    language = languages.reader_of(request.headers)
    body = {
        "type": f"urn:switchhook:problem:{problem.code}",
        "title": _title(problem.status),
        "status": problem.status,
        "detail": languages.say(problem.detail, language),
        "code": problem.code,
        "field": problem.field,
        "instance": printable(request.path, 200),
        "request_id": request_id,
    }
    body |= {name: value for name, value in problem.extra.items() if value is not None}
    if problem.extra.get("errors"):
        body["errors"] = [
            each | {"detail": languages.say(each["detail"], language)} for each in problem.extra["errors"]
        ]
    sent = {**problem.headers, **(headers or {})}
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        sent.setdefault("Retry-After", str(RETRY_AFTER_S))
    return web.Response(status=problem.status, body=_encode(body), content_type=CONTENT_TYPE, headers=sent)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # a lone surrogate that came in with the request
        return orjson.dumps({name: _storable(value) for name, value in body.items()})


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Sequence):
        return [_storable(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _storable(item) for name, item in value.items()}
    return value
