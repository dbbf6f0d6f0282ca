"""One request as handlers see it: who asks, what was sent, and the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from crm import languages
from crm.errors import not_found, printable
from crm.unit_of_work import Actor
from pbx.services.displays import home_of
from pbx.web.auth import DOOR
from pbx.web.engine import ENGINE, Engine
from pbx.web.principal import Principal
from pbx.web.problems import BadRequest, from_validation

Model = TypeVar("Model", bound=BaseModel)
LONGEST_PATH_PART = 320


@dataclass(slots=True)
class Ctx:
    request: web.Request
    principal: Principal | None
    call_id: str = ""
    """Of the call that an idempotent route makes, minted with the claim of the key."""
    repeated: bool = False
    """The key was claimed before without an answer being kept: that call may stand already."""

    @property
    def engine(self) -> Engine:
        return self.request.app[ENGINE]

    @property
    def home(self) -> str:
        """The organisation's own country."""
        return home_of(self.engine.directory)

    def language(self, asked: str | None = None) -> str:
        """Of texts in the answer: the one asked for, else the browser's first that we have, else the user's own."""
        accepted = asked if asked else self.request.headers.get("Accept-Language", "")
        return languages.wished(accepted) or self.who.user.language

    @property
    def reader(self) -> str:
        """The language of the engine's own sentences: English for programs, which ask for none."""
        return languages.reader_of(self.request.headers)

    @property
    def who(self) -> Principal:
        """Whoever is signed in; only routes that need no login may find nobody here."""
        if self.principal is None:
            raise RuntimeError(f"{self.request.path} reads who asks without having asked for a login")
        return self.principal

    @property
    def actor(self) -> Actor:
        return self.who.actor

    def accounts_changed(self) -> None:
        """Users, logins or tokens are not what they were: what the door remembers of them is forgotten."""
        self.request.app[DOOR].forget()

    def path(self, name: str) -> str:
        """A part of the address; what could not be the name of anything is not found."""
        value = self.request.match_info[name]
        if not value.isprintable() or len(value) > LONGEST_PATH_PART:
            raise not_found(name.replace("_", " "), value)
        return value

    def read_query(self, model: type[Model]) -> Model:
        given = self.request.query
        _check_no_nul(dict(given))
        for name in given:
            if len(given.getall(name)) > 1:
                raise BadRequest(422, "given_twice", f"“{name}” is given twice. Give it once.", name)
        try:
            return model.model_validate(dict(given))
        except ValidationError as error:
            raise from_validation(error) from None

    async def read_body(self, model: type[Model]) -> Model:
        raw = await self.request.read()
        if not raw:
            raw = b"{}"
        elif self.request.content_type != "application/json":
            raise BadRequest(415, "not_json", "The body must be JSON. Send it with Content-Type: application/json.")
        try:
            given = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise BadRequest(400, "bad_json", f"The body is not JSON: {error.msg} at character {error.pos}.") from None
        if b"\\u0000" in raw:
            _check_no_nul(given)
        try:
            return model.model_validate(given)
        except ValidationError as error:
            raise from_validation(error) from None


def _check_no_nul(value: object, field: str = "") -> None:
    """No text of ours holds the NUL character, and databases refuse it in their own ways."""
    if isinstance(value, str) and "\0" in value:
        name = printable(field)
        raise BadRequest(422, "invalid", f"“{name}” holds the NUL character. Take it out.", name or None)
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_no_nul(name, field)
            _check_no_nul(inner, f"{field}.{name}".lstrip("."))
    if isinstance(value, list):
        for inner in value:
            _check_no_nul(inner, field)
