"""What an admin can do stands in the API, on the command line and in the console alike (A1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module

import click
import pytest
from pydantic import BaseModel

from crm.services.tokens import SCOPES
from pbx.cli.main import COMMANDS
from pbx.web.declare import API, Right, Route
from pbx.web.routes import TABLES
from pbx.web.wire import people_of_ours as ours
from pbx.web.wire import scripts, webhooks, wrapup
from tests.support.house import ROOT

CONSOLE = ROOT / "console/src"
KEPT: Mapping[str, tuple[str, type[BaseModel], type[BaseModel]]] = {
    "user": ("Users", ours.NewUser, ours.UserChange),
    "number": ("Numbers", ours.NewNumber, ours.NumberChange),
    "device": ("Phones", ours.NewDevice, ours.DeviceChange),
    "trunk": ("Trunks", ours.NewTrunk, ours.TrunkChange),
    "group": ("Groups", ours.NewGroup, ours.GroupChange),
    "outcome": ("Outcomes", wrapup.NewOutcome, wrapup.OutcomeChange),
    "script": ("Scripts", scripts.NewScript, scripts.ScriptChange),
    "dnc": ("Calling", ours.NewDoNotCall, ours.DoNotCallChange),
    "token": ("Tokens", ours.NewToken, ours.TokenChange),
    "webhook": ("Webhooks", webhooks.NewWebhook, webhooks.WebhookChange),
}
"""What is added, changed and removed, by its command: the console's page and what the API takes."""
NOT_CHOSEN = {("device", "kind"), ("device", "enabled"), ("number", "country")}
"""A browser gets its phone by signing in; a new phone is in use; a number's country does not change."""
BY_COMMAND = {
    "users": {"user"},
    "numbers": {"number"},
    "devices": {"device"},
    "trunks": {"trunk"},
    "groups": {"group"},
    "outcomes": {"outcome"},
    "scripts": {"script"},
    "organisation": {"setting", "token", "audit"},
    "webhooks": {"webhook"},
    "notices": {"notice"},
    "law": {"law", "erase"},
    "text-templates": {"text"},
    "text-transports": {"text"},
    "text-registration": {"text"},
    "do-not-call": {"dnc"},
    "blocks": {"block"},
    "money": {"rate", "balance", "bill"},
    "engine": {"drain"},
    "system": {"doctor"},
}
FOR_ADMINS = [route for table in TABLES for route in table if route.right is Right.ADMIN]

pytestmark = pytest.mark.covers("A1")


def options_of(noun: str, verb: str) -> set[str]:
    group = getattr(import_module(f"pbx.cli.{COMMANDS[noun][0]}"), f"{noun}_command")
    assert isinstance(group, click.Group)
    names = {str(each.name) for each in group.commands[verb].params}
    return {name.removeprefix("field_") for name in names if name.startswith("field_") or name == "user"}


@cache
def screens() -> str:
    return "".join(path.read_text() for path in sorted((CONSOLE / "screens").rglob("*.svelte")))


def form_of(page: str) -> set[str]:
    return set(re.findall(r"name: '(\w+)'", (CONSOLE / f"screens/admin/{page}.svelte").read_text()))


@pytest.mark.parametrize("noun", KEPT)
def test_every_field_is_an_option_of_the_command_and_stands_in_the_form(noun: str) -> None:
    page, adding, changing = KEPT[noun]
    for verb, body in (("add", adding), ("change", changing)):
        fields = {name for name in body.model_fields if (noun, name) not in NOT_CHOSEN}
        options = {name for name in options_of(noun, verb) if (noun, name) not in NOT_CHOSEN}
        assert options == fields, f"pbx {noun} {verb}"
        assert fields <= form_of(page), f"the console's page {page}"


@pytest.mark.parametrize(
    "route",
    FOR_ADMINS,
    ids=lambda route: f"{route.method} {route.path}",
)
def test_what_only_admins_may_do_has_its_command_and_its_button(route: Route) -> None:
    commands = BY_COMMAND.get(route.tag, set())
    assert commands and commands <= COMMANDS.keys(), f"Which command does what “{route.tag}” does?"
    if route.method == "GET" and route.parameters:
        return  # one of a list that is shown whole
    assert asked(route), f"Nothing in the console asks {route.path.removeprefix(API)}."


def asked(route: Route) -> bool:
    return f"api.{route.method}('{route.path}'" in screens()


def test_a_token_can_be_given_every_scope_in_the_console() -> None:
    page = (CONSOLE / "screens/admin/Tokens.svelte").read_text()
    assert set(re.findall(r"'(\w+:\w+)',", page)) == set(SCOPES)


def test_every_room_of_the_admin_pages_can_be_opened() -> None:
    rooms = set(re.findall(r"^  '(\w+)',$", (CONSOLE / "screens/admin/sections.ts").read_text(), re.MULTILINE))
    pages = set(re.findall(r"'/admin/(\w+)'", (CONSOLE / "screens/routes.ts").read_text()))
    assert rooms - {"overview"} == pages
