"""Practising: numbers that can be dialled without a carrier, and being called by one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from crm import phone_numbers
from pbx.services.practice import NUMBERS, TEXT_NUMBERS
from pbx.web.context import Ctx
from pbx.web.declare import Right, Table
from pbx.web.wire.base import Answer, Body, Query

table = Table("practice")


class PracticeNumber(Answer):
    number: str
    display: str
    what: str = Field(description="What it does when it is called.")


class PracticeAnswer(Answer):
    available: bool = Field(description="Whether this engine runs with the practice carrier.")
    numbers: list[PracticeNumber]
    text_numbers: list[PracticeNumber] = Field(description="The ones that take texts, or refuse them.")


class PracticeQuery(Query):
    language: str | None = Field(None, max_length=20, description="en or ja; else as the browser asks.")


class PracticeAsked(Body):
    from_: str | None = Field(
        None, alias="from", max_length=40, description="A practice number, +12065550100 to +12065550199."
    )


class PracticeCalled(Answer):
    """Who calls, and which number of yours."""

    number: str
    display: str
    did: str
    did_display: str


@table.route("GET", "/practice", right=Right.REP, scope="calls:read", answer=PracticeAnswer)
async def show_practice(ctx: Ctx, query: PracticeQuery) -> Any:
    """The practice numbers, and whether they can be dialled here."""
    language = ctx.language(query.language)

    def listed(does: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
        return [{"number": number, "what": what[language]} for number, what in does.items()]

    there = await ctx.engine.practice.available()
    return {"available": there, "numbers": listed(NUMBERS), "text_numbers": listed(TEXT_NUMBERS)}


@table.route(
    "POST", "/practice/call", right=Right.REP, scope="calls:write", answer=PracticeCalled, status=202, errors=(409, 422)
)
async def practice_call(ctx: Ctx, body: PracticeAsked) -> Any:
    """Be called by a practice number, on your own number. It speaks when you answer."""
    user = ctx.engine.directory.users.get(ctx.who.id, ctx.who.user)
    asked = body.from_ and phone_numbers.parse(body.from_, "US", "from").e164
    return {"number": await ctx.engine.practice.call(user, asked), "did": user.number}
