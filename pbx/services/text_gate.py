"""Gathers the facts that the gate for texts decides by: for the composer, for what is sent, and for the outbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from crm.directory import Directory
from crm.errors import Refused
from crm.phone_numbers import display, parse
from crm.services import opt_outs, text_campaigns, text_transports, texts
from crm.texts import Campaign
from pbx.core.messaging import gate, segments
from pbx.services.text_rules import Planned, Price, TextRules

DAY_US = 24 * 3_600_000_000
SHORTEST_PLAN = 7
"""Digits: fewer are a short code, which can be answered and never read as a telephone number."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody wants to send. ``user_id`` is empty where the organisation itself confirms something."""

    user_id: str
    sender: str
    to: str
    body: str
    at_us: int
    has_media: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    verdict: gate.Verdict
    count: segments.Count
    receiver: gate.Receiver
    price: Price | None
    campaign: Campaign | None
    transport_id: str | None


class TextGate:
    def __init__(self, directory: Callable[[], Directory], rules: TextRules) -> None:
        self._directory = directory
        self._rules = rules

    async def judge(self, session: Any, intent: Intent) -> Judged:
        """Whether this text may leave at ``at_us``, with what it counts and costs."""
        directory, count = self._directory(), segments.count(intent.body)
        sender = self._own(directory, intent.sender)
        receiver = self._receiver(directory, intent)
        campaign = await text_campaigns.of_number(session, intent.sender) if intent.sender else None
        carried_by = text_transports.chosen_for(await text_transports.list_all(session), intent.sender)
        way = carried_by.id if carried_by else ""
        planned = await self._planned(session, directory, intent, receiver, count.segments, way)
        price = await self._rules.price(session, planned)
        facts = gate.Facts(
            segments=count.segments,
            max_segments=directory.settings["texts.max_segments"],
            has_media=intent.has_media,
            opted_out=bool(receiver.e164) and await opt_outs.contains(session, receiver.e164),
            campaign=campaign.state if campaign else "",
            balance_micros=await self._rules.credit(session, planned),
            needs_micros=price.micros if price else 0,
            hours=await self._rules.hours(session, planned) if receiver.e164.startswith("+") else gate.Hours(),
            has_transport=carried_by is not None,
            pairs=directory.settings["texts.countries"],
            others=self._others(directory, intent.sender),
        )
        verdict = gate.decide(self._writer(directory, intent), sender, receiver, facts)
        return Judged(verdict, count, receiver, price, campaign, way or None)

    def number_of(self, user_id: str) -> str:
        """The user's own number; empty for none."""
        number = self._directory().number_of(user_id)
        return number.e164 if number else ""

    async def _planned(
        self, session: Any, directory: Directory, intent: Intent, receiver: gate.Receiver, count: int, way: str
    ) -> Planned:
        since_us = intent.at_us - DAY_US
        reply = await texts.wrote_since(session, intent.sender, receiver.e164, since_us)
        return Planned(
            intent.sender,
            receiver.e164,
            max(count, 1),
            intent.at_us,
            reply,
            directory.settings,
            directory.law,
            way,
            intent.has_media,
        )

    def _writer(self, directory: Directory, intent: Intent) -> gate.Writer:
        user = directory.users.get(intent.user_id)
        return gate.Writer(intent.user_id, active=user is None or user.active, automatic=not intent.user_id)

    def _own(self, directory: Directory, e164: str) -> gate.OwnNumber | None:
        number = directory.numbers.get(e164)
        if number is None:
            return None
        owner = directory.users.get(number.user_id or "")
        shown = display(number.e164, directory.settings["default_country"])
        return gate.OwnNumber(
            number.e164, shown, number.country, number.sms, number.user_id, owner.name if owner else ""
        )

    def _others(self, directory: Directory, sender: str) -> tuple[gate.OwnNumber, ...]:
        found = (self._own(directory, e164) for e164 in sorted(directory.numbers) if e164 != sender)
        return tuple(own for own in found if own is not None)

    def _receiver(self, directory: Directory, intent: Intent) -> gate.Receiver:
        """National notation is read as of the writer's country; a short code can be answered as it is."""
        home = directory.settings["default_country"]
        user = directory.users.get(intent.user_id)
        if intent.to.isdigit() and len(intent.to) < SHORTEST_PLAN:
            own = directory.numbers.get(intent.sender)
            return gate.Receiver(intent.to, intent.to, own.country if own else home, "short")
        try:
            number = parse(intent.to, user.country if user else home, "to")
        except Refused as refused:
            return gate.Receiver("", intent.to, why=refused.message)
        return gate.Receiver(number.e164, display(number.e164, home), number.country, number.kind)


def would_do(verdict: gate.Verdict, directory: Directory) -> Sequence[dict[str, str]]:
    """The numbers that could, as people choose among them."""
    home = directory.settings["default_country"]
    return [
        {
            "number": e164,
            "shown": display(e164, home),
            "owner": owner.name if (owner := directory.user_of(e164)) else "",
        }
        for e164 in verdict.would_do
    ]
