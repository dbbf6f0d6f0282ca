"""Webhooks over the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from crm import webhooks
from pbx.web.wire.base import Answer, Body, PageQuery, view

WebhookView = view(webhooks.Webhook)
DeliveryView = view(webhooks.Delivery, "WebhookDelivery")
Event = Literal[tuple(webhooks.EVENTS)]  # type: ignore[valid-type]


class WebhookChange(Body):
    url: str = Field("", max_length=2_000, examples=["https://example.com/hooks/switchhook"])
    events: list[Event] = Field([], description="Of what it is told; see GET /webhook-events.")  # type: ignore[valid-type]
    description: str = ""
    enabled: bool = Field(True, description="False: it is told nothing; what happens meanwhile waits for three days.")


class NewWebhook(WebhookChange):
    url: str = Field(max_length=2_000, examples=["https://example.com/hooks/switchhook"])
    events: list[Event] = Field(description="Of what it is told; see GET /webhook-events.")  # type: ignore[valid-type]


class WebhookWithSecret(Answer):
    webhook: WebhookView  # type: ignore[valid-type]
    secret: str = Field(description="What requests are signed with, as Standard Webhooks has it. Shown this once.")


class DeliveryQuery(PageQuery):
    webhook: str | None = Field(None, description="Of this one (id) alone.")
    state: Literal["waiting", "delivered", "failed"] | None = None


class DeliveryDetail(Answer):
    delivery: DeliveryView  # type: ignore[valid-type]
    body: str = Field(description="What is sent, to the letter.")


class EventView(Answer):
    type: str
    scope: str = Field(description="What an API token must have to send it somewhere.")
