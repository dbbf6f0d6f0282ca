"""What the log of calls can be asked for on the command line: the same as through the API, in the words people have for
it (names and days in place of ids and moments)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from crm.repositories.calls import CallFilter

F = TypeVar("F", bound=Callable[..., Any])
Asked = dict[str, Any]


def filtered(command: F) -> F:
    """The options; what they hold comes as ``asked``, for :func:`resolved`."""
    for option in reversed(
        (
            click.option("--user", help="Only calls this user (e-mail address or id) had a part in."),
            click.option("--team", metavar="GROUP", help="Only calls of the users in this group (name or id)."),
            click.option("--number", help="Only calls with this outside number."),
            click.option("--did", metavar="NUMBER", help="Only calls by this number of ours."),
            click.option("--direction", type=click.Choice(("inbound", "outbound", "internal"))),
            click.option("--result", metavar="RESULT", help="For example answered, no_answer, busy, refused."),
            click.option("--outcome", help="Only calls of which this outcome (name or id) was said."),
            click.option("--record", metavar="RECORD", help="Only calls of this lead, contact, company or deal (id)."),
            click.option("--from", "first", metavar="DAY", help="The first day, like 2026-11-01."),
            click.option("--to", "last", metavar="DAY", help="The last day, included; without it today."),
            click.option("--hour", type=click.IntRange(0, 23), help="Begun in this hour of a day; of 30 days or DAYs."),
            click.option(
                "--weekday", type=click.IntRange(1, 7), help="1, Monday, to 7; of 30 days or from DAY to DAY."
            ),
            click.option("--time-zone", metavar="ZONE", help="By whose clock; without it the organisation's."),
        )
    ):
        command = option(command)
    return command


async def resolved(session: Any, asked: Asked) -> Asked:
    """As the API takes it: ids, numbers as E.164, moments. Raises Refused for who or what is not known."""
    from crm import phone_numbers
    from crm.services import groups, outcomes, settings, users

    values = await settings.values(session)
    country = str(values["default_country"])
    zone = asked["time_zone"] or str(values["default_time_zone"])
    found: Asked = {
        "user": (await users.show(session, asked["user"])).id if asked["user"] else None,
        "team": (await groups.show(session, asked["team"])).id if asked["team"] else None,
        "customer_number": phone_numbers.parse(asked["number"], country).e164 if asked["number"] else None,
        "did": phone_numbers.parse(asked["did"], country).e164 if asked["did"] else None,
        "direction": asked["direction"],
        "disposition": asked["result"],
        "outcome": (await outcomes.show(session, asked["outcome"])).id if asked["outcome"] else None,
        "record_id": asked["record"],
        "hour": asked["hour"],
        "weekday": asked["weekday"],
        "time_zone": zone,
        **_moments(asked, zone),
    }
    return {name: value for name, value in found.items() if value is not None}


def _moments(asked: Asked, zone: str) -> Asked:
    from zoneinfo import ZoneInfo

    from crm import fields, ids
    from crm.reports import calendar

    by_the_clock = asked["hour"] is not None or asked["weekday"] is not None
    if not (asked["first"] or asked["last"] or by_the_clock):
        return {}
    clock = ZoneInfo(fields.one("time_zone", zone, fields.time_zone))
    today = calendar.today(ids.now_us(), clock)
    since_us, until_us = calendar.read_period(asked["first"], asked["last"], today).bounds_us(clock)
    return {"since_us": since_us, "until_us": until_us}


async def wanted(session: Any, asked: Asked) -> CallFilter:
    """The question to the store."""
    from crm.services import groups

    found = await resolved(session, asked)
    team = await groups.show(session, found["team"]) if "team" in found else None
    names = ("direction", "disposition", "customer_number", "did", "record_id", "since_us", "until_us")
    return CallFilter(
        user_id=found.get("user"),
        outcome_id=found.get("outcome"),
        owner_ids=tuple(team.members) if team is not None else None,
        hour=found.get("hour"),
        weekday=found.get("weekday"),
        zone=found["time_zone"],
        **{name: found.get(name) for name in names},
    )
